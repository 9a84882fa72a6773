//! What was read becomes deliveries: new ones, and old ones that were read again.

use crate::clock::Timestamp;
use crate::config::settings::Ordering;
use crate::deliver::courier::Action;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Moment;
use crate::deliver::courier::delivery::Delivery;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::delivery::History;
use crate::deliver::courier::delivery::Parcel;
use crate::deliver::courier::delivery::State;
use crate::deliver::journal::GapCause;
use crate::deliver::journal::Position;
use crate::event::delivery::Item;
use crate::event::delivery::LaneId;
use crate::event::delivery::OrderKey;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::event::delivery::Rendered;
use crate::event::delivery::Verdict;

impl Courier {
    pub(super) fn read(&mut self, record: Fresh<'_>, actions: &mut Vec<Action>, now: Moment) {
        if record.position < self.cursor {
            return;
        }
        self.cursor = record.position.next(1);
        self.adopt(record, actions, now);
    }

    pub(super) fn skip(&mut self, to: Position, cause: GapCause) {
        let count = match cause {
            GapCause::Damaged => &mut self.tally.damaged,
            GapCause::Released => &mut self.tally.evicted,
            // Nobody was told that these were stored.
            GapCause::Unfinished => &mut 0,
        };
        *count = count.saturating_add(to.since(self.cursor));
        self.cursor = self.cursor.max(to);
    }

    pub(super) fn loaded(
        &mut self,
        position: Position,
        rendered: Option<&Rendered>,
        actions: &mut Vec<Action>,
        now: Moment,
    ) {
        self.loading.remove(&position);
        let Some(rendered) = rendered else {
            for id in self.loading_of(position) {
                self.tally.damaged = self.tally.damaged.saturating_add(1);
                let reason = Reason::new(ReasonClass::Damaged, "the journal cannot give it back");
                self.bury(id, reason, actions);
            }
            return;
        };
        for item in &rendered.items {
            let id = DeliveryId {
                position,
                part: item.part,
            };
            let waits = self
                .deliveries
                .get(&id)
                .is_some_and(|known| known.state == State::Loading);
            if waits {
                self.refill(id, Rendition::of(item, rendered), actions, now);
            }
        }
        let accepted_at = self
            .deliveries
            .range(DeliveryId::first_of(position)..)
            .next()
            .map_or(now.wall, |(_, known)| known.accepted_at);
        let vanished: Vec<_> = self
            .loading_of(position)
            .into_iter()
            .filter(|id| rendered.items.iter().all(|item| item.part != id.part))
            .collect();
        for id in vanished {
            match rendered.verdicts.iter().find(|(part, _)| *part == id.part) {
                Some((_, Verdict::Failed(reason))) => self.bury(id, reason.clone(), actions),
                Some((_, verdict)) => {
                    self.count(verdict);
                    self.settle(id, now);
                }
                None => {
                    self.tally.superseded = self.tally.superseded.saturating_add(1);
                    self.settle(id, now);
                }
            }
        }
        // Nothing of it may be left, and then it is settled: what is new in it comes too late.
        if self.holds(position) {
            self.adopt(
                Fresh {
                    position,
                    accepted_at,
                    rendered,
                },
                actions,
                now,
            );
        }
    }

    /// Takes in what is new in a record.
    fn adopt(&mut self, record: Fresh<'_>, actions: &mut Vec<Action>, now: Moment) {
        let Fresh {
            position,
            accepted_at,
            rendered,
        } = record;
        for item in &rendered.items {
            let id = DeliveryId {
                position,
                part: item.part,
            };
            if self.is_new(id) {
                let rendition = Rendition::of(item, rendered);
                self.insert(id, Delivery::new(accepted_at, rendition.keys));
                self.refill(id, rendition, actions, now);
            }
        }
        for (part, verdict) in &rendered.verdicts {
            let id = DeliveryId {
                position,
                part: *part,
            };
            if let (true, Verdict::Failed(reason)) = (self.is_new(id), verdict) {
                self.insert(id, Delivery::new(accepted_at, [None, None]));
                self.bury(id, reason.clone(), actions);
            }
        }
        for (part, verdict) in &rendered.verdicts {
            let id = DeliveryId {
                position,
                part: *part,
            };
            if self.is_new(id) {
                self.count(verdict);
                if self.holds(position) {
                    self.settled.insert(id);
                }
            }
        }
    }

    /// Gives a delivery what is sent, and its place.
    fn refill(
        &mut self,
        id: DeliveryId,
        rendition: Rendition,
        actions: &mut Vec<Action>,
        now: Moment,
    ) {
        let Rendition { lane, keys, parcel } = rendition;
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return;
        };
        if self.lanes.get(usize::from(lane.0)).is_none() {
            let text = format!("the destination has no lane {}", lane.0);
            self.bury(id, Reason::new(ReasonClass::Mapping, text), actions);
            return;
        }
        self.held_bytes = self.held_bytes.saturating_add(parcel.size());
        delivery.parcel = Some(parcel);
        delivery.lane = lane;
        let before = std::mem::replace(&mut delivery.keys, keys);
        if before != keys {
            self.order.remove(id, before);
            self.enlist(id);
            before
                .into_iter()
                .flatten()
                .for_each(|key| self.advance(key, now));
        }
        self.take_turn(id, now);
    }

    pub(super) fn insert(&mut self, id: DeliveryId, delivery: Delivery) {
        self.deliveries.insert(id, delivery);
        self.enlist(id);
    }

    fn enlist(&mut self, id: DeliveryId) {
        if let (Ordering::PerPerson, Some(delivery)) =
            (self.terms.ordering, self.deliveries.get(&id))
        {
            self.order.insert(id, delivery.keys);
        }
    }

    fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Unrouted => self.tally.unrouted = self.tally.unrouted.saturating_add(1),
            Verdict::Dropped(reason) => {
                let count = self.tally.dropped.entry(reason.clone()).or_insert(0);
                *count = count.saturating_add(1);
            }
            Verdict::Failed(_) => {}
        }
    }

    fn is_new(&self, id: DeliveryId) -> bool {
        !self.settled.contains(&id) && !self.deliveries.contains_key(&id)
    }

    /// Whether anything of a record is not settled.
    pub(super) fn holds(&self, position: Position) -> bool {
        self.deliveries
            .range(DeliveryId::first_of(position)..)
            .next()
            .is_some_and(|(id, _)| id.position == position)
    }

    fn loading_of(&self, position: Position) -> Vec<DeliveryId> {
        self.deliveries
            .range(DeliveryId::first_of(position)..)
            .take_while(|(id, _)| id.position == position)
            .filter(|(_, delivery)| delivery.state == State::Loading)
            .map(|(id, _)| *id)
            .collect()
    }
}

/// A record with what the plan makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh<'a> {
    pub(super) position: Position,
    pub(super) accepted_at: Timestamp,
    pub(super) rendered: &'a Rendered,
}

/// What the plan makes of one delivery.
#[derive(Debug)]
struct Rendition {
    lane: LaneId,
    keys: [Option<OrderKey>; 2],
    parcel: Parcel,
}

impl Rendition {
    fn of(item: &Item, rendered: &Rendered) -> Self {
        let [one, other] = item.keys;
        let keys = if one == other {
            [one, None]
        } else {
            [one, other]
        };
        let parcel = Parcel::new(rendered.bytes(&item.message_id), rendered.bytes(&item.body));
        Self {
            lane: item.lane,
            keys,
            parcel,
        }
    }
}

impl Delivery {
    fn new(accepted_at: Timestamp, keys: [Option<OrderKey>; 2]) -> Self {
        Self {
            lane: LaneId::default(),
            keys,
            parcel: None,
            accepted_at,
            history: History::default(),
            state: State::Waiting,
        }
    }
}
