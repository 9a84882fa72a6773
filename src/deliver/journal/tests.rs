//! The journal on a real disk.

use super::*;
use crate::deliver::storage::DiskStorage;

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: 64 << 10,
        recent_bytes_max: 0,
        ..JournalOptions::default()
    }
}

fn read_all(journal: &Journal, from: Position) -> Vec<Chunk> {
    let mut reader = journal.reader(from);
    let mut chunks = Vec::new();
    loop {
        let read = reader.read(10_000).unwrap();
        if read.is_empty() {
            return chunks;
        }
        chunks.extend(read);
    }
}

#[test]
fn what_was_appended_is_read_after_opening_again() {
    let root = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for round in 0..3_u8 {
        let storage = Arc::new(DiskStorage::open(root.path()).unwrap());
        let (journal, recovery) = Journal::open(storage, options(), Clock::system()).unwrap();
        assert_eq!(recovery.damage, []);
        assert_eq!(recovery.end, Position(expected.len() as u64 * 2));
        for n in 0..100_u8 {
            let payload = vec![round * 70 + n; 2000];
            let first = wait(journal.append(payload.clone(), 2)).unwrap();
            assert_eq!(first, Position(expected.len() as u64 * 2));
            expected.push(Chunk::Frame {
                first,
                records: 2,
                payload: payload.into(),
            });
        }
        assert_eq!(read_all(&journal, Position(0)), expected);
        assert_eq!(read_all(&journal, Position(101)), expected[50..]);
    }
}

#[test]
fn a_second_process_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let open = || {
        let storage = Arc::new(DiskStorage::open(root.path()).unwrap());
        Journal::open(storage, options(), Clock::system())
    };
    let (journal, _) = open().unwrap();
    assert!(matches!(open(), Err(OpenError::Locked)));
    journal.close();
    open().unwrap();
}
