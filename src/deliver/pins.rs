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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether it is known who there is; until then everything is kept.
    complete: bool,
    watermarks: BTreeMap<Arc<str>, Position>,
}

impl Pins {
    /// The checkpoint of a destination is on disk, with this watermark.
    pub(super) fn set(&self, destination: &Arc<str>, watermark: Position) {
        self.state()
            .watermarks
            .insert(destination.clone(), watermark);
    }

    /// The destination is not configured any more: it keeps nothing.
    pub(super) fn clear(&self, destination: &str) {
        self.state().watermarks.remove(destination);
    }

    /// Those for which `is_kept` is not true keep nothing.
    pub(super) fn retain(&self, is_kept: impl Fn(&str) -> bool) {
        self.state()
            .watermarks
            .retain(|destination, _| is_kept(destination));
    }

    /// Whether a destination is configured.
    pub(super) fn has(&self, destination: &str) -> bool {
        self.state().watermarks.contains_key(destination)
    }

    /// Every destination there is has been set.
    pub(super) fn complete(&self) {
        self.state().complete = true;
    }

    /// Everything below is settled everywhere; `end` if nobody keeps anything.
    pub(super) fn lowest(&self, end: Position) -> Position {
        let state = self.state();
        if !state.complete {
            return Position(0);
        }
        state.watermarks.values().copied().fold(end, Position::min)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_destination_counts() {
        let (pins, end) = (Pins::default(), Position(9));
        assert_eq!(pins.lowest(end), Position(0), "nobody has been asked yet");
        pins.complete();
        assert_eq!(pins.lowest(end), end);
        pins.set(&"a".into(), Position(7));
        pins.set(&"b".into(), Position(5));
        assert_eq!(pins.lowest(end), Position(5));
        pins.clear("b");
        assert_eq!(pins.lowest(end), Position(7));
    }
}
