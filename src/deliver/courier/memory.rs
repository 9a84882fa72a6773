//! What a courier remembers over a restart, and how it goes on from there.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Moment;
use crate::deliver::courier::backoff::wait_asked_max;
use crate::deliver::courier::between;
use crate::deliver::courier::delivery::Delivery;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::delivery::History;
use crate::deliver::courier::delivery::State;
use crate::deliver::journal::Position;
use crate::event::delivery::LaneId;
use crate::event::delivery::OrderKey;

/// Everything below the cursor is settled but for what is pending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Everything below was read.
    pub cursor: Position,
    /// What was read and is not settled, in order.
    pub pending: Vec<Pending>,
    /// Of records with something pending: what is settled all the same.
    pub settled: Vec<DeliveryId>,
}

/// A delivery that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which one.
    pub id: DeliveryId,
    /// Whose order it keeps.
    pub keys: [Option<OrderKey>; 2],
    /// When its request was accepted.
    pub accepted_at: Timestamp,
    /// What happened to it.
    pub history: History,
    /// When it is tried again; `None` is as soon as possible.
    pub due: Option<Timestamp>,
}

impl Memory {
    /// Starts at `cursor` with nothing pending.
    pub fn starting_at(cursor: Position) -> Self {
        Self {
            cursor,
            ..Self::default()
        }
    }

    /// Everything below is settled.
    pub fn watermark(&self) -> Position {
        self.pending
            .first()
            .map_or(self.cursor, |oldest| oldest.id.position)
    }
}

impl Courier {
    /// What is worth remembering at this moment. What is under way counts as not sent.
    pub fn memory(&self, now: Moment) -> Memory {
        let pending = self.deliveries.iter().map(|(id, delivery)| Pending {
            id: *id,
            keys: delivery.keys,
            accepted_at: delivery.accepted_at,
            history: delivery.history,
            due: match delivery.state {
                State::Parked(due) => Some(now.wall.after(due.since(now.tick))),
                _ => None,
            },
        });
        Memory {
            cursor: self.cursor,
            pending: pending.collect(),
            settled: self.settled.iter().copied().collect(),
        }
    }

    pub(super) fn recall(&mut self, memory: &Memory, now: Moment) {
        for pending in &memory.pending {
            let state = match pending.due {
                // A wall clock that was set back must not make a retry wait for years.
                Some(due) if now.wall < due => {
                    let wait = between(now.wall, due).min(self.wait_max());
                    State::Parked(now.tick.after(wait))
                }
                _ => State::Waiting,
            };
            let delivery = Delivery {
                lane: LaneId::default(),
                keys: pending.keys,
                parcel: None,
                accepted_at: pending.accepted_at,
                history: pending.history,
                state,
            };
            self.insert(pending.id, delivery);
            if let State::Parked(due) = state {
                self.parked.insert((due, pending.id));
            }
        }
        for pending in &memory.pending {
            self.take_turn_at_head(pending.id, now);
        }
    }

    /// The longest wait there can be: the longest step, or what a destination may ask for.
    fn wait_max(&self) -> Duration {
        self.terms
            .retry
            .iter()
            .copied()
            .fold(wait_asked_max(), Duration::max)
    }
}
