//! One request, top to bottom.
//!
//! find the endpoint → who is it → read the body within limits → decode → store → answer. The
//! configuration is taken once, at the start: no request sees two.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::header;
use http_body_util::Full;
use hyper::body::Body as _;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use ulid::Ulid;

use crate::clock::Timestamp;
use crate::deliver::AppendError;
use crate::event::Receipt;
use crate::ingest;
use crate::ingest::Endpoint;
use crate::ingest::auth::Origin;
use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Rejection;
use crate::metrics::RejectionLabels;
use crate::server::accept::Peer;
use crate::server::accept::Scheme;
use crate::server::accept::closing;
use crate::server::body;
use crate::server::body::BodyError;
use crate::server::body::BodyLimits;
use crate::server::gateway::Gateway;
use crate::server::live::Revision;
use crate::server::respond;
use crate::value::Arena;

/// When a client that met an overload should come back.
const RETRY_OVERLOADED: Duration = Duration::from_secs(1);

/// When a client should come back after the journal failed: an operator has to act.
const RETRY_NOT_STORED: Duration = Duration::from_secs(30);

/// Answers one request of a client.
pub async fn handle(
    gateway: Arc<Gateway>,
    request: Request<Incoming>,
    peer: Peer,
) -> Response<Full<Bytes>> {
    let revision = gateway.live().active();
    if request.method() == Method::OPTIONS {
        return respond::preflight().map(Full::new);
    }
    match answer(&gateway, &revision, request, peer.scheme).await {
        Ok(response) => response,
        Err(rejection) => {
            let response = respond::rejected(&rejection);
            let labels = RejectionLabels {
                status: response.status().as_u16(),
                reason: rejection.cause.word().to_owned(),
            };
            gateway.metrics().rejected.get_or_create(&labels).inc();
            tracing::debug!(
                status = labels.status,
                reason = labels.reason,
                "request refused"
            );
            let response = response.map(Full::new);
            // What was not read of a body would be taken for the next request.
            if matches!(rejection.cause, Cause::TooLarge { .. } | Cause::BodyTimeout) {
                return closing(response);
            }
            response
        }
    }
}

async fn answer(
    gateway: &Gateway,
    revision: &Revision,
    request: Request<Incoming>,
    scheme: Scheme,
) -> Result<Response<Full<Bytes>>, Rejection> {
    let (head, body) = request.into_parts();
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let endpoint = Endpoint::of(&head.method, target)?;
    let origin = admit(revision, &endpoint, &head.headers)?;
    let settings = &revision.plan.settings.server;
    let limits = ingest::Limits::default().with_v1(settings.body_bytes_max);
    let bytes_max = endpoint.body_bytes_max(&limits);
    let _held = hold(gateway, bytes_max, body.size_hint().exact(), &endpoint)?;
    let body_limits = BodyLimits {
        bytes_max: bytes_max as u64,
        pause_max: settings.body_timeout,
    };
    let body = body::read(body, body_limits, gateway.clock())
        .await
        .map_err(|error| {
            endpoint.reject(match error {
                BodyError::TooLarge { .. } => Cause::TooLarge { bytes_max },
                // Nobody reads the answer of a client that went away.
                BodyError::Timeout | BodyError::Aborted => Cause::BodyTimeout,
            })
        })?;
    let content_type = text(&head.headers, header::CONTENT_TYPE);
    let decoded = {
        let arena = Arena::new();
        ingest::decode(&endpoint, content_type.as_deref(), &body, &limits, &arena)?
    };
    if !decoded.calls.is_empty() {
        let receipt = Receipt {
            id: new_id(gateway.clock().now()),
            accepted_at: gateway.clock().now(),
            source: origin.source.clone(),
            site_id: origin.site_id,
            method: head.method,
            target: ingest::canonical_target(target).into_owned(),
            content_type,
        };
        let stored = gateway.engine().append(&receipt, &decoded.calls).await;
        stored.map_err(|error| endpoint.reject(not_stored(&error)))?;
        if let Some(counters) = revision.accepted.get(&origin.source) {
            decoded
                .calls
                .iter()
                .for_each(|call| counters.count(call.operation));
        }
    }
    let public_url = || {
        settings
            .public_url
            .clone()
            .unwrap_or_else(|| own_url(&head.headers, scheme))
    };
    Ok(respond::accepted(&decoded, public_url).map(Full::new))
}

/// Whose request it is.
fn admit(
    revision: &Revision,
    endpoint: &Endpoint,
    headers: &HeaderMap,
) -> Result<Origin, Rejection> {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    let identity = revision.credentials.identify(authorization);
    let default_source = revision.plan.settings.server.default_source.as_ref();
    endpoint.admit(identity, default_source)
}

/// Counts the body against what may be held at once, before a byte of it is read.
fn hold(
    gateway: &Gateway,
    bytes_max: usize,
    announced: Option<u64>,
    endpoint: &Endpoint,
) -> Result<OwnedSemaphorePermit, Rejection> {
    let announced = announced
        .and_then(|bytes| usize::try_from(bytes).ok())
        .unwrap_or(bytes_max);
    let bytes = u32::try_from(announced.min(bytes_max)).unwrap_or(u32::MAX);
    gateway
        .bodies
        .clone()
        .try_acquire_many_owned(bytes)
        .map_err(|_| {
            endpoint.reject(Cause::Overloaded {
                retry_after: RETRY_OVERLOADED,
            })
        })
}

fn not_stored(error: &AppendError) -> Cause {
    tracing::warn!(%error, "call not stored");
    match error {
        AppendError::Full { retry_after } => Cause::NotStored {
            retry_after: *retry_after,
        },
        AppendError::TooLarge => Cause::TooLarge { bytes_max: 0 },
        AppendError::Unavailable(_) => Cause::NotStored {
            retry_after: RETRY_NOT_STORED,
        },
    }
}

/// A new id, ordered by time; no two are alike.
fn new_id(now: Timestamp) -> Ulid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let random = u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..));
    Ulid::from_parts(millis, random)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// The URL the client itself used, when none is configured.
fn own_url(headers: &HeaderMap, scheme: Scheme) -> String {
    let host = text(headers, header::HOST).unwrap_or_else(|| "localhost".to_owned());
    format!("{}://{host}", scheme.name())
}
