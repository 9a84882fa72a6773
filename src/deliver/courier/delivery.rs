//! One event on its way to the destination, as the courier holds it.

use std::sync::Arc;

use crate::clock::Tick;
use crate::clock::Timestamp;
use crate::deliver::journal::Position;
use crate::event::delivery::LaneId;
use crate::event::delivery::OrderKey;
use crate::event::delivery::Part;

/// Names a delivery for good. Ordered as accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// The record it was made from.
    pub position: Position,
    /// Which one of the record's.
    pub part: Part,
}

impl DeliveryId {
    /// The smallest id a record can have.
    pub fn first_of(position: Position) -> Self {
        Self {
            position,
            part: Part::default(),
        }
    }
}

/// A rendered item with its message id; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    // Invariant: the message id comes first and ends before `body_at`.
    bytes: Arc<[u8]>,
    body_at: usize,
}

impl Parcel {
    /// Copies both into one piece of memory.
    pub fn new(message_id: &[u8], body: &[u8]) -> Self {
        Self {
            bytes: [message_id, body].concat().into(),
            body_at: message_id.len(),
        }
    }

    /// The message id; empty if it was not UTF-8, which a rendered one is.
    pub fn message_id(&self) -> &str {
        let id = self.bytes.get(..self.body_at).unwrap_or_default();
        std::str::from_utf8(id).unwrap_or_default()
    }

    /// What is sent.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body_at..).unwrap_or_default()
    }

    /// Bytes it takes in memory.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// What happened to a delivery so far. Survives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Requests it was in.
    pub attempts: u32,
    /// Those that count towards giving up: failed while the destination as a whole worked.
    pub failures: u32,
    /// When the first request was made.
    pub first_try: Option<Timestamp>,
    /// When the last one was.
    pub last_try: Option<Timestamp>,
}

/// A delivery that is not settled.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) lane: LaneId,
    pub(super) keys: [Option<OrderKey>; 2],
    /// Absent while it waits without memory; read and rendered again when its turn comes.
    pub(super) parcel: Option<Parcel>,
    pub(super) accepted_at: Timestamp,
    pub(super) history: History,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// An earlier delivery of the same person is not settled.
    Waiting,
    /// Its turn has come; it is being read again.
    Loading,
    /// In the queue of its lane, or in a batch that was split.
    Queued,
    /// In a request.
    Flying,
    /// Until its retry.
    Parked(Tick),
    /// Given up; its dead letter is being written.
    Burying,
}
