//! The journal is tried on a real disk, on a damaged one, on a full one, and on one that loses power.

#![expect(clippy::cast_possible_truncation, reason = "tests count small things")]

use std::collections::BTreeMap;

use super::*;
use crate::deliver::storage::DiskStorage;
use crate::deliver::storage::simulated::SimulatedDisk;

mod damage;
mod failures;
mod model;
mod operation;
mod power;
mod wear;

/// Segments small enough that a test goes through many.
const SEGMENT_BYTES: u64 = 8 << 10;

fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: SEGMENT_BYTES,
        recent_bytes_max: 0,
        ..JournalOptions::default()
    }
}

fn open(disk: &SimulatedDisk, known_end: Position) -> (Journal, Recovery) {
    let options = JournalOptions {
        known_end,
        ..options()
    };
    Journal::open(disk.storage(), options, Clock::system()).unwrap()
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// Bytes that only this id has, so that a mix-up is noticed.
fn payload(id: u64, bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(id);
    std::iter::repeat_with(|| random.u8(..))
        .take(bytes)
        .collect()
}

/// Everything a reader has to give, gaps joined.
fn read_all(mut reader: Reader) -> Contents {
    let mut contents = Contents {
        start: reader.position(),
        ..Contents::default()
    };
    let mut due = reader.position();
    loop {
        let chunks = reader.read(10_000).unwrap();
        if chunks.is_empty() {
            contents.end = due;
            return contents;
        }
        for chunk in chunks {
            match chunk {
                Chunk::Frame {
                    first,
                    records,
                    payload,
                } => {
                    assert!(first <= due && (first == due || contents.frames.is_empty()));
                    due = first.next(u64::from(records));
                    contents.frames.insert(first, (records, payload.to_vec()));
                }
                Chunk::Gap { from, to, cause } => {
                    assert_eq!(from, due);
                    assert!(from < to);
                    due = to;
                    match contents.gaps.last_mut() {
                        Some(last) if last.1 == from && last.2 == cause => last.1 = to,
                        _ => contents.gaps.push((from, to, cause)),
                    }
                }
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Contents {
    start: Position,
    end: Position,
    frames: BTreeMap<Position, (u32, Vec<u8>)>,
    gaps: Vec<(Position, Position, GapCause)>,
}
