//! What the journal must keep: for each destination, the watermark that is safe on disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::deliver::journal::Position;

/// The watermarks of all running destinations, as their checkpoints on disk have them.
#[derive(Debug, Default)]
pub(super) struct Pins {
    watermarks: Mutex<BTreeMap<Arc<str>, Position>>,
}

impl Pins {
    /// The checkpoint of a destination is on disk, with this watermark.
    pub(super) fn set(&self, destination: &Arc<str>, watermark: Position) {
        self.watermarks().insert(destination.clone(), watermark);
    }

    /// The destination is not configured any more: it keeps nothing.
    pub(super) fn clear(&self, destination: &str) {
        self.watermarks().remove(destination);
    }

    /// The lowest watermark; `None` if nobody keeps anything.
    pub(super) fn lowest(&self) -> Option<Position> {
        self.watermarks().values().min().copied()
    }

    fn watermarks(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Position>> {
        self.watermarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
