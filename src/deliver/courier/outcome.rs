//! What an answer does to the deliveries it is about, and how each of them ends.

use crate::deliver::courier::Action;
use crate::deliver::courier::Burial;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Flight;
use crate::deliver::courier::FlightId;
use crate::deliver::courier::Moment;
use crate::deliver::courier::backoff::Backoff;
use crate::deliver::courier::breaker::Failure;
use crate::deliver::courier::breaker::Role;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::delivery::Parcel;
use crate::deliver::courier::delivery::State;
use crate::event::delivery::Judgement;
use crate::event::delivery::Outcome;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;

/// What a request came to.
#[derive(Debug)]
struct Answer {
    /// For each of its deliveries.
    outcomes: Vec<Outcome>,
    /// The destination refuses us.
    pause: bool,
}

impl Answer {
    fn all(outcome: Outcome, flight: &Flight) -> Self {
        Self {
            outcomes: vec![outcome; flight.ids.len()],
            pause: false,
        }
    }
}

/// One delivery failed.
#[derive(Debug)]
struct Setback {
    /// Towards giving it up.
    counts: bool,
    backoff: Backoff,
    reason: Reason,
}

impl Courier {
    pub(super) fn judged(
        &mut self,
        flight: FlightId,
        judgement: Judgement,
        actions: &mut Vec<Action>,
        now: Moment,
    ) {
        let Some(flight) = self.flights.remove(&flight) else {
            return;
        };
        let answer = match judgement {
            Judgement::Split(reason) => return self.split(&flight, &reason, actions, now),
            Judgement::All(outcome) => Answer::all(outcome, &flight),
            Judgement::Each(mut outcomes) => {
                outcomes.resize_with(flight.ids.len(), || Outcome::Retry {
                    after: None,
                    reason: Reason::new(ReasonClass::Unavailable, "the answer leaves it out"),
                });
                Answer {
                    outcomes,
                    pause: false,
                }
            }
            Judgement::Pause(reason) => {
                let outcome = Outcome::Retry {
                    after: None,
                    reason,
                };
                Answer {
                    pause: true,
                    ..Answer::all(outcome, &flight)
                }
            }
        };
        let counts = self.sense(&flight, &answer, now);
        if !counts && flight.role == Role::Usual {
            // It failed because the destination is down, and that is known: back to the head of the
            // queue. A probe goes to the back, or one bad event would be the only probe for ever.
            return self.requeue(&flight, now);
        }
        let draw = Backoff::new(&mut self.rng);
        for (id, outcome) in flight.ids.iter().zip(answer.outcomes) {
            match outcome {
                Outcome::Delivered => {
                    self.tally.delivered = self.tally.delivered.saturating_add(1);
                    self.settle(*id, now);
                }
                Outcome::Reject(reason) => self.bury(*id, reason, actions),
                Outcome::Retry { after, reason } => {
                    self.renew(*id, flight.epoch);
                    let backoff = draw.asked(after);
                    self.retry(
                        *id,
                        Setback {
                            counts,
                            backoff,
                            reason,
                        },
                        actions,
                        now,
                    );
                }
            }
        }
    }

    /// Tells the breaker how a request went. Returns whether a failure counts for the delivery.
    fn sense(&mut self, flight: &Flight, answer: &Answer, now: Moment) -> bool {
        let mut last = None;
        for outcome in &answer.outcomes {
            let Outcome::Retry { after, reason } = outcome else {
                // Whoever takes or refuses one item has understood us.
                self.breaker.succeeded(flight.role);
                return true;
            };
            last = Some(Failure {
                now: now.tick,
                after: *after,
                pause: answer.pause,
                reason,
            });
        }
        let Some(failure) = last else { return true };
        self.last_failure = Some((now.wall, failure.reason.clone()));
        // With nothing else to try, a bad event and a dead destination look the same; the schedule
        // decides, or one bad event alone would be tried for ever.
        let only_evidence = flight.role == Role::Probe && self.is_out_of_work();
        self.breaker.failed(failure, flight.role, &mut self.rng) || only_evidence
    }

    fn retry(&mut self, id: DeliveryId, setback: Setback, actions: &mut Vec<Action>, now: Moment) {
        let Setback {
            counts,
            backoff,
            reason,
        } = setback;
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return;
        };
        let history = &mut delivery.history;
        let wait = if counts {
            history.failures = history.failures.saturating_add(1);
            backoff.counted(&self.terms.retry, history.failures)
        } else {
            Some(backoff.uncounted(&self.terms.retry, history.failures))
        };
        let Some(wait) = wait else {
            let text = format!(
                "given up after {} attempts; the last: {reason}",
                history.attempts
            );
            let reason = Reason {
                class: ReasonClass::Expired,
                status: reason.status,
                text,
            };
            return self.bury(id, reason, actions);
        };
        let due = now.tick.after(wait);
        delivery.state = State::Parked(due);
        self.parked.insert((due, id));
        self.shelve(id);
        let count = self.tally.retried.entry(reason.class).or_insert(0);
        *count = count.saturating_add(1);
    }

    /// Sends halves, the first one first.
    fn split(&mut self, flight: &Flight, reason: &Reason, actions: &mut Vec<Action>, now: Moment) {
        self.breaker.succeeded(flight.role);
        let (first, second) = flight.ids.split_at(flight.ids.len() / 2);
        if first.is_empty() {
            for id in second {
                self.bury(*id, reason.clone(), actions);
            }
            return;
        }
        if flight.epoch < self.epoch {
            return self.requeue(flight, now);
        }
        let lane = usize::from(flight.lane.0);
        for id in &flight.ids {
            if let Some(delivery) = self.deliveries.get_mut(id) {
                delivery.state = State::Queued;
            }
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.push_halves(first.to_vec(), second.to_vec());
        }
    }

    fn requeue(&mut self, flight: &Flight, now: Moment) {
        flight
            .ids
            .iter()
            .for_each(|id| self.renew(*id, flight.epoch));
        self.enqueue_first(&flight.ids, now);
    }

    /// What was rendered under an older plan is rendered again.
    fn renew(&mut self, id: DeliveryId, epoch: u64) {
        if epoch < self.epoch {
            self.unload(id);
        }
    }

    /// Frees the memory of a delivery.
    pub(super) fn unload(&mut self, id: DeliveryId) -> Option<Parcel> {
        let parcel = self.deliveries.get_mut(&id)?.parcel.take()?;
        self.held_bytes = self.held_bytes.saturating_sub(parcel.size());
        Some(parcel)
    }

    /// Gives a delivery up; it is settled when its dead letter is on disk.
    pub(super) fn bury(&mut self, id: DeliveryId, reason: Reason, actions: &mut Vec<Action>) {
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return;
        };
        match delivery.state {
            State::Burying => return,
            State::Parked(due) => {
                self.parked.remove(&(due, id));
            }
            _ => {}
        }
        delivery.state = State::Burying;
        let history = delivery.history;
        let message_id = self.unload(id).map(|parcel| parcel.message_id().to_owned());
        self.burying += 1;
        let count = self.tally.dead.entry(reason.class).or_insert(0);
        *count = count.saturating_add(1);
        actions.push(Action::Bury(Burial {
            id,
            history,
            message_id,
            reason,
        }));
    }

    pub(super) fn buried(&mut self, id: DeliveryId, now: Moment) {
        if self
            .deliveries
            .get(&id)
            .is_some_and(|delivery| delivery.state == State::Burying)
        {
            self.burying -= 1;
            self.settle(id, now);
        }
    }

    /// It is over: those behind it take their turn.
    pub(super) fn settle(&mut self, id: DeliveryId, now: Moment) {
        self.unload(id);
        let Some(delivery) = self.deliveries.remove(&id) else {
            return;
        };
        self.order.remove(id, delivery.keys);
        if self.holds(id.position) {
            self.settled.insert(id);
        } else {
            self.forget_settled(id);
        }
        delivery
            .keys
            .into_iter()
            .flatten()
            .for_each(|key| self.advance(key, now));
    }

    /// A record with nothing held is settled as a whole.
    fn forget_settled(&mut self, id: DeliveryId) {
        while let Some(settled) = self
            .settled
            .range(DeliveryId::first_of(id.position)..)
            .next()
            && settled.position == id.position
        {
            let settled = *settled;
            self.settled.remove(&settled);
        }
    }

    /// Retries whose moment has come take their turn.
    pub(super) fn unpark(&mut self, now: Moment) {
        while let Some((due, id)) = self.parked.first().copied()
            && due <= now.tick
        {
            self.parked.remove(&(due, id));
            if let Some(delivery) = self.deliveries.get_mut(&id) {
                delivery.state = State::Waiting;
                self.take_turn(id, now);
            }
        }
    }

    /// Gives up what is older than `ttl`, from the oldest on.
    pub(super) fn expire(&mut self, actions: &mut Vec<Action>, now: Moment) {
        if self.terms.ttl.is_none() {
            return;
        }
        let expired: Vec<_> = self
            .deliveries
            .iter()
            .take_while(|(_, delivery)| {
                self.expiry(delivery.accepted_at)
                    .is_some_and(|expiry| expiry <= now.wall)
            })
            .filter(|(_, delivery)| !matches!(delivery.state, State::Flying | State::Burying))
            .map(|(id, _)| *id)
            .collect();
        for id in expired {
            let last = self
                .last_failure
                .as_ref()
                .map(|(_, reason)| format!("; last: {reason}"));
            let text = format!("older than the ttl{}", last.unwrap_or_default());
            self.bury(id, Reason::new(ReasonClass::Expired, text), actions);
        }
    }
}
