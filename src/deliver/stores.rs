//! What all workers of an engine share: the clock and what is on disk.

use crate::clock::Clock;
use crate::deliver::checkpoint::Checkpoints;
use crate::deliver::courier::Moment;
use crate::deliver::dead_letter::DeadLetters;
use crate::deliver::journal::Journal;
use crate::deliver::pins::Pins;

/// Shared by the engine, its keeper and its workers.
#[derive(Debug)]
pub(super) struct Stores {
    pub(super) clock: Clock,
    pub(super) journal: Journal,
    pub(super) dead_letters: DeadLetters,
    pub(super) checkpoints: Checkpoints,
    pub(super) pins: Pins,
}

impl Stores {
    pub(super) fn moment(&self) -> Moment {
        Moment {
            tick: self.clock.tick(),
            wall: self.clock.now(),
        }
    }
}
