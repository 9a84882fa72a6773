//! What the committer and the readers of one journal share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tokio::sync::watch;

use crate::deliver::journal::damage::Cause;
use crate::deliver::journal::damage::Damage;
use crate::deliver::journal::damage::DamageCounter;
use crate::deliver::journal::position::Position;
use crate::deliver::journal::recent::Recent;
use crate::deliver::journal::segment::Segment;
use crate::deliver::storage::Storage;

/// What the committer and the readers of one journal share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) end: watch::Sender<Position>,
    pub(crate) damage: DamageCounter,
    segments: Mutex<Segments>,
    recent: Mutex<Recent>,
}

/// The segments in use.
#[derive(Debug)]
pub(crate) struct Segments {
    // Invariant: ascending numbers, bases that do not fall.
    pub(crate) list: VecDeque<Arc<Segment>>,
    /// What the header of a further segment would say: records of the last one that were not
    /// acknowledged for certain start here. The largest position while the last one is written.
    pub(crate) confirmed: Position,
}

/// A segment, how far it goes, and what of it was acknowledged.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) segment: Arc<Segment>,
    /// The base of the next segment; `None` for the last.
    pub(crate) until: Option<Position>,
    pub(crate) confirmed: Position,
}

impl Shared {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        segments: Segments,
        end: Position,
        recent: Recent,
    ) -> Self {
        Self {
            storage,
            end: watch::Sender::new(end),
            damage: DamageCounter::default(),
            segments: Mutex::new(segments),
            recent: Mutex::new(recent),
        }
    }

    pub(crate) fn end(&self) -> Position {
        *self.end.borrow()
    }

    /// The oldest position that is still stored; the end if nothing is.
    pub(crate) fn start(&self) -> Position {
        self.segments()
            .list
            .front()
            .map_or_else(|| self.end(), |first| first.header.base)
    }

    pub(crate) fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segment that holds `position`, or would.
    pub(crate) fn stretch(&self, position: Position) -> Option<Stretch> {
        let segments = self.segments();
        let after = segments
            .list
            .partition_point(|segment| segment.header.base <= position);
        let segment = segments.list.get(after.checked_sub(1)?)?.clone();
        let next = segments.list.get(after).map(|next| next.header);
        Some(Stretch {
            segment,
            until: next.map(|header| header.base),
            confirmed: next.map_or(segments.confirmed, |header| header.confirmed),
        })
    }

    /// Counts damage found when the journal was opened.
    pub(crate) fn recovered(&self, damage: &Damage) {
        let segments = self.segments();
        let segment = segments
            .list
            .iter()
            .find(|segment| segment.name == damage.file);
        match segment {
            Some(segment) if damage.cause == Cause::Damaged => self.report(segment, damage),
            _ => self.damage.add(damage),
        }
    }

    /// Counts damage in `segment`, unless it has been counted.
    pub(crate) fn report(&self, segment: &Segment, damage: &Damage) {
        let silent = damage.cause == Cause::Unfinished;
        if !silent && segment.is_news(damage.offset) {
            self.damage.add(damage);
        }
    }
}
