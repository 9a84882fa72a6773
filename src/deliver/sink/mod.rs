//! What moves a lane's batches: HTTP, a file, standard output.
//!
//! A sink sends once and says what came back. Whether that means delivered, refused or try again is
//! for the judge; when to try again, for the engine. Dropping the future of a send gives the
//! attempt up: nobody knows then whether it arrived.

mod address;
mod connect;
mod file;
mod http;
mod resolve;
mod stdout;
mod tls;

pub use file::FileSink;
pub use http::ANSWER_BYTES_MAX;
pub use http::HttpOptions;
pub use http::HttpSink;
pub use resolve::Resolve;
pub use resolve::Resolving;
pub use resolve::SystemResolver;
pub use stdout::StdoutSink;
pub use tls::ClientTls;

use std::fmt;
use std::pin::Pin;

use ::http::HeaderMap;
use ::http::StatusCode;
use bytes::Bytes;

use crate::event::delivery::Outgoing;
use crate::event::delivery::ReasonClass;

/// A send on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Sent, SinkError>> + Send + 'a>>;

/// Sends what a lane frames. Shared by everything that sends through the lane.
pub trait Sink: Send + Sync + fmt::Debug {
    /// Sends once, without retries.
    fn send(&self, outgoing: Outgoing) -> Sending<'_>;
}

/// What became of something that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The destination answered, whatever it said.
    Answer {
        /// The status code.
        status: StatusCode,
        /// The headers.
        headers: HeaderMap,
        /// The body, at most its first [`ANSWER_BYTES_MAX`] bytes.
        body: Bytes,
    },
    /// The lines are where they belong; in a file, fsynced.
    Written,
}

/// Why nothing is known of an answer. Always worth another try: what was sent may have arrived or not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SinkError {
    /// The kind, for counting.
    pub class: ReasonClass,
    /// What happened and what to do, for people. Names host and port, never path, query or headers:
    /// those may hold secrets.
    pub text: String,
}

impl SinkError {
    fn new(class: ReasonClass, text: impl Into<String>) -> Self {
        Self {
            class,
            text: text.into(),
        }
    }

    /// The lane frames for another kind of sink.
    fn misframed(wanted: &str) -> Self {
        Self::new(
            ReasonClass::Mapping,
            format!("the lane's definition does not make {wanted}"),
        )
    }
}
