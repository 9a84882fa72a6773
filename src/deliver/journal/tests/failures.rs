//! A disk that says no: full, broken, or short of breath.

use rustix::io::Errno;

use super::*;
use crate::deliver::storage::simulated::Operation;

fn append(journal: &Journal, id: u64) -> Result<Position, AppendError> {
    wait(journal.append(payload(id, 1000), 1))
}

/// Appends until it fails.
fn append_all(journal: &Journal, ids: std::ops::Range<u64>) -> (u64, Option<AppendError>) {
    for id in ids.clone() {
        if let Err(error) = append(journal, id) {
            return (id - ids.start, Some(error));
        }
    }
    (ids.end - ids.start, None)
}

#[test]
fn a_failed_sync_or_write_stops_appending_and_nothing_else() {
    for operation in [Operation::SyncData, Operation::Write] {
        let disk = SimulatedDisk::new(1);
        let (journal, _) = open(&disk, Position(0));
        assert_eq!(append_all(&journal, 0..3), (3, None));
        settle(&journal);
        disk.fail(operation, 0, 1, Errno::IO);
        assert_eq!(append(&journal, 3), Err(AppendError::Failed));
        assert!(journal.is_failed());
        // The disk is well again, but nobody knows what it has kept.
        assert_eq!(append(&journal, 4), Err(AppendError::Failed));
        assert_eq!(read_all(journal.reader(Position(0))).frames.len(), 3);
        journal.release(Position(3)).unwrap();
        drop(journal);
        let (journal, recovery) = open(&disk, Position(3));
        assert!(Position(3) <= recovery.end && recovery.end <= Position(4));
        append(&journal, 5).unwrap();
    }
}

/// Waits until a segment is prepared, so that the next operation is the committer's.
fn settle(journal: &Journal) {
    while journal.usage().bytes < 2 * SEGMENT_BYTES {
        thread::yield_now();
    }
}

#[test]
fn all_who_wait_are_told_of_a_failure() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    append(&journal, 0).unwrap();
    settle(&journal);
    disk.fail(Operation::SyncData, 0, u64::MAX, Errno::IO);
    let paused = disk.pause();
    let appends: Vec<_> = (0..100)
        .map(|id| journal.append(payload(id, 500), 1))
        .collect();
    drop(paused);
    for append in appends {
        assert_eq!(wait(append), Err(AppendError::Failed));
    }
    assert_eq!(journal.end(), Position(1));
}

#[test]
fn a_full_disk_stops_appending_until_there_is_space() {
    let disk = SimulatedDisk::new(1);
    disk.set_capacity(5 * SEGMENT_BYTES + 100);
    let (journal, _) = open(&disk, Position(0));
    let (stored, error) = append_all(&journal, 0..1000);
    assert_eq!(
        error,
        Some(AppendError::Full {
            needed: SEGMENT_BYTES,
            free: 100
        })
    );
    assert_eq!(stored, 5 * 7);
    assert_eq!(journal.end(), Position(stored));
    assert!(!journal.is_failed());
    assert_eq!(
        read_all(journal.reader(Position(0))).frames.len() as u64,
        stored
    );
    // Releasing needs no space and gives some back.
    journal.release(Position(15)).unwrap();
    let (more, error) = append_all(&journal, 1000..2000);
    assert_eq!(more, 14);
    assert!(matches!(error, Some(AppendError::Full { .. })));
    // So does an operator who makes room.
    disk.set_capacity(u64::MAX);
    assert_eq!(append_all(&journal, 2000..2100), (100, None));
}

#[test]
fn a_journal_on_a_full_disk_opens_and_reads() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    assert_eq!(append_all(&journal, 0..30), (30, None));
    drop(journal);
    disk.set_capacity(0);
    let (journal, recovery) = open(&disk, Position(40));
    assert_eq!((recovery.start, recovery.end), (Position(0), Position(40)));
    assert_eq!(read_all(journal.reader(Position(0))).frames.len(), 30);
    let (_, error) = append_all(&journal, 0..30);
    assert!(matches!(error, Some(AppendError::Full { .. })));
    journal.release(Position(40)).unwrap();
    append(&journal, 1).unwrap();
}

#[test]
fn a_disk_that_fills_up_while_a_segment_is_prepared_gets_its_space_back() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    append(&journal, 0).unwrap();
    settle(&journal);
    // What says that there is space is wrong, as it is with quotas.
    disk.fail(Operation::Write, 1, 1000, Errno::DQUOT);
    let (_, error) = append_all(&journal, 1..100);
    assert!(matches!(error, Some(AppendError::Full { .. })), "{error:?}");
    disk.heal();
    assert_eq!(append_all(&journal, 100..150), (50, None));
    let contents = read_all(journal.reader(Position(0)));
    assert_eq!(contents.frames.len() as u64, journal.end().0);
    assert_eq!(contents.gaps, []);
    let parts = disk
        .paths()
        .into_iter()
        .filter(|path| path.contains("part"));
    assert!(parts.count() <= 1);
}

#[test]
fn no_space_to_overwrite_is_a_full_disk_too() {
    for skip in [0, 1, 5] {
        let disk = SimulatedDisk::new(1);
        let (journal, _) = open(&disk, Position(0));
        assert_eq!(append_all(&journal, 0..3), (3, None));
        settle(&journal);
        disk.set_transfer_max(300);
        disk.fail(Operation::Write, skip, u64::MAX, Errno::NOSPC);
        let (_, error) = append_all(&journal, 3..20);
        assert!(matches!(error, Some(AppendError::Full { .. })), "{error:?}");
        assert!(!journal.is_failed());
        disk.heal();
        let end = journal.end();
        assert_eq!(append_all(&journal, 20..60), (40, None));
        let contents = read_all(journal.reader(Position(0)));
        assert_eq!(
            (contents.frames.len() as u64, contents.gaps.len()),
            (end.0 + 40, 0)
        );
        drop(journal);
        let (journal, recovery) = open(&disk, Position(0));
        assert_eq!(recovery.damage, []);
        assert_eq!(read_all(journal.reader(Position(0))), contents);
    }
}

#[test]
fn segments_that_cannot_be_made_are_tried_again() {
    let operations = [
        Operation::Create,
        Operation::Rename,
        Operation::SyncDirectory,
        Operation::SyncData,
    ];
    for operation in operations {
        let disk = SimulatedDisk::new(1);
        disk.fail(operation, 0, 5, Errno::MFILE);
        let (journal, _) = open(&disk, Position(0));
        let mut refused = 0;
        while let Err(error) = append(&journal, 1) {
            assert!(
                matches!(error, AppendError::Unprepared { .. }),
                "{operation:?}: {error:?}"
            );
            refused += 1;
            assert!(refused <= 5);
        }
        assert!(!journal.is_failed());
        assert_eq!(append_all(&journal, 2..50), (48, None));
        let segments = disk.paths().len();
        assert!(
            segments <= journal.usage().segments + 3,
            "{operation:?} leaves files behind"
        );
    }
}

#[test]
fn short_transfers_change_nothing() {
    let disk = SimulatedDisk::new(1);
    disk.set_transfer_max(77);
    let (journal, _) = open(&disk, Position(0));
    assert_eq!(append_all(&journal, 0..30), (30, None));
    drop(journal);
    let (journal, recovery) = open(&disk, Position(30));
    assert_eq!(recovery.damage, []);
    let contents = read_all(journal.reader(Position(0)));
    assert_eq!((contents.frames.len(), contents.gaps.len()), (30, 0));
}

#[test]
fn a_segment_that_cannot_be_removed_is_released_by_the_next_call() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    assert_eq!(append_all(&journal, 0..60), (60, None));
    disk.fail(Operation::Remove, 0, 1, Errno::IO);
    assert!(journal.release(Position(40)).is_err());
    let start = journal.start();
    assert_eq!(
        read_all(journal.reader(start)).frames.len() as u64,
        60 - start.0
    );
    journal.release(Position(40)).unwrap();
    assert!(start < journal.start());
}

#[test]
fn reading_goes_on_where_it_failed() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    assert_eq!(append_all(&journal, 0..30), (30, None));
    let mut reader = journal.reader(Position(0));
    let mut frames = 0;
    for turn in 0..200 {
        if turn % 2 == 0 {
            disk.fail(Operation::Read, 0, 1, Errno::IO);
        }
        match reader.read(2000) {
            Ok(chunks) => frames += chunks.len(),
            Err(ReadError::Io { position, .. }) => assert_eq!(position, Position(frames as u64)),
        }
        disk.heal();
    }
    assert_eq!(frames, 30);
    assert_eq!(journal.damage(), DamageCount::default());
}
