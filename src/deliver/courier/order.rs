//! Who comes after whom: for each person, the unsettled deliveries in the order they were accepted.

use std::collections::HashMap;
use std::collections::VecDeque;

use crate::deliver::courier::delivery::DeliveryId;
use crate::event::delivery::OrderKey;

/// The queues of all persons with something unsettled.
///
/// Every queue is sorted by the same total order, so two deliveries that share both of their persons
/// can never wait for each other.
#[derive(Debug, Default)]
pub(super) struct Order {
    queues: HashMap<OrderKey, VecDeque<DeliveryId>>,
}

/// How many deliveries of each person are in a batch that is being gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered(HashMap<OrderKey, usize>);

impl Gathered {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn add(&mut self, keys: [Option<OrderKey>; 2]) {
        for key in keys.into_iter().flatten() {
            *self.0.entry(key).or_insert(0) += 1;
        }
    }
}

impl Order {
    pub(super) fn insert(&mut self, id: DeliveryId, keys: [Option<OrderKey>; 2]) {
        for key in keys.into_iter().flatten() {
            let queue = self.queues.entry(key).or_default();
            // Nearly always the newest; only a rule that was edited makes an older one appear.
            if queue.back().is_none_or(|last| *last < id) {
                queue.push_back(id);
            } else if let Err(place) = queue.binary_search(&id) {
                queue.insert(place, id);
            }
        }
    }

    pub(super) fn remove(&mut self, id: DeliveryId, keys: [Option<OrderKey>; 2]) {
        for key in keys.into_iter().flatten() {
            let Some(queue) = self.queues.get_mut(&key) else {
                continue;
            };
            if queue.front() == Some(&id) {
                queue.pop_front();
            } else if let Ok(place) = queue.binary_search(&id) {
                queue.remove(place);
            }
            if queue.is_empty() {
                self.queues.remove(&key);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.queues.clear();
    }

    /// The delivery at `place` of a person's queue.
    pub(super) fn at(&self, key: OrderKey, place: usize) -> Option<DeliveryId> {
        self.queues.get(&key)?.get(place).copied()
    }

    /// The delivery right before `id` in a person's queue.
    pub(super) fn before(&self, key: OrderKey, id: DeliveryId) -> Option<DeliveryId> {
        let queue = self.queues.get(&key)?;
        let place = if queue.back() == Some(&id) {
            queue.len().checked_sub(1)?
        } else {
            queue.binary_search(&id).ok()?
        };
        queue.get(place.checked_sub(1)?).copied()
    }

    /// Whether everything before `id` is in the batch that is being gathered.
    pub(super) fn is_next(
        &self,
        id: DeliveryId,
        keys: [Option<OrderKey>; 2],
        gathered: &Gathered,
    ) -> bool {
        keys.into_iter().flatten().all(|key| {
            let place = gathered.0.get(&key).copied().unwrap_or(0);
            self.queues
                .get(&key)
                .is_none_or(|queue| queue.get(place) == Some(&id))
        })
    }
}
