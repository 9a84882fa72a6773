//! Damage costs the frames it hits, is reported, and stops nobody.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;
use proptest::test_runner::Config;

use super::Contents;
use super::SEGMENT_BYTES;
use super::open;
use super::payload;
use super::read_all;
use super::wait;
use crate::deliver::journal::Cause;
use crate::deliver::journal::Damage;
use crate::deliver::journal::GapCause;
use crate::deliver::journal::Position;
use crate::deliver::journal::Reader;
use crate::deliver::journal::recent::Recent;
use crate::deliver::journal::recovery::recover;
use crate::deliver::journal::scan::Scan;
use crate::deliver::journal::scan::Step;
use crate::deliver::journal::segment::SEGMENT_HEADER_BYTES;
use crate::deliver::journal::segment::Segment;
use crate::deliver::journal::segment::SegmentHeader;
use crate::deliver::journal::segment::segment_name;
use crate::deliver::journal::shared::Shared;
use crate::deliver::storage::simulated::SimulatedDisk;

/// A journal on a disk, and where everything is.
pub(super) struct Stored {
    pub(super) disk: SimulatedDisk,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) frames: Vec<StoredFrame>,
    pub(super) start: Position,
    pub(super) end: Position,
}

#[derive(Debug)]
pub(super) struct StoredFrame {
    pub(super) file: String,
    pub(super) bytes: Range<u64>,
    pub(super) first: Position,
    pub(super) records: u32,
    pub(super) payload: Vec<u8>,
}

/// Frames of all small sizes in segments that were never used before.
pub(super) fn fresh() -> Stored {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    for id in 0..30 {
        wait(journal.append(payload(id, 20 + id as usize * 40), 1 + id as u32 % 3)).unwrap();
    }
    drop(journal);
    Stored::look(disk)
}

/// The same in segments that were used, released and used again, the last one too.
pub(super) fn recycled() -> Stored {
    // Whether a released segment is used next depends on two threads.
    let mut tries = (120..200).map(|frames| {
        let disk = SimulatedDisk::new(1);
        let (journal, _) = open(&disk, Position(0));
        for id in 0..frames {
            let bytes = 20 + id as usize % 30 * 40;
            wait(journal.append(payload(id, bytes), 1 + id as u32 % 3)).unwrap();
            journal
                .release(Position(journal.end().0.saturating_sub(40)))
                .unwrap();
        }
        drop(journal);
        Stored::look(disk)
    });
    let is_reused = |stored: &Stored| {
        let last = stored.frames.last().unwrap();
        let tail = &stored.files[&last.file][last.bytes.end as usize..];
        let (mark, rest) =
            tail[..tail.len() - SEGMENT_HEADER_BYTES].split_at(32.min(tail.len() - 64));
        assert!(
            mark.iter().all(|byte| *byte == 0),
            "a group ends with a mark"
        );
        rest.iter().any(|byte| *byte != 0)
    };
    tries.find(is_reused).unwrap()
}

impl Stored {
    pub(super) fn look(disk: SimulatedDisk) -> Self {
        let storage = disk.storage();
        let found = recover(&*storage, SEGMENT_BYTES, Position(0)).unwrap();
        assert_eq!(found.damage, []);
        let mut frames = Vec::new();
        for segment in &found.segments.list {
            let file = storage.open(&segment.name).unwrap();
            let start = segment.place_before(segment.header.base);
            let mut scan = Scan::new(segment.clone(), file, start);
            loop {
                let offset = scan.offset();
                let Step::Frame { header, payload } = scan.next(Position(u64::MAX)).unwrap() else {
                    break;
                };
                frames.push(StoredFrame {
                    file: segment.name.clone(),
                    bytes: offset..scan.offset(),
                    first: header.first,
                    records: header.records,
                    payload: payload.to_vec(),
                });
            }
        }
        let names = storage.list().unwrap();
        let names = names.into_iter().filter(|name| name.ends_with(".segment"));
        let files = names
            .map(|name| (name.clone(), disk.content(&name)))
            .collect();
        let (start, end) = (frames[0].first, found.end);
        Self {
            disk,
            files,
            frames,
            start,
            end,
        }
    }

    /// What a journal opened now would find and give.
    pub(super) fn read(&self, known_end: Position) -> (Contents, Vec<Damage>, Arc<Shared>) {
        let storage = self.disk.storage();
        let found = recover(&*storage, SEGMENT_BYTES, known_end).unwrap();
        let shared = Shared::new(storage, found.segments, found.end, Recent::new(0));
        let shared = Arc::new(shared);
        (
            read_all(Reader::new(shared.clone(), self.start)),
            found.damage,
            shared,
        )
    }

    /// Reads with `file` damaged, and puts it right again.
    pub(super) fn read_damaged(
        &self,
        file: &str,
        damage: impl Fn(&mut Vec<u8>),
    ) -> (Contents, Vec<Damage>) {
        let mut bytes = self.files[file].clone();
        damage(&mut bytes);
        self.disk.set_content(file, bytes);
        let (contents, damage, _) = self.read(self.end);
        self.disk.set_content(file, self.files[file].clone());
        (contents, damage)
    }

    /// Checks that just the frames that `is_lost` names are missing, and that gaps say so.
    pub(super) fn check(
        &self,
        contents: &Contents,
        is_lost: impl Fn(&StoredFrame) -> bool,
        what: &str,
    ) {
        let mut due = contents.frames.iter();
        let mut missing = Vec::new();
        for frame in &self.frames {
            if is_lost(frame) {
                missing.extend((0..frame.records).map(|n| frame.first.next(u64::from(n))));
                continue;
            }
            let (first, (records, payload)) = due.next().unwrap_or_else(|| panic!("{what}: lost"));
            assert_eq!((*first, *records), (frame.first, frame.records), "{what}");
            assert!(*payload == frame.payload, "{what}: changed");
        }
        assert_eq!(due.next(), None, "{what}: invented");
        assert_eq!(contents.end, self.end, "{what}");
        let gaps: Vec<_> = contents
            .gaps
            .iter()
            .flat_map(|(from, to, _)| (from.0..to.0).map(Position))
            .collect();
        assert_eq!(gaps, missing, "{what}");
    }
}

pub(super) fn meets(frame: &StoredFrame, file: &str, bytes: &Range<usize>) -> bool {
    frame.file == file
        && frame.bytes.start < bytes.end as u64
        && (bytes.start as u64) < frame.bytes.end
}

fn check_flips(stored: &Stored, step: usize) {
    let copy_at = SEGMENT_BYTES as usize - SEGMENT_HEADER_BYTES;
    for file in stored.files.keys() {
        for at in (0..SEGMENT_BYTES as usize).step_by(step) {
            let flip = |bytes: &mut Vec<u8>| bytes[at] ^= 1 << (at % 8);
            let (contents, damage) = stored.read_damaged(file, flip);
            let is_hit = |frame: &StoredFrame| meets(frame, file, &(at..at + 1));
            stored.check(&contents, is_hit, &format!("byte {at} of {file}"));
            let is_damaged = |gap: &(_, _, GapCause)| gap.2 == GapCause::Damaged;
            assert!(
                contents.gaps.iter().all(is_damaged),
                "byte {at} of {file}: acknowledged"
            );
            if !(SEGMENT_HEADER_BYTES..copy_at).contains(&at) {
                assert_eq!(damage.len(), 1);
                assert_eq!(damage[0].cause, Cause::Header);
            }
        }
    }
}

#[test]
fn a_flipped_byte_costs_its_frame() {
    check_flips(&fresh(), 1);
}

#[test]
fn a_flipped_byte_of_a_reused_segment_costs_its_frame() {
    check_flips(&recycled(), 5);
}

#[test]
fn zeroed_sectors_and_pages_cost_the_frames_in_them() {
    for stored in [fresh(), recycled()] {
        for file in stored.files.keys() {
            for (length, number) in [(512, 16), (4096, 2)]
                .into_iter()
                .flat_map(|(length, count)| (0..count).map(move |number| (length, number)))
            {
                let hit = number * length..(number + 1) * length;
                let zero = |bytes: &mut Vec<u8>| bytes[hit.clone()].fill(0);
                let (contents, _) = stored.read_damaged(file, zero);
                stored.check(
                    &contents,
                    |frame| meets(frame, file, &hit),
                    &format!("{hit:?}"),
                );
            }
        }
    }
}

#[test]
fn a_cut_file_costs_what_is_cut_off() {
    for stored in [fresh(), recycled()] {
        for file in stored.files.keys() {
            for length in (0..SEGMENT_BYTES as usize).step_by(13) {
                let (contents, damage) = stored.read_damaged(file, |bytes| bytes.truncate(length));
                // Without the first header and without the copy at the end nothing is readable.
                let hit = if length < SEGMENT_HEADER_BYTES {
                    0
                } else {
                    length
                }..usize::MAX;
                let what = format!("{file} cut to {length}");
                stored.check(&contents, |frame| meets(frame, file, &hit), &what);
                let causes: Vec<_> = damage.iter().map(|damage| damage.cause).collect();
                assert!(
                    causes.contains(&Cause::Cut) || causes.contains(&Cause::Unreadable),
                    "{what}: {causes:?}"
                );
            }
        }
    }
}

#[test]
fn blocks_that_were_written_to_the_wrong_place_cost_what_they_cover() {
    for stored in [fresh(), recycled()] {
        for file in stored.files.keys() {
            for (from, to) in [
                (64, 64 + 512),
                (512, 4096),
                (4096, 512),
                (1000, 3000),
                (3000, 1000),
            ] {
                let hit = to..to + 1024;
                let copy = |bytes: &mut Vec<u8>| bytes.copy_within(from..from + 1024, to);
                let (contents, _) = stored.read_damaged(file, copy);
                let what = format!("{file}: {from} at {to}");
                stored.check(&contents, |frame| meets(frame, file, &hit), &what);
            }
        }
    }
}

#[test]
fn two_segments_with_each_others_names_are_read_in_order() {
    let stored = fresh();
    let names: Vec<_> = stored.files.keys().cloned().collect();
    stored
        .disk
        .set_content(&names[0], stored.files[&names[1]].clone());
    stored
        .disk
        .set_content(&names[1], stored.files[&names[0]].clone());
    let (contents, damage, _) = stored.read(stored.end);
    stored.check(&contents, |_| false, "swapped");
    assert_eq!(damage, []);
}

#[test]
fn a_missing_segment_is_a_gap() {
    let stored = fresh();
    for (n, file) in stored.files.keys().enumerate() {
        stored.disk.remove(file);
        let (contents, _, _) = stored.read(stored.end);
        stored.check(&contents, |frame| frame.file == *file, file);
        let cause = if n == 0 {
            GapCause::Released
        } else {
            GapCause::Damaged
        };
        assert_eq!(contents.gaps.len(), 1);
        assert_eq!(contents.gaps[0].2, cause);
        stored.disk.set_content(file, stored.files[file].clone());
    }
}

#[test]
fn a_copy_of_a_segment_is_left_alone() {
    let stored = fresh();
    for bytes in stored.files.values() {
        stored.disk.set_content(&segment_name(90), bytes.clone());
        let (contents, damage, _) = stored.read(stored.end);
        stored.check(&contents, |_| false, "copied");
        let damage: Vec<_> = damage
            .into_iter()
            .map(|damage| (damage.file, damage.cause))
            .collect();
        assert_eq!(damage, [(segment_name(90), Cause::Misplaced)]);
    }
}

#[test]
fn a_segment_of_another_journal_is_left_alone() {
    let (stored, other) = (fresh(), fresh());
    for (number, bytes) in other.files.values().enumerate() {
        let header = SegmentHeader::decode(bytes).unwrap();
        for renumbered in [0, header.number, 90 + number as u32] {
            let mut bytes = bytes.clone();
            let header = SegmentHeader {
                number: renumbered,
                ..header
            }
            .encode();
            bytes[..SEGMENT_HEADER_BYTES].copy_from_slice(&header);
            let copy_at = bytes.len() - SEGMENT_HEADER_BYTES;
            bytes[copy_at..].copy_from_slice(&header);
            stored.disk.set_content(&segment_name(80), bytes);
            let (contents, damage, _) = stored.read(stored.end);
            stored.check(&contents, |_| false, "foreign");
            let causes: Vec<_> = damage
                .into_iter()
                .map(|damage| (damage.file, damage.cause))
                .collect();
            assert_eq!(causes, [(segment_name(80), Cause::Foreign)]);
        }
    }
}

#[test]
fn without_a_known_end_damage_to_the_last_frame_is_reported_all_the_same() {
    for stored in [fresh(), recycled()] {
        let last = stored.frames.last().unwrap();
        for at in last.bytes.clone() {
            let mut bytes = stored.files[&last.file].clone();
            bytes[at as usize] ^= 0x10;
            stored.disk.set_content(&last.file, bytes);
            let (contents, damage, _) = stored.read(Position(0));
            assert_eq!(contents.frames.len(), stored.frames.len() - 1, "byte {at}");
            assert_eq!(damage.len(), 1, "byte {at}");
            assert_eq!(damage[0].cause, Cause::Unfinished, "byte {at}");
        }
    }
}

#[test]
fn damage_is_counted_once_however_many_readers_pass_it() {
    let stored = fresh();
    let hit = &stored.frames[3];
    let mut bytes = stored.files[&hit.file].clone();
    bytes[hit.bytes.start as usize] ^= 1;
    stored.disk.set_content(&hit.file, bytes);
    let (_, _, shared) = stored.read(stored.end);
    for _ in 0..3 {
        read_all(Reader::new(shared.clone(), stored.start));
    }
    let count = shared.damage.count();
    assert_eq!((count.places, count.records), (1, u64::from(hit.records)));
    assert_eq!(count.bytes, hit.bytes.end - hit.bytes.start);
}

#[test]
fn a_segment_with_a_number_in_its_name_that_is_not_one_is_no_segment() {
    let stored = fresh();
    stored.disk.set_content("notes.txt", b"hello".to_vec());
    stored.disk.set_content("x.segment", b"hello".to_vec());
    let (contents, damage, _) = stored.read(stored.end);
    stored.check(&contents, |_| false, "other files");
    assert_eq!(damage, []);
    assert_eq!(stored.disk.content("notes.txt"), b"hello");
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_happens_to_the_files_nothing_is_invented(
        wounds in proptest::collection::vec((any::<u8>(), any::<u16>(), 0..2000_usize, wound()), 1..12),
        known in any::<bool>(),
    ) {
        let stored = fresh();
        let names: Vec<_> = stored.files.keys().cloned().collect();
        for (file, at, length, wound) in wounds {
            let name = &names[usize::from(file) % names.len()];
            let mut bytes = stored.disk.content(name);
            let at = usize::from(at) % SEGMENT_BYTES as usize;
            let range = at.min(bytes.len())..(at + length).min(bytes.len());
            match wound {
                Wound::Fill(byte) => bytes[range].fill(byte),
                Wound::Move(to) => {
                    let to = usize::from(to) % (bytes.len() - range.len() + 1);
                    bytes.copy_within(range, to);
                }
                Wound::Cut => bytes.truncate(at),
                Wound::Grow => bytes.extend(std::iter::repeat_n(0x5a, length)),
                Wound::Remove => stored.disk.remove(name),
                Wound::Replace => bytes.clone_from(&stored.files[&names[at % names.len()]]),
            }
            stored.disk.set_content(name, bytes);
        }
        let known_end = if known { stored.end } else { Position(0) };
        let (contents, _, _) = stored.read(known_end);
        prop_assert!(known_end <= contents.end);
        for (first, (records, payload)) in &contents.frames {
            let frame = stored.frames.iter().find(|frame| frame.first == *first);
            let frame = frame.map(|frame| (frame.records, &frame.payload));
            prop_assert!(frame == Some((*records, payload)), "{first} was invented");
        }
        let read = contents.frames.values().map(|frame| u64::from(frame.0)).sum::<u64>();
        let lost = contents.gaps.iter().map(|gap| gap.1.since(gap.0)).sum::<u64>();
        prop_assert_eq!(read + lost, contents.end.since(stored.start));
    }
}

#[derive(Clone, Copy, Debug)]
enum Wound {
    Fill(u8),
    Move(u16),
    Cut,
    Grow,
    Remove,
    Replace,
}

fn wound() -> impl Strategy<Value = Wound> {
    prop_oneof![
        any::<u8>().prop_map(Wound::Fill),
        any::<u16>().prop_map(Wound::Move),
        Just(Wound::Cut),
        Just(Wound::Grow),
        Just(Wound::Remove),
        Just(Wound::Replace),
    ]
}

#[test]
fn segments_know_their_places() {
    let header = SegmentHeader::decode(fresh().files.values().next().unwrap()).unwrap();
    let segment = Segment::new(segment_name(1), header, 64 << 20);
    for n in 0..1000 {
        segment.mark(Position(n * 10), 64 + n * 10_000);
    }
    let (position, offset) = segment.place_before(Position(5005));
    assert!(position <= Position(5005) && Position(4700) < position);
    assert_eq!(offset, 64 + position.0 * 1000);
}
