//! What was given up, with its reason and the call it came from.
//!
//! Dead letters are the frames of a journal of their own: durable before the delivery settles, found
//! again after the journal has let go of the call, and bounded, the oldest going first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::clock::Timestamp;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::delivery::History;
use crate::deliver::fields::FieldReader;
use crate::deliver::fields::FieldWriter;
use crate::deliver::fields::Malformed;
use crate::deliver::journal::AppendError;
use crate::deliver::journal::Chunk;
use crate::deliver::journal::Journal;
use crate::deliver::journal::JournalOptions;
use crate::deliver::journal::OpenError;
use crate::deliver::journal::Position;
use crate::deliver::journal::ReadError;
use crate::deliver::journal::Retention;
use crate::deliver::storage::Storage;
use crate::event::Call;
use crate::event::Params;
use crate::event::Receipt;
use crate::event::Record;
use crate::event::delivery::Part;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::event::record;

const VERSION: u8 = 1;
/// Longest reason that is kept: enough for what a destination has to say, too little to fill the disk.
const REASON_BYTES_MAX: usize = 2048;
/// How long dead letters are kept: long enough to come back from holidays to them.
const RETAIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Most bytes of dead letters, some hundred thousand of them. A destination that refuses everything
/// must not take the disk from those that work.
const BYTES_MAX: u64 = 1 << 30;
/// Dead letters are few: small segments.
const SEGMENT_BYTES: u64 = 16 << 20;

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The destination that did not get it.
    pub destination: Arc<str>,
    /// What it was made from, and which one of that.
    pub id: DeliveryId,
    /// The event's message id; empty if it was never rendered.
    pub message_id: String,
    /// Why.
    pub reason: Reason,
    /// What was tried.
    pub history: History,
    /// The revision of the destination it was given up under.
    pub revision: Arc<str>,
    /// When it was given up.
    pub written_at: Timestamp,
    /// The call as a frame of its own, read with [`crate::event::record::StoredRequest::decode`];
    /// empty if the journal could not give it back.
    pub call: Vec<u8>,
}

/// The dead letters of all destinations.
#[derive(Debug)]
pub struct DeadLetters {
    journal: Journal,
    clock: Clock,
}

impl DeadLetters {
    /// Opens the dead letters in a directory of their own. Blocks.
    pub fn open(storage: Arc<dyn Storage>, clock: Clock) -> Result<Self, OpenError> {
        let options = JournalOptions {
            segment_bytes: SEGMENT_BYTES,
            recent_bytes_max: 1 << 20,
            ..JournalOptions::default()
        };
        let (journal, _) = Journal::open(storage, options, clock.clone())?;
        Ok(Self { journal, clock })
    }

    /// Writes a dead letter; it is on disk when this returns.
    pub fn append(
        &self,
        letter: &DeadLetter,
    ) -> impl Future<Output = Result<Position, AppendError>> + Send + use<> {
        self.journal.append(encode(letter), 1)
    }

    /// Reads up to about `bytes_max` of dead letters from `from` on, oldest first, and says where to go
    /// on. Those that are damaged are left out. Blocks.
    pub fn read(
        &self,
        from: Position,
        bytes_max: usize,
    ) -> Result<(Vec<DeadLetter>, Position), ReadError> {
        let mut reader = self.journal.reader(from);
        let chunks = reader.read(bytes_max)?;
        let letters = chunks.iter().filter_map(|chunk| match chunk {
            Chunk::Frame { payload, .. } => decode(payload).ok(),
            Chunk::Gap { .. } => None,
        });
        Ok((letters.collect(), reader.position()))
    }

    /// The oldest dead letter kept.
    pub fn start(&self) -> Position {
        self.journal.start()
    }

    /// Where the next one goes.
    pub fn end(&self) -> Position {
        self.journal.end()
    }

    /// Lets go of what is too old or too much. Blocks.
    pub fn trim(&self) -> io::Result<()> {
        let now = self.clock.now().as_millis();
        let retain = i64::try_from(RETAIN.as_millis()).unwrap_or(i64::MAX);
        let since = Timestamp::from_millis(now.saturating_sub(retain));
        self.journal.trim(
            self.end(),
            Retention {
                since,
                bytes_max: BYTES_MAX,
            },
        )
    }

    /// Makes what waits durable and lets go of the directory. Blocks.
    pub fn close(&self) {
        self.journal.close();
    }
}

/// The frame of a single call.
pub(super) fn call_of(record: &Record<'_>) -> Vec<u8> {
    let request = record.request;
    let receipt = Receipt {
        id: request.id,
        accepted_at: request.accepted_at,
        source: request.source.into(),
        site_id: request.site_id.map(Into::into),
        method: request.method.parse().unwrap_or_default(),
        target: request.target.to_owned(),
        content_type: request.content_type.map(str::to_owned),
    };
    let params = Params {
        id: record.params.id.map(str::to_owned),
        device_id: record.params.device_id.map(str::to_owned),
        segment_id: record.params.segment_id.map(str::to_owned),
        id_type: record.params.id_type.map(str::to_owned),
        form_id: record.params.form_id.map(str::to_owned),
        delivery_id: record.params.delivery_id.map(str::to_owned),
    };
    let call = Call {
        operation: record.operation,
        api: record.api,
        item: record.item,
        params,
        body: bytes::Bytes::copy_from_slice(record.body),
    };
    let mut frame = Vec::new();
    record::encode(&receipt, &[call], &mut frame);
    frame
}

/// At most the first [`REASON_BYTES_MAX`] bytes, ending with a whole character.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(REASON_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn encode(letter: &DeadLetter) -> Vec<u8> {
    let mut out = FieldWriter::default();
    out.u8(VERSION);
    out.time(letter.written_at);
    out.bytes(letter.destination.as_bytes());
    out.bytes(letter.revision.as_bytes());
    out.u64(letter.id.position.0);
    out.u16(letter.id.part.event);
    out.u16(letter.id.part.item);
    out.bytes(letter.message_id.as_bytes());
    out.bytes(letter.reason.class.name().as_bytes());
    out.maybe(letter.reason.status, FieldWriter::u16);
    out.bytes(shortened(&letter.reason.text).as_bytes());
    out.u32(letter.history.attempts);
    out.u32(letter.history.failures);
    out.maybe(letter.history.first_try, FieldWriter::time);
    out.maybe(letter.history.last_try, FieldWriter::time);
    out.bytes(&letter.call);
    out.finish()
}

fn decode(bytes: &[u8]) -> Result<DeadLetter, Malformed> {
    let mut fields = FieldReader::new(bytes);
    if fields.u8()? != VERSION {
        return Err(Malformed);
    }
    let written_at = fields.time()?;
    let destination = fields.text()?.into();
    let revision = fields.text()?.into();
    let position = Position(fields.u64()?);
    let part = Part {
        event: fields.u16()?,
        item: fields.u16()?,
    };
    let message_id = fields.text()?.to_owned();
    let class = ReasonClass::named(fields.text()?).ok_or(Malformed)?;
    let status = fields.maybe(FieldReader::u16)?;
    let text = fields.text()?.to_owned();
    let history = History {
        attempts: fields.u32()?,
        failures: fields.u32()?,
        first_try: fields.maybe(FieldReader::time)?,
        last_try: fields.maybe(FieldReader::time)?,
    };
    let call = fields.bytes()?.to_vec();
    fields.end()?;
    Ok(DeadLetter {
        destination,
        id: DeliveryId { position, part },
        message_id,
        reason: Reason {
            class,
            status,
            text,
        },
        history,
        revision,
        written_at,
        call,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::storage::DiskStorage;

    fn letter(text: &str) -> DeadLetter {
        DeadLetter {
            destination: "crm".into(),
            id: DeliveryId {
                position: Position(9),
                part: Part { event: 1, item: 2 },
            },
            message_id: "m.1".to_owned(),
            reason: Reason {
                class: ReasonClass::Refused,
                status: Some(422),
                text: text.to_owned(),
            },
            history: History {
                attempts: 2,
                failures: 1,
                first_try: Some(Timestamp::from_millis(1)),
                last_try: Some(Timestamp::from_millis(2)),
            },
            revision: "r7".into(),
            written_at: Timestamp::from_millis(3),
            call: vec![1, 2, 3],
        }
    }

    #[tokio::test]
    async fn are_read_back_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::from_millis(0));
        let open = || {
            let storage = Arc::new(DiskStorage::open(dir.path()).unwrap());
            DeadLetters::open(storage, clock.clone()).unwrap()
        };
        let letters = open();
        letters.append(&letter("no such user")).await.unwrap();
        letters
            .append(&letter("ü".repeat(2000).as_str()))
            .await
            .unwrap();
        drop(letters);
        let letters = open();
        let (read, next) = letters.read(letters.start(), 1 << 20).unwrap();
        assert_eq!(read, [letter("no such user"), letter(&"ü".repeat(1024))]);
        assert_eq!(next, letters.end());
    }

    #[test]
    fn a_cut_letter_is_malformed_at_every_byte() {
        let bytes = encode(&letter("no such user"));
        assert!(decode(&bytes).is_ok());
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), Err(Malformed), "cut at {end}");
        }
    }
}
