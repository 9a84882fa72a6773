//! Walks the frames of a segment, and finds its way again behind damage.
//!
//! A header that passes its checksum is believed: it says how far the frame goes and which positions
//! it holds, so a damaged payload costs one frame. Where there is no header, the next one is searched
//! at every eighth byte. It must fit in: not below the position that is due, and not further above it
//! than there are bytes in between, because a record takes at least one.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::deliver::journal::frame::FRAME_HEADER_BYTES;
use crate::deliver::journal::frame::FrameHeader;
use crate::deliver::journal::frame::may_start;
use crate::deliver::journal::position::Position;
use crate::deliver::journal::segment::Segment;
use crate::deliver::storage::StoredFile;

/// How much is read at once: large enough that a call costs little beside the copying, small enough
/// that twenty readers behind the tail hold 5 MiB.
const BLOCK_BYTES: usize = 256 * 1024;

const SEARCH_STEP_BYTES: usize = 8;

/// What comes next in a segment.
#[derive(Debug)]
pub(crate) enum Step {
    /// A whole frame.
    Frame { header: FrameHeader, payload: Bytes },
    /// Bytes that cannot be read, and the positions they held; there may be none.
    Lost {
        bytes: Range<u64>,
        positions: Range<Position>,
    },
    /// No further frame.
    End,
}

/// A place in a segment.
#[derive(Debug)]
pub(crate) struct Scan {
    file: Arc<dyn StoredFile>,
    segment: Arc<Segment>,
    offset: u64,
    position: Position,
    confirmed: Position,
    window: Bytes,
    window_at: u64,
}

impl Scan {
    /// A walk that starts with the frame at `offset`, whose first record has `position`.
    pub(crate) fn new(
        segment: Arc<Segment>,
        file: Arc<dyn StoredFile>,
        (position, offset): (Position, u64),
    ) -> Self {
        let confirmed = segment.header.base;
        let window = Bytes::new();
        Self {
            file,
            segment,
            offset,
            position,
            confirmed,
            window,
            window_at: 0,
        }
    }

    /// The segment walked.
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Where the next frame is due.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The position that is due.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The position below which everything was durable, as the frames seen so far tell.
    pub(crate) fn confirmed(&self) -> Position {
        self.confirmed
    }

    /// Passes whole frames that end at or below `target` without looking at their payloads, and
    /// stops at anything else.
    pub(crate) fn skip_to(&mut self, target: Position) -> io::Result<()> {
        while let Some(header) = self.header_at(self.offset)? {
            if header.first != self.position || target < header.end() {
                break;
            }
            self.pass(&header);
        }
        Ok(())
    }

    /// Takes the next step. Nothing at or above `until` is returned; what is missing below it is
    /// lost. With [`Position`]'s largest value, the walk ends behind the last frame there is.
    pub(crate) fn next(&mut self, until: Position) -> io::Result<Step> {
        if until <= self.position {
            return Ok(Step::End);
        }
        match self.header_at(self.offset)? {
            Some(header) if header.first == self.position && header.end() <= until => {
                self.frame(header)
            }
            _ => self.resync(until),
        }
    }

    /// Reads the bytes from the walk's place to where frames may end, a block at a time.
    pub(crate) fn tail(&mut self, mut see: impl FnMut(u64, &[u8])) -> io::Result<()> {
        let mut at = self.offset;
        while at < self.segment.limit() && self.fill(at, 1)? {
            let bytes = self.view(at);
            see(at, bytes);
            at += bytes.len() as u64;
        }
        Ok(())
    }

    /// Forgets what was read ahead.
    pub(crate) fn forget_window(&mut self) {
        self.window = Bytes::new();
    }

    fn frame(&mut self, header: FrameHeader) -> io::Result<Step> {
        let offset = self.offset;
        let body_at = offset + FRAME_HEADER_BYTES as u64;
        self.fill(body_at, header.body_bytes())?;
        let body = self.view(body_at).get(..header.body_bytes());
        let payload = body
            .filter(|body| header.matches(body))
            .and_then(|body| body.get(..header.length as usize))
            .map(|payload| self.window.slice_ref(payload));
        self.pass(&header);
        Ok(match payload {
            Some(payload) => Step::Frame { header, payload },
            None => Step::Lost {
                bytes: offset..self.offset,
                positions: header.first..header.end(),
            },
        })
    }

    fn resync(&mut self, until: Position) -> io::Result<Step> {
        let (offset, position) = (self.offset, self.position);
        let found = self.search(until)?;
        match found {
            Some((at, header)) => {
                self.offset = at;
                self.position = header.first;
            }
            None if until == Position(u64::MAX) => return Ok(Step::End),
            None => {
                self.offset = self.segment.limit();
                self.position = until;
            }
        }
        Ok(Step::Lost {
            bytes: offset..self.offset,
            positions: position..self.position,
        })
    }

    fn search(&mut self, until: Position) -> io::Result<Option<(u64, FrameHeader)>> {
        let mut at = self.offset + SEARCH_STEP_BYTES as u64;
        while self.fill(at, FRAME_HEADER_BYTES)? {
            let bytes = self.view(at);
            let last = bytes.len() - FRAME_HEADER_BYTES;
            for skipped in (0..=last).step_by(SEARCH_STEP_BYTES) {
                let candidate = bytes.get(skipped..).filter(|bytes| may_start(bytes));
                let candidate_at = at + skipped as u64;
                let header = candidate
                    .and_then(|bytes| {
                        FrameHeader::decode(bytes, self.segment.seed.at(candidate_at))
                    })
                    .filter(|header| self.is_possible(header, candidate_at, until));
                if let Some(header) = header {
                    return Ok(Some((candidate_at, header)));
                }
            }
            at += (last - last % SEARCH_STEP_BYTES + SEARCH_STEP_BYTES) as u64;
        }
        Ok(None)
    }

    fn is_possible(&self, header: &FrameHeader, at: u64, until: Position) -> bool {
        let bytes_between = at - self.offset;
        self.position <= header.first
            && header.first.since(self.position) <= bytes_between
            && header.end() <= until
            && at + header.bytes() as u64 <= self.segment.limit()
    }

    fn header_at(&mut self, offset: u64) -> io::Result<Option<FrameHeader>> {
        if !self.fill(offset, FRAME_HEADER_BYTES)? {
            return Ok(None);
        }
        let header = FrameHeader::decode(self.view(offset), self.segment.seed.at(offset));
        let limit = self.segment.limit();
        Ok(header.filter(|header| offset + header.bytes() as u64 <= limit))
    }

    fn pass(&mut self, header: &FrameHeader) {
        self.segment.mark(self.position, self.offset);
        self.offset += header.bytes() as u64;
        self.position = header.end();
        self.confirmed = self.confirmed.max(header.confirmed());
    }

    /// The part of the window from `at`.
    fn view(&self, at: u64) -> &[u8] {
        let from = at
            .checked_sub(self.window_at)
            .and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| self.window.get(from..))
            .unwrap_or_default()
    }

    /// Makes the window hold `length` bytes from `at`; false if the segment has fewer.
    fn fill(&mut self, at: u64, length: usize) -> io::Result<bool> {
        if length <= self.view(at).len() {
            return Ok(true);
        }
        let left = usize::try_from(self.segment.limit().saturating_sub(at)).unwrap_or(usize::MAX);
        if left < length {
            return Ok(false);
        }
        let mut block = vec![0; length.max(BLOCK_BYTES).min(left)];
        let read = self.file.read_full_at(&mut block, at)?;
        block.truncate(read);
        self.window = Bytes::from(block);
        self.window_at = at;
        Ok(length <= read)
    }
}
