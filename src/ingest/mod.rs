//! Bytes of one request to the calls it holds, or a rejection. Pure; knows no plan and no socket.
//!
//! ```text
//! method, target   → Endpoint::of      404, 405, 400
//! authorization    → Credentials::identify, Endpoint::admit      401, 400
//! body             → decode            413, 400
//! ```
//!
//! In this order, so that a misrouted request is told 404 and not 401: phones stop sending for five
//! minutes when they read 401.

pub mod auth;
mod body;
mod endpoint;
mod entity;
mod path;
pub mod rejection;
mod shape;
#[cfg(test)]
mod tests;
mod track;

pub use body::Limits;
pub use endpoint::Access;
pub use endpoint::Endpoint;
pub use endpoint::Route;
pub use endpoint::canonical_target;
pub use rejection::Rejection;

use bytes::Bytes;

use crate::event::Api;
use crate::event::Call;
use crate::event::Operation;
use crate::event::Params;
use crate::ingest::body::Body;
use crate::ingest::body::check_size;
use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Fault;
use crate::ingest::rejection::ItemRefusal;
use crate::value::Arena;
use crate::value::Value;

/// What a request holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What to store, all or nothing. None for a question: its answer depends on no body.
    pub calls: Vec<Call>,
    /// The items of a batch that were not accepted.
    pub refused: Vec<ItemRefusal>,
    /// How to answer once the calls are stored.
    pub success: Success,
}

/// How an accepted request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// 200 with an empty object.
    Ok,
    /// 204: forms.
    NoContent,
    /// 207: some items of a batch were refused.
    Partial,
    /// 200 with the region of the account.
    Region,
}

/// Takes a request apart. `arena` is scratch memory that the caller resets; the calls share the
/// memory of `body`.
///
/// # Errors
///
/// 413 and 400, in the envelope of the endpoint.
pub fn decode(
    endpoint: &Endpoint,
    content_type: Option<&str>,
    body: &Bytes,
    limits: &Limits,
    arena: &Arena,
) -> Result<Decoded, Rejection> {
    let route = endpoint.route();
    let read = || {
        check_size(body, endpoint.body_bytes_max(limits))?;
        if route.ignores_body() {
            return Ok(Body::empty());
        }
        Body::read(body, content_type, arena).map_err(Cause::from)
    };
    let decoded = read().and_then(|body| match route {
        Route::Region => Ok(Decoded::answer(Success::Region)),
        Route::Auth => Ok(Decoded::answer(Success::Ok)),
        Route::Batch => decode_batch(&body, limits),
        _ => {
            let operation = operation(route, body.value, arena)?;
            let success = if let Route::Form = route {
                Success::NoContent
            } else {
                Success::Ok
            };
            let (api, params) = (route.api(), endpoint.params().clone());
            let call = Call {
                operation,
                api,
                item: None,
                params,
                body: body.text(),
            };
            Ok(Decoded {
                calls: vec![call],
                refused: Vec::new(),
                success,
            })
        }
    });
    decoded.map_err(|cause| endpoint.reject(cause))
}

/// What a route asks for, once its body has the shape it must have.
fn operation(route: Route, body: Value<'_>, arena: &Arena) -> Result<Operation, Fault> {
    match route {
        Route::Identify => track::identify(body),
        Route::Delete => Ok(Operation::PersonDelete),
        Route::AddDevice => track::add_device(body),
        Route::DeleteDevice => Ok(Operation::PersonDeleteDevice),
        Route::Suppress => Ok(Operation::PersonSuppress),
        Route::Unsuppress => Ok(Operation::PersonUnsuppress),
        Route::Event | Route::AnonymousEvent => track::event(body),
        Route::Merge => track::merge(body),
        Route::SegmentAdd => track::segment(body, Operation::SegmentAdd),
        Route::SegmentRemove => track::segment(body, Operation::SegmentRemove),
        Route::Form => track::form(body, arena),
        Route::Metrics => track::metrics(body),
        Route::Push => track::push(body),
        Route::InApp => track::in_app(body),
        Route::Unsubscribe => track::unsubscribe(body),
        // Of these only the entity has one operation; the others never come here.
        Route::Entity | Route::Batch | Route::Region | Route::Auth => entity::operation(body),
    }
}

fn decode_batch(body: &Body<'_>, limits: &Limits) -> Result<Decoded, Cause> {
    let entity::Items { accepted, refused } = entity::batch(body, limits)?;
    if accepted.is_empty() {
        return Err(Cause::NothingAccepted(refused));
    }
    let call = |(item, operation, body)| Call {
        operation,
        api: Api::V2,
        item: Some(item),
        params: Params::default(),
        body,
    };
    let calls = accepted.into_iter().map(call).collect();
    let success = if refused.is_empty() {
        Success::Ok
    } else {
        Success::Partial
    };
    Ok(Decoded {
        calls,
        refused,
        success,
    })
}

impl Decoded {
    const fn answer(success: Success) -> Self {
        Self {
            calls: Vec::new(),
            refused: Vec::new(),
            success,
        }
    }
}
