//! The newest frames, kept in memory: readers at the tail never touch a file.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::deliver::journal::position::Position;
use crate::deliver::journal::reader::Chunk;

/// A frame kept in memory.
#[derive(Clone, Debug)]
pub(crate) struct RecentFrame {
    pub(crate) first: Position,
    pub(crate) records: u32,
    pub(crate) payload: Bytes,
    /// What it holds in memory, which may be more than the payload.
    pub(crate) held_bytes: usize,
}

/// The newest frames.
#[derive(Debug)]
pub(crate) struct Recent {
    // Invariant: consecutive positions.
    frames: VecDeque<RecentFrame>,
    bytes: usize,
    bytes_max: usize,
}

impl Recent {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Adds frames that follow the last one, and forgets the oldest beyond the limit.
    pub(crate) fn extend(&mut self, frames: impl Iterator<Item = RecentFrame>) {
        for frame in frames {
            self.bytes += frame.held_bytes;
            self.frames.push_back(frame);
        }
        while self.bytes_max < self.bytes {
            let Some(frame) = self.frames.pop_front() else {
                break;
            };
            self.bytes -= frame.held_bytes;
        }
    }

    /// The frames from the one that holds `from` to the one that brings them to `bytes_max`; `None`
    /// if the first is not here.
    pub(crate) fn read(&self, from: Position, bytes_max: usize) -> Option<Vec<Chunk>> {
        let after = self.frames.partition_point(|frame| frame.first <= from);
        let mut bytes = 0;
        let chunks: Vec<_> = self
            .frames
            .range(after.checked_sub(1)?..)
            .take_while(|frame| {
                let wanted = bytes == 0 || bytes < bytes_max;
                bytes += frame.payload.len();
                wanted
            })
            .map(|frame| Chunk::Frame {
                first: frame.first,
                records: frame.records,
                payload: frame.payload.clone(),
            })
            .collect();
        Some(chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(bytes_max: usize) -> Recent {
        let mut recent = Recent::new(bytes_max);
        recent.extend((0..10).map(|n| RecentFrame {
            first: Position(n * 2),
            records: 2,
            payload: Bytes::from_static(b"0123456789"),
            held_bytes: 10,
        }));
        recent
    }

    fn firsts(chunks: Option<Vec<Chunk>>) -> Option<Vec<u64>> {
        let first = |chunk: &Chunk| match chunk {
            Chunk::Frame { first, .. } => first.0,
            Chunk::Gap { .. } => panic!("there are no gaps in memory"),
        };
        chunks.map(|chunks| chunks.iter().map(first).collect())
    }

    #[test]
    fn keeps_the_newest_within_its_limit() {
        let recent = recent(30);
        assert_eq!(firsts(recent.read(Position(13), 100)), None);
        assert_eq!(
            firsts(recent.read(Position(14), 100)),
            Some(vec![14, 16, 18])
        );
    }

    #[test]
    fn starts_with_the_frame_that_holds_the_position() {
        assert_eq!(firsts(recent(100).read(Position(5), 11)), Some(vec![4, 6]));
    }

    #[test]
    fn gives_one_frame_however_little_is_asked_for() {
        assert_eq!(firsts(recent(100).read(Position(4), 0)), Some(vec![4]));
    }

    #[test]
    fn a_frame_above_the_limit_is_not_kept() {
        assert_eq!(firsts(recent(9).read(Position(18), 100)), None);
    }
}
