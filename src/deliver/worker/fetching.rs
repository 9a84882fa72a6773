//! Single records from anywhere in the journal: for what is tried again, and for dead letters.

use bytes::Bytes;

use crate::deliver::courier::Input;
use crate::deliver::journal::Chunk;
use crate::deliver::journal::Journal;
use crate::deliver::journal::Position;
use crate::deliver::worker::Done;
use crate::deliver::worker::Job;
use crate::deliver::worker::Single;
use crate::deliver::worker::Worker;

/// Bytes read at once where the records lie close together.
const READ_BYTES: usize = 256 << 10;
/// Records that lie no further apart are read together.
const CLOSE: u64 = 256;

/// A record that was looked for.
#[derive(Clone, Debug)]
pub(super) enum Fetched {
    /// Its frame, and which of the frame's records it is.
    Found(Bytes, u32),
    /// The journal does not have it any more, or has it damaged.
    Gone,
    /// The disk gave an error; it may be there.
    Unread,
}

/// Looks records up, in the order of their positions. Blocks.
pub(super) fn fetch(journal: &Journal, mut positions: Vec<Position>) -> Vec<(Position, Fetched)> {
    positions.sort_unstable();
    positions.dedup();
    let mut wanted = positions.into_iter().peekable();
    let mut fetched = Vec::new();
    while let Some(first) = wanted.next() {
        let close = wanted.peek().is_some_and(|next| next.since(first) <= CLOSE);
        let mut reader = journal.reader(first);
        let chunks = reader.read(if close { READ_BYTES } else { 1 });
        let end = reader.position();
        fetched.push((first, find(chunks.as_deref().ok(), first)));
        while let Some(next) = wanted.next_if(|next| *next < end) {
            fetched.push((next, find(chunks.as_deref().ok(), next)));
        }
        if let Err(error) = chunks {
            tracing::error!(%error, "cannot read the journal");
        }
    }
    fetched
}

fn find(chunks: Option<&[Chunk]>, position: Position) -> Fetched {
    let Some(chunks) = chunks else {
        return Fetched::Unread;
    };
    let place = chunks.partition_point(|chunk| match chunk {
        Chunk::Frame { first, records, .. } => first.next(u64::from(*records)) <= position,
        Chunk::Gap { to, .. } => *to <= position,
    });
    match chunks.get(place) {
        Some(Chunk::Frame { first, payload, .. }) if *first <= position => {
            let ordinal = u32::try_from(position.since(*first)).unwrap_or(u32::MAX);
            Fetched::Found(payload.clone(), ordinal)
        }
        _ => Fetched::Gone,
    }
}

impl Worker {
    pub(super) fn start_load(&mut self) {
        if self.loads.is_empty() || !self.singles.insert(Single::Load) {
            return;
        }
        let positions = std::mem::take(&mut self.loads);
        let stores = self.stores.clone();
        self.run_blocking(Job::Load(positions.clone()), move || {
            Done::Loaded(fetch(&stores.journal, positions))
        });
    }

    pub(super) fn take_loaded(&mut self, records: Vec<(Position, Fetched)>) {
        self.singles.remove(&Single::Load);
        let now = self.stores.moment();
        self.changed = true;
        for (position, fetched) in records {
            let rendered = match &fetched {
                Fetched::Found(payload, ordinal) => {
                    self.feed.render((payload, *ordinal), &*self.plan.translate)
                }
                Fetched::Gone => None,
                Fetched::Unread => {
                    self.loads.push(position);
                    continue;
                }
            };
            self.courier
                .step(Input::Loaded { position, rendered }, now, &mut self.actions);
        }
        self.step(Input::Wake);
        if !self.loads.is_empty() {
            self.rest();
        }
    }
}
