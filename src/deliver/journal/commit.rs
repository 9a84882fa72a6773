//! The one thread that writes records.
//!
//! It takes all frames that wait, writes them with one write and one sync, and then lets their senders
//! go; while a sync runs the next frames gather, so the disk sets the size of a group and no timer is
//! needed. A group is copied into one buffer first: that costs less than telling the kernel about
//! thousands of pieces.
//!
//! Behind every group come 32 zero bytes, which the next group overwrites. They tell a journal that
//! ends here from one that was damaged here, in a reused file too.
//!
//! After a failed write or sync the state of the file is unknown. The journal then only reads.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::clock::Clock;
use crate::deliver::journal::frame::FRAME_HEADER_BYTES;
use crate::deliver::journal::frame::encode_frame;
use crate::deliver::journal::frame::frame_bytes;
use crate::deliver::journal::position::Position;
use crate::deliver::journal::prepare::Preparer;
use crate::deliver::journal::queue::AppendError;
use crate::deliver::journal::queue::Queue;
use crate::deliver::journal::queue::Waiting;
use crate::deliver::journal::recent::RecentFrame;
use crate::deliver::journal::segment::SEGMENT_HEADER_BYTES;
use crate::deliver::journal::segment::Segment;
use crate::deliver::journal::shared::Shared;
use crate::deliver::storage::StoredFile;
use crate::deliver::storage::is_full;

/// The buffer is given back when one huge frame has stretched it beyond this.
const BUFFER_BYTES_KEPT: usize = 4 * 1024 * 1024;

/// The segment being written.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) file: Arc<dyn StoredFile>,
    pub(crate) segment: Arc<Segment>,
    /// Where the next group goes.
    pub(crate) offset: u64,
}

/// Writes what waits in the queue.
#[derive(Debug)]
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) preparer: Arc<Preparer>,
    pub(crate) clock: Clock,
    /// Most bytes of payload in one group.
    pub(crate) commit_bytes_max: usize,
    pub(crate) active: Option<Active>,
    /// Everything below was acknowledged; goes into the header of the next segment.
    pub(crate) confirmed: Position,
    /// The position of the next record.
    pub(crate) end: Position,
    /// The bytes of the next group.
    pub(crate) buffer: Vec<u8>,
}

impl Committer {
    /// Begins a segment without a record. A failure shows again with the next record, or is the
    /// journal's.
    pub(crate) fn begin_segment(&mut self) {
        if self.roll().is_ok() {
            drop(self.flush(Vec::new(), self.end));
        }
    }

    /// Commits until the queue is closed and empty, or failed.
    pub(crate) fn run(mut self) {
        let _guard = FailOnPanic(self.queue.clone());
        while let Some(frames) = self.queue.take(self.commit_bytes_max) {
            self.commit(frames);
        }
    }

    fn commit(&mut self, frames: Vec<Waiting>) {
        let mut group = Vec::with_capacity(frames.len());
        let mut frames = frames.into_iter();
        let mut group_end = self.end;
        while let Some(frame) = frames.next() {
            if !self.has_room(frame.payload.len()) {
                let result = self
                    .flush(std::mem::take(&mut group), group_end)
                    .and_then(|()| self.roll());
                if let Err(error) = result {
                    for frame in std::iter::once(frame).chain(frames) {
                        frame.finish(Err(error.clone()));
                    }
                    return;
                }
                group_end = self.end;
            }
            group_end = self.encode(&frame, group_end);
            group.push(frame);
        }
        // Nothing is left to fail: whoever waited has been told.
        drop(self.flush(group, group_end));
    }

    /// Whether a payload fits behind what is in the buffer.
    fn has_room(&self, payload_bytes: usize) -> bool {
        let needed = (self.buffer.len() + frame_bytes(payload_bytes)) as u64;
        self.active
            .as_ref()
            .is_some_and(|active| active.offset + needed <= active.segment.limit())
    }

    /// Takes the next segment; its header is written with its first group.
    fn roll(&mut self) -> Result<(), AppendError> {
        let prepared = self.preparer.take()?;
        let mut header = prepared.header;
        header.base = self.end;
        header.begun_at = self.clock.now();
        header.confirmed = self.confirmed.min(self.end);
        self.buffer.extend_from_slice(&header.encode());
        let segment = Segment::new(prepared.name, header, header.size());
        self.active = Some(Active {
            file: prepared.file,
            segment,
            offset: 0,
        });
        Ok(())
    }

    fn encode(&mut self, frame: &Waiting, first: Position) -> Position {
        let Some(active) = &self.active else {
            return first;
        };
        let before = u32::try_from(first.since(self.end)).unwrap_or(u32::MAX);
        let seed = active
            .segment
            .seed
            .at(active.offset + self.buffer.len() as u64);
        encode_frame(
            &mut self.buffer,
            seed,
            (first, before),
            &frame.payload,
            frame.records,
        );
        first.next(u64::from(frame.records))
    }

    /// Makes the buffer durable and lets the senders of its frames go.
    fn flush(&mut self, group: Vec<Waiting>, end: Position) -> Result<(), AppendError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.write();
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        match written {
            Ok(()) => {
                self.publish(group, end);
                Ok(())
            }
            Err(error) => {
                let error = self.failed(&error);
                for frame in group {
                    frame.finish(Err(error.clone()));
                }
                Err(error)
            }
        }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        let limit = active.segment.limit();
        let end = active.offset + self.buffer.len() as u64;
        let zeros = usize::try_from(limit.saturating_sub(end)).unwrap_or(usize::MAX);
        self.buffer
            .resize(self.buffer.len() + zeros.min(FRAME_HEADER_BYTES), 0);
        active
            .file
            .write_all_at(&self.buffer, active.offset)
            .map_err(WriteError::Write)?;
        let is_new = active.offset == 0;
        if is_new {
            let copy = active.segment.header.encode();
            active
                .file
                .write_all_at(&copy, limit)
                .map_err(WriteError::Write)?;
        }
        active.file.sync_data().map_err(WriteError::Sync)?;
        let frames_at = active.offset
            + if is_new {
                SEGMENT_HEADER_BYTES as u64
            } else {
                0
            };
        active.segment.mark(self.end, frames_at);
        active.segment.set_used(end);
        active.offset = end;
        if is_new {
            let mut segments = self.shared.segments();
            segments.list.push_back(active.segment.clone());
            segments.confirmed = Position(u64::MAX);
        }
        Ok(())
    }

    fn publish(&mut self, group: Vec<Waiting>, end: Position) {
        let mut first = self.end;
        let mut answers = Vec::with_capacity(group.len());
        let recent = group.into_iter().map(|frame| {
            let Waiting {
                payload,
                records,
                done,
            } = frame;
            let held_bytes = payload.capacity();
            let recent = RecentFrame {
                first,
                records,
                payload: Bytes::from(payload),
                held_bytes,
            };
            answers.push((done, first));
            first = first.next(u64::from(records));
            recent
        });
        self.shared.recent().extend(recent);
        self.end = end;
        self.confirmed = end;
        // Order: whoever is told of a record can read it.
        self.shared.end.send_replace(end);
        for (done, position) in answers {
            drop(done.send(Ok(position)));
        }
    }

    /// What a failed write means. Copy-on-write file systems need space even to overwrite: then the
    /// segment is left as it is, and the journal goes on in the next one when there is room.
    fn failed(&mut self, error: &WriteError) -> AppendError {
        if let WriteError::Write(source) = error
            && is_full(source)
            && let Some(active) = self.active.take()
        {
            if active.offset == 0 {
                drop(self.shared.storage.remove(&active.segment.name));
            }
            let free = self.shared.storage.free_bytes().unwrap_or(0);
            return AppendError::Full {
                needed: active.segment.size,
                free,
            };
        }
        let (WriteError::Write(source) | WriteError::Sync(source)) = error;
        tracing::error!(error = %source, end = %self.end, "journal failed: it only reads from now on");
        self.queue.fail();
        AppendError::Failed
    }
}

#[derive(Debug)]
enum WriteError {
    Write(io::Error),
    Sync(io::Error),
}

/// If the committer panics, nobody waits for it in vain.
struct FailOnPanic(Arc<Queue>);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail();
        }
    }
}
