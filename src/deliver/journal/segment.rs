//! A file of the journal: what it says of itself, and what is known about it while it is open.
//!
//! A segment starts with 64 bytes, and its last 64 bytes repeat them, because without the salt none
//! of its frames can be read. Little-endian:
//!
//! ```text
//!  0 "TWJ" and version u8 = 1      24 salt u128
//!  4 number u32                    40 begun at i64 (ms)
//!  8 journal u64                   48 confirmed position u64
//! 16 base position u64             56 size in pages u32 · CRC32C of bytes 0..60 u32
//! ```
//!
//! *Journal* is the same in all segments of a journal: a file that strayed in from another one is
//! told by it. *Begun at* is when the first record came. *Confirmed* is what the previous segment cannot say of itself: records before it were
//! acknowledged, records from there to *base* may have been. A segment that is prepared but not in
//! use has the largest position as its base. The name of a file is its number and only a hint.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::clock::Timestamp;
use crate::deliver::journal::frame::Seed;
use crate::deliver::journal::position::Position;
use crate::deliver::storage::StoredFile;

/// Bytes of a segment's header, and of the copy at its end.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;

/// Segments are whole pages.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// How far apart the places are that a segment remembers: a seek reads at most this much, and 64 MiB
/// cost 4 KiB of memory.
const MARK_DISTANCE_BYTES: u64 = 256 * 1024;

/// How many damaged places of one segment are told apart, so that each is counted once however many
/// readers pass it.
const DAMAGE_PLACES_MAX: usize = 4096;

const MAGIC: [u8; 4] = *b"TWJ\x01";

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u32,
    pub(crate) journal: u64,
    pub(crate) base: Position,
    pub(crate) salt: u128,
    pub(crate) begun_at: Timestamp,
    pub(crate) confirmed: Position,
    pub(crate) pages: u32,
}

impl SegmentHeader {
    /// The base of a segment that is not in use.
    pub(crate) const UNUSED: Position = Position(u64::MAX);

    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let fields = MAGIC
            .into_iter()
            .chain(self.number.to_le_bytes())
            .chain(self.journal.to_le_bytes())
            .chain(self.base.0.to_le_bytes())
            .chain(self.salt.to_le_bytes())
            .chain(self.begun_at.as_millis().to_le_bytes())
            .chain(self.confirmed.0.to_le_bytes())
            .chain(self.pages.to_le_bytes());
        bytes
            .iter_mut()
            .zip(fields)
            .for_each(|(byte, field)| *byte = field);
        if let Some((covered, checksum)) = bytes.split_last_chunk_mut::<4>() {
            *checksum = crc32c::crc32c(covered).to_le_bytes();
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (covered, checksum) = bytes.get(..SEGMENT_HEADER_BYTES)?.split_last_chunk::<4>()?;
        if crc32c::crc32c(covered) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let rest = covered.strip_prefix(&MAGIC)?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let (journal, rest) = rest.split_first_chunk::<8>()?;
        let (base, rest) = rest.split_first_chunk::<8>()?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let (begun_at, rest) = rest.split_first_chunk::<8>()?;
        let (confirmed, rest) = rest.split_first_chunk::<8>()?;
        let (pages, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            number: u32::from_le_bytes(*number),
            journal: u64::from_le_bytes(*journal),
            base: Position(u64::from_le_bytes(*base)),
            salt: u128::from_le_bytes(*salt),
            begun_at: Timestamp::from_millis(i64::from_le_bytes(*begun_at)),
            confirmed: Position(u64::from_le_bytes(*confirmed)),
            pages: u32::from_le_bytes(*pages),
        })
    }

    /// Reads the header of `file`, or its copy at the end if the header is damaged.
    pub(crate) fn read(file: &dyn StoredFile) -> io::Result<Option<Self>> {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        file.read_full_at(&mut bytes, 0)?;
        let header = Self::decode(&bytes);
        let copy_at = file.size()?.saturating_sub(SEGMENT_HEADER_BYTES as u64);
        file.read_full_at(&mut bytes, copy_at)?;
        let copy = Self::decode(&bytes);
        // A copy with a larger number was written when the segment was taken for reuse.
        let is_older = header
            .zip(copy)
            .is_some_and(|(header, copy)| header.number < copy.number);
        Ok(if is_older { copy } else { header.or(copy) })
    }

    /// Bytes the file should have.
    pub(crate) const fn size(&self) -> u64 {
        self.pages as u64 * PAGE_BYTES
    }
}

/// The file name of a segment.
pub(crate) fn segment_name(number: u32) -> String {
    format!("{number:010}.segment")
}

/// The number in the name of a segment; `None` for any other file.
pub(crate) fn segment_number(name: &str) -> Option<u32> {
    name.strip_suffix(".segment")?.parse().ok()
}

/// A segment in use.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) header: SegmentHeader,
    pub(crate) seed: Seed,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// Where the frames end, as far as known; the end of the file until something says otherwise.
    used: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    // Invariant: ascending in both, never empty.
    marks: Vec<(Position, u64)>,
    damaged: BTreeSet<u64>,
}

impl Segment {
    pub(crate) fn new(name: String, header: SegmentHeader, size: u64) -> Arc<Self> {
        let start = SEGMENT_HEADER_BYTES as u64;
        Arc::new(Self {
            name,
            header,
            seed: Seed::new(header.salt),
            size,
            used: AtomicU64::new(size),
            known: Mutex::new(Known {
                marks: vec![(header.base, start)],
                damaged: BTreeSet::new(),
            }),
        })
    }

    /// Where frames may end: before the copy of the header.
    pub(crate) fn limit(&self) -> u64 {
        let full = self
            .header
            .size()
            .saturating_sub(SEGMENT_HEADER_BYTES as u64);
        self.size.min(full)
    }

    pub(crate) fn used(&self) -> u64 {
        // Relaxed: a figure for accounting, nothing is read because of it.
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn set_used(&self, used: u64) {
        self.used.store(used, Ordering::Relaxed);
    }

    /// Remembers that the frame at `offset` starts with `position`.
    pub(crate) fn mark(&self, position: Position, offset: u64) {
        let mut known = self.known();
        let far = known
            .marks
            .last()
            .is_none_or(|last| last.1 + MARK_DISTANCE_BYTES <= offset);
        if far {
            known.marks.push((position, offset));
        }
    }

    /// The last remembered place at or before `position`.
    pub(crate) fn place_before(&self, position: Position) -> (Position, u64) {
        let known = self.known();
        let after = known.marks.partition_point(|mark| mark.0 <= position);
        let mark = after.checked_sub(1).and_then(|at| known.marks.get(at));
        mark.copied()
            .unwrap_or((self.header.base, SEGMENT_HEADER_BYTES as u64))
    }

    /// Whether damage at `offset` is told for the first time.
    pub(crate) fn is_news(&self, offset: u64) -> bool {
        let mut known = self.known();
        known.damaged.len() < DAMAGE_PLACES_MAX && known.damaged.insert(offset)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
