//! Whose turn it is, what is read again, and which requests go out.

use crate::clock::Tick;
use crate::deliver::courier::Action;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Dispatch;
use crate::deliver::courier::Flight;
use crate::deliver::courier::FlightId;
use crate::deliver::courier::Moment;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::delivery::State;
use crate::deliver::courier::lane::Lane;
use crate::event::delivery::LaneId;
use crate::event::delivery::OrderKey;

/// Records that are read again at the same time. Each is a small read of the journal.
const LOADS_MAX: usize = 64;

impl Courier {
    /// Queues a delivery if those before it are settled or can share its batch; else it waits.
    pub(super) fn take_turn(&mut self, id: DeliveryId, now: Moment) {
        if self.may_join(id) {
            self.enqueue(id, now);
        } else {
            self.wait(id);
        }
    }

    /// As [`Courier::take_turn`], only for those that nobody is before.
    pub(super) fn take_turn_at_head(&mut self, id: DeliveryId, now: Moment) {
        self.gathered.clear();
        let is_head = self.deliveries.get(&id).is_some_and(|delivery| {
            delivery.state == State::Waiting
                && self.order.is_next(id, delivery.keys, &self.gathered)
        });
        if is_head {
            self.enqueue(id, now);
        }
    }

    /// Something left a person's queue: those who can go out next take their turn, as many as fit
    /// into one batch.
    pub(super) fn advance(&mut self, key: OrderKey, now: Moment) {
        let together = self
            .lanes
            .iter()
            .map(|lane| lane.batch.items)
            .max()
            .unwrap_or(1);
        for place in 0..together.max(1) as usize {
            let Some(id) = self.order.at(key, place) else {
                return;
            };
            match self.deliveries.get(&id).map(|delivery| delivery.state) {
                Some(State::Waiting) if self.may_join(id) => self.enqueue(id, now),
                Some(State::Waiting) => return self.hurry_before(id),
                Some(State::Queued | State::Loading) => {}
                _ => return,
            }
        }
    }

    fn may_join(&self, id: DeliveryId) -> bool {
        let Some(delivery) = self.deliveries.get(&id) else {
            return false;
        };
        delivery
            .keys
            .into_iter()
            .flatten()
            .filter_map(|key| self.order.before(key, id))
            .all(|before| {
                self.deliveries.get(&before).is_none_or(|before| {
                    matches!(before.state, State::Queued | State::Loading)
                        && before.lane == delivery.lane
                })
            })
    }

    fn enqueue(&mut self, id: DeliveryId, now: Moment) {
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return;
        };
        let lane = self.lanes.get_mut(usize::from(delivery.lane.0));
        if let (Some(parcel), Some(lane)) = (&delivery.parcel, lane) {
            delivery.state = State::Queued;
            lane.push(id, parcel.size(), now.tick);
        } else {
            delivery.state = State::Loading;
            self.turns.push_back(id);
        }
    }

    /// Queues what did not get out before everything else.
    pub(super) fn enqueue_first(&mut self, ids: &[DeliveryId], now: Moment) {
        for id in ids.iter().rev() {
            let Some(delivery) = self.deliveries.get_mut(id) else {
                continue;
            };
            let lane = self.lanes.get_mut(usize::from(delivery.lane.0));
            if let (Some(parcel), Some(lane)) = (&delivery.parcel, lane) {
                delivery.state = State::Queued;
                lane.push_front(*id, parcel.size(), now.tick);
            } else {
                delivery.state = State::Loading;
                self.turns.push_front(*id);
            }
        }
    }

    pub(super) fn wait(&mut self, id: DeliveryId) {
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return;
        };
        delivery.state = State::Waiting;
        self.shelve(id);
        self.hurry_before(id);
    }

    /// Keeps the memory of those that wait to half of what there is, so that the other half is
    /// always free for those that can go.
    pub(super) fn shelve(&mut self, id: DeliveryId) {
        if self.bounds.bytes_max / 2 < self.held_bytes {
            self.unload(id);
        }
    }

    /// Does not let a batch wait to fill when somebody in another lane waits for it.
    fn hurry_before(&mut self, id: DeliveryId) {
        let Some(delivery) = self.deliveries.get(&id) else {
            return;
        };
        for key in delivery.keys.into_iter().flatten() {
            let Some(before) = self.order.before(key, id) else {
                continue;
            };
            let Some(before) = self.deliveries.get(&before) else {
                continue;
            };
            if before.state == State::Queued
                && let Some(lane) = self.lanes.get_mut(usize::from(before.lane.0))
            {
                lane.hurry();
            }
        }
    }

    pub(super) fn load(&mut self, actions: &mut Vec<Action>) {
        let ready = |courier: &Self| {
            !courier.draining
                && courier.loading.len() < LOADS_MAX
                && courier.held_bytes < courier.bounds.bytes_max
        };
        while ready(self) {
            let Some(id) = self.turns.pop_front() else {
                return;
            };
            let waits = self
                .deliveries
                .get(&id)
                .is_some_and(|known| known.state == State::Loading);
            if waits && self.loading.insert(id.position) {
                actions.push(Action::Load(id.position));
            }
        }
    }

    pub(super) fn dispatch(&mut self, actions: &mut Vec<Action>, now: Moment) {
        while self
            .dispatch_at(now.tick)
            .is_some_and(|due| due <= now.tick)
        {
            let n_lanes = self.lanes.len();
            let Some(lane) = (0..n_lanes)
                .map(|n| (self.lane_next + n) % n_lanes)
                .find(|lane| {
                    self.lane_due(*lane, now.tick)
                        .is_some_and(|due| due <= now.tick)
                })
            else {
                return;
            };
            self.lane_next = (lane + 1) % n_lanes;
            let ids = self.gather(lane);
            // All of them may have had to wait; the lane is shorter now, so this ends.
            if !ids.is_empty() {
                self.send(lane, ids, actions, now);
            }
        }
    }

    /// When the next request can go out, if there is something to send.
    pub(super) fn dispatch_at(&self, now: Tick) -> Option<Tick> {
        if self.terms.concurrency.max(1) as usize <= self.flights.len() {
            return None;
        }
        let free = self.breaker.free_at(now)?.max(self.pace.free_at(now));
        (0..self.lanes.len())
            .filter_map(|lane| self.lane_due(lane, now))
            .min()
            .map(|due| due.max(free))
    }

    fn lane_due(&self, lane: usize, now: Tick) -> Option<Tick> {
        let lane = self.lanes.get(lane)?;
        let probing = !self.breaker.is_closed();
        if probing && self.draining {
            None
        } else if probing || self.draining {
            Some(now).filter(|_| !lane.is_empty())
        } else {
            lane.due(now)
        }
    }

    /// Takes a batch from a lane, in order, each delivery only if all before it of its persons are in
    /// the batch too.
    fn gather(&mut self, lane: usize) -> Vec<DeliveryId> {
        self.gathered.clear();
        let Some(queue) = self.lanes.get_mut(lane) else {
            return Vec::new();
        };
        if let Some(half) = queue.pop_half() {
            return half
                .into_iter()
                .filter(|id| self.gather_one(*id, lane))
                .collect();
        }
        let settings = queue.batch;
        // A probe that turns out to be a bad event must not take others down with it.
        let items_max = if self.breaker.is_closed() {
            settings.items.max(1) as usize
        } else {
            1
        };
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < items_max {
            let Some(id) = self.lanes.get(lane).and_then(Lane::front) else {
                break;
            };
            let size = self.body_bytes(id);
            if !batch.is_empty() && settings.bytes < bytes + size {
                break;
            }
            self.lanes.get_mut(lane).and_then(Lane::pop);
            if self.gather_one(id, lane) {
                bytes += size;
                batch.push(id);
            }
        }
        if let Some(queue) = self.lanes.get_mut(lane) {
            queue.rest();
        }
        batch
    }

    fn gather_one(&mut self, id: DeliveryId, lane: usize) -> bool {
        let Some(delivery) = self.deliveries.get(&id) else {
            return false;
        };
        let is_here = delivery.state == State::Queued && usize::from(delivery.lane.0) == lane;
        if !is_here {
            return false;
        }
        let keys = delivery.keys;
        if !self.order.is_next(id, keys, &self.gathered) {
            self.wait(id);
            return false;
        }
        self.gathered.add(keys);
        true
    }

    fn body_bytes(&self, id: DeliveryId) -> u64 {
        let parcel = self
            .deliveries
            .get(&id)
            .and_then(|delivery| delivery.parcel.as_ref());
        parcel.map_or(0, |parcel| parcel.body().len() as u64)
    }

    fn send(&mut self, lane: usize, ids: Vec<DeliveryId>, actions: &mut Vec<Action>, now: Moment) {
        let lane = LaneId(u16::try_from(lane).unwrap_or(u16::MAX));
        let flight = FlightId(self.flights_made);
        self.flights_made += 1;
        let mut attempt = 0;
        let mut parcels = Vec::with_capacity(ids.len());
        for id in &ids {
            let Some(delivery) = self.deliveries.get_mut(id) else {
                continue;
            };
            delivery.state = State::Flying;
            let history = &mut delivery.history;
            history.attempts = history.attempts.saturating_add(1);
            history.first_try.get_or_insert(now.wall);
            history.last_try = Some(now.wall);
            attempt = attempt.max(history.attempts);
            parcels.extend(delivery.parcel.clone());
        }
        self.pace.count(now.tick);
        self.tally.requests = self.tally.requests.saturating_add(1);
        let role = self.breaker.sending();
        let flown = Flight {
            ids: ids.clone(),
            lane,
            role,
            epoch: self.epoch,
        };
        self.flights.insert(flight, flown);
        actions.push(Action::Send(Dispatch {
            flight,
            lane,
            attempt,
            ids,
            parcels,
        }));
    }
}
