//! Keeps the data directory within its bounds: opens it, lets go of what nobody needs, says when
//! nothing more may be accepted.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::clock::Timestamp;
use crate::config::settings::DeliverySettings;
use crate::config::settings::OnFull;
use crate::config::settings::Start;
use crate::config::settings::StorageSettings;
use crate::deliver::OpenError;
use crate::deliver::checkpoint::Checkpoint;
use crate::deliver::checkpoint::Checkpoints;
use crate::deliver::courier::memory::Memory;
use crate::deliver::dead_letter::DeadLetters;
use crate::deliver::journal;
use crate::deliver::journal::Journal;
use crate::deliver::journal::JournalOptions;
use crate::deliver::journal::Position;
use crate::deliver::journal::Retention;
use crate::deliver::pins::Pins;
use crate::deliver::storage::DiskStorage;
use crate::deliver::storage::Storage;
use crate::deliver::stores::Stores;

/// How often the bounds are looked at: a disk does not fill in a second.
const EVERY: Duration = Duration::from_secs(1);

/// Opens everything in the data directory. Blocks.
pub(super) fn open(settings: &StorageSettings, clock: Clock) -> Result<Stores, OpenError> {
    let failed = |what: &str, source| OpenError::Io {
        what: format!("{what} in {}", settings.dir.display()),
        source,
    };
    let root = DiskStorage::open(&settings.dir).map_err(|error| failed("the directory", error))?;
    let directory = |name: &str| root.directory(name).map_err(|error| failed(name, error));
    let checkpoints = Checkpoints::new(directory("checkpoint")?);
    let options = JournalOptions {
        segment_bytes: settings.segment_bytes,
        known_end: known_end(&checkpoints).map_err(|error| failed("checkpoint", error))?,
        ..JournalOptions::default()
    };
    let refused = |what: &str, error| match error {
        journal::OpenError::Locked => OpenError::Locked,
        journal::OpenError::Io(source) => failed(what, source),
        other => failed(what, io::Error::other(other.to_string())),
    };
    let (journal, recovery) = Journal::open(directory("journal")?, options, clock.clone())
        .map_err(|error| refused("the journal", error))?;
    tracing::debug!(?recovery, "journal is open");
    let dead_letters = DeadLetters::open(directory("dead")?, clock.clone())
        .map_err(|error| refused("the dead letters", error))?;
    Ok(Stores {
        clock,
        journal,
        dead_letters,
        checkpoints,
        pins: Pins::default(),
    })
}

/// The largest position any checkpoint has seen as the end.
fn known_end(checkpoints: &Checkpoints) -> io::Result<Position> {
    let mut end = Position(0);
    for destination in checkpoints.destinations()? {
        if let Ok(Some(checkpoint)) = checkpoints.load(&destination) {
            end = end.max(checkpoint.memory.cursor);
        }
    }
    Ok(end)
}

/// Where a destination goes on, on disk when this returns. Blocks.
pub(super) fn checkpoint(
    stores: &Stores,
    id: &Arc<str>,
    delivery: &DeliverySettings,
    removed_kept: Duration,
) -> Result<Checkpoint, String> {
    let now = stores.clock.now();
    let load = |id: &str| {
        stores
            .checkpoints
            .load(id)
            .map_err(|error| error.to_string())
    };
    let fresh = |checkpoint: &Checkpoint| now <= checkpoint.written_at.after(removed_kept);
    let mut found = load(id)?.filter(fresh);
    if found.is_none()
        && let Some(before) = &delivery.renamed_from
    {
        found = load(before)?.filter(fresh);
    }
    let start = match delivery.start {
        Start::Latest => stores.journal.end(),
        Start::Earliest => stores.journal.start(),
    };
    let memory = found.map_or_else(
        || Memory::starting_at(start),
        |checkpoint| checkpoint.memory,
    );
    let checkpoint = Checkpoint {
        written_at: now,
        memory,
    };
    stores
        .checkpoints
        .save(id, &checkpoint)
        .map_err(|error| format!("cannot write its checkpoint: {error}"))?;
    Ok(checkpoint)
}

/// Looks after the bounds of a data directory.
#[derive(Debug)]
pub(super) struct Keeper {
    stores: Arc<Stores>,
    settings: StorageSettings,
    full: AtomicBool,
    reason: Mutex<Option<String>>,
}

impl Keeper {
    pub(super) fn new(stores: Arc<Stores>, settings: StorageSettings) -> Self {
        Self {
            stores,
            settings,
            full: AtomicBool::new(false),
            reason: Mutex::default(),
        }
    }

    /// Whether nothing more may be accepted for now.
    pub(super) fn is_full(&self) -> bool {
        // A call more or less at the bound does no harm, so no order is needed.
        self.full.load(Ordering::Relaxed)
    }

    /// Why nothing is accepted, if so.
    pub(super) fn refusing(&self) -> Option<String> {
        if self.stores.journal.is_failed() {
            return Some("the disk failed; nothing is accepted until a restart".to_owned());
        }
        self.reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Runs until `stopping` holds true.
    pub(super) async fn run(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        loop {
            let keeper = self.clone();
            let looked = tokio::task::spawn_blocking(move || keeper.look()).await;
            match looked {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "cannot let go of old segments"),
                Err(error) => tracing::error!(%error, "looking after the data directory failed"),
            }
            tokio::select! {
                // The engine that sends it may be gone, which means the same.
                _ = stopping.wait_for(|stop| *stop) => return,
                () = self.stores.clock.sleep(EVERY) => {}
            }
        }
    }

    /// Lets go of what nobody needs and finds out whether more may come. Blocks.
    fn look(&self) -> io::Result<()> {
        let journal = &self.stores.journal;
        let needed = self.stores.pins.lowest().unwrap_or_else(|| journal.end());
        let retain = i64::try_from(self.settings.retain.as_millis()).unwrap_or(i64::MAX);
        let since = self.stores.clock.now().as_millis().saturating_sub(retain);
        let keep = Retention {
            since: Timestamp::from_millis(since),
            bytes_max: self.settings.bytes_max,
        };
        journal.trim(needed, keep)?;
        self.stores.dead_letters.trim()?;
        let unsettled = journal.bytes_since(needed);
        let mut reason = None;
        if self.settings.bytes_max <= unsettled {
            match self.settings.on_full {
                OnFull::Reject => {
                    reason = Some(format!(
                        "{unsettled} bytes are not delivered yet; `max_bytes` is {}",
                        self.settings.bytes_max
                    ));
                }
                OnFull::DropOldest => {
                    let all = Retention {
                        since: Timestamp::from_millis(i64::MIN),
                        ..keep
                    };
                    journal.trim(journal.end(), all)?;
                }
            }
        }
        let free = DiskStorage::open(&self.settings.dir)?.free_bytes()?;
        if free < self.settings.free_bytes_min {
            let least = self.settings.free_bytes_min;
            reason = Some(format!(
                "{free} bytes are free on the disk; `min_free` is {least}"
            ));
        }
        self.full.store(reason.is_some(), Ordering::Relaxed);
        let mut told = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != reason {
            if let Some(reason) = &reason {
                tracing::error!(reason, "nothing more is accepted");
            } else {
                tracing::info!("calls are accepted again");
            }
            *told = reason;
        }
        Ok(())
    }
}
