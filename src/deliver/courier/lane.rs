//! What is ready to go through one lane, and when it is worth a request.

use std::collections::VecDeque;

use crate::clock::Tick;
use crate::config::settings::BatchSettings;
use crate::deliver::courier::delivery::DeliveryId;

/// The queue of a lane.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) batch: BatchSettings,
    queue: VecDeque<Entry>,
    bytes: u64,
    /// The halves of a batch that was split, in order; they go out as they are.
    halves: VecDeque<Vec<DeliveryId>>,
    /// Somebody in another lane waits for what is queued here: do not wait for more.
    urgent: bool,
}

/// A place in the queue. May be stale: its delivery may have left, look before use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) id: DeliveryId,
    size: u64,
    since: Tick,
}

impl Lane {
    pub(super) fn new(batch: BatchSettings) -> Self {
        Self {
            batch,
            queue: VecDeque::new(),
            bytes: 0,
            halves: VecDeque::new(),
            urgent: false,
        }
    }

    pub(super) fn push(&mut self, id: DeliveryId, size: u64, now: Tick) {
        self.bytes = self.bytes.saturating_add(size);
        self.queue.push_back(Entry {
            id,
            size,
            since: now,
        });
    }

    /// Puts back what could not be sent, before everything else.
    pub(super) fn push_front(&mut self, id: DeliveryId, size: u64, now: Tick) {
        self.bytes = self.bytes.saturating_add(size);
        self.queue.push_front(Entry {
            id,
            size,
            since: now,
        });
    }

    pub(super) fn push_halves(&mut self, first: Vec<DeliveryId>, second: Vec<DeliveryId>) {
        self.halves.push_front(second);
        self.halves.push_front(first);
    }

    pub(super) fn pop_half(&mut self) -> Option<Vec<DeliveryId>> {
        self.halves.pop_front()
    }

    pub(super) fn front(&self) -> Option<DeliveryId> {
        self.queue.front().map(|entry| entry.id)
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(entry.size);
        if self.queue.is_empty() {
            self.urgent = false;
        }
        Some(entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.halves.is_empty()
    }

    pub(super) fn hurry(&mut self) {
        self.urgent = true;
    }

    /// A batch was taken: what is left may wait again.
    pub(super) fn rest(&mut self) {
        self.urgent = false;
    }

    /// When the next request is worth making, if nothing more comes.
    pub(super) fn due(&self, now: Tick) -> Option<Tick> {
        if !self.halves.is_empty() {
            return Some(now);
        }
        let oldest = self.queue.front()?;
        let full = self.batch.items as usize <= self.queue.len() || self.batch.bytes <= self.bytes;
        if full || self.urgent {
            Some(now)
        } else {
            Some(oldest.since.after(self.batch.wait))
        }
    }
}
