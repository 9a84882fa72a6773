//! The paths of the API: cutting a raw target into its parts, and decoding each of them once.
//!
//! A path that lacks an id is 400 and not 404: phones drop a call on 400 and keep one on 404, and
//! this one would never succeed.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::ingest::endpoint::Route;
use crate::ingest::rejection::Fault;

/// Longest id, in bytes: the vendor's limit for ids of persons and objects.
pub(super) const ID_BYTES_MAX: usize = 150;
/// Longest email address as an id, in bytes: what SMTP can carry (RFC 5321, 4.5.3.1.3).
pub(super) const EMAIL_BYTES_MAX: usize = 254;

/// Where a path hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// `/api/v1`.
    V1,
    /// `/api/v2`.
    V2,
    /// Neither: an endpoint at the root of the host, or an SDK that was given the bare host.
    Root,
}

/// A path of the API: what may be done there, and the raw text of its variable parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    methods: Methods,
    parts: [Option<(Part, &'a str)>; 2],
}

#[derive(Clone, Copy, Debug)]
enum Methods {
    Get(Route),
    Post(Route),
    /// One person: set or forget.
    Person,
    /// The devices of a person: one is added.
    Devices,
    /// One device: forget.
    Device,
}

/// A variable part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Person,
    Device,
    Segment,
    Form,
    Delivery,
}

/// Path and query of a request target, in origin or absolute form.
pub(super) fn split_target(target: &str) -> (&str, &str) {
    let target = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => rest
            .find(['/', '?'])
            .and_then(|at| rest.get(at..))
            .unwrap_or("/"),
        _ => target,
    };
    target.split_once('?').unwrap_or((target, ""))
}

/// The base of a path and the rest, without empty segments in front and behind. An id that ends in a
/// slash has to be encoded.
pub(super) fn split_base(path: &str) -> (Base, &str) {
    let path = path.trim_start_matches('/');
    let under = |base: &str| {
        path.strip_prefix(base)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let (base, rest) = match (under("api/v1"), under("api/v2")) {
        (Some(rest), _) => (Base::V1, rest),
        (_, Some(rest)) => (Base::V2, rest),
        _ => (Base::Root, path),
    };
    (base, rest.trim_matches('/'))
}

/// What stands at a path.
pub(super) fn find(base: Base, rest: &str) -> Option<Found<'_>> {
    match base {
        Base::V1 => v1(rest),
        Base::V2 => v2(rest),
        Base::Root => root(rest).or_else(|| v2(rest)).or_else(|| v1(rest)),
    }
}

pub(super) fn root(rest: &str) -> Option<Found<'_>> {
    match rest.split_once('/').unwrap_or((rest, "")) {
        ("auth", "") => Some(Found::fixed(Methods::Get(Route::Auth))),
        ("unsubscribe", id) => Some(Found::post(Route::Unsubscribe, Part::Delivery, id)),
        _ => None,
    }
}

pub(super) fn v2(rest: &str) -> Option<Found<'_>> {
    match rest {
        "entity" => Some(Found::fixed(Methods::Post(Route::Entity))),
        "batch" => Some(Found::fixed(Methods::Post(Route::Batch))),
        _ => None,
    }
}

fn v1(rest: &str) -> Option<Found<'_>> {
    let (resource, behind) = rest.split_once('/').unwrap_or((rest, ""));
    let fixed = match (resource, behind) {
        ("events", "") => Methods::Post(Route::AnonymousEvent),
        ("merge_customers", "") => Methods::Post(Route::Merge),
        ("metrics", "") => Methods::Post(Route::Metrics),
        ("push", "events") => Methods::Post(Route::Push),
        ("cio_deliveries", "events") => Methods::Post(Route::InApp),
        ("accounts", "region") => Methods::Get(Route::Region),
        ("customers", _) => return Some(customer(behind)),
        ("segments", _) => {
            return match behind.rsplit_once('/')? {
                (id, "add_customers") => Some(Found::post(Route::SegmentAdd, Part::Segment, id)),
                (id, "remove_customers") => {
                    Some(Found::post(Route::SegmentRemove, Part::Segment, id))
                }
                _ => None,
            };
        }
        ("forms", _) => {
            return match behind.rsplit_once('/')? {
                (id, "submit") => Some(Found::post(Route::Form, Part::Form, id)),
                _ => None,
            };
        }
        _ => return None,
    };
    Some(Found::fixed(fixed))
}

/// What stands behind `/customers/`; the known words are looked for from the end.
fn customer(behind: &str) -> Found<'_> {
    let person = |methods, id| Found {
        methods,
        parts: [Some((Part::Person, id)), None],
    };
    match behind.rsplit_once('/') {
        Some((id, "events")) => person(Methods::Post(Route::Event), id),
        Some((id, "suppress")) => person(Methods::Post(Route::Suppress), id),
        Some((id, "unsuppress")) => person(Methods::Post(Route::Unsuppress), id),
        Some((id, "devices")) => person(Methods::Devices, id),
        _ => match behind.rsplit_once("/devices/") {
            Some((id, token)) => Found {
                methods: Methods::Device,
                parts: [Some((Part::Person, id)), Some((Part::Device, token))],
            },
            None => person(Methods::Person, behind),
        },
    }
}

impl<'a> Found<'a> {
    const fn fixed(methods: Methods) -> Self {
        Self {
            methods,
            parts: [None, None],
        }
    }

    const fn post(route: Route, part: Part, raw: &'a str) -> Self {
        Self {
            methods: Methods::Post(route),
            parts: [Some((part, raw)), None],
        }
    }

    /// What a method does here.
    pub(super) fn route(&self, method: &Method) -> Option<Route> {
        match (self.methods, method.as_str()) {
            (Methods::Get(route), "GET" | "HEAD") | (Methods::Post(route), "POST") => Some(route),
            (Methods::Person, "PUT") => Some(Route::Identify),
            (Methods::Person, "DELETE") => Some(Route::Delete),
            (Methods::Devices, "PUT") => Some(Route::AddDevice),
            // Without a token: refused for that, with 400. Phones drop a call on 400, and retry one
            // on 405 for ever.
            (Methods::Devices | Methods::Device, "DELETE") => Some(Route::DeleteDevice),
            _ => None,
        }
    }

    /// The value of the `Allow` header.
    pub(super) const fn allow(&self) -> &'static str {
        match self.methods {
            Methods::Get(_) => "GET, HEAD, OPTIONS",
            Methods::Post(_) => "POST, OPTIONS",
            Methods::Person => "PUT, DELETE, OPTIONS",
            Methods::Devices => "PUT, OPTIONS",
            Methods::Device => "DELETE, OPTIONS",
        }
    }

    /// The variable parts, undecoded.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Part, &'a str)> {
        self.parts.into_iter().flatten()
    }
}

impl Part {
    /// Decodes the raw text of this part, once.
    pub(super) fn decode(self, raw: &str) -> Result<String, Fault> {
        let text = decode(raw).map_err(|why| {
            Fault::invalid(
                "path",
                format_args!("{} in the path {why}: {raw:?}", self.noun()),
            )
        })?;
        if text.trim().is_empty() {
            return Err(Fault::required(
                "path",
                format_args!(
                    "{} in the path is empty; an id of dots must be encoded",
                    self.noun()
                ),
            ));
        }
        match self {
            Self::Person => check_id_length("path", &text)?,
            Self::Segment if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(Fault::invalid(
                    "path",
                    format_args!("the segment id in the path must be a number, not {text:?}"),
                ));
            }
            _ => {}
        }
        Ok(text)
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Person => "the customer id",
            Self::Device => "the device token",
            Self::Segment => "the segment id",
            Self::Form => "the form id",
            Self::Delivery => "the delivery id",
        }
    }
}

/// Refuses an id beyond the vendor's limit; an email address may be as long as mail allows.
pub(super) fn check_id_length(field: impl Into<Cow<'static, str>>, id: &str) -> Result<(), Fault> {
    let bytes_max = if id.contains('@') {
        EMAIL_BYTES_MAX
    } else {
        ID_BYTES_MAX
    };
    if id.len() <= bytes_max {
        return Ok(());
    }
    Err(Fault::too_large(
        field,
        format_args!(
            "an id has at most {bytes_max} bytes, this one has {}",
            id.len()
        ),
    ))
}

/// What the ids of a segment call are; a query that does not say means ids.
pub(super) fn id_type(query: &str) -> Result<Option<String>, Fault> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, raw)) = pairs.find(|(key, _)| *key == "id_type") else {
        return Ok(None);
    };
    match raw {
        "id" | "email" | "cio_id" => Ok(Some(raw.to_owned())),
        _ => Err(Fault::invalid(
            "id_type",
            format_args!("id_type must be id, email or cio_id, not {raw:?}"),
        )),
    }
}

fn decode(raw: &str) -> Result<String, &'static str> {
    let escapes = raw.split('%').skip(1);
    for escape in escapes {
        let digits = escape.as_bytes().first_chunk::<2>();
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err("has a % that starts no escape; write % as %25");
        }
    }
    match percent_decode_str(raw).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("is not UTF-8 when decoded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::NON_ALPHANUMERIC;
    use percent_encoding::utf8_percent_encode;
    use proptest::prelude::*;

    #[test]
    fn an_absolute_target_is_cut_to_its_path() {
        for (target, path, query) in [
            ("/a?b", "/a", "b"),
            ("http://h:80/a?b?c", "/a", "b?c"),
            ("http://h", "/", ""),
            ("http://h?q", "", "q"),
            ("/customers/http://h/x", "/customers/http://h/x", ""),
            ("*", "*", ""),
            ("", "", ""),
        ] {
            assert_eq!(split_target(target), (path, query), "{target}");
        }
    }

    #[test]
    fn a_bad_escape_is_refused_and_a_plus_is_a_plus() {
        assert_eq!(decode("a+b%20c%2B").unwrap(), "a+b c+");
        assert_eq!(decode("tok%253Aen").unwrap(), "tok%3Aen");
        for bad in ["%", "a%", "a%2", "a%2g", "100%!", "%+1"] {
            assert!(decode(bad).unwrap_err().contains("%25"), "{bad}");
        }
        assert!(decode("%ff").unwrap_err().contains("UTF-8"));
        assert!(decode("%c3").unwrap_err().contains("UTF-8"));
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding_exactly_once(text in ".*") {
            let once = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
            let twice = utf8_percent_encode(&once, NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(decode(&once).unwrap(), text);
            prop_assert_eq!(decode(&twice).unwrap(), once);
        }

        #[test]
        fn decoding_never_panics(raw in ".*") {
            drop(decode(&raw));
        }
    }
}
