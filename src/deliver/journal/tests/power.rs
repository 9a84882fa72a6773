//! Lives that end with the power: what was acknowledged is there in the next one.

use super::*;
use crate::deliver::storage::simulated::Operation;

/// How many lives are tried; more with `TRACKWAY_POWER_CUTS`.
fn seeds() -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "asks for more of the same test")]
    let count = std::env::var("TRACKWAY_POWER_CUTS");
    0..count
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(200)
}

/// What may and must be found.
#[derive(Debug, Default)]
struct Oracle {
    /// Frames that were acknowledged, or were found once.
    certain: BTreeMap<Position, (u32, Vec<u8>)>,
    /// Frames that were sent and not refused: they may turn up.
    possible: Vec<(u32, Vec<u8>)>,
    /// Positions that were found to be empty.
    empty: Vec<(Position, Position)>,
    /// Below it everything may be gone.
    released: Position,
    /// The largest end anybody was told.
    end: Position,
    next_id: u64,
}

impl Oracle {
    fn next_frame(&mut self, random: &mut fastrand::Rng) -> (u32, Vec<u8>) {
        let id = self.next_id;
        self.next_id += 1;
        let bytes = if random.u8(..) < 25 {
            random.usize(2000..7000)
        } else {
            random.usize(4..600)
        };
        (random.u32(1..=4), payload(id, bytes))
    }

    /// Compares what a journal holds with what was promised.
    fn check(&mut self, journal: &Journal, recovery: &Recovery, what: &str) {
        let (start, end) = (journal.start(), journal.end());
        assert!(
            start <= self.released.min(end),
            "{what}: starts with {start}"
        );
        assert!(self.end <= end, "{what}: ends with {end}");
        for damage in &recovery.damage {
            assert_eq!(damage.cause, Cause::Unfinished, "{what}: {damage}");
        }
        let contents = read_all(journal.reader(start));
        assert_eq!(contents.end, end, "{what}");
        for (first, frame) in self.certain.range(self.released..) {
            assert!(
                contents.frames.get(first) == Some(frame),
                "{what}: {first} is gone"
            );
        }
        for (first, frame) in contents.frames.range(self.released..) {
            let known = self.certain.contains_key(first) || self.possible.contains(frame);
            assert!(known, "{what}: {first} was never sent");
            assert!(
                self.empty
                    .iter()
                    .all(|(from, to)| *first < *from || *to <= *first),
                "{what}: {first} was given twice"
            );
            self.certain.insert(*first, frame.clone());
        }
        for (from, to, cause) in &contents.gaps {
            let gone = *to <= self.released;
            assert!(
                gone || *cause == GapCause::Unfinished,
                "{what}: {from} to {to} {cause:?}"
            );
            self.empty.push((*from, *to));
        }
        self.possible.clear();
        self.end = end;
    }

    /// Appends some frames at once; whether the journal still accepts.
    fn append(&mut self, journal: &Journal, random: &mut fastrand::Rng) -> bool {
        let frames: Vec<_> = (0..random.usize(1..8))
            .map(|_| self.next_frame(random))
            .collect();
        let appends: Vec<_> = frames
            .iter()
            .map(|(records, payload)| journal.append(payload.clone(), *records))
            .collect();
        let mut accepted = true;
        for (frame, append) in frames.into_iter().zip(appends) {
            if let Ok(first) = wait(append) {
                self.end = self.end.max(first.next(u64::from(frame.0)));
                self.certain.insert(first, frame);
            } else {
                accepted = false;
                self.possible.push(frame);
            }
        }
        accepted
    }

    fn release(&mut self, journal: &Journal, random: &mut fastrand::Rng) {
        self.released = Position(random.u64(self.released.0..=self.end.0));
        // Fails when the power is gone.
        drop(journal.release(self.released));
    }
}

/// Opens a journal as an engine would that remembers its last checkpoint, or none.
fn reopen(disk: &SimulatedDisk, known_end: Position) -> Option<(Journal, Recovery)> {
    let options = JournalOptions {
        known_end,
        ..options()
    };
    Journal::open(disk.storage(), options, Clock::system()).ok()
}

#[test]
fn what_was_acknowledged_survives_power_cuts() {
    for seed in seeds() {
        let mut random = fastrand::Rng::with_seed(seed);
        let disk = SimulatedDisk::new(seed);
        let mut oracle = Oracle::default();
        for life in 0..5 {
            let known_end = if random.bool() {
                oracle.end
            } else {
                Position(0)
            };
            if random.u8(..) < 50 {
                // Not even opening is safe.
                disk.cut_power_after(random.u64(0..12));
                drop(reopen(&disk, known_end));
                disk.cut_power();
            }
            let (journal, recovery) = reopen(&disk, known_end).unwrap();
            oracle.check(&journal, &recovery, &format!("seed {seed}, life {life}"));
            if random.bool() {
                disk.cut_power_after(random.u64(0..150));
            }
            for _ in 0..random.usize(1..25) {
                if !oracle.append(&journal, &mut random) {
                    break;
                }
                if random.u8(..) < 40 {
                    oracle.release(&journal, &mut random);
                }
            }
            match random.u8(0..4) {
                0 => journal.close(),
                1 => {}
                _ => disk.cut_power(),
            }
            disk.kill();
        }
    }
}

#[test]
fn a_cut_between_any_two_steps_loses_nothing() {
    for seed in 0..3 {
        let mut steps = 0;
        loop {
            let disk = SimulatedDisk::new(seed * 10_000 + steps);
            let mut random = fastrand::Rng::with_seed(seed);
            let mut oracle = Oracle::default();
            disk.cut_power_after(steps);
            let mut survived = false;
            if let Some((journal, _)) = reopen(&disk, Position(0)) {
                survived = (0..12).all(|_| {
                    let accepted = oracle.append(&journal, &mut random);
                    oracle.release(&journal, &mut random);
                    accepted
                });
            }
            disk.cut_power();
            let what = format!("seed {seed}, step {steps}");
            let (journal, recovery) = reopen(&disk, oracle.end).unwrap();
            oracle.check(&journal, &recovery, &what);
            assert!(oracle.append(&journal, &mut random), "{what}");
            drop(journal);
            let (journal, recovery) = reopen(&disk, Position(0)).unwrap();
            oracle.check(&journal, &recovery, &what);
            if survived {
                break;
            }
            steps += 1;
        }
        assert!(50 < steps, "the power was cut {steps} times only");
    }
}

#[test]
fn a_torn_group_is_no_damage() {
    let mut torn = 0;
    for seed in 0..100 {
        let disk = SimulatedDisk::new(seed);
        let mut oracle = Oracle::default();
        let (journal, _) = reopen(&disk, Position(0)).unwrap();
        let mut random = fastrand::Rng::with_seed(seed);
        assert!(oracle.append(&journal, &mut random));
        disk.fail(Operation::SyncData, 0, u64::MAX, rustix::io::Errno::IO);
        let paused = disk.pause();
        let appends: Vec<_> = (0..10)
            .map(|id| journal.append(payload(900 + id, 300), 1))
            .collect();
        drop(paused);
        for append in appends {
            wait(append).unwrap_err();
        }
        oracle
            .possible
            .extend((0..10).map(|id| (1, payload(900 + id, 300))));
        disk.cut_power();
        disk.heal();
        let (journal, recovery) = reopen(&disk, oracle.end).unwrap();
        torn += usize::from(!recovery.damage.is_empty());
        oracle.check(&journal, &recovery, &format!("seed {seed}"));
        assert_eq!(journal.damage().records, 0);
        drop(journal);
        // Opened again before anything was appended, by an engine that has seen the new end.
        let (journal, recovery) = reopen(&disk, oracle.end).unwrap();
        oracle.check(&journal, &recovery, &format!("seed {seed}, again"));
    }
    assert!(2 < torn, "only {torn} groups were torn");
}

#[test]
fn what_was_found_once_is_found_again() {
    for seed in 0..30 {
        let disk = SimulatedDisk::new(seed);
        let (journal, _) = reopen(&disk, Position(0)).unwrap();
        wait(journal.append(payload(0, 300), 1)).unwrap();
        while journal.usage().bytes < 2 * SEGMENT_BYTES {
            thread::yield_now();
        }
        // Written, not synced, and nobody is told that it worked.
        disk.fail(Operation::SyncData, 0, u64::MAX, rustix::io::Errno::IO);
        wait(journal.append(payload(1, 3000), 1)).unwrap_err();
        disk.kill();
        disk.heal();
        let (journal, recovery) = reopen(&disk, Position(0)).unwrap();
        assert_eq!((recovery.end, recovery.damage), (Position(2), Vec::new()));
        disk.cut_power();
        drop(journal);
        let (journal, recovery) = reopen(&disk, Position(0)).unwrap();
        assert_eq!(recovery.end, Position(2));
        assert_eq!(read_all(journal.reader(Position(0))).frames.len(), 2);
    }
}
