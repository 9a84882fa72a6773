//! A place in the journal.

use std::fmt;

/// The number of a record: consecutive, never given twice, never changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The position `records` further on.
    #[must_use]
    pub const fn next(self, records: u64) -> Self {
        Self(self.0.saturating_add(records))
    }

    /// How many records lie between `earlier` and this position; none if it is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
