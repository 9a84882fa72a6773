//! Finds out what a directory holds: which segments, where the journal ends, what is damaged.
//!
//! Of all segments only the headers are read, of the newest every byte: a journal is ready in the
//! same time whatever it holds. Older segments are checked when they are read.
//!
//! The newest segment is written on only if it is as a clean shutdown or the end of a process leaves
//! it: whole, undamaged, zeros behind the last frame. Anything else stays as it is, and the next
//! record opens a new segment. So what a power cut tore is never mixed with what comes after, and a
//! torn group is always the last one of its segment.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::deliver::journal::commit::Active;
use crate::deliver::journal::damage::Cause;
use crate::deliver::journal::damage::Damage;
use crate::deliver::journal::frame::FRAME_HEADER_BYTES;
use crate::deliver::journal::position::Position;
use crate::deliver::journal::prepare::FREE_NAME;
use crate::deliver::journal::prepare::Free;
use crate::deliver::journal::prepare::NEXT_NAME;
use crate::deliver::journal::prepare::random_bits;
use crate::deliver::journal::scan::Scan;
use crate::deliver::journal::scan::Step;
use crate::deliver::journal::segment::SEGMENT_HEADER_BYTES;
use crate::deliver::journal::segment::Segment;
use crate::deliver::journal::segment::SegmentHeader;
use crate::deliver::journal::segment::segment_name;
use crate::deliver::journal::segment::segment_number;
use crate::deliver::journal::shared::Segments;
use crate::deliver::storage::Storage;
use crate::deliver::storage::StoredFile;

/// What was found when a journal was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The oldest position stored.
    pub start: Position,
    /// The position that the next record gets.
    pub end: Position,
    /// Segments in use.
    pub segments: usize,
    /// What is damaged in the newest segment, and in the headers of all.
    pub damage: Vec<Damage>,
}

/// What a directory holds.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) segments: Segments,
    pub(crate) active: Option<Active>,
    pub(crate) begin: Begin,
    pub(crate) end: Position,
    pub(crate) journal: u64,
    pub(crate) next_number: u32,
    pub(crate) free: Free,
    pub(crate) damage: Vec<Damage>,
}

/// When the next segment is begun, if the newest is not written on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With the next record.
    WithARecord,
    /// At once: what was found out about the end of the newest goes into its header, so that the next
    /// start, which may know less or more, comes to the same result.
    AtOnce,
}

/// Looks through a directory that nobody else uses. `known_end` is the largest position that anything
/// outside the journal has seen as its end.
pub(crate) fn recover(
    storage: &dyn Storage,
    segment_bytes: u64,
    known_end: Position,
) -> io::Result<Found> {
    let mut files = read_headers(storage)?;
    let mut damage = std::mem::take(&mut files.damage);
    let journal = files.majority();
    files.drop_strays(journal, &mut damage);
    let free = tidy(storage, &files, segment_bytes)?;
    let mut segments = Segments {
        list: files.used.into(),
        confirmed: known_end,
    };
    let mut end = known_end;
    let mut active = None;
    let mut begin = Begin::WithARecord;
    if let Some(newest) = segments.list.back() {
        let newest = Newest::scan(storage.open(&newest.name)?, newest.clone(), known_end)?;
        let whole = damage
            .iter()
            .all(|damage| damage.file != newest.segment.name);
        end = newest.end.max(known_end);
        segments.confirmed = newest.confirmed;
        if !newest.damage.is_empty() {
            begin = Begin::AtOnce;
        }
        damage.extend(newest.damage);
        if whole && newest.continuable && newest.segment.size == segment_bytes {
            segments.confirmed = Position(u64::MAX);
            newest.segment.set_used(newest.offset);
            active = Some(Active {
                file: newest.file,
                segment: newest.segment,
                offset: newest.offset,
            });
        }
    } else if Position(0) < known_end {
        let missing = whole(&segment_name(1), 0, Cause::Missing);
        damage.push(Damage {
            to: known_end,
            ..missing
        });
    }
    Ok(Found {
        segments,
        active,
        begin,
        end,
        journal: journal.unwrap_or_else(random_bits),
        next_number: files.next_number,
        free,
        damage,
    })
}

struct Files {
    used: Vec<Arc<Segment>>,
    spare: Vec<(String, u64)>,
    parts: Vec<(String, u64)>,
    next_number: u32,
    damage: Vec<Damage>,
}

fn read_headers(storage: &dyn Storage) -> io::Result<Files> {
    let mut files = Files {
        used: Vec::new(),
        spare: Vec::new(),
        parts: Vec::new(),
        next_number: 1,
        damage: Vec::new(),
    };
    let mut names = storage.list()?;
    names.sort_unstable();
    for name in names {
        if name == FREE_NAME || name == NEXT_NAME {
            let size = storage.open(&name)?.size()?;
            files.parts.push((name, size));
            continue;
        }
        let Some(number) = segment_number(&name) else {
            continue;
        };
        files.next_number = files.next_number.max(number.saturating_add(1));
        let file = storage.open(&name)?;
        files.add(name, &*file)?;
    }
    Ok(files)
}

impl Files {
    fn add(&mut self, name: String, file: &dyn StoredFile) -> io::Result<()> {
        let size = file.size()?;
        let header_bytes = SEGMENT_HEADER_BYTES as u64;
        let Some(header) = SegmentHeader::read(file)? else {
            self.damage.push(whole(&name, size, Cause::Unreadable));
            return Ok(());
        };
        self.next_number = self.next_number.max(header.number.saturating_add(1));
        if header.base == SegmentHeader::UNUSED {
            self.spare.push((name, size));
            return Ok(());
        }
        if size < header.size() {
            let missing = header.size() - size;
            self.damage.push(Damage {
                offset: size,
                ..whole(&name, missing, Cause::Cut)
            });
        }
        for offset in [0, header.size() - header_bytes] {
            let mut copy = [0; SEGMENT_HEADER_BYTES];
            file.read_full_at(&mut copy, offset)?;
            let copy = SegmentHeader::decode(&copy);
            if copy == Some(header) || size <= offset {
                continue;
            }
            // Both are written with the first group, and only half of that may have come through.
            let is_torn = copy.is_some_and(|copy| copy.salt == header.salt);
            let cause = if is_torn {
                Cause::Unfinished
            } else {
                Cause::Header
            };
            self.damage.push(Damage {
                offset,
                ..whole(&name, header_bytes, cause)
            });
        }
        self.used.push(Segment::new(name, header, size));
        Ok(())
    }

    /// Which journal this is: what most segments say, and of equals the oldest.
    fn majority(&self) -> Option<u64> {
        let mut votes = BTreeMap::<u64, (usize, std::cmp::Reverse<u32>)>::new();
        for segment in &self.used {
            let SegmentHeader {
                journal, number, ..
            } = segment.header;
            let vote = votes
                .entry(journal)
                .or_insert((0, std::cmp::Reverse(number)));
            vote.0 += 1;
            vote.1 = vote.1.max(std::cmp::Reverse(number));
        }
        votes
            .into_iter()
            .max_by_key(|(_, vote)| *vote)
            .map(|(journal, _)| journal)
    }

    /// Sorts the segments and leaves out what is not part of the sequence.
    fn drop_strays(&mut self, journal: Option<u64>, damage: &mut Vec<Damage>) {
        // Of a segment and its copy, the one with the right name is first.
        self.used.sort_by_key(|segment| {
            let number = segment.header.number;
            (number, segment_number(&segment.name) != Some(number))
        });
        let mut last = None;
        self.used.retain(|segment| {
            let SegmentHeader { number, base, .. } = segment.header;
            let follows = last
                .is_none_or(|(last_number, last_base)| last_number < number && last_base <= base);
            let cause = if Some(segment.header.journal) != journal {
                Cause::Foreign
            } else if !follows {
                Cause::Misplaced
            } else {
                last = Some((number, base));
                return true;
            };
            damage.push(whole(&segment.name, segment.size, cause));
            false
        });
    }
}

/// Keeps one unused file for the next segment and removes the others.
///
/// An unused segment may hold what a power cut left of its first records: it needs a new salt.
fn tidy(storage: &dyn Storage, files: &Files, segment_bytes: u64) -> io::Result<Free> {
    let mut free = Free::None;
    for (name, size) in files.parts.iter().chain(&files.spare) {
        let is_whole = *size == segment_bytes && name != NEXT_NAME;
        if !is_whole || free == Free::One {
            storage.remove(name)?;
            continue;
        }
        if name != FREE_NAME {
            storage.rename(name, FREE_NAME)?;
        }
        free = Free::One;
    }
    Ok(free)
}

fn whole(name: &str, bytes: u64, cause: Cause) -> Damage {
    let (from, to) = (Position(0), Position(0));
    Damage {
        file: name.to_owned(),
        offset: 0,
        bytes,
        from,
        to,
        cause,
    }
}

/// The newest segment, read to its last byte.
struct Newest {
    file: Arc<dyn StoredFile>,
    segment: Arc<Segment>,
    /// Where the frames end.
    offset: u64,
    end: Position,
    /// Where the first record was lost that may never have been acknowledged.
    confirmed: Position,
    damage: Vec<Damage>,
    continuable: bool,
}

impl Newest {
    fn scan(
        file: Arc<dyn StoredFile>,
        segment: Arc<Segment>,
        known_end: Position,
    ) -> io::Result<Self> {
        let start = segment.place_before(segment.header.base);
        let mut scan = Scan::new(segment.clone(), file.clone(), start);
        let mut lost = Vec::<(Range<u64>, Range<Position>)>::new();
        loop {
            match scan.next(Position(u64::MAX))? {
                Step::Frame { .. } => {}
                Step::Lost { bytes, positions } => lost.push((bytes, positions)),
                Step::End => break,
            }
        }
        let (offset, end) = (scan.offset(), scan.position());
        // A process that was killed may have written more than it synced. What is found from now on
        // is given to readers, so it must not vanish with the power.
        file.sync_data()?;
        let acknowledged = scan.confirmed().max(known_end);
        let tail = Tail::read(&mut scan)?;
        let is_missing = end < known_end;
        if is_missing {
            lost.push((offset..segment.limit(), end..known_end));
        } else if !tail.ends_cleanly {
            lost.push((offset..tail.end, end..end));
        }
        let torn = lost
            .iter()
            .find(|(_, positions)| acknowledged <= positions.start);
        let undoubted = end.max(known_end);
        let confirmed = torn.map_or(undoubted, |(_, positions)| positions.start);
        let continuable =
            torn.is_none() && !is_missing && tail.is_zero && segment.size == segment.header.size();
        let damage = lost.into_iter().map(|(bytes, positions)| Damage {
            file: segment.name.clone(),
            offset: bytes.start,
            bytes: bytes.end - bytes.start,
            from: positions.start,
            to: positions.end,
            cause: if positions.start < acknowledged {
                Cause::Damaged
            } else {
                Cause::Unfinished
            },
        });
        let damage = damage.collect();
        Ok(Self {
            file,
            segment,
            offset,
            end,
            confirmed,
            damage,
            continuable,
        })
    }
}

/// What comes behind the last frame.
struct Tail {
    /// Whether there is the end mark of a group, or no room for one.
    ends_cleanly: bool,
    is_zero: bool,
    /// Behind the last byte that is not zero.
    end: u64,
}

impl Tail {
    fn read(scan: &mut Scan) -> io::Result<Self> {
        let start = scan.offset();
        let mut first_byte = None;
        let mut end = start;
        scan.tail(|at, bytes| {
            let place = |n: usize| at + n as u64;
            let is_set = |byte: &u8| *byte != 0;
            first_byte = first_byte.or_else(|| bytes.iter().position(is_set).map(place));
            end = bytes.iter().rposition(is_set).map_or(end, |n| place(n) + 1);
        })?;
        let mark_end = start + FRAME_HEADER_BYTES as u64;
        let ends_cleanly = first_byte.is_none_or(|first| mark_end <= first);
        Ok(Self {
            ends_cleanly,
            is_zero: first_byte.is_none(),
            end,
        })
    }
}
