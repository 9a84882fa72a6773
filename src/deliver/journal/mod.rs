//! The journal: every accepted request, on disk before it is answered.
//!
//! A journal is a directory of segments, files of one size that hold frames. A frame is one request,
//! all or nothing, with one or more records; a record has a [`Position`] for life. One thread appends.
//! Readers read from any position, as often as they like; when everybody is done with the oldest
//! records, whole segments are released.
//!
//! What is promised: a position returned by [`Journal::append`] survives the end of the process and
//! of the machine's power. Damage to the disk costs the frames it hits, and is reported. A full disk
//! stops appending only, and appending goes on by itself when there is space: releasing needs none.
//! A failed sync stops appending until the journal is opened again, because nobody knows what the
//! disk has kept.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::clock::Timestamp;
use crate::deliver::journal::commit::Committer;
use crate::deliver::journal::frame::FRAME_HEADER_BYTES;
use crate::deliver::journal::prepare::Preparer;
use crate::deliver::journal::queue::Queue;
use crate::deliver::journal::recent::Recent;
use crate::deliver::journal::recovery::Begin;
use crate::deliver::journal::segment::PAGE_BYTES;
use crate::deliver::journal::segment::SEGMENT_HEADER_BYTES;
use crate::deliver::journal::shared::Shared;
use crate::deliver::storage::Storage;
use crate::deliver::storage::StoredFile;

mod commit;
mod damage;
mod frame;
mod position;
mod prepare;
mod queue;
mod reader;
mod recent;
mod recovery;
mod scan;
mod segment;
mod shared;

pub use damage::Cause;
pub use damage::Damage;
pub use damage::DamageCount;
pub use position::Position;
pub use queue::AppendError;
pub use reader::Chunk;
pub use reader::GapCause;
pub use reader::ReadError;
pub use reader::Reader;
pub use recovery::Recovery;

const LOCK_NAME: &str = "lock";

/// The limits of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalOptions {
    /// Bytes of a segment, a multiple of 4096 from 8 KiB to 1 GiB. 64 MiB: space comes back in
    /// pieces of this size, and rolling to the next one costs an extra write once per segment. A frame
    /// must fit into one.
    pub segment_bytes: u64,
    /// Most bytes of frames that wait for the disk. 64 MiB: some seconds of a slow disk. The next frame
    /// is refused, [`AppendError::Busy`].
    pub queue_bytes_max: usize,
    /// Most bytes that are synced together, a larger frame alone. 1 MiB: beyond that, a sync takes as
    /// much longer as it brings more.
    pub commit_bytes_max: usize,
    /// Most bytes of the newest frames kept in memory for readers. 8 MiB.
    pub recent_bytes_max: usize,
    /// The largest position that anything outside the journal, a checkpoint, has seen as its end; zero
    /// if unknown. Makes the loss of the newest records detectable, and no position below it is given
    /// again.
    pub known_end: Position,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            queue_bytes_max: 64 << 20,
            commit_bytes_max: 1 << 20,
            recent_bytes_max: 8 << 20,
            known_end: Position(0),
        }
    }
}

/// Why a journal cannot be opened. Damage is not a reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("journal is in use by another process")]
    Locked,
    /// The size of segments is out of bounds.
    #[error("segments of {bytes} bytes: must be a multiple of 4096 from 8192 to 1073741824")]
    SegmentSize {
        /// The size asked for.
        bytes: u64,
    },
    /// The disk gave an error.
    #[error("read the journal's directory")]
    Io(#[source] io::Error),
}

/// How much a journal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all files on disk, prepared ones included.
    pub bytes: u64,
    /// Segments in use.
    pub segments: usize,
    /// Records stored.
    pub records: u64,
    /// When the first record of the oldest segment came: no record is older.
    pub oldest: Option<Timestamp>,
}

/// What is kept of the records that nobody needs any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Those that are not older.
    pub since: Timestamp,
    /// As far as all files together stay below this; see [`Usage::bytes`].
    pub bytes_max: u64,
}

/// An open journal. Closes when dropped; its readers can be used on.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    preparer: Arc<Preparer>,
    threads: Mutex<Threads>,
    // One release at a time: segments go in order, so that a crash never leaves a hole.
    releasing: Mutex<()>,
}

#[derive(Debug)]
struct Threads {
    committer: Option<JoinHandle<()>>,
    preparer: Option<JoinHandle<()>>,
    // Held as long as something may be written.
    lock: Option<Arc<dyn StoredFile>>,
}

impl Journal {
    /// Opens the journal in a directory, which may be empty. Reads the newest segment, so it blocks
    /// for some ten milliseconds.
    pub fn open(
        storage: Arc<dyn Storage>,
        options: JournalOptions,
        clock: Clock,
    ) -> Result<(Self, Recovery), OpenError> {
        let bytes = options.segment_bytes;
        if !bytes.is_multiple_of(PAGE_BYTES) || !(8 << 10..=1 << 30).contains(&bytes) {
            return Err(OpenError::SegmentSize { bytes });
        }
        let lock = storage
            .lock(LOCK_NAME)
            .map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => OpenError::Locked,
                _ => OpenError::Io(error),
            })?;
        let found =
            recovery::recover(&*storage, bytes, options.known_end).map_err(OpenError::Io)?;
        let frame_bytes_max = usize::try_from(bytes).unwrap_or(usize::MAX)
            - 2 * SEGMENT_HEADER_BYTES
            - FRAME_HEADER_BYTES;
        let confirmed = found.segments.confirmed;
        let found_segments = found.segments.list.len();
        let recent = Recent::new(options.recent_bytes_max);
        let shared = Arc::new(Shared::new(
            storage.clone(),
            found.segments,
            found.end,
            recent,
        ));
        let queue = Arc::new(Queue::new(options.queue_bytes_max, frame_bytes_max));
        let identity = (found.journal, found.next_number);
        let preparer = Arc::new(Preparer::new(storage, identity, bytes, found.free));
        let mut committer = Committer {
            shared: shared.clone(),
            queue: queue.clone(),
            preparer: preparer.clone(),
            clock,
            commit_bytes_max: options.commit_bytes_max,
            active: found.active,
            confirmed,
            end: found.end,
            buffer: Vec::new(),
        };
        for damage in &found.damage {
            shared.recovered(damage);
        }
        let mut threads = Threads {
            committer: None,
            preparer: None,
            lock: Some(lock),
        };
        let preparing = preparer.clone();
        threads.preparer = Some(spawn("journal-prepare", move || preparing.run())?);
        if found.begin == Begin::AtOnce {
            committer.begin_segment();
        }
        let threads = Mutex::new(threads);
        let journal = Self {
            shared,
            queue,
            preparer,
            threads,
            releasing: Mutex::new(()),
        };
        let recovery = Recovery {
            start: journal.start(),
            end: found.end,
            segments: found_segments,
            damage: found.damage,
        };
        journal.threads().committer = Some(spawn("journal-commit", move || committer.run())?);
        Ok((journal, recovery))
    }

    /// Appends a frame of `records` records and returns the position of the first, once they are
    /// durable. Frames are stored in the order of the calls; the call itself does not block.
    ///
    /// Dropping the future does not take the frame back.
    pub fn append(
        &self,
        frame: Vec<u8>,
        records: u32,
    ) -> impl Future<Output = Result<Position, AppendError>> + Send + use<> {
        let queued = self.queue.push(frame, records);
        async move { queued?.await.unwrap_or(Err(AppendError::Failed)) }
    }

    /// The oldest position that can be read.
    pub fn start(&self) -> Position {
        self.shared.start()
    }

    /// The position that the next record gets: everything below is durable.
    pub fn end(&self) -> Position {
        self.shared.end()
    }

    /// Tells when the end has moved.
    pub fn subscribe(&self) -> watch::Receiver<Position> {
        self.shared.end.subscribe()
    }

    /// A reader that starts with `from`, which may be released already, or not be there yet.
    pub fn reader(&self, from: Position) -> Reader {
        Reader::new(self.shared.clone(), from)
    }

    /// Frees the segments that hold nothing at or above `below`; never the one being written. Whoever
    /// calls has made durable what makes the records superfluous. Blocks.
    ///
    /// An error leaves the segment, and those after it, for the next call.
    pub fn release(&self, below: Position) -> io::Result<()> {
        self.release_if(below, |_| true)
    }

    /// As [`Journal::release`], but no more than `keep` asks for. Blocks.
    pub fn trim(&self, below: Position, keep: Retention) -> io::Result<()> {
        self.release_if(below, |ended_at| {
            ended_at < keep.since || keep.bytes_max < self.usage().bytes
        })
    }

    /// Frees segments from the oldest on as long as `wanted` is true of the moment a segment ended.
    fn release_if(&self, below: Position, wanted: impl Fn(Timestamp) -> bool) -> io::Result<()> {
        let _alone = self
            .releasing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            let next = self.shared.segments().list.get(1).map(|next| next.header);
            let released = match next {
                Some(next) if next.base <= below && wanted(next.begun_at) => {
                    self.shared.segments().list.pop_front()
                }
                _ => return Ok(()),
            };
            let Some(segment) = released else {
                return Ok(());
            };
            // Order: readers are told that it is gone before its bytes are.
            if let Err(error) = self.preparer.recycle(&segment.name, segment.size)
                && error.kind() != io::ErrorKind::NotFound
            {
                self.shared.segments().list.push_front(segment);
                return Err(error);
            }
        }
    }

    /// How much is stored.
    pub fn usage(&self) -> Usage {
        let held_bytes = self.preparer.held_bytes();
        let (start, end) = (self.start(), self.end());
        let segments = self.shared.segments();
        Usage {
            bytes: held_bytes
                + segments
                    .list
                    .iter()
                    .map(|segment| segment.size)
                    .sum::<u64>(),
            segments: segments.list.len(),
            records: end.since(start),
            oldest: segments.list.front().map(|segment| segment.header.begun_at),
        }
    }

    /// Bytes of the frames at and above `from`, to within 256 KiB or a group; whole segments where
    /// the journal was not read since it was opened.
    pub fn bytes_since(&self, from: Position) -> u64 {
        let segments = self.shared.segments();
        let after = segments
            .list
            .partition_point(|segment| segment.header.base <= from);
        let first = after.saturating_sub(1);
        let skipped = segments
            .list
            .get(first)
            .map_or(0, |segment| segment.place_before(from).1);
        let bytes = segments
            .list
            .range(first..)
            .map(|segment| segment.used())
            .sum::<u64>();
        bytes.saturating_sub(skipped)
    }

    /// Damage found since the journal was opened.
    pub fn damage(&self) -> DamageCount {
        self.shared.damage.count()
    }

    /// Whether a write or sync failed: nothing is appended until the journal is opened again.
    pub fn is_failed(&self) -> bool {
        self.queue.is_failed()
    }

    /// Stops taking frames, makes those that wait durable, and lets another process have the journal.
    /// Blocks until then. Closing twice is fine.
    pub fn close(&self) {
        let mut threads = self.threads();
        self.queue.close();
        // Order: the committer may still need a segment.
        join(threads.committer.take());
        self.preparer.close();
        join(threads.preparer.take());
        threads.lock = None;
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(OpenError::Io)
}

fn join(thread: Option<JoinHandle<()>>) {
    // A panic has been printed by the thread and has failed the journal.
    drop(thread.map(JoinHandle::join));
}

#[cfg(test)]
mod tests;
