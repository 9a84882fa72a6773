//! What everybody does with a journal, alone and at the same time.

use std::time::Duration;

use super::*;
use crate::deliver::storage::simulated::Operation;

fn real(root: &tempfile::TempDir, options: JournalOptions) -> Result<Journal, OpenError> {
    let storage = Arc::new(DiskStorage::open(root.path()).unwrap());
    Journal::open(storage, options, Clock::system()).map(|(journal, _)| journal)
}

#[test]
fn what_was_appended_is_read_after_opening_again() {
    let root = tempfile::tempdir().unwrap();
    let mut frames = BTreeMap::new();
    for round in 0..3 {
        let journal = real(&root, options()).unwrap();
        assert_eq!(journal.end(), Position(frames.len() as u64 * 2));
        for id in 0..50 {
            let payload = payload(round * 1000 + id, 700);
            let first = wait(journal.append(payload.clone(), 2)).unwrap();
            assert_eq!(first, Position(frames.len() as u64 * 2));
            frames.insert(first, (2, payload));
        }
        let contents = read_all(journal.reader(Position(0)));
        assert_eq!((&contents.frames, &contents.gaps), (&frames, &Vec::new()));
        // A position inside a frame gives the whole frame.
        let contents = read_all(journal.reader(Position(31)));
        assert_eq!(
            contents.frames,
            frames
                .range(Position(30)..)
                .map(|(a, b)| (*a, b.clone()))
                .collect()
        );
    }
}

#[test]
fn a_second_process_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let journal = real(&root, options()).unwrap();
    assert!(matches!(real(&root, options()), Err(OpenError::Locked)));
    journal.close();
    journal.close();
    assert_eq!(wait(journal.append(vec![1], 1)), Err(AppendError::Closed));
    real(&root, options()).unwrap();
}

#[test]
fn a_clean_restart_goes_on_in_the_same_segment() {
    let disk = SimulatedDisk::new(1);
    for id in 0..5 {
        let (journal, recovery) = open(&disk, Position(id));
        assert_eq!(recovery.damage, []);
        wait(journal.append(payload(id, 100), 1)).unwrap();
        assert_eq!(journal.usage().segments, 1);
    }
}

#[test]
fn frames_are_refused_at_their_limits() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    let bytes_max = SEGMENT_BYTES as usize - 2 * SEGMENT_HEADER_BYTES - 32;
    wait(journal.append(payload(1, bytes_max), 1)).unwrap();
    wait(journal.append(payload(2, bytes_max), bytes_max as u32)).unwrap();
    let bytes = bytes_max + 1;
    let result = wait(journal.append(payload(3, bytes), 1));
    assert_eq!(result, Err(AppendError::TooLarge { bytes, bytes_max }));
    for (bytes, records) in [(0, 0), (5, 0), (0, 1), (5, 6)] {
        let result = wait(journal.append(vec![0; bytes], records));
        assert_eq!(result, Err(AppendError::RecordCount { bytes, records }));
    }
    assert_eq!(read_all(journal.reader(Position(0))).frames.len(), 2);
}

#[test]
fn segment_sizes_are_checked() {
    let root = tempfile::tempdir().unwrap();
    for bytes in [0, 4096, 8191, 8193, (1 << 30) + 4096] {
        let options = JournalOptions {
            segment_bytes: bytes,
            ..options()
        };
        assert!(
            matches!(real(&root, options), Err(OpenError::SegmentSize { .. })),
            "{bytes}"
        );
    }
}

#[test]
fn a_journal_opens_with_another_segment_size() {
    let root = tempfile::tempdir().unwrap();
    for (n, pages) in [2, 4, 3].into_iter().enumerate() {
        let options = JournalOptions {
            segment_bytes: pages * 4096,
            ..options()
        };
        let journal = real(&root, options).unwrap();
        for id in 0..20 {
            wait(journal.append(payload(id, 1000), 1)).unwrap();
        }
        let contents = read_all(journal.reader(Position(0)));
        assert_eq!(
            (contents.frames.len(), contents.gaps.len()),
            (20 * (n + 1), 0)
        );
    }
}

#[test]
fn the_queue_is_bounded_and_a_refusal_is_immediate() {
    let disk = SimulatedDisk::new(1);
    let options = JournalOptions {
        queue_bytes_max: 3000,
        ..options()
    };
    let (journal, _) = Journal::open(disk.storage(), options, Clock::system()).unwrap();
    wait(journal.append(payload(0, 1000), 1)).unwrap();
    let paused = disk.pause();
    let mut accepted = Vec::new();
    let mut refused = None;
    // The committer holds at most one group beside the queue.
    for id in 1..10 {
        let mut append = Box::pin(journal.append(payload(id, 1000), 1));
        let polled = wait(async {
            std::future::poll_fn(|cx| std::task::Poll::Ready(append.as_mut().poll(cx))).await
        });
        match polled {
            std::task::Poll::Pending => accepted.push(append),
            std::task::Poll::Ready(result) => {
                refused = Some(result);
                break;
            }
        }
    }
    drop(paused);
    assert_eq!(refused, Some(Err(AppendError::Busy { queued_bytes: 3000 })));
    for append in accepted {
        wait(append).unwrap();
    }
    wait(journal.append(payload(11, 1000), 1)).unwrap();
}

#[test]
fn dropping_the_future_does_not_take_the_frame_back() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    drop(journal.append(payload(1, 100), 1));
    let last = wait(journal.append(payload(2, 100), 1)).unwrap();
    assert_eq!(last, Position(1));
    assert_eq!(
        read_all(journal.reader(Position(0))).frames[&Position(0)],
        (1, payload(1, 100))
    );
}

#[test]
fn closing_commits_what_waits() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    let appends: Vec<_> = (0..50)
        .map(|id| journal.append(payload(id, 500), 1))
        .collect();
    journal.close();
    for (n, append) in appends.into_iter().enumerate() {
        assert_eq!(wait(append), Ok(Position(n as u64)));
    }
}

#[test]
fn what_waits_together_is_synced_together() {
    let disk = SimulatedDisk::new(1);
    let options = JournalOptions {
        segment_bytes: 256 << 10,
        ..options()
    };
    let (journal, _) = Journal::open(disk.storage(), options, Clock::system()).unwrap();
    wait(journal.append(payload(0, 10), 1)).unwrap();
    let before = commits(&disk).len();
    let paused = disk.pause();
    let appends: Vec<_> = (1..=1000)
        .map(|id| journal.append(payload(id, 100), 1))
        .collect();
    drop(paused);
    for append in appends {
        wait(append).unwrap();
    }
    // One that was taken alone before the disk was paused, and the rest.
    assert!(commits(&disk).len() - before <= 2);
    assert_eq!(read_all(journal.reader(Position(0))).frames.len(), 1001);
}

#[test]
fn a_commit_neither_extends_nor_fills_a_file() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    let mut framed = 0;
    for id in 0..300 {
        let bytes = 100 + (id as usize * 37) % 900;
        framed += (32 + bytes).next_multiple_of(8);
        wait(journal.append(payload(id, bytes), 1)).unwrap();
        if id % 20 == 19 {
            journal.release(Position(journal.end().0 - 20)).unwrap();
        }
    }
    let numbers = read_all(journal.reader(Position(0)));
    drop(numbers);
    let written = commits(&disk);
    assert!(written.iter().all(|write| !write.extends));
    let rolls = written
        .iter()
        .filter(|write| write.bytes == SEGMENT_HEADER_BYTES)
        .count();
    assert!(10 < rolls);
    // Frames, an end mark for each group of one, and the header and its copy for each segment.
    let most = framed + 300 * 32 + rolls * 2 * SEGMENT_HEADER_BYTES;
    let total: usize = written.iter().map(|write| write.bytes).sum();
    assert!(framed < total && total <= most, "{framed} {total} {most}");
}

fn commits(disk: &SimulatedDisk) -> Vec<crate::deliver::storage::simulated::Write> {
    let writes = disk.writes().into_iter();
    writes
        .filter(|write| write.thread == "journal-commit")
        .collect()
}

#[test]
fn released_segments_give_their_space_back() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    for id in 0..100 {
        wait(journal.append(payload(id, 1000), 1)).unwrap();
    }
    let full = journal.usage();
    assert_eq!(full.records, 100);
    assert!(100_000 < full.bytes && 14 < full.segments);
    journal.release(Position(50)).unwrap();
    assert!(journal.start() <= Position(50) && Position(42) < journal.start());
    journal.release(journal.end()).unwrap();
    let drained = journal.usage();
    assert_eq!(drained.segments, 1);
    // The segment being written, one prepared, one for reuse.
    assert!(drained.bytes <= 3 * SEGMENT_BYTES);
    let mut reader = journal.reader(Position(3));
    let chunks = reader.read(1000).unwrap();
    let (from, to) = (Position(3), journal.start());
    assert_eq!(
        chunks,
        [Chunk::Gap {
            from,
            to,
            cause: GapCause::Released
        }]
    );
    let contents = read_all(reader);
    assert_eq!(contents.frames.len() as u64, 100 - to.0);
}

#[test]
fn a_reader_in_a_released_segment_is_told_so() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    for id in 0..60 {
        wait(journal.append(payload(id, 1000), 1)).unwrap();
    }
    let mut reader = journal.reader(Position(0));
    reader.read(1).unwrap();
    journal.release(Position(30)).unwrap();
    // The file the reader has open is written again under another salt.
    for id in 60..90 {
        wait(journal.append(payload(id, 1000), 1)).unwrap();
    }
    let contents = read_all(reader);
    let start = journal.start();
    assert_eq!(contents.gaps.len(), 1);
    assert_eq!(
        (contents.gaps[0].1, contents.gaps[0].2),
        (start, GapCause::Released)
    );
    assert_eq!(contents.frames.range(start..).count() as u64, 90 - start.0);
    assert_eq!(journal.damage(), DamageCount::default());
}

#[test]
fn bytes_are_counted_from_a_position() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    for id in 0..100 {
        wait(journal.append(payload(id, 1000), 1)).unwrap();
    }
    let all = journal.bytes_since(Position(0));
    assert!(100_000 < all && all <= journal.usage().bytes);
    let half = journal.bytes_since(Position(50));
    assert!(
        50_000 < half + SEGMENT_BYTES && half < 50_000 + 2 * SEGMENT_BYTES,
        "{half}"
    );
    assert!(journal.bytes_since(journal.end()) <= SEGMENT_BYTES);
}

#[test]
fn readers_near_the_end_touch_no_file() {
    let disk = SimulatedDisk::new(1);
    let options = JournalOptions {
        recent_bytes_max: 20_000,
        ..options()
    };
    let (journal, _) = Journal::open(disk.storage(), options, Clock::system()).unwrap();
    for id in 0..100 {
        wait(journal.append(payload(id, 1000), 1)).unwrap();
    }
    disk.fail(Operation::Read, 0, u64::MAX, rustix::io::Errno::IO);
    let mut reader = journal.reader(Position(80));
    assert_eq!(reader.read(usize::MAX).unwrap().len(), 20);
    assert_eq!(reader.read(usize::MAX).unwrap(), []);
    let mut reader = journal.reader(Position(79));
    assert!(matches!(
        reader.read(1),
        Err(ReadError::Io {
            position: Position(79),
            ..
        })
    ));
    disk.heal();
    assert_eq!(read_all(reader).frames.len(), 21);
}

#[test]
fn a_reader_waits_for_the_end_to_move() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    let mut ends = journal.subscribe();
    let mut reader = journal.reader(Position(0));
    assert_eq!(reader.read(100).unwrap(), []);
    let append = journal.append(payload(1, 10), 3);
    assert_eq!(
        *wait(ends.wait_for(|end| Position(0) < *end)).unwrap(),
        Position(3)
    );
    assert_eq!(reader.read(100).unwrap().len(), 1);
    assert_eq!(wait(append), Ok(Position(0)));
}

#[test]
fn a_reader_follows_a_segment_that_is_being_written() {
    let disk = SimulatedDisk::new(1);
    let (journal, _) = open(&disk, Position(0));
    let mut reader = journal.reader(Position(0));
    for id in 0..50 {
        let first = wait(journal.append(payload(id, 300), 1)).unwrap();
        let payload = payload(id, 300).into();
        let chunk = Chunk::Frame {
            first,
            records: 1,
            payload,
        };
        assert_eq!(reader.read(1000).unwrap(), [chunk]);
        assert_eq!(reader.read(1000).unwrap(), []);
    }
}

#[test]
fn many_append_and_many_read_at_the_same_time() {
    const WRITERS: u64 = 8;
    const FRAMES: u64 = 150;
    let root = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        recent_bytes_max: 10_000,
        ..options()
    };
    let journal = Arc::new(real(&root, options).unwrap());
    let records: u64 = (0..FRAMES).map(|n| 1 + n % 3).sum();
    let last = Position(WRITERS * records);
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (mut reader, mut ends) = (journal.reader(Position(0)), journal.subscribe());
            thread::spawn(move || {
                let mut frames = BTreeMap::new();
                while reader.position() < last {
                    let at = reader.position();
                    wait(ends.wait_for(|end| at < *end)).unwrap();
                    for chunk in reader.read(5000).unwrap() {
                        let Chunk::Frame { first, payload, .. } = chunk else {
                            panic!("{chunk:?}")
                        };
                        frames.insert(first, payload.to_vec());
                    }
                }
                frames
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let journal = journal.clone();
            thread::spawn(move || {
                let append = |n| {
                    let payload = payload(writer * FRAMES + n, 100 + n as usize * 7 % 1000);
                    (
                        wait(journal.append(payload.clone(), 1 + n as u32 % 3)).unwrap(),
                        payload,
                    )
                };
                (0..FRAMES).map(append).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut appended = BTreeMap::new();
    for writer in writers {
        let frames = writer.join().unwrap();
        assert!(
            frames.is_sorted_by_key(|frame| frame.0),
            "in the order of the calls"
        );
        appended.extend(frames);
    }
    assert_eq!(appended.len() as u64, WRITERS * FRAMES);
    for reader in readers {
        assert!(reader.join().unwrap() == appended);
    }
    assert_eq!(journal.end(), last);
}

#[test]
fn the_oldest_segment_has_an_age() {
    let disk = SimulatedDisk::new(1);
    let clock = Clock::manual(Timestamp::from_millis(5000));
    let (journal, _) = Journal::open(disk.storage(), options(), clock.clone()).unwrap();
    assert_eq!(journal.usage().oldest, None);
    wait(journal.append(payload(1, 10), 1)).unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(journal.usage().oldest, Some(Timestamp::from_millis(5000)));
}
