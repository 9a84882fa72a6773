//! What passes between `route`, which knows the rules, and `deliver`, which knows the world.
//!
//! `deliver` reads a record and asks [`Translate`] what the destination makes of it, asks [`Frame`]
//! for the request that carries a batch, sends it, and asks [`Judge`] what the answer means for each
//! item. `route` implements the three, `server` brings them together.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::event::Record;
use crate::value::Arena;

/// Which of the things a record became: the event's number, and the number of the item made from it.
///
/// A record and a part name a delivery for good: checkpoints and message ids are built on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// The event among those of the record, from 0.
    pub event: u16,
    /// The item among those of the event, from 0.
    pub item: u16,
}

/// Whose order an item keeps: a hash over source and person. Equal keys are delivered in order.
///
/// Checkpoints hold keys: the hash must be the same in every process of every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(pub u64);

/// The lane of a destination an item goes through, by its place in the definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub u16);

/// One thing to send, rendered. Secrets are marks in it, see [`crate::value::Value::Secret`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which one of the record's.
    pub part: Part,
    /// Where it goes.
    pub lane: LaneId,
    /// Whose order it keeps: none, one person, or the two of an alias.
    pub keys: [Option<OrderKey>; 2],
    /// The event's message id, a range of [`Rendered::text`].
    pub message_id: Range<u32>,
    /// What is sent, JSON in one line, a range of [`Rendered::text`].
    pub body: Range<u32>,
}

/// Why an event of a record is not sent to this destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No connection takes it, or no rule of the destination does.
    Unrouted,
    /// A connection drops it; the reason as written there.
    Dropped(Arc<str>),
    /// A rule failed on it: it becomes a dead letter.
    Failed(Reason),
}

/// What a destination makes of one record. Reused from record to record.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The text the ranges of the items are of.
    pub text: Vec<u8>,
    /// What is to be sent, in order.
    pub items: Vec<Item>,
    /// What is not sent, by event number.
    pub verdicts: Vec<(Part, Verdict)>,
}

impl Rendered {
    /// Empties it and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.items.clear();
        self.verdicts.clear();
    }

    /// The bytes of a range of an item.
    pub fn bytes(&self, range: &Range<u32>) -> &[u8] {
        self.text
            .get(range.start as usize..range.end as usize)
            .unwrap_or(&[])
    }
}

/// Turns a record into what one destination is to be sent. Deterministic: the same record under the
/// same plan gives the same bytes.
pub trait Translate: Send + Sync + fmt::Debug {
    /// Fills `rendered`, which is cleared first. `arena` is for scratch and reset by the callee.
    fn translate(&self, record: &Record<'_>, arena: &mut Arena, rendered: &mut Rendered);
}

/// Items that go out together through one lane.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The lane.
    pub lane: LaneId,
    /// The rendered bodies, in order; never empty.
    pub bodies: &'a [&'a [u8]],
    /// Their message ids, in the same order.
    pub message_ids: &'a [&'a str],
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The wall clock, for signatures.
    pub now: Timestamp,
}

/// What is sent.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "moved once for each request; a box would allocate"
)]
pub enum Outgoing {
    /// One HTTP request.
    Http(http::Request<Bytes>),
    /// Lines for a file or the terminal, each ended by a newline.
    Lines(Bytes),
}

/// Why a batch cannot be framed now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A secret has no value at the moment; the destination pauses until it has one.
    #[error("secret of setting `{setting}` is not available: {cause}")]
    SecretUnavailable {
        /// The setting that refers to it.
        setting: String,
        /// What the secret's place said.
        cause: String,
    },
    /// What was rendered makes no valid request; these items become dead letters.
    #[error("{0}")]
    Invalid(Reason),
}

/// Turns a batch into what is sent.
pub trait Frame: Send + Sync + fmt::Debug {
    /// The request of `batch`, with secrets and signature in place.
    fn frame(&self, batch: &Batch<'_>) -> Result<Outgoing, FramingError>;
}

/// An answer of a destination, read whole up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: http::StatusCode,
    /// The headers.
    pub headers: &'a http::HeaderMap,
    /// The body, at most the first 256 KiB.
    pub body: &'a [u8],
    /// When it came.
    pub now: Timestamp,
}

/// Tells what an answer means.
pub trait Judge: Send + Sync + fmt::Debug {
    /// Judges the answer to `batch`.
    fn judge(&self, batch: &Batch<'_>, answer: &Answer<'_>) -> Judgement;
}

/// What an answer means for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Every item has its own outcome, in the order of the batch.
    Each(Vec<Outcome>),
    /// All items have the same outcome.
    All(Outcome),
    /// The batch as a whole was refused for its size or for one bad item: send halves. A single item
    /// that cannot be split is rejected with the reason.
    Split(Reason),
    /// The destination refuses us, not the events (401, 403): keep everything, try again later.
    Pause(Reason),
}

/// What became of one attempt of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The destination has it.
    Delivered,
    /// Try again, not before `after` if the destination said so.
    Retry {
        /// What the destination asked for.
        after: Option<Duration>,
        /// Why.
        reason: Reason,
    },
    /// It will never be taken: a dead letter.
    Reject(Reason),
}

/// Which kind of reason, for counting; the names are part of metrics and dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonClass {
    /// A rule or mapping failed on the event.
    Mapping,
    /// The destination answered that it will not take it.
    Refused,
    /// The destination answered that it cannot take it now.
    Unavailable,
    /// The destination asked for a slower pace.
    Throttled,
    /// The destination refuses our credentials.
    Unauthorized,
    /// No connection: refused, reset, unresolved, TLS.
    Network,
    /// No answer in time.
    Timeout,
    /// Larger than the destination takes.
    TooLarge,
    /// Older than `ttl`, or tried as often as the policy allows.
    Expired,
    /// The source, credential or destination it needs is no longer configured.
    Unconfigured,
    /// The journal could not give it back.
    Damaged,
}

impl ReasonClass {
    /// Every class.
    pub const ALL: [Self; 11] = [
        Self::Mapping,
        Self::Refused,
        Self::Unavailable,
        Self::Throttled,
        Self::Unauthorized,
        Self::Network,
        Self::Timeout,
        Self::TooLarge,
        Self::Expired,
        Self::Unconfigured,
        Self::Damaged,
    ];

    /// The class of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// The name in metrics and dead letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Expired => "expired",
            Self::Unconfigured => "unconfigured",
            Self::Damaged => "damaged",
        }
    }
}

/// Why something was not delivered, for people. Holds no secret: whoever makes it masks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The kind.
    pub class: ReasonClass,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What happened, with the first 2 KiB of the answer or the place in routing.yaml.
    pub text: String,
}

impl Reason {
    /// A reason without an answer.
    pub fn new(class: ReasonClass, text: impl Into<String>) -> Self {
        Self {
            class,
            status: None,
            text: text.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class.name())?;
        if let Some(status) = self.status {
            write!(f, " (status {status})")?;
        }
        write!(f, ": {}", self.text)
    }
}
