//! Makes segments before they are needed.
//!
//! A commit must neither extend a file nor fill one: both cost it a hundred times what a commit
//! costs. So a thread keeps one segment ready, made of a released one if there is one, else filled
//! with zeros. This is also where a full disk shows first, while there is a whole segment left.
//!
//! A file is prepared under the name `next.part` and gets its own name, for good, when it is whole. A
//! released one waits as `free.part`. Whatever a crash leaves behind under these names is of no value.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::clock::Timestamp;
use crate::deliver::journal::position::Position;
use crate::deliver::journal::queue::AppendError;
use crate::deliver::journal::segment::PAGE_BYTES;
use crate::deliver::journal::segment::SEGMENT_HEADER_BYTES;
use crate::deliver::journal::segment::SegmentHeader;
use crate::deliver::journal::segment::segment_name;
use crate::deliver::storage::Storage;
use crate::deliver::storage::StoredFile;
use crate::deliver::storage::is_full;

/// A segment being prepared.
pub(crate) const NEXT_NAME: &str = "next.part";

/// A released segment that waits for reuse.
pub(crate) const FREE_NAME: &str = "free.part";

/// Zeros are written and synced in pieces, so that a commit's sync never waits for all of them.
const FILL_BYTES: usize = 512 * 1024;

/// A segment ready for use.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) name: String,
    pub(crate) file: Arc<dyn StoredFile>,
    pub(crate) header: SegmentHeader,
}

/// Where segments come from.
#[derive(Debug)]
pub(crate) struct Preparer {
    storage: Arc<dyn Storage>,
    journal: u64,
    segment_bytes: u64,
    supply: Mutex<Supply>,
    changed: Condvar,
    closing: AtomicBool,
}

#[derive(Debug)]
struct Supply {
    next: Next,
    next_number: u32,
    free: Free,
}

/// Whether a released segment waits for reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Free {
    /// None: the next segment is filled with zeros.
    None,
    /// One, as [`FREE_NAME`].
    One,
}

#[derive(Debug)]
enum Next {
    Wanted,
    Ready(Prepared),
    Failed(AppendError),
}

impl Preparer {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        (journal, next_number): (u64, u32),
        segment_bytes: u64,
        free: Free,
    ) -> Self {
        Self {
            storage,
            journal,
            segment_bytes,
            supply: Mutex::new(Supply {
                next: Next::Wanted,
                next_number,
                free,
            }),
            changed: Condvar::new(),
            closing: AtomicBool::new(false),
        }
    }

    /// Takes the segment that is ready, or waits for it. A failure that is older than the call is not
    /// an answer: space may have come back.
    pub(crate) fn take(&self) -> Result<Prepared, AppendError> {
        let mut supply = self.supply();
        let mut asked = false;
        loop {
            match std::mem::replace(&mut supply.next, Next::Wanted) {
                Next::Ready(prepared) => {
                    self.changed.notify_all();
                    return Ok(prepared);
                }
                Next::Failed(error) if asked => {
                    supply.next = Next::Failed(error.clone());
                    return Err(error);
                }
                Next::Failed(_) => self.changed.notify_all(),
                Next::Wanted if self.is_closing() => return Err(AppendError::Closed),
                Next::Wanted => {}
            }
            asked = true;
            supply = self
                .changed
                .wait(supply)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a released segment for reuse, or gives its space back.
    pub(crate) fn recycle(&self, name: &str, size: u64) -> io::Result<()> {
        let mut supply = self.supply();
        if supply.free == Free::One || size != self.segment_bytes {
            self.storage.remove(name)?;
        } else {
            self.storage.rename(name, FREE_NAME)?;
            supply.free = Free::One;
        }
        if matches!(supply.next, Next::Failed(_)) {
            supply.next = Next::Wanted;
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Bytes of files that are not in use.
    pub(crate) fn held_bytes(&self) -> u64 {
        let supply = self.supply();
        let files =
            u64::from(supply.free == Free::One) + u64::from(matches!(supply.next, Next::Ready(_)));
        files * self.segment_bytes
    }

    /// Ends [`Preparer::run`] and every wait.
    pub(crate) fn close(&self) {
        let _supply = self.supply();
        self.closing.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// Keeps a segment ready until the preparer is closed.
    pub(crate) fn run(&self) {
        let _guard = CloseOnExit(self);
        loop {
            let mut supply = self.supply();
            while !matches!(supply.next, Next::Wanted) && !self.is_closing() {
                supply = self
                    .changed
                    .wait(supply)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if self.is_closing() {
                return;
            }
            let number = supply.next_number;
            supply.next_number = number.saturating_add(1);
            let free = std::mem::replace(&mut supply.free, Free::None);
            drop(supply);
            let next = match self.prepare(number, free) {
                Ok(prepared) => Next::Ready(prepared),
                Err(error) => Next::Failed(self.explain(&error)),
            };
            self.supply().next = next;
            self.changed.notify_all();
        }
    }

    fn prepare(&self, number: u32, free: Free) -> io::Result<Prepared> {
        let file = if free == Free::One {
            self.storage.rename(FREE_NAME, NEXT_NAME)?;
            self.storage.open(NEXT_NAME)?
        } else {
            self.fill()
                .inspect_err(|_| drop(self.storage.remove(NEXT_NAME)))?
        };
        let header = SegmentHeader {
            number,
            journal: self.journal,
            base: SegmentHeader::UNUSED,
            salt: random_salt(),
            begun_at: Timestamp::default(),
            confirmed: Position(0),
            pages: u32::try_from(self.segment_bytes / PAGE_BYTES).unwrap_or(u32::MAX),
        };
        let copy_at = self.segment_bytes - SEGMENT_HEADER_BYTES as u64;
        file.write_all_at(&header.encode(), copy_at)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        let name = segment_name(number);
        self.storage.rename(NEXT_NAME, &name)?;
        // Order: the name must be safe before a record is, or a power cut takes both.
        let synced = self.storage.sync_directory();
        synced.inspect_err(|_| drop(self.storage.remove(&name)))?;
        Ok(Prepared { name, file, header })
    }

    fn fill(&self) -> io::Result<Arc<dyn StoredFile>> {
        if self.storage.free_bytes()? < self.segment_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.storage.list()?.iter().any(|name| name == NEXT_NAME) {
            self.storage.remove(NEXT_NAME)?;
        }
        let file = self.storage.create(NEXT_NAME)?;
        let zeros = vec![0; FILL_BYTES];
        let mut offset = 0;
        while offset < self.segment_bytes {
            if self.is_closing() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let left = usize::try_from(self.segment_bytes - offset).unwrap_or(usize::MAX);
            let piece = zeros.get(..left).unwrap_or(&zeros);
            file.write_all_at(piece, offset)?;
            file.sync_data()?;
            offset += piece.len() as u64;
        }
        Ok(file)
    }

    fn explain(&self, error: &io::Error) -> AppendError {
        if is_full(error) {
            let free = self.storage.free_bytes().unwrap_or(0);
            return AppendError::Full {
                needed: self.segment_bytes,
                free,
            };
        }
        tracing::warn!(%error, "no journal segment can be prepared");
        AppendError::Unprepared { kind: error.kind() }
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn supply(&self) -> MutexGuard<'_, Supply> {
        self.supply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without this thread nobody may wait for it, even if it panicked.
struct CloseOnExit<'a>(&'a Preparer);

impl Drop for CloseOnExit<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Bits that whoever sends requests cannot foresee: hashers are seeded by the operating system.
pub(crate) fn random_bits() -> u64 {
    RandomState::new().hash_one(())
}

fn random_salt() -> u128 {
    u128::from(random_bits()) << 64 | u128::from(random_bits())
}
