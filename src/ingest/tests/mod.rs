//! What a request becomes: the whole of this module, without HTTP.

mod batch;
mod calls;
mod endpoint;

use bytes::Bytes;

use crate::event::Call;
use crate::ingest::Decoded;
use crate::ingest::Endpoint;
use crate::ingest::Limits;
use crate::ingest::decode;
use crate::ingest::rejection::Rejection;
use crate::value::Arena;

/// Decodes a JSON request, as the server does once the client is known.
fn request(method: &str, target: &str, body: &str) -> Result<Decoded, Rejection> {
    let endpoint = Endpoint::of(&method.parse().unwrap(), target)?;
    let body = Bytes::copy_from_slice(body.as_bytes());
    decode(
        &endpoint,
        Some("application/json"),
        &body,
        &Limits::default(),
        &Arena::new(),
    )
}

/// The one call of a request, or what the client is told.
fn call(method: &str, target: &str, body: &str) -> Result<Call, String> {
    match request(method, target, body) {
        Ok(decoded) => {
            assert_eq!(
                (decoded.calls.len(), decoded.refused.len()),
                (1, 0),
                "{target} {body}"
            );
            Ok(decoded.calls[0].clone())
        }
        Err(rejection) => Err(rejection.cause.to_string()),
    }
}
