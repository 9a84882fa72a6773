//! A damaged journal that is used on: tails that are not zero, payloads that look like frames.

use super::damage::Stored;
use super::damage::fresh;
use super::damage::meets;
use super::damage::recycled;
use super::open;
use super::payload;
use super::read_all;
use super::wait;
use crate::deliver::journal::Position;
use crate::deliver::journal::segment::SEGMENT_HEADER_BYTES;
use crate::deliver::journal::segment::segment_name;
use crate::deliver::storage::simulated::SimulatedDisk;

#[test]
fn a_tail_that_is_not_zero_is_not_written_on() {
    for at in [0, 40, 2000] {
        let disk = SimulatedDisk::new(1);
        let (journal, _) = open(&disk, Position(0));
        wait(journal.append(payload(1, 100), 1)).unwrap();
        drop(journal);
        let stored = Stored::look(disk);
        let last = stored.frames.last().unwrap();
        let mut bytes = stored.files[&last.file].clone();
        bytes[last.bytes.end as usize + at] = 1;
        stored.disk.set_content(&last.file, bytes);
        let (journal, recovery) = open(&stored.disk, Position(1));
        // Behind the end mark there may be anything.
        assert_eq!(recovery.damage.len(), usize::from(at == 0));
        wait(journal.append(payload(2, 100), 1)).unwrap();
        assert_eq!(journal.usage().segments, 2);
        assert_eq!(read_all(journal.reader(Position(0))).frames.len(), 2);
    }
}

#[test]
fn a_damaged_journal_goes_on() {
    for stored in [fresh(), recycled()] {
        for file in stored.files.keys() {
            for page in 0..2 {
                for (name, bytes) in &stored.files {
                    stored.disk.set_content(name, bytes.clone());
                }
                let hit = page * 4096..(page + 1) * 4096;
                let mut bytes = stored.files[file].clone();
                bytes[hit.clone()].fill(0);
                stored.disk.set_content(file, bytes);
                let (journal, _) = open(&stored.disk, stored.end);
                let new = wait(journal.append(payload(99, 50), 1)).unwrap();
                assert_eq!(new, stored.end);
                let mut contents = read_all(journal.reader(stored.start));
                drop(journal);
                let (journal, recovery) = open(&stored.disk, Position(0));
                assert_eq!(recovery.end, stored.end.next(1));
                assert_eq!(read_all(journal.reader(stored.start)), contents);
                assert_eq!(contents.frames.remove(&new), Some((1, payload(99, 50))));
                contents.end = stored.end;
                stored.check(
                    &contents,
                    |frame| meets(frame, file, &hit),
                    &format!("{file} {hit:?}"),
                );
                drop(journal);
                for path in stored.disk.paths() {
                    if !stored.files.contains_key(&path) {
                        stored.disk.remove(&path);
                    }
                }
            }
        }
    }
}

#[test]
fn a_payload_cannot_pose_as_frames() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    wait(journal.append(payload(0, 100), 1)).unwrap();
    // Whole frames as they stand on the disk of another journal, with the positions that are due.
    let forged = {
        let other = SimulatedDisk::new(2);
        let (other_journal, _) = open(&other, Position(0));
        for id in 0..20 {
            wait(other_journal.append(payload(id, 100), 1)).unwrap();
        }
        drop(other_journal);
        other.content(&segment_name(1))[SEGMENT_HEADER_BYTES..3000].to_vec()
    };
    wait(journal.append(forged.clone(), 1)).unwrap();
    wait(journal.append(payload(2, 100), 1)).unwrap();
    drop(journal);
    let stored = Stored::look(disk);
    let carrier = &stored.frames[1];
    assert_eq!(carrier.payload, forged);
    for at in carrier.bytes.clone().take(32) {
        let flip = |bytes: &mut Vec<u8>| bytes[at as usize] ^= 1;
        let (contents, _) = stored.read_damaged(&carrier.file, flip);
        stored.check(&contents, |frame| frame.first == carrier.first, "forged");
    }
}
