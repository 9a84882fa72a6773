//! What one destination does with its records: a state machine without I/O, runtime or clock.
//!
//! Something happens ([`Input`]), the courier changes its mind about what is going on and asks for
//! things to be done ([`Action`]). It holds what was read and is not settled, at most
//! [`Bounds::deliveries_max`] deliveries and [`Bounds::bytes_max`] bytes of them; what has to wait
//! longer waits without memory and is read again, and rendered under the plan of that moment, when its
//! turn comes. The same mechanism serves retries, reloads and restarts.
//!
//! - *Order*: deliveries of a person go out one after the other, or together in one batch.
//! - *The destination fails*: the breaker opens, reading stops, the log is the queue.
//! - *A delivery fails*: it is parked until its retry, later ones of its person wait behind it.
//! - *It is given up*: it stays until its dead letter is on disk.
//!
//! Everything below [`Courier::cursor`] that is not held is settled; that is the whole checkpoint.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Tick;
use crate::clock::Timestamp;
use crate::config::settings::BatchSettings;
use crate::config::settings::Ordering;
use crate::config::settings::Rate;
use crate::deliver::courier::breaker::Breaker;
use crate::deliver::courier::breaker::Role;
use crate::deliver::courier::delivery::Delivery;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::delivery::History;
use crate::deliver::courier::delivery::Parcel;
use crate::deliver::courier::delivery::State;
use crate::deliver::courier::intake::Fresh;
use crate::deliver::courier::lane::Lane;
use crate::deliver::courier::order::Gathered;
use crate::deliver::courier::order::Order;
use crate::deliver::courier::pace::Pace;
use crate::deliver::journal::GapCause;
use crate::deliver::journal::Position;
use crate::deliver::status::Tally;
use crate::event::delivery::Judgement;
use crate::event::delivery::LaneId;
use crate::event::delivery::Reason;
use crate::event::delivery::Rendered;

mod backoff;
mod breaker;
pub mod delivery;
mod dispatch;
mod intake;
mod lane;
pub mod memory;
mod order;
mod outcome;
mod pace;
mod report;
#[cfg(test)]
mod simulation;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For waits.
    pub tick: Tick,
    /// For what outlives the process.
    pub wall: Timestamp,
}

/// How much the courier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Rendered bytes in memory before reading stops; one record more may come.
    pub bytes_max: u64,
    /// Unsettled deliveries before reading stops; one record more may come. Each takes about 200
    /// bytes while it waits.
    pub deliveries_max: usize,
}

impl Default for Bounds {
    /// 8 MiB, several of the largest batches any destination takes, and 100,000 deliveries, some
    /// 20 MB: enough for what fails for days, little enough for twenty dead destinations.
    fn default() -> Self {
        Self {
            bytes_max: 8 << 20,
            deliveries_max: 100_000,
        }
    }
}

/// Dead letters that are being written before no more expired records are wanted: what expires by the
/// thousand is read no faster than it is buried.
const BURYING_MAX: usize = 1024;

/// What the plan says of how to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How each lane gathers.
    pub lanes: Vec<BatchSettings>,
    /// Whose order is kept.
    pub ordering: Ordering,
    /// Requests in flight at once.
    pub concurrency: u32,
    /// Requests in a stretch of time.
    pub rate: Option<Rate>,
    /// Waits between tries.
    pub retry: Vec<Duration>,
    /// How long a delivery may be pending.
    pub ttl: Option<Duration>,
}

/// Names a request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlightId(u64);

/// Something that happened.
///
/// Nothing is sent in answer to what was read, in case there is more of it: whoever has handed over
/// all there is says [`Input::Wake`].
#[derive(Debug)]
pub enum Input<'a> {
    /// The record at the cursor was read.
    Record {
        /// Where it stands; not below the cursor.
        position: Position,
        /// When its request was accepted.
        accepted_at: Timestamp,
        /// What the plan makes of it.
        rendered: &'a Rendered,
    },
    /// There is nothing readable between the cursor and a position.
    Gap {
        /// The next position that may be readable.
        to: Position,
        /// Why.
        cause: GapCause,
    },
    /// An [`Action::Load`] was done.
    Loaded {
        /// Where the record stands.
        position: Position,
        /// What the plan makes of it now; `None` if the journal cannot give it back.
        rendered: Option<&'a Rendered>,
    },
    /// A request was answered, or failed.
    Judged {
        /// Which one.
        flight: FlightId,
        /// What it means.
        judgement: Judgement,
    },
    /// Dead letters are on disk.
    Buried(&'a [DeliveryId]),
    /// The plan has changed.
    Plan(Terms),
    /// Send what is there, read nothing more.
    Drain,
    /// Time has passed, or all that was read has been handed over.
    Wake,
}

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Read and render a record again.
    Load(Position),
    /// Send a batch.
    Send(Dispatch),
    /// Write a dead letter.
    Bury(Burial),
}

/// A batch to be sent.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// To be named by the judgement.
    pub flight: FlightId,
    /// Where it goes.
    pub lane: LaneId,
    /// Which try it is for the item that was tried most, from 1.
    pub attempt: u32,
    /// Which deliveries it holds, in the order of the parcels.
    pub ids: Vec<DeliveryId>,
    /// What it holds.
    pub parcels: Vec<Parcel>,
}

/// A delivery that is given up.
#[derive(Clone, Debug)]
pub struct Burial {
    /// Which one.
    pub id: DeliveryId,
    /// What happened to it.
    pub history: History,
    /// Its message id, where it is known.
    pub message_id: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// The state of the deliveries to one destination.
#[derive(Debug)]
pub struct Courier {
    terms: Terms,
    bounds: Bounds,
    rng: fastrand::Rng,
    cursor: Position,
    // Invariant: in `order` under its keys, and in exactly the queue its state names.
    deliveries: BTreeMap<DeliveryId, Delivery>,
    /// Of records that have something held: what is settled all the same.
    settled: BTreeSet<DeliveryId>,
    order: Order,
    lanes: Vec<Lane>,
    /// Whose turn has come and who must be read again.
    turns: VecDeque<DeliveryId>,
    /// What is being read again.
    loading: BTreeSet<Position>,
    parked: BTreeSet<(Tick, DeliveryId)>,
    flights: BTreeMap<FlightId, Flight>,
    flights_made: u64,
    /// Counts plans; what was rendered under an older one is rendered again.
    epoch: u64,
    breaker: Breaker,
    pace: Pace,
    lane_next: usize,
    held_bytes: u64,
    burying: usize,
    draining: bool,
    gathered: Gathered,
    tally: Tally,
    last_failure: Option<(Timestamp, Reason)>,
}

#[derive(Debug)]
struct Flight {
    ids: Vec<DeliveryId>,
    lane: LaneId,
    role: Role,
    epoch: u64,
}

impl Courier {
    /// Goes on where `memory` left off.
    pub fn resume(memory: &memory::Memory, terms: Terms, seed: u64, now: Moment) -> Self {
        let mut courier = Self {
            lanes: terms.lanes.iter().copied().map(Lane::new).collect(),
            terms,
            bounds: Bounds::default(),
            rng: fastrand::Rng::with_seed(seed),
            cursor: memory.cursor,
            deliveries: BTreeMap::new(),
            settled: memory.settled.iter().copied().collect(),
            order: Order::default(),
            turns: VecDeque::new(),
            loading: BTreeSet::new(),
            parked: BTreeSet::new(),
            flights: BTreeMap::new(),
            flights_made: 0,
            epoch: 0,
            breaker: Breaker::closed(),
            pace: Pace::default(),
            lane_next: 0,
            held_bytes: 0,
            burying: 0,
            draining: false,
            gathered: Gathered::default(),
            tally: Tally::default(),
            last_failure: None,
        };
        courier.pace.set(courier.terms.rate);
        courier.recall(memory, now);
        courier
    }

    /// Holds as much as `bounds` say.
    #[must_use = "returns the courier"]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Takes in what happened and appends what is to be done about it to `actions`.
    pub fn step(&mut self, input: Input<'_>, now: Moment, actions: &mut Vec<Action>) {
        let is_read = matches!(
            input,
            Input::Record { .. } | Input::Gap { .. } | Input::Loaded { .. }
        );
        match input {
            Input::Record {
                position,
                accepted_at,
                rendered,
            } => {
                self.read(
                    Fresh {
                        position,
                        accepted_at,
                        rendered,
                    },
                    actions,
                    now,
                );
            }
            Input::Gap { to, cause } => self.skip(to, cause),
            Input::Loaded { position, rendered } => self.loaded(position, rendered, actions, now),
            Input::Judged { flight, judgement } => self.judged(flight, judgement, actions, now),
            Input::Buried(ids) => ids.iter().for_each(|id| self.buried(*id, now)),
            Input::Plan(terms) => self.replan(terms, now),
            Input::Drain => self.draining = true,
            Input::Wake => {}
        }
        if !is_read {
            self.expire(actions, now);
            self.unpark(now);
            self.dispatch(actions, now);
        }
        self.load(actions);
    }

    /// Whether the record at the cursor, accepted at `accepted_at`, is wanted now.
    ///
    /// One that is too old is wanted even while the destination is down, so that what nobody will
    /// ever take does not fill the journal.
    pub fn wants(&self, accepted_at: Timestamp, now: Moment) -> bool {
        if self.draining || self.bounds.deliveries_max <= self.deliveries.len() {
            return false;
        }
        if self
            .expiry(accepted_at)
            .is_some_and(|expiry| expiry <= now.wall)
        {
            return self.burying < BURYING_MAX;
        }
        let room = self.held_bytes < self.bounds.bytes_max;
        // While the destination is down, one more only when nothing is left to probe with.
        room && (self.breaker.is_closed() || self.is_out_of_work())
    }

    /// When to come back with [`Input::Wake`], if nothing else happens.
    pub fn wake_at(&self, now: Moment) -> Option<Tick> {
        let oldest = self.deliveries.values().next();
        let expiry = oldest
            .filter(|oldest| !matches!(oldest.state, State::Flying | State::Burying))
            .and_then(|oldest| self.expiry(oldest.accepted_at))
            .map(|expiry| now.tick.after(between(now.wall, expiry)));
        let retry = self.parked.first().map(|(due, _)| *due);
        let probe = self
            .breaker
            .free_at(now.tick)
            .filter(|free| now.tick < *free);
        [expiry, retry, probe, self.dispatch_at(now.tick)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Everything below was read.
    pub fn cursor(&self) -> Position {
        self.cursor
    }

    /// Everything below is settled.
    pub fn watermark(&self) -> Position {
        self.deliveries
            .keys()
            .next()
            .map_or(self.cursor, |oldest| oldest.position)
    }

    /// Whether nothing is under way; what is left after [`Input::Drain`] waits for the next start.
    pub fn is_quiet(&self) -> bool {
        let sending = self.breaker.is_closed() && self.lanes.iter().any(|lane| !lane.is_empty());
        self.flights.is_empty() && self.burying == 0 && !sending
    }

    /// Whether nothing is queued and nothing comes to be queued by reading again.
    fn is_out_of_work(&self) -> bool {
        self.turns.is_empty() && self.loading.is_empty() && self.lanes.iter().all(Lane::is_empty)
    }

    fn expiry(&self, accepted_at: Timestamp) -> Option<Timestamp> {
        self.terms.ttl.map(|ttl| accepted_at.after(ttl))
    }

    /// Forgets what was rendered under the old plan, but not who is waiting for what.
    fn replan(&mut self, terms: Terms, now: Moment) {
        self.lanes = terms.lanes.iter().copied().map(Lane::new).collect();
        self.pace.set(terms.rate);
        let reorder = terms.ordering != self.terms.ordering;
        self.terms = terms;
        self.epoch += 1;
        self.breaker.retry_now(now.tick);
        self.turns.clear();
        for (id, delivery) in &mut self.deliveries {
            if matches!(delivery.state, State::Flying | State::Burying) {
                continue;
            }
            if let Some(parcel) = delivery.parcel.take() {
                self.held_bytes = self.held_bytes.saturating_sub(parcel.size());
            }
            if matches!(delivery.state, State::Queued | State::Loading) {
                delivery.state = State::Loading;
                self.turns.push_back(*id);
            }
        }
        // What is being read now is rendered under the new plan when it arrives.
        if reorder {
            self.reorder(now);
        }
    }

    fn reorder(&mut self, now: Moment) {
        self.order.clear();
        let kept = self.terms.ordering == Ordering::PerPerson;
        let mut free = Vec::new();
        for (id, delivery) in &self.deliveries {
            if kept {
                self.order.insert(*id, delivery.keys);
            } else if delivery.state == State::Waiting {
                free.push(*id);
            }
        }
        for id in free {
            self.take_turn(id, now);
        }
    }
}

fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    let millis = later.as_millis().saturating_sub(earlier.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
