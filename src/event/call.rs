//! A request that was accepted, and the calls it holds.

use std::sync::Arc;

use bytes::Bytes;
use ulid::Ulid;

use crate::clock::Timestamp;
use crate::event::Operation;

/// Which version of the Track API a call came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// `/api/v1/…` and the paths at the root of the host.
    V1,
    /// `/api/v2/…`.
    V2,
}

impl Api {
    /// `v1` or `v2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// What the path and the query said, percent-decoded once. Absent parts are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// The person, `/customers/{id}`.
    pub id: Option<String>,
    /// The device token, `/devices/{device_id}`.
    pub device_id: Option<String>,
    /// The segment, `/segments/{segment_id}`.
    pub segment_id: Option<String>,
    /// What the ids of a segment call are: `id`, `email` or `cio_id`.
    pub id_type: Option<String>,
    /// The form, `/forms/{form_id}`.
    pub form_id: Option<String>,
    /// The message, `/unsubscribe/{delivery_id}`.
    pub delivery_id: Option<String>,
}

/// One operation as received. Its body is JSON text that was validated: an object, or `{}` where
/// the client sent nothing, `null` or an empty list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What it asks for.
    pub operation: Operation,
    /// Through which version.
    pub api: Api,
    /// Its place in a v2 batch, from 0.
    pub item: Option<u16>,
    /// What stood in the path and the query.
    pub params: Params,
    /// The JSON text of the call; of a batch, of the item.
    pub body: Bytes,
}

/// What is known of a request besides its calls; stored once per request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Given at accept; the base of message ids the client did not choose.
    pub id: Ulid,
    /// When the request was accepted.
    pub accepted_at: Timestamp,
    /// The name of the source, as the key in routing.yaml.
    pub source: Arc<str>,
    /// The site id of the credential it came with, never the key; `None` without credentials.
    pub site_id: Option<Arc<str>>,
    /// The HTTP method.
    pub method: http::Method,
    /// The request target exactly as it stood in the request line.
    pub target: String,
    /// The content type, if one was sent.
    pub content_type: Option<String>,
}
