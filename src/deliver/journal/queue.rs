//! Where appends wait for the committer: bounded by bytes, refusing at once when full.

use std::collections::VecDeque;
use std::io;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tokio::sync::oneshot;

use crate::deliver::journal::position::Position;

/// Why a frame was not appended, or perhaps not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The disk has no room for the next segment. Ends by itself when there is.
    #[error("disk is full: a segment needs {needed} bytes, {free} are free")]
    Full {
        /// Bytes of a segment.
        needed: u64,
        /// Bytes that the disk has left.
        free: u64,
    },
    /// More is waiting for the disk than may wait. Try again later.
    #[error("journal is busy: {queued_bytes} bytes wait for the disk")]
    Busy {
        /// Bytes waiting.
        queued_bytes: usize,
    },
    /// The frame can never be appended.
    #[error("frame of {bytes} bytes is larger than {bytes_max}")]
    TooLarge {
        /// Bytes of the frame.
        bytes: usize,
        /// Most bytes a frame may have.
        bytes_max: usize,
    },
    /// A frame holds at least one record, and each of its records takes at least one byte.
    #[error("frame of {bytes} bytes cannot hold {records} records")]
    RecordCount {
        /// Bytes of the frame.
        bytes: usize,
        /// The number of records given.
        records: u32,
    },
    /// The next segment cannot be made for another reason than space. Tried again with every append.
    #[error("no segment can be prepared: {kind}")]
    Unprepared {
        /// What the disk said.
        kind: io::ErrorKind,
    },
    /// A write or a sync failed: nothing can be promised any more, and the journal only reads until
    /// it is opened again. The frame may turn out to be stored then.
    #[error("journal failed and is read-only")]
    Failed,
    /// The journal was closed before the frame was taken.
    #[error("journal is closed")]
    Closed,
}

/// A frame that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) payload: Vec<u8>,
    pub(crate) records: u32,
    pub(crate) done: oneshot::Sender<Result<Position, AppendError>>,
}

impl Waiting {
    /// Tells whoever waits; nobody may, then the frame is appended all the same.
    pub(crate) fn finish(self, result: Result<Position, AppendError>) {
        drop(self.done.send(result));
    }
}

/// The way to the committer.
#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
    bytes_max: usize,
    frame_bytes_max: usize,
}

#[derive(Debug)]
struct Inner {
    frames: VecDeque<Waiting>,
    bytes: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    Failed,
}

impl Queue {
    pub(crate) fn new(bytes_max: usize, frame_bytes_max: usize) -> Self {
        let inner = Inner {
            frames: VecDeque::new(),
            bytes: 0,
            state: State::Open,
        };
        Self {
            inner: Mutex::new(inner),
            filled: Condvar::new(),
            bytes_max,
            frame_bytes_max,
        }
    }

    /// Puts a frame at the end.
    pub(crate) fn push(
        &self,
        payload: Vec<u8>,
        records: u32,
    ) -> Result<oneshot::Receiver<Result<Position, AppendError>>, AppendError> {
        let bytes = payload.len();
        if self.frame_bytes_max < bytes {
            return Err(AppendError::TooLarge {
                bytes,
                bytes_max: self.frame_bytes_max,
            });
        }
        if records == 0 || bytes < records as usize {
            return Err(AppendError::RecordCount { bytes, records });
        }
        let mut inner = self.inner();
        match inner.state {
            State::Open => {}
            State::Closed => return Err(AppendError::Closed),
            State::Failed => return Err(AppendError::Failed),
        }
        // Capacity, because that is what is held. The first one always fits.
        let queued_bytes = inner.bytes.saturating_add(payload.capacity());
        if self.bytes_max < queued_bytes && !inner.frames.is_empty() {
            return Err(AppendError::Busy {
                queued_bytes: inner.bytes,
            });
        }
        let (done, receiver) = oneshot::channel();
        inner.bytes = queued_bytes;
        inner.frames.push_back(Waiting {
            payload,
            records,
            done,
        });
        // The committer waits only when the queue is empty.
        let was_empty = inner.frames.len() == 1;
        drop(inner);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(receiver)
    }

    /// Takes everything that waits, up to `bytes_max` but at least one frame, waiting for it; `None`
    /// when the queue is closed and empty, or failed.
    pub(crate) fn take(&self, bytes_max: usize) -> Option<Vec<Waiting>> {
        let mut inner = self.inner();
        while inner.frames.is_empty() && inner.state == State::Open {
            inner = self
                .filled
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = Vec::new();
        let mut taken_bytes = 0;
        while let Some(frame) = inner.frames.pop_front() {
            taken_bytes += frame.payload.len();
            if bytes_max < taken_bytes && !taken.is_empty() {
                inner.frames.push_front(frame);
                break;
            }
            inner.bytes -= frame.payload.capacity();
            taken.push(frame);
        }
        Some(taken).filter(|taken| !taken.is_empty())
    }

    /// Takes no more; what waits is still committed.
    pub(crate) fn close(&self) {
        self.end(State::Closed);
    }

    /// Takes no more, ever, and fails what waits.
    pub(crate) fn fail(&self) {
        let waiting = self.end(State::Failed);
        for frame in waiting {
            frame.finish(Err(AppendError::Failed));
        }
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.inner().state == State::Failed
    }

    fn end(&self, state: State) -> VecDeque<Waiting> {
        let mut inner = self.inner();
        if inner.state != State::Failed {
            inner.state = state;
        }
        self.filled.notify_all();
        if state == State::Closed {
            return VecDeque::new();
        }
        inner.bytes = 0;
        std::mem::take(&mut inner.frames)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
