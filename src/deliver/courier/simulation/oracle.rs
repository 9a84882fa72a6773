//! What must be true of a schedule, told independently of the courier.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::config::settings::Ordering;
use crate::deliver::courier::Bounds;
use crate::deliver::courier::Burial;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Dispatch;
use crate::deliver::courier::Moment;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::simulation::world::ITEM_BYTES_MAX;
use crate::deliver::courier::simulation::world::ITEMS_PER_RECORD_MAX;
use crate::deliver::courier::simulation::world::Nature;
use crate::deliver::courier::simulation::world::World;
use crate::deliver::journal::Position;
use crate::event::delivery::Judgement;
use crate::event::delivery::Outcome;
use crate::event::delivery::ReasonClass;

pub(super) struct Oracle {
    world: World,
    plan: u64,
    /// Requests each item was in, ever.
    attempts: BTreeMap<DeliveryId, u32>,
    /// Tries each item was in, as the courier counts them; a crash may forget some.
    counted: BTreeMap<DeliveryId, u32>,
    /// What the destination has.
    taken: BTreeSet<DeliveryId>,
    /// What it will never take, or what was given up.
    ended: BTreeSet<DeliveryId>,
    dead: BTreeSet<DeliveryId>,
    /// What the courier was told is delivered, and the part of it that a crash cannot undo.
    known: BTreeSet<DeliveryId>,
    known_saved: BTreeSet<DeliveryId>,
    sent_at: Vec<Moment>,
}

impl Oracle {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            plan: 0,
            attempts: BTreeMap::new(),
            counted: BTreeMap::new(),
            taken: BTreeSet::new(),
            ended: BTreeSet::new(),
            dead: BTreeSet::new(),
            known: BTreeSet::new(),
            known_saved: BTreeSet::new(),
            sent_at: Vec::new(),
        }
    }

    pub(super) fn attempts(&self, id: DeliveryId) -> u32 {
        self.attempts.get(&id).copied().unwrap_or(0)
    }

    /// A request goes out.
    pub(super) fn sent(&mut self, dispatch: &Dispatch, now: Moment) {
        assert!(!dispatch.ids.is_empty());
        assert_eq!(dispatch.ids.len(), dispatch.parcels.len());
        assert!(dispatch.ids.len() <= self.world.batch.items as usize);
        if 1 < dispatch.ids.len() {
            let bytes: usize = dispatch
                .parcels
                .iter()
                .map(|parcel| parcel.body().len())
                .sum();
            assert!(bytes as u64 <= self.world.batch.bytes);
        }
        let mut attempt = 0;
        for (id, parcel) in dispatch.ids.iter().zip(&dispatch.parcels) {
            assert!(
                self.world.is_made(*id, self.plan),
                "{id:?} is of an old plan"
            );
            assert_eq!(
                parcel.body().len() as u64,
                self.world.body_bytes(*id, self.plan)
            );
            assert_eq!(dispatch.lane, self.world.lane(*id, self.plan));
            assert_eq!(
                parcel.message_id(),
                format!("{}.{}", id.position, id.part.event)
            );
            assert!(!self.known.contains(id), "{id:?} was delivered already");
            *self.attempts.entry(*id).or_insert(0) += 1;
            let counted = self.counted.entry(*id).or_insert(0);
            *counted += 1;
            attempt = attempt.max(*counted);
        }
        assert!(dispatch.attempt <= attempt);
        if let Some(rate) = self.world.rate {
            self.sent_at.push(now);
            let recent = self
                .sent_at
                .iter()
                .filter(|sent| now.tick.since(sent.tick) < rate.per);
            assert!(recent.count() <= rate.requests as usize, "too fast");
        }
    }

    /// The destination takes a request; it refuses the bad items and keeps the others.
    pub(super) fn taken(&mut self, dispatch: &Dispatch, natures: &[Nature], plan: u64) {
        for (id, nature) in dispatch.ids.iter().zip(natures) {
            if *nature == Nature::Bad {
                self.ended.insert(*id);
            } else if self.taken.insert(*id) && self.world.ordering == Ordering::PerPerson {
                self.checks_order(*id, plan);
            }
        }
    }

    /// Nobody of the same person who came earlier may still be on the way.
    fn checks_order(&self, id: DeliveryId, plan: u64) {
        let keys: Vec<_> = self.world.keys(id).into_iter().flatten().collect();
        for earlier in (0..=id.position.0).flat_map(|position| self.made(Position(position))) {
            let shares = self
                .world
                .keys(earlier)
                .into_iter()
                .flatten()
                .any(|key| keys.contains(&key));
            let over = self.taken.contains(&earlier)
                || self.ended.contains(&earlier)
                || !self.world.is_made(earlier, plan);
            assert!(
                id <= earlier || !shares || over,
                "{id:?} came before {earlier:?}"
            );
        }
    }

    fn made(&self, position: Position) -> impl Iterator<Item = DeliveryId> + use<> {
        let ids = self.world.ids(position);
        let unruly = self.world.is_unruly(position);
        ids.filter(move |_| !unruly)
    }

    pub(super) fn judged(&mut self, dispatch: &Dispatch, judgement: &Judgement) {
        if let Judgement::Each(outcomes) = judgement {
            for (id, outcome) in dispatch.ids.iter().zip(outcomes) {
                if *outcome == Outcome::Delivered {
                    self.known.insert(*id);
                }
            }
        }
    }

    pub(super) fn given_up(&mut self, id: DeliveryId) {
        assert!(!self.known.contains(&id), "{id:?} is dead though delivered");
        self.ended.insert(id);
    }

    pub(super) fn buried(&mut self, burial: &Burial, now: Moment) {
        let Burial {
            id,
            reason,
            history,
            ..
        } = burial;
        let is_old = |ttl| World::accepted_at(id.position).after(ttl) <= now.wall;
        match reason.class {
            ReasonClass::Mapping => assert!(self.world.is_unruly(id.position)),
            ReasonClass::Refused => assert_eq!(self.world.nature(*id), Nature::Bad),
            ReasonClass::Expired if history.failures <= 3 => {
                assert!(self.world.ttl.is_some_and(is_old), "{burial:?} is not old");
            }
            ReasonClass::TooLarge => panic!("{id:?} was never too large"),
            _ => {}
        }
        self.dead.insert(*id);
    }

    pub(super) fn saved(&mut self) {
        self.known_saved = self.known.clone();
    }

    pub(super) fn crashed(&mut self) {
        self.known = self.known_saved.clone();
        // A new process does not know how fast the last one was.
        self.sent_at.clear();
    }

    /// Whose order is kept has changed: what was on its way then may come in any.
    pub(super) fn reordered(&mut self) {
        self.world.ordering = Ordering::None;
    }

    pub(super) fn replanned(&mut self, plan: u64) {
        self.plan = plan;
    }

    pub(super) fn checks_bounds(courier: &Courier, bounds: Bounds) {
        let (count, bytes) = (courier.deliveries.len(), courier.held_bytes);
        let slack = ITEMS_PER_RECORD_MAX as u64 * ITEM_BYTES_MAX;
        assert!(
            count < bounds.deliveries_max + ITEMS_PER_RECORD_MAX,
            "{count} deliveries"
        );
        // A record over the bound, and one that was being read again.
        assert!(bytes < bounds.bytes_max + 64 * slack, "{bytes} bytes");
        let held: u64 = courier
            .deliveries
            .values()
            .filter_map(|delivery| delivery.parcel.as_ref())
            .map(super::super::delivery::Parcel::size)
            .sum();
        assert_eq!(bytes, held, "lost count of memory");
    }

    /// Everything has settled: each item is at the destination or a dead letter.
    pub(super) fn finished(&self, plan: u64) {
        for position in (0..self.world.records).map(Position) {
            if self.world.is_unruly(position) {
                assert!(self.dead.contains(&DeliveryId::first_of(position)));
                continue;
            }
            for id in self
                .world
                .ids(position)
                .filter(|id| self.world.is_made(*id, plan))
            {
                let over = self.taken.contains(&id) || self.dead.contains(&id);
                assert!(over, "{id:?} is lost");
            }
        }
    }
}

#[test]
fn accepted_moments_ascend() {
    assert!(World::accepted_at(Position(1)) < World::accepted_at(Position(2)));
    assert_eq!(World::accepted_at(Position(0)), Timestamp::from_millis(0));
}
