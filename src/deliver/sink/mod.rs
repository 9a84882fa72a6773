//! What moves a lane's batches into the world.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::StatusCode;

use crate::event::delivery::Outgoing;
use crate::event::delivery::ReasonClass;

/// A future that is sent between threads.
pub type SinkFuture<'a> = Pin<Box<dyn Future<Output = Result<Sent, SinkError>> + Send + 'a>>;

/// Sends one batch and brings back the answer.
pub trait Sink: Send + Sync + fmt::Debug {
    /// Sends `outgoing`; gives up after `timeout`. Dropping the future cancels the request.
    fn send(&self, outgoing: Outgoing, timeout: Duration) -> SinkFuture<'_>;
}

/// What came of sending.
#[derive(Clone, Debug)]
pub enum Sent {
    /// An answer, for [`crate::event::delivery::Judge`] to judge.
    Answered(SinkAnswer),
    /// Written; there is nothing to judge.
    Written,
}

/// An answer, read whole up to the limit of [`crate::event::delivery::Answer`].
#[derive(Clone, Debug)]
pub struct SinkAnswer {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SinkError {
    /// The kind, for counting and for the breaker.
    pub class: ReasonClass,
    /// What happened, without secrets.
    pub text: String,
}
