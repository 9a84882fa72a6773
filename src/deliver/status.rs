//! What can be asked of a running engine: plain numbers, taken at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::deliver::journal::Position;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;

/// The state of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineStatus {
    /// The oldest record kept.
    pub start: Position,
    /// Where the next record goes.
    pub end: Position,
    /// Bytes of the journal on disk.
    pub journal_bytes: u64,
    /// Why nothing is accepted, if so.
    pub refusing: Option<String>,
    /// Dead letters kept.
    pub dead_letters: u64,
    /// Every destination, by id.
    pub destinations: Vec<DestinationStatus>,
}

/// The state of one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationStatus {
    /// The key in routing.yaml.
    pub id: Arc<str>,
    /// The revision it delivers under.
    pub revision: Arc<str>,
    /// What it is doing.
    pub activity: Activity,
    /// Everything below is settled.
    pub watermark: Position,
    /// Everything below was read.
    pub cursor: Position,
    /// Records not read yet.
    pub behind: u64,
    /// Deliveries read and not settled, parked and flying ones included.
    pub pending: u64,
    /// Deliveries waiting for their retry.
    pub parked: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// When the oldest pending delivery was accepted.
    pub oldest: Option<Timestamp>,
    /// What happened so far, since the process started.
    pub tally: Tally,
    /// Why the last request failed, if one did.
    pub last_failure: Option<(Timestamp, Reason)>,
}

/// What a destination is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Delivering, or waiting for something to deliver.
    Delivering,
    /// The destination fails as a whole: nothing is sent but probes, and nothing more is read.
    Paused {
        /// When the next probe goes out.
        until: Timestamp,
        /// Why.
        reason: Reason,
    },
    /// Finishing what is under way.
    Draining,
    /// Not running.
    Stopped,
}

/// Counters of one destination; they only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deliveries the destination has.
    pub delivered: u64,
    /// Events no connection and no rule took.
    pub unrouted: u64,
    /// Deliveries that were pending and that the plan no longer makes.
    pub superseded: u64,
    /// Records that the disk has damaged.
    pub damaged: u64,
    /// Records that were let go unsettled, because the journal was full and `on_full` says so, or
    /// while the destination was removed.
    pub evicted: u64,
    /// Events dropped, by the reason written in routing.yaml.
    pub dropped: BTreeMap<Arc<str>, u64>,
    /// Dead letters, by class.
    pub dead: BTreeMap<ReasonClass, u64>,
    /// Attempts of a delivery that failed and were scheduled again, by class.
    pub retried: BTreeMap<ReasonClass, u64>,
    /// Requests made.
    pub requests: u64,
}
