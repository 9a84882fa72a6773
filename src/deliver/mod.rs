//! Durable delivery: the journal, one worker for each destination, checkpoints, dead letters.
//!
//! [`Engine::append`] returns when a request is on disk. Every destination reads the journal on its
//! own, so what one of them does costs the others nothing. Knows no rules: it is handed the traits of
//! [`crate::event::delivery`].
//!
//! - [`journal`] and [`storage`]: bytes that survive;
//! - [`courier`]: what one destination does, as a state machine; `worker`: the task around it;
//! - [`checkpoint`], [`dead_letter`]: what of it survives;
//! - `fleet`, `keeper`: all of them together, and the bounds they live in;
//! - [`sink`]: the world.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::settings::StorageSettings;
use crate::deliver::checkpoint::Checkpoints;
use crate::deliver::dead_letter::DeadLetter;
use crate::deliver::dead_letter::DeadLetters;
use crate::deliver::destination::Destination;
use crate::deliver::fleet::Fleet;
use crate::deliver::fleet::Statuses;
use crate::deliver::journal::Journal;
use crate::deliver::journal::JournalOptions;
use crate::deliver::journal::Position;
use crate::deliver::keeper::Keeper;
use crate::deliver::pins::Pins;
use crate::deliver::status::EngineStatus;
use crate::deliver::storage::DiskStorage;
use crate::deliver::storage::Storage;
use crate::deliver::stores::Stores;
use crate::deliver::tasks::Tasks;
use crate::event::Call;
use crate::event::Receipt;
use crate::event::record;

pub mod checkpoint;
pub mod courier;
pub mod dead_letter;
pub mod destination;
mod fields;
mod fleet;
pub mod journal;
mod keeper;
mod pins;
pub mod sink;
pub mod status;
pub mod storage;
mod stores;
mod tasks;
mod worker;

#[cfg(test)]
mod tests;

/// Accepts calls and delivers them. Share it behind an [`Arc`]; all methods take `&self`.
///
/// Dropping it stops everything as a crash would: nothing is lost, something may be delivered twice.
#[derive(Debug)]
pub struct Engine {
    stores: Arc<Stores>,
    keeper: Arc<Keeper>,
    keeping: Tasks,
    stop: watch::Sender<bool>,
    fleet: tokio::sync::Mutex<Fleet>,
    statuses: Mutex<Statuses>,
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process holds the data directory.
    #[error("data directory is in use by another process")]
    Locked,
    /// The file system said no.
    #[error("open {what}")]
    Io {
        /// Which part.
        what: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A part of it cannot be opened for another reason.
    #[error("open {what}")]
    Journal {
        /// Which part.
        what: &'static str,
        /// Why.
        #[source]
        source: journal::OpenError,
    },
}

/// Why a request was not stored, or is not known to be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The journal is full of calls that are not delivered, or the disk is; try again after that long.
    #[error("journal is full")]
    Full {
        /// A hint for `Retry-After`.
        retry_after: Duration,
    },
    /// Larger than a frame of the journal may be; nothing was stored.
    #[error("request is larger than the journal takes")]
    TooLarge,
    /// The disk failed or the journal is closing. The request may or may not be stored.
    #[error("journal does not accept")]
    Unavailable(#[source] journal::AppendError),
}

/// A destination that could not be started; the others run.
#[derive(Debug, thiserror::Error)]
#[error("destination `{destination}`: {cause}")]
pub struct StartError {
    /// Which one.
    pub destination: Arc<str>,
    /// Why.
    pub cause: String,
}

/// What a call takes besides its body, about: kind, flags, short ids.
const CALL_BYTES: usize = 128;

/// The hint for clients when more waits for the disk than may wait.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

impl Engine {
    /// Opens the journal, the dead letters and the checkpoints in `settings.dir`, which it creates.
    pub async fn open(settings: &StorageSettings, clock: Clock) -> Result<Self, OpenError> {
        let dir = settings.dir.clone();
        let settings = settings.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let storage = DiskStorage::open(dir).map_err(io_error("data directory"))?;
            Self::open_in(Arc::new(storage), settings, clock)
        });
        opened
            .await
            .unwrap_or_else(|error| Err(io_error("data directory")(io::Error::other(error))))
    }

    /// As [`Engine::open`], in any storage. Blocks.
    pub fn open_in(
        storage: Arc<dyn Storage>,
        settings: StorageSettings,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let directory = |what| storage.directory(what).map_err(io_error(what));
        let checkpoints = Checkpoints::new(directory("checkpoint")?);
        let options = JournalOptions {
            segment_bytes: keeper::segment_bytes(&settings),
            known_end: known_end(&checkpoints).map_err(io_error("checkpoint"))?,
            ..JournalOptions::default()
        };
        let (journal, recovery) = Journal::open(directory("journal")?, options, clock.clone())
            .map_err(journal_error("journal"))?;
        for damage in &recovery.damage {
            tracing::error!(?damage, "the journal is damaged");
        }
        let dead_letters = DeadLetters::open(directory("dead")?, clock.clone())
            .map_err(journal_error("dead letters"))?;
        let ttl = settings.ttl;
        let stores = Arc::new(Stores {
            clock,
            journal,
            dead_letters,
            checkpoints,
            pins: Pins::default(),
        });
        Ok(Self {
            keeper: Arc::new(Keeper::new(stores.clone(), storage, settings)),
            keeping: Tasks::default(),
            stop: watch::Sender::new(false),
            fleet: tokio::sync::Mutex::new(Fleet::new(stores.clone(), ttl)),
            statuses: Mutex::new(Vec::new()),
            stores,
        })
    }

    /// Stores a request; it is on disk when this returns. The position is that of its first call.
    ///
    /// Dropping the future does not undo the append.
    pub async fn append(&self, receipt: &Receipt, calls: &[Call]) -> Result<Position, AppendError> {
        // The journal counts what a frame takes in memory: it should not grow to twice of what it holds.
        let bodies: usize = calls.iter().map(|call| call.body.len() + CALL_BYTES).sum();
        let mut frame = Vec::with_capacity(bodies + receipt.target.len() + CALL_BYTES);
        record::encode(receipt, calls, &mut frame);
        self.keeper.make_room(frame.len() as u64).await?;
        let records = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        self.stores
            .journal
            .append(frame, records)
            .await
            .map_err(|error| match error {
                journal::AppendError::Full { .. } | journal::AppendError::Busy { .. } => {
                    AppendError::Full {
                        retry_after: BUSY_RETRY_AFTER,
                    }
                }
                journal::AppendError::TooLarge { .. } => AppendError::TooLarge,
                error => AppendError::Unavailable(error),
            })
    }

    /// Makes the running destinations those of `destinations`: starts new ones, hands changed ones
    /// their new plan, leaves unchanged ones alone, stops removed ones and keeps their checkpoints.
    ///
    /// When it returns, calls appended from now on will reach every destination it was given.
    pub async fn reconcile(&self, destinations: Vec<Destination>) -> Result<(), Vec<StartError>> {
        let mut fleet = self.fleet.lock().await;
        let errors = fleet.reconcile(destinations).await;
        *self.statuses.lock().unwrap_or_else(PoisonError::into_inner) = fleet.statuses();
        if !self.keeping.is_running() {
            self.keeping
                .spawn(self.keeper.clone().run(self.stop.subscribe()));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Stops reading, lets what is under way finish until `within` has passed, writes the
    /// checkpoints and closes the journal.
    pub async fn drain(&self, within: Duration) {
        let until = self.stores.clock.tick().after(within);
        self.fleet.lock().await.drain(until).await;
        self.stop.send_replace(true);
        self.keeping.ended().await;
        let stores = self.stores.clone();
        let closing = tokio::task::spawn_blocking(move || {
            stores.journal.close();
            stores.dead_letters.close();
        });
        if let Err(error) = closing.await {
            tracing::error!(%error, "cannot close the journal");
        }
    }

    /// What the engine and its destinations are doing.
    pub fn status(&self) -> EngineStatus {
        let journal = &self.stores.journal;
        let statuses = self
            .statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        EngineStatus {
            start: journal.start(),
            end: journal.end(),
            journal_bytes: journal.usage().bytes,
            refusing: self.keeper.refusing(),
            dead_letters: self
                .stores
                .dead_letters
                .end()
                .since(self.stores.dead_letters.start()),
            destinations: statuses.iter().map(fleet::Watched::read).collect(),
        }
    }

    /// Reads dead letters from `from` on, oldest first, about a megabyte at a time, and says where to
    /// go on; that is `from` when there are no more.
    pub async fn dead_letters(&self, from: Position) -> io::Result<(Vec<DeadLetter>, Position)> {
        let stores = self.stores.clone();
        let reading = tokio::task::spawn_blocking(move || stores.dead_letters.read(from, 1 << 20));
        reading.await?.map_err(io::Error::other)
    }
}

/// The largest position any checkpoint has seen. A damaged one knows nothing.
fn known_end(checkpoints: &Checkpoints) -> io::Result<Position> {
    let mut known = Position(0);
    for destination in checkpoints.destinations()? {
        if let Ok(Some(checkpoint)) = checkpoints.load(&destination) {
            known = known.max(checkpoint.memory.cursor);
        }
    }
    Ok(known)
}

fn io_error(what: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { what, source }
}

fn journal_error(what: &'static str) -> impl Fn(journal::OpenError) -> OpenError {
    move |source| match source {
        journal::OpenError::Locked => OpenError::Locked,
        source => OpenError::Journal { what, source },
    }
}
