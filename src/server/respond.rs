//! Answers and rejections to HTTP: the one place where an error gets a status.
//!
//! What SDKs insist on: success is 200 with `{}` and a newline (Go takes nothing else), every body is
//! JSON or empty (Node raises on anything else, whatever the status), 429 and 503 say when to come back
//! and 413 does not, and there are no redirects. 401 names no scheme: browsers would open a dialog.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header;

use crate::ingest::Decoded;
use crate::ingest::Success;
use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Envelope;
use crate::ingest::rejection::Fault;
use crate::ingest::rejection::ItemRefusal;
use crate::ingest::rejection::Rejection;
use crate::value::write_text;

/// Headers of every answer, as the vendor's service sends them: browsers call from any page.
const ALWAYS: [(HeaderName, HeaderValue); 2] = [
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-store, must-revalidate, max-age=0"),
    ),
];

/// The answer to a request whose calls are stored. `region_url` is asked where clients reach us: one
/// that adopted the vendor's address would pass us by.
pub fn accepted(decoded: &Decoded, region_url: impl FnOnce() -> String) -> Response<Bytes> {
    match decoded.success {
        Success::Ok => json(StatusCode::OK, Bytes::from_static(b"{}\n")),
        Success::NoContent => empty(StatusCode::NO_CONTENT),
        Success::Partial => {
            let mut body = Vec::new();
            write_refusals(&decoded.refused, &mut body);
            body.push(b'\n');
            json(StatusCode::MULTI_STATUS, body.into())
        }
        Success::Region => {
            let mut body = b"{\"url\":".to_vec();
            write_text(&region_url(), &mut body);
            // The region must be one of the vendor's two, and the environment a number.
            body.extend_from_slice(b",\"region\":\"us\",\"environment_id\":1}\n");
            json(StatusCode::OK, body.into())
        }
    }
}

/// The answer to a refused request.
pub fn rejected(rejection: &Rejection) -> Response<Bytes> {
    let mut body = Vec::new();
    write_rejection(rejection, &mut body);
    body.push(b'\n');
    let mut response = json(status(&rejection.cause), body.into());
    match &rejection.cause {
        Cause::WrongMethod { allow } => {
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        Cause::Throttled { retry_after }
        | Cause::Overloaded { retry_after }
        | Cause::NotStored { retry_after } => {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds(*retry_after));
        }
        _ => {}
    }
    response
}

/// The answer to `OPTIONS`, whatever the path: a browser asks before it sends JSON or credentials.
pub fn preflight() -> Response<Bytes> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, PUT, POST, DELETE"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type"),
    );
    // As long as browsers let an answer count.
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    );
    response
}

/// The status a cause is answered with.
pub const fn status(cause: &Cause) -> StatusCode {
    match cause {
        Cause::Malformed(_) | Cause::NothingAccepted(_) | Cause::NoDefaultSource => {
            StatusCode::BAD_REQUEST
        }
        Cause::CredentialsMissing | Cause::CredentialsWrong => StatusCode::UNAUTHORIZED,
        Cause::NotFound => StatusCode::NOT_FOUND,
        Cause::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Cause::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        Cause::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Cause::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
        Cause::Overloaded { .. } | Cause::NotStored { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn json(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = empty(status);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    *response.body_mut() = body;
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().extend(ALWAYS);
    response
}

/// Whole seconds, rounded up: zero would ask for an immediate retry.
fn seconds(wait: Duration) -> HeaderValue {
    HeaderValue::from(
        wait.as_secs()
            .saturating_add(u64::from(0 < wait.subsec_nanos()))
            .max(1),
    )
}

fn write_rejection(rejection: &Rejection, out: &mut Vec<u8>) {
    match (&rejection.cause, rejection.envelope) {
        (Cause::NothingAccepted(refused), Envelope::V2) => write_refusals(refused, out),
        (cause, Envelope::V1List) => {
            out.extend_from_slice(b"{\"meta\":{\"errors\":[");
            write_text(&cause.to_string(), out);
            out.extend_from_slice(b"]}}");
        }
        (cause, Envelope::V1Text) => {
            out.extend_from_slice(b"{\"meta\":{\"error\":");
            write_text(&cause.to_string(), out);
            out.extend_from_slice(b"}}");
        }
        (Cause::Malformed(fault), Envelope::V2) => {
            out.extend_from_slice(b"{\"errors\":[{");
            write_fault(fault, out);
            out.extend_from_slice(b"}]}");
        }
        (cause, Envelope::V2) => {
            out.extend_from_slice(b"{\"errors\":[{\"reason\":");
            write_text(cause.word(), out);
            out.extend_from_slice(b",\"message\":");
            write_text(&cause.to_string(), out);
            out.extend_from_slice(b"}]}");
        }
    }
}

fn write_refusals(refused: &[ItemRefusal], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"errors\":[");
    for (n, refusal) in refused.iter().enumerate() {
        let start: &[u8] = if n == 0 {
            b"{\"batch_index\":"
        } else {
            b",{\"batch_index\":"
        };
        out.extend_from_slice(start);
        out.extend_from_slice(refusal.index.to_string().as_bytes());
        out.push(b',');
        write_fault(&refusal.fault, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn write_fault(fault: &Fault, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"reason\":");
    write_text(fault.reason.word(), out);
    out.extend_from_slice(b",\"field\":");
    write_text(&fault.field, out);
    out.extend_from_slice(b",\"message\":");
    write_text(&fault.message, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(1200);

    /// Status, `Retry-After` and body of a rejection.
    fn answer(cause: Cause, envelope: Envelope) -> (u16, Option<String>, String) {
        let response = rejected(&Rejection::new(cause, envelope));
        let header = |name| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(
            header(header::CONTENT_TYPE),
            Some("application/json; charset=utf-8")
        );
        assert_eq!(
            header(header::CACHE_CONTROL),
            Some("no-cache, no-store, must-revalidate, max-age=0")
        );
        let body = String::from_utf8(response.body().to_vec()).unwrap();
        serde_json::from_str::<serde_json::Value>(&body).unwrap();
        let status = response.status().as_u16();
        (
            status,
            header(header::RETRY_AFTER).map(ToOwned::to_owned),
            body,
        )
    }

    #[test]
    fn what_may_be_retried_says_when_and_nothing_else_does() {
        for (cause, status, retry_after) in [
            (Cause::NotFound, 404, None),
            (Cause::WrongMethod { allow: "PUT" }, 405, None),
            (Cause::from(Fault::invalid("a", "b")), 400, None),
            (Cause::NothingAccepted(Vec::new()), 400, None),
            (Cause::TooLarge { bytes_max: 1 }, 413, None),
            (Cause::CredentialsMissing, 401, None),
            (Cause::CredentialsWrong, 401, None),
            (Cause::NoDefaultSource, 400, None),
            (Cause::BodyTimeout, 408, None),
            (Cause::Throttled { retry_after: WAIT }, 429, Some("2")),
            (
                Cause::Overloaded {
                    retry_after: Duration::ZERO,
                },
                503,
                Some("1"),
            ),
            (
                Cause::NotStored {
                    retry_after: Duration::MAX,
                },
                503,
                Some("18446744073709551615"),
            ),
        ] {
            for envelope in [Envelope::V1List, Envelope::V1Text, Envelope::V2] {
                let (found, header, body) = answer(cause.clone(), envelope);
                assert_eq!((found, header.as_deref()), (status, retry_after), "{body}");
            }
        }
    }

    #[test]
    fn each_envelope_has_its_shape() {
        let cause = || Cause::from(Fault::invalid("name", "a \"b\" c"));
        assert_eq!(
            answer(cause(), Envelope::V1List).2,
            "{\"meta\":{\"errors\":[\"a \\\"b\\\" c\"]}}\n"
        );
        assert_eq!(
            answer(cause(), Envelope::V1Text).2,
            "{\"meta\":{\"error\":\"a \\\"b\\\" c\"}}\n"
        );
        assert_eq!(
            answer(cause(), Envelope::V2).2,
            "{\"errors\":[{\"reason\":\"invalid\",\"field\":\"name\",\"message\":\"a \\\"b\\\" c\"}]}\n"
        );
        assert_eq!(
            answer(Cause::CredentialsWrong, Envelope::V2).2,
            "{\"errors\":[{\"reason\":\"credentials_wrong\",\
             \"message\":\"wrong site id or API key\"}]}\n"
        );
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let cause = Cause::WrongMethod {
            allow: "PUT, DELETE, OPTIONS",
        };
        let response = rejected(&Rejection::new(cause, Envelope::V1Text));
        assert_eq!(
            response.headers().get(header::ALLOW).unwrap(),
            "PUT, DELETE, OPTIONS"
        );
    }
}
