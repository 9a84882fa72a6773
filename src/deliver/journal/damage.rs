//! What is told when something stored cannot be read.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::deliver::journal::position::Position;

/// One damaged place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, inside the journal's directory.
    pub file: String,
    /// The first damaged byte.
    pub offset: u64,
    /// How many bytes are unreadable, at most.
    pub bytes: u64,
    /// The first record that is lost.
    pub from: Position,
    /// The record after the last one that is lost; equal to `from` when none is, or none is known to
    /// have been there.
    pub to: Position,
    /// What happened, as far as it can be told.
    pub cause: Cause,
}

/// What happened to bytes that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Records that were acknowledged are gone.
    Damaged,
    /// A write that was cut off. Nobody was told that it had succeeded, unless the disk forgot the
    /// very last thing it had promised to keep.
    Unfinished,
    /// One of the two copies of a segment's header is gone; its records are not.
    Header,
    /// The file is shorter than it was made.
    Cut,
    /// Neither copy of a segment's header can be read, so none of its records can.
    Unreadable,
    /// There is no segment at all, although a checkpoint knows of records.
    Missing,
    /// The segment belongs to another journal. It is left alone.
    Foreign,
    /// The segment is a copy, or is out of order with the others. It is left alone.
    Misplaced,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            Cause::Damaged => "acknowledged records are unreadable",
            Cause::Unfinished => "a write was cut off before it was acknowledged",
            Cause::Header => "one copy of the header is unreadable",
            Cause::Cut => "the file was cut",
            Cause::Unreadable => "no copy of the header is readable",
            Cause::Missing => "all segments are gone",
            Cause::Foreign => "the segment belongs to another journal",
            Cause::Misplaced => "the segment is a copy or out of order",
        };
        write!(
            f,
            "{}: {what} (byte {}, {} bytes",
            self.file, self.offset, self.bytes
        )?;
        if self.from < self.to {
            write!(f, ", records {} to {}", self.from, self.to.0 - 1)?;
        }
        f.write_str(")")
    }
}

/// Damage found since the journal was opened, each place counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DamageCount {
    /// Damaged places.
    pub places: u64,
    /// Unreadable bytes.
    pub bytes: u64,
    /// Acknowledged records that are lost.
    pub records: u64,
}

/// Counts damage.
#[derive(Debug, Default)]
pub(crate) struct DamageCounter {
    places: AtomicU64,
    bytes: AtomicU64,
    records: AtomicU64,
}

impl DamageCounter {
    /// Counts and logs one place.
    pub(crate) fn add(&self, damage: &Damage) {
        let lost = match damage.cause {
            Cause::Unfinished => 0,
            _ => damage.to.since(damage.from),
        };
        // Relaxed: independent figures that nothing is decided by.
        self.places.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(damage.bytes, Ordering::Relaxed);
        self.records.fetch_add(lost, Ordering::Relaxed);
        tracing::error!(lost, "journal damage: {damage}");
    }

    pub(crate) fn count(&self) -> DamageCount {
        // Relaxed: see above.
        DamageCount {
            places: self.places.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
        }
    }
}
