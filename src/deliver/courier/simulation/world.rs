//! The world a simulated courier lives in: records, plans that change, a destination that misbehaves.
//!
//! Everything about a record follows from its position and the seed, as a real translation follows
//! from the bytes of a call.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::settings::BatchSettings;
use crate::config::settings::Ordering;
use crate::config::settings::Rate;
use crate::deliver::courier::Terms;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::journal::Position;
use crate::event::delivery::Item;
use crate::event::delivery::LaneId;
use crate::event::delivery::OrderKey;
use crate::event::delivery::Part;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::event::delivery::Rendered;
use crate::event::delivery::Verdict;

pub(super) const LANES: u64 = 2;
pub(super) const ITEMS_PER_RECORD_MAX: usize = 3;
pub(super) const ITEM_BYTES_MAX: u64 = 60;

/// What the destination thinks of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    Good,
    /// Refused for good.
    Bad,
    /// Makes any request it is in fail, this often.
    Stubborn(u32),
}

/// What is true for one schedule.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) records: u64,
    pub(super) persons: u64,
    pub(super) ordering: Ordering,
    pub(super) ttl: Option<Duration>,
    pub(super) rate: Option<Rate>,
    pub(super) concurrency: u32,
    pub(super) batch: BatchSettings,
}

impl World {
    pub(super) fn new(seed: u64, rng: &mut fastrand::Rng) -> Self {
        let per = Duration::from_secs(1);
        Self {
            seed,
            records: rng.u64(5..40),
            persons: rng.u64(1..9),
            ordering: if rng.u8(..) < 220 {
                Ordering::PerPerson
            } else {
                Ordering::None
            },
            ttl: (rng.u8(..) < 60).then(|| Duration::from_secs(rng.u64(1..5000))),
            rate: (rng.u8(..) < 60).then(|| Rate {
                requests: rng.u32(1..20),
                per,
            }),
            concurrency: rng.u32(1..5),
            batch: BatchSettings {
                items: rng.u32(1..6),
                bytes: rng.u64(20..300),
                wait: Duration::from_millis(rng.u64(0..3) * 700),
            },
        }
    }

    pub(super) fn terms(&self) -> Terms {
        let alone = BatchSettings {
            items: 1,
            ..self.batch
        };
        Terms {
            lanes: vec![self.batch, alone],
            ordering: self.ordering,
            concurrency: self.concurrency,
            rate: self.rate,
            retry: [5, 30, 300].map(Duration::from_secs).to_vec(),
            ttl: self.ttl,
        }
    }

    /// A number below `bound` that belongs to an item and a question.
    fn about(&self, id: DeliveryId, question: u64, bound: u64) -> u64 {
        let part = u64::from(id.part.event) << 16 | u64::from(id.part.item);
        let seed = self.seed ^ id.position.0 << 40 ^ part << 20 ^ question;
        fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).u64(0..bound)
    }

    pub(super) fn accepted_at(position: Position) -> Timestamp {
        Timestamp::from_millis(i64::try_from(position.0).unwrap() * 100)
    }

    pub(super) fn nature(&self, id: DeliveryId) -> Nature {
        match self.about(id, 1, 20) {
            0 | 1 => Nature::Bad,
            2 | 3 => Nature::Stubborn(1),
            4 => Nature::Stubborn(3),
            5 => Nature::Stubborn(u32::MAX),
            _ => Nature::Good,
        }
    }

    /// Every plan leaves out more than the one before.
    pub(super) fn is_made(&self, id: DeliveryId, plan: u64) -> bool {
        8 * plan <= self.about(id, 2, 100)
    }

    pub(super) fn keys(&self, id: DeliveryId) -> [Option<OrderKey>; 2] {
        let one = OrderKey(self.about(id, 3, self.persons));
        let other = OrderKey(self.about(id, 4, self.persons));
        match self.about(id, 5, 10) {
            0 => [None, None],
            1 => [Some(one), Some(other)],
            _ => [Some(one), None],
        }
    }

    pub(super) fn body_bytes(&self, id: DeliveryId, plan: u64) -> u64 {
        self.about(id, 100 + plan, ITEM_BYTES_MAX - 10)
    }

    pub(super) fn lane(&self, id: DeliveryId, plan: u64) -> LaneId {
        LaneId(u16::try_from(self.about(id, 200 + plan, LANES)).unwrap())
    }

    /// The items of a record under the first plan.
    pub(super) fn ids(&self, position: Position) -> impl Iterator<Item = DeliveryId> + use<> {
        let count = self.about(
            DeliveryId::first_of(position),
            6,
            ITEMS_PER_RECORD_MAX as u64 + 1,
        );
        (0..u16::try_from(count).unwrap()).map(move |event| DeliveryId {
            position,
            part: Part { event, item: 0 },
        })
    }

    /// Whether a rule fails on the record: one dead letter and no item.
    pub(super) fn is_unruly(&self, position: Position) -> bool {
        self.about(DeliveryId::first_of(position), 7, 20) == 0
    }

    pub(super) fn render(&self, position: Position, plan: u64) -> Rendered {
        let mut rendered = Rendered::default();
        if self.is_unruly(position) {
            let reason = Reason::new(ReasonClass::Mapping, "no such function");
            rendered
                .verdicts
                .push((Part::default(), Verdict::Failed(reason)));
            return rendered;
        }
        for id in self.ids(position) {
            if !self.is_made(id, plan) {
                if self.about(id, 8, 2) == 0 {
                    rendered.verdicts.push((id.part, Verdict::Unrouted));
                }
                continue;
            }
            let start = u32::try_from(rendered.text.len()).unwrap();
            let message_id = format!("{}.{}", position, id.part.event);
            rendered.text.extend_from_slice(message_id.as_bytes());
            let middle = u32::try_from(rendered.text.len()).unwrap();
            let body = self.body_bytes(id, plan);
            rendered.text.extend((0..body).map(|_| b'x'));
            let end = u32::try_from(rendered.text.len()).unwrap();
            let lane = self.lane(id, plan);
            let keys = self.keys(id);
            let item = Item {
                part: id.part,
                lane,
                keys,
                message_id: start..middle,
                body: middle..end,
            };
            rendered.items.push(item);
        }
        rendered
    }
}
