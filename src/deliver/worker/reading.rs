//! From the journal to the courier: reads ahead a little, renders one record at a time.

use std::collections::VecDeque;

use crate::clock::Timestamp;
use crate::deliver::courier::Action;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Input;
use crate::deliver::courier::Moment;
use crate::deliver::journal::Chunk;
use crate::deliver::journal::GapCause;
use crate::deliver::journal::Position;
use crate::deliver::journal::ReadError;
use crate::deliver::journal::Reader;
use crate::deliver::worker::Done;
use crate::deliver::worker::Job;
use crate::deliver::worker::Single;
use crate::deliver::worker::Worker;
use crate::event::delivery::Rendered;
use crate::event::delivery::Translate;
use crate::event::record::StoredRequest;
use crate::value::Arena;

/// Bytes read ahead: what the journal reads from a file in one go.
const READ_BYTES: usize = 256 << 10;
/// Records that are rendered before answers and commands are looked at again.
const RECORDS_AT_ONCE: usize = 256;

/// A read that ended.
#[derive(Debug)]
pub(super) struct Read {
    reader: Reader,
    result: Result<Vec<Chunk>, ReadError>,
}

/// What was read and is not taken yet.
#[derive(Debug)]
pub(super) struct Feed {
    /// Absent while it reads.
    reader: Option<Reader>,
    chunks: VecDeque<Chunk>,
    oldest_unread: Option<Timestamp>,
    arena: Arena,
    rendered: Rendered,
}

impl Feed {
    pub(super) fn new(reader: Reader) -> Self {
        Self {
            reader: Some(reader),
            chunks: VecDeque::new(),
            oldest_unread: None,
            arena: Arena::new(),
            rendered: Rendered::default(),
        }
    }

    pub(super) fn restart(&mut self, reader: Reader) {
        self.reader = Some(reader);
    }

    /// Whether it has nothing left and waits for the journal to grow.
    pub(super) fn is_caught_up(&self) -> bool {
        self.reader.is_some() && self.chunks.is_empty()
    }

    /// When the record was accepted that the courier does not want yet.
    pub(super) fn oldest_unread(&self) -> Option<Timestamp> {
        self.oldest_unread
    }

    /// Where reading has to go on, after what was read; `cursor` if nothing is there.
    pub(super) fn next_position(&self, cursor: Position) -> Position {
        match self.chunks.back() {
            Some(Chunk::Frame { first, records, .. }) => first.next(u64::from(*records)),
            Some(Chunk::Gap { to, .. }) => *to,
            None => cursor,
        }
    }

    /// Renders a record again.
    pub(super) fn render(
        &mut self,
        (payload, ordinal): (&[u8], u32),
        translate: &dyn Translate,
    ) -> Option<&Rendered> {
        let request = StoredRequest::decode(payload).ok()?;
        let record = request.records().nth(ordinal as usize)?.ok()?;
        self.rendered.clear();
        translate.translate(&record, &mut self.arena, &mut self.rendered);
        Some(&self.rendered)
    }

    /// Hands records to the courier as long as it wants some. Returns whether it may want more right
    /// away.
    pub(super) fn hand_over(
        &mut self,
        courier: &mut Courier,
        translate: &dyn Translate,
        now: Moment,
        actions: &mut Vec<Action>,
    ) -> bool {
        self.oldest_unread = None;
        let mut left = RECORDS_AT_ONCE;
        while let Some(chunk) = self.chunks.front().cloned() {
            let (first, records, payload) = match chunk {
                Chunk::Gap { to, cause, .. } => {
                    courier.step(Input::Gap { to, cause }, now, actions);
                    self.chunks.pop_front();
                    continue;
                }
                Chunk::Frame {
                    first,
                    records,
                    payload,
                } => (first, records, payload),
            };
            if let Ok(request) = StoredRequest::decode(&payload) {
                let accepted_at = request.accepted_at;
                for record in request.records().map_while(Result::ok) {
                    let position = first.next(u64::from(record.ordinal));
                    if position < courier.cursor() {
                        continue;
                    }
                    if !courier.wants(accepted_at, now) {
                        self.oldest_unread = Some(accepted_at);
                        return false;
                    }
                    if left == 0 {
                        return true;
                    }
                    left -= 1;
                    self.rendered.clear();
                    translate.translate(&record, &mut self.arena, &mut self.rendered);
                    let rendered = &self.rendered;
                    let input = Input::Record {
                        position,
                        accepted_at,
                        rendered,
                    };
                    courier.step(input, now, actions);
                }
            }
            let to = first.next(u64::from(records));
            if courier.cursor() < to {
                tracing::error!(position = %courier.cursor(), "stored request cannot be read");
                courier.step(
                    Input::Gap {
                        to,
                        cause: GapCause::Damaged,
                    },
                    now,
                    actions,
                );
            }
            self.chunks.pop_front();
        }
        false
    }
}

impl Worker {
    pub(super) fn start_read(&mut self) {
        let now = self.stores.clock.tick();
        if !self.feed.chunks.is_empty() || self.closing.is_some() || now < self.resting_until {
            return;
        }
        let end = *self.end.borrow_and_update();
        let Some(mut reader) = self.feed.reader.take_if(|reader| reader.position() < end) else {
            return;
        };
        self.singles.insert(Single::Read);
        self.run_blocking(Job::Read, move || {
            let result = reader.read(READ_BYTES);
            Done::Read(Read { reader, result })
        });
    }

    pub(super) fn take_read(&mut self, read: Read) {
        self.singles.remove(&Single::Read);
        self.feed.reader = Some(read.reader);
        match read.result {
            Ok(chunks) => self.feed.chunks.extend(chunks),
            Err(error) => {
                tracing::error!(destination = &*self.plan.id, %error, "cannot read the journal");
                self.rest();
            }
        }
    }
}
