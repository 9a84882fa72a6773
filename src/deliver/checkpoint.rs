//! Where each destination is, on disk.
//!
//! One file for each destination, replaced as a whole: what was written before stays until the new
//! one is safe, and the one before that as `.old`, should the newest be damaged. Losing the newest
//! costs duplicates, never events. Layout: `TWCP`, version, fields, CRC32C of all before it.

use std::io;
use std::sync::Arc;

use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;

use crate::clock::Timestamp;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::courier::delivery::History;
use crate::deliver::courier::memory::Memory;
use crate::deliver::courier::memory::Pending;
use crate::deliver::fields::FieldReader;
use crate::deliver::fields::FieldWriter;
use crate::deliver::fields::Malformed;
use crate::deliver::journal::Position;
use crate::deliver::storage::Storage;
use crate::event::delivery::OrderKey;
use crate::event::delivery::Part;

const MAGIC: &[u8; 4] = b"TWCP";
const VERSION: u8 = 1;

/// A checkpoint as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was written: of a destination that was removed, when that was.
    pub written_at: Timestamp,
    /// What the destination remembers.
    pub memory: Memory,
}

/// Why there is no checkpoint to go on from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// What is stored cannot be read, in both generations.
    #[error("checkpoint is damaged")]
    Damaged,
    /// The disk gave an error.
    #[error("read checkpoint")]
    Io(#[source] io::Error),
}

/// The directory of checkpoints. All calls block.
#[derive(Debug)]
pub struct Checkpoints {
    storage: Arc<dyn Storage>,
}

impl Checkpoints {
    /// The checkpoints in a directory of their own.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// Reads the checkpoint of a destination; `None` if there never was one.
    pub fn load(&self, destination: &str) -> Result<Option<Checkpoint>, LoadError> {
        let name = name_of(destination);
        let mut found = false;
        for name in [name.clone(), old(&name)] {
            let bytes = match self.read(&name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                bytes => bytes.map_err(LoadError::Io)?,
            };
            found = true;
            if let Ok(checkpoint) = decode(&bytes) {
                return Ok(Some(checkpoint));
            }
            tracing::error!(destination, file = name, "checkpoint is damaged");
        }
        if found {
            Err(LoadError::Damaged)
        } else {
            Ok(None)
        }
    }

    /// Writes the checkpoint of a destination; it is on disk when this returns.
    pub fn save(&self, destination: &str, checkpoint: &Checkpoint) -> io::Result<()> {
        let name = name_of(destination);
        let new = format!("{name}.new");
        self.remove_if_there(&new)?;
        let file = self.storage.create(&new)?;
        file.write_all_at(&encode(checkpoint), 0)?;
        file.sync_data()?;
        // Crash: between the two, the old generation is the newest.
        match self.storage.rename(&name, &old(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.storage.rename(&new, &name)?;
        self.storage.sync_directory()
    }

    /// Forgets a destination.
    pub fn remove(&self, destination: &str) -> io::Result<()> {
        let name = name_of(destination);
        self.remove_if_there(&name)?;
        self.remove_if_there(&old(&name))?;
        self.storage.sync_directory()
    }

    /// The destinations that have a checkpoint.
    pub fn destinations(&self) -> io::Result<Vec<String>> {
        let mut destinations: Vec<_> = self
            .storage
            .list()?
            .iter()
            .filter_map(|name| match name.split_once('.') {
                None => destination_of(name),
                Some((name, "old")) => destination_of(name),
                Some(_) => None,
            })
            .collect();
        destinations.sort();
        destinations.dedup();
        Ok(destinations)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.storage.open(name)?;
        let mut bytes = vec![0; usize::try_from(file.size()?).unwrap_or(usize::MAX)];
        let len = file.read_full_at(&mut bytes, 0)?;
        bytes.truncate(len);
        Ok(bytes)
    }

    fn remove_if_there(&self, name: &str) -> io::Result<()> {
        match self.storage.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn old(name: &str) -> String {
    format!("{name}.old")
}

/// Whatever a destination is called, its file stays in the directory and has no dot.
fn name_of(destination: &str) -> String {
    utf8_percent_encode(destination, NON_ALPHANUMERIC).to_string()
}

fn destination_of(name: &str) -> Option<String> {
    percent_decode_str(name)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

fn encode(checkpoint: &Checkpoint) -> Vec<u8> {
    let Checkpoint { written_at, memory } = checkpoint;
    let mut out = FieldWriter::default();
    out.array(MAGIC);
    out.u8(VERSION);
    out.time(*written_at);
    out.u64(memory.cursor.0);
    out.list(&memory.pending, |out, pending| {
        write_id(out, pending.id);
        for key in pending.keys {
            out.maybe(key, |out, key| out.u64(key.0));
        }
        out.time(pending.accepted_at);
        out.u32(pending.history.attempts);
        out.u32(pending.history.failures);
        for time in [
            pending.history.first_try,
            pending.history.last_try,
            pending.due,
        ] {
            out.maybe(time, FieldWriter::time);
        }
    });
    out.list(&memory.settled, |out, id| write_id(out, *id));
    let mut bytes = out.finish();
    let sum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, Malformed> {
    let (bytes, sum) = bytes.split_last_chunk().ok_or(Malformed)?;
    if crc32c::crc32c(bytes) != u32::from_le_bytes(*sum) {
        return Err(Malformed);
    }
    let fields = bytes.strip_prefix(MAGIC).ok_or(Malformed)?;
    let mut fields = FieldReader::new(fields);
    if fields.u8()? != VERSION {
        return Err(Malformed);
    }
    let written_at = fields.time()?;
    let cursor = Position(fields.u64()?);
    let pending = fields.list(read_pending)?;
    let settled = fields.list(read_id)?;
    fields.end()?;
    Ok(Checkpoint {
        written_at,
        memory: Memory {
            cursor,
            pending,
            settled,
        },
    })
}

fn read_pending(fields: &mut FieldReader<'_>) -> Result<Pending, Malformed> {
    let id = read_id(fields)?;
    let mut key = || fields.maybe(FieldReader::u64).map(|key| key.map(OrderKey));
    let keys = [key()?, key()?];
    let accepted_at = fields.time()?;
    let (attempts, failures) = (fields.u32()?, fields.u32()?);
    let first_try = fields.maybe(FieldReader::time)?;
    let last_try = fields.maybe(FieldReader::time)?;
    let due = fields.maybe(FieldReader::time)?;
    let history = History {
        attempts,
        failures,
        first_try,
        last_try,
    };
    Ok(Pending {
        id,
        keys,
        accepted_at,
        history,
        due,
    })
}

fn write_id(out: &mut FieldWriter, id: DeliveryId) {
    out.u64(id.position.0);
    out.u16(id.part.event);
    out.u16(id.part.item);
}

fn read_id(fields: &mut FieldReader<'_>) -> Result<DeliveryId, Malformed> {
    let position = Position(fields.u64()?);
    let part = Part {
        event: fields.u16()?,
        item: fields.u16()?,
    };
    Ok(DeliveryId { position, part })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::storage::DiskStorage;

    fn checkpoint(cursor: u64) -> Checkpoint {
        let part = Part { event: 2, item: 1 };
        let id = DeliveryId {
            position: Position(7),
            part,
        };
        let history = History {
            attempts: 4,
            failures: 3,
            first_try: Some(Timestamp::from_millis(5)),
            last_try: None,
        };
        let pending = Pending {
            id,
            keys: [Some(OrderKey(u64::MAX)), None],
            accepted_at: Timestamp::from_millis(-1),
            history,
            due: Some(Timestamp::from_millis(9)),
        };
        let memory = Memory {
            cursor: Position(cursor),
            pending: vec![pending],
            settled: vec![DeliveryId::first_of(Position(7))],
        };
        Checkpoint {
            written_at: Timestamp::from_millis(3),
            memory,
        }
    }

    fn checkpoints() -> (tempfile::TempDir, Checkpoints) {
        let dir = tempfile::tempdir().unwrap();
        let storage = Arc::new(DiskStorage::open(dir.path()).unwrap());
        (dir, Checkpoints::new(storage))
    }

    #[test]
    fn reads_back_what_was_written_last() {
        let (_dir, checkpoints) = checkpoints();
        assert!(checkpoints.load("a").unwrap().is_none());
        for cursor in [8, 9, 10] {
            checkpoints.save("a", &checkpoint(cursor)).unwrap();
            assert_eq!(checkpoints.load("a").unwrap(), Some(checkpoint(cursor)));
        }
        checkpoints.remove("a").unwrap();
        assert!(checkpoints.load("a").unwrap().is_none());
    }

    #[test]
    fn every_damaged_byte_falls_back_to_the_generation_before() {
        let (dir, checkpoints) = checkpoints();
        checkpoints.save("a", &checkpoint(8)).unwrap();
        checkpoints.save("a", &checkpoint(9)).unwrap();
        let good = std::fs::read(dir.path().join("a")).unwrap();
        for n in 0..good.len() {
            let mut bad = good.clone();
            bad[n] ^= 0x10;
            std::fs::write(dir.path().join("a"), &bad).unwrap();
            assert_eq!(
                checkpoints.load("a").unwrap(),
                Some(checkpoint(8)),
                "byte {n}"
            );
            std::fs::write(dir.path().join("a"), &good[..n]).unwrap();
            assert_eq!(
                checkpoints.load("a").unwrap(),
                Some(checkpoint(8)),
                "cut at {n}"
            );
        }
        std::fs::write(dir.path().join("a.old"), "").unwrap();
        assert!(matches!(checkpoints.load("a"), Err(LoadError::Damaged)));
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let (dir, checkpoints) = checkpoints();
        for name in ["../a", "a/b", ".", "a.old", "ü", "a:b"] {
            checkpoints.save(name, &checkpoint(8)).unwrap();
            checkpoints.save(name, &checkpoint(9)).unwrap();
        }
        assert_eq!(
            checkpoints.destinations().unwrap(),
            [".", "../a", "a.old", "a/b", "a:b", "ü"]
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 12);
    }
}
