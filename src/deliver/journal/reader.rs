//! Reads the journal from any position.
//!
//! A reader owns its place and nothing else; any number of them read at the same time, without
//! waiting for the committer. Near the end they are served from memory, further back from files.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::deliver::journal::damage::Cause;
use crate::deliver::journal::damage::Damage;
use crate::deliver::journal::position::Position;
use crate::deliver::journal::scan::Scan;
use crate::deliver::journal::scan::Step;
use crate::deliver::journal::shared::Shared;
use crate::deliver::journal::shared::Stretch;

/// A piece of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// A frame as it was appended.
    Frame {
        /// The position of its first record. Below the position asked for when that lies inside the
        /// frame.
        first: Position,
        /// How many records it holds.
        records: u32,
        /// Its bytes. May be a part of a block of 256 KiB: copy what is kept for long.
        payload: Bytes,
    },
    /// Positions that cannot be read.
    Gap {
        /// The first of them.
        from: Position,
        /// The one after the last.
        to: Position,
        /// Why.
        cause: GapCause,
    },
}

/// Why positions cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GapCause {
    /// They were released before.
    Released,
    /// They were stored and acknowledged, and are damaged.
    Damaged,
    /// They were being written when the power went, and were not acknowledged.
    Unfinished,
}

/// Why the journal cannot be read now. What is asked for may be read later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The disk gave an error.
    #[error("read segment {file} from position {position}")]
    Io {
        /// The file.
        file: String,
        /// The position that was due.
        position: Position,
        /// What the disk said.
        source: io::Error,
    },
}

/// A place in the journal that moves on.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    position: Position,
    scan: Option<Scan>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, position: Position) -> Self {
        Self {
            shared,
            position,
            scan: None,
        }
    }

    /// The position that the next read starts with.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Reads on: frames and gaps in order, without a hole, up to the frame that brings them to
    /// `bytes_max` of payload or the end of a file. Empty at the end of the journal.
    ///
    /// May read files, so it blocks. After an error the reader is where it was.
    pub fn read(&mut self, bytes_max: usize) -> Result<Vec<Chunk>, ReadError> {
        let end = self.shared.end();
        if end <= self.position {
            return Ok(Vec::new());
        }
        let recent = self.shared.recent().read(self.position, bytes_max);
        if let Some(chunks) = recent {
            self.scan = None;
            self.move_behind(&chunks);
            return Ok(chunks);
        }
        let Some(stretch) = self.shared.stretch(self.position) else {
            // Order: the end was read first, so the start is at or below it.
            let to = self.shared.start();
            return Ok(self.gap(to, GapCause::Released));
        };
        let until = stretch.until.map_or(end, |base| base.min(end));
        match self.read_stretch(&stretch, until, bytes_max) {
            Ok(chunks) => {
                self.move_behind(&chunks);
                Ok(chunks)
            }
            Err(_) if self.is_released(&stretch) => {
                let to = self.shared.start();
                Ok(self.gap(to, GapCause::Released))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let cause = self.report(&stretch, 0..stretch.segment.size, self.position..until);
                Ok(self.gap(until, cause))
            }
            Err(source) => {
                self.scan = None;
                let file = stretch.segment.name.clone();
                Err(ReadError::Io {
                    file,
                    position: self.position,
                    source,
                })
            }
        }
    }

    fn read_stretch(
        &mut self,
        stretch: &Stretch,
        until: Position,
        bytes_max: usize,
    ) -> io::Result<Vec<Chunk>> {
        let mut scan = match self.scan.take() {
            Some(scan) if Arc::ptr_eq(scan.segment(), &stretch.segment) => scan,
            _ => {
                let file = self.shared.storage.open(&stretch.segment.name)?;
                let place = stretch.segment.place_before(self.position);
                Scan::new(stretch.segment.clone(), file, place)
            }
        };
        scan.skip_to(self.position)?;
        let mut chunks = Vec::new();
        let mut bytes = 0;
        while bytes == 0 || bytes < bytes_max {
            let step = match scan.next(until) {
                // A file that was taken for reuse is not damaged.
                Ok(Step::Lost { .. }) if self.is_released(stretch) => {
                    Err(io::ErrorKind::NotFound.into())
                }
                step => step,
            };
            let step = match step {
                Err(_) if !chunks.is_empty() => return Ok(chunks),
                step => step?,
            };
            match step {
                Step::Frame { header, .. } if header.end() <= self.position => {}
                Step::Frame {
                    header, payload, ..
                } => {
                    bytes += payload.len();
                    let (first, records) = (header.first, header.records);
                    chunks.push(Chunk::Frame {
                        first,
                        records,
                        payload,
                    });
                }
                Step::Lost { bytes, positions } => {
                    let positions = positions.start.max(self.position)..positions.end;
                    let cause = self.report(stretch, bytes, positions.clone());
                    if positions.start < positions.end {
                        let (from, to) = (positions.start, positions.end);
                        chunks.push(Chunk::Gap { from, to, cause });
                    }
                }
                Step::End => break,
            }
        }
        if stretch.until.is_none() {
            // What was read ahead in a segment that is being written is out of date already.
            scan.forget_window();
        }
        self.scan = Some(scan);
        Ok(chunks)
    }

    fn is_released(&self, stretch: &Stretch) -> bool {
        let segments = self.shared.segments();
        let first = segments.list.front();
        first.is_none_or(|first| stretch.segment.header.number < first.header.number)
    }

    fn report(&self, stretch: &Stretch, bytes: Range<u64>, positions: Range<Position>) -> GapCause {
        let confirmed = positions.start < stretch.confirmed;
        let (cause, gap_cause) = if confirmed {
            (Cause::Damaged, GapCause::Damaged)
        } else {
            (Cause::Unfinished, GapCause::Unfinished)
        };
        let damage = Damage {
            file: stretch.segment.name.clone(),
            offset: bytes.start,
            bytes: bytes.end - bytes.start,
            from: positions.start,
            to: positions.end,
            cause,
        };
        self.shared.report(&stretch.segment, &damage);
        gap_cause
    }

    fn gap(&mut self, to: Position, cause: GapCause) -> Vec<Chunk> {
        let from = self.position;
        self.position = to.max(from);
        self.scan = None;
        if to <= from {
            return Vec::new();
        }
        vec![Chunk::Gap { from, to, cause }]
    }

    fn move_behind(&mut self, chunks: &[Chunk]) {
        match chunks.last() {
            Some(Chunk::Frame { first, records, .. }) => {
                self.position = first.next(u64::from(*records));
            }
            Some(Chunk::Gap { to, .. }) => self.position = *to,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Clock;
    use crate::deliver::journal::Journal;
    use crate::deliver::journal::JournalOptions;
    use crate::deliver::storage::simulated::SimulatedDisk;

    use super::*;

    /// Appends until the first segment was released and is written again.
    async fn overtake(journal: &Journal, disk: &SimulatedDisk) {
        let first = journal.shared.segments().list[0].name.clone();
        let old = disk.content(&first)[..64].to_vec();
        for _ in 0..100 {
            journal.append(vec![1; 3000], 1).await.unwrap();
            journal.release(journal.end()).unwrap();
        }
        let paths = disk.paths();
        assert!(
            paths
                .iter()
                .all(|path| disk.content(path).get(..64) != Some(&old))
        );
    }

    #[tokio::test]
    async fn a_segment_released_in_the_middle_of_a_read_is_not_damaged() {
        for is_open in [false, true] {
            let disk = SimulatedDisk::new(1);
            let options = JournalOptions {
                segment_bytes: 8 << 10,
                recent_bytes_max: 0,
                ..JournalOptions::default()
            };
            let (journal, _) = Journal::open(disk.storage(), options, Clock::system()).unwrap();
            for _ in 0..10 {
                journal.append(vec![1; 3000], 1).await.unwrap();
            }
            let mut reader = journal.reader(Position(0));
            if is_open {
                reader.read(1).unwrap();
                reader.scan.as_mut().unwrap().forget_window();
            }
            let stretch = journal.shared.stretch(reader.position).unwrap();
            overtake(&journal, &disk).await;
            let error = reader
                .read_stretch(&stretch, Position(2), 1000)
                .unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(reader.is_released(&stretch));
            assert_eq!(journal.damage().places, 0);
        }
    }
}
