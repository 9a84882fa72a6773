//! What a courier says of itself.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Moment;
use crate::deliver::courier::breaker::Breaker;
use crate::deliver::status::Activity;
use crate::deliver::status::DestinationStatus;

impl Courier {
    /// The state of the destination; `behind` is left for whoever knows the journal.
    pub fn report(&self, id: &Arc<str>, revision: &Arc<str>, now: Moment) -> DestinationStatus {
        DestinationStatus {
            id: id.clone(),
            revision: revision.clone(),
            activity: self.activity(now),
            watermark: self.watermark(),
            cursor: self.cursor,
            behind: 0,
            pending: self.deliveries.len() as u64,
            parked: self.parked.len() as u64,
            in_flight: self.flights.len() as u64,
            oldest: self.oldest(),
            tally: self.tally.clone(),
            last_failure: self.last_failure.clone(),
        }
    }

    fn oldest(&self) -> Option<Timestamp> {
        self.deliveries
            .values()
            .next()
            .map(|oldest| oldest.accepted_at)
    }

    fn activity(&self, now: Moment) -> Activity {
        if self.draining {
            return Activity::Draining;
        }
        match &self.breaker {
            Breaker::Closed { .. } => Activity::Delivering,
            Breaker::Open { until, reason, .. } => Activity::Paused {
                until: now.wall.after(until.since(now.tick)),
                reason: reason.clone(),
            },
            Breaker::Probing { reason, .. } => Activity::Paused {
                until: now.wall,
                reason: reason.clone(),
            },
        }
    }
}
