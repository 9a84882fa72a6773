//! Whatever is done to it, a journal holds what a list would.

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;
use proptest::test_runner::TestCaseError;

use super::*;

#[derive(Clone, Debug)]
enum Action {
    /// Appends frames of these sizes and waits for them.
    Append(Vec<(usize, u32)>),
    /// Releases this share of the records.
    Release(u8),
    /// Reads from this share of the records on.
    Read(u8),
    /// Opens the journal again after that.
    Reopen(Ending),
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    Close,
    Kill,
    CutPower,
}

fn action() -> impl Strategy<Value = Action> {
    let frame = (4..3000_usize, 1..5_u32);
    let ending = prop_oneof![
        proptest::strategy::Just(Ending::Close),
        proptest::strategy::Just(Ending::Kill),
        proptest::strategy::Just(Ending::CutPower),
    ];
    prop_oneof![
        4 => proptest::collection::vec(frame, 1..8).prop_map(Action::Append),
        1 => any::<u8>().prop_map(Action::Release),
        1 => any::<u8>().prop_map(Action::Read),
        1 => ending.prop_map(Action::Reopen),
    ]
}

/// A journal as a list.
#[derive(Debug, Default)]
struct Model {
    frames: BTreeMap<Position, (u32, Vec<u8>)>,
    released: Position,
    end: Position,
}

impl Model {
    fn share(&self, share: u8) -> Position {
        Position(self.end.0 * u64::from(share) / 255)
    }

    /// What is read from `from`: the frame that holds it and all that follow.
    fn from(&self, from: Position) -> BTreeMap<Position, (u32, Vec<u8>)> {
        let first = self
            .frames
            .range(..=from)
            .next_back()
            .map_or(from, |(first, _)| *first);
        self.frames
            .range(first..)
            .map(|(first, frame)| (*first, frame.clone()))
            .collect()
    }

    fn check(&self, journal: &Journal, from: Position) -> Result<(), TestCaseError> {
        let start = journal.start();
        prop_assert!(start <= self.released);
        prop_assert_eq!(journal.end(), self.end);
        let from = from.max(start);
        let contents = read_all(journal.reader(from));
        prop_assert_eq!(contents.gaps, []);
        prop_assert!(contents.frames == self.from(from) || from == self.end);
        prop_assert_eq!(journal.damage(), DamageCount::default());
        Ok(())
    }
}

fn run(seed: u64, actions: Vec<Action>) -> Result<(), TestCaseError> {
    let disk = SimulatedDisk::new(seed);
    let options = JournalOptions {
        recent_bytes_max: 4000,
        ..options()
    };
    let open = |known_end| {
        let options = JournalOptions {
            known_end,
            ..options
        };
        Journal::open(disk.storage(), options, Clock::system()).unwrap()
    };
    let mut model = Model::default();
    let (mut journal, _) = open(Position(0));
    for action in actions {
        match action {
            Action::Append(frames) => {
                let frames = frames.into_iter().enumerate().map(|(n, (bytes, records))| {
                    (records, payload(model.end.0 * 10 + n as u64, bytes))
                });
                let frames: Vec<_> = frames.collect();
                let appends: Vec<_> = frames
                    .iter()
                    .map(|(records, payload)| journal.append(payload.clone(), *records))
                    .collect();
                for (frame, append) in frames.into_iter().zip(appends) {
                    let first = wait(append).unwrap();
                    prop_assert_eq!(first, model.end);
                    model.end = first.next(u64::from(frame.0));
                    model.frames.insert(first, frame);
                }
            }
            Action::Release(share) => {
                model.released = model.released.max(model.share(share));
                journal.release(model.released).unwrap();
            }
            Action::Read(share) => model.check(&journal, model.share(share))?,
            Action::Reopen(ending) => {
                match ending {
                    Ending::Close => journal.close(),
                    Ending::Kill => disk.kill(),
                    Ending::CutPower => disk.cut_power(),
                }
                drop(journal);
                let recovery;
                (journal, recovery) = open(model.end);
                prop_assert_eq!(recovery.damage, []);
                model.check(&journal, Position(0))?;
            }
        }
    }
    model.check(&journal, Position(0))
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 64,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    })]

    #[test]
    fn a_journal_is_a_list(
        seed in any::<u64>(),
        actions in proptest::collection::vec(action(), 1..40),
    ) {
        run(seed, actions)?;
    }
}
