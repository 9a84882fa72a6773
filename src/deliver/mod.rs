//! Durable delivery: the journal, one worker for each destination, checkpoints, dead letters.
//!
//! [`Engine::append`] returns when a request is on disk. Every destination reads the journal on its
//! own, so what one of them does costs the others nothing. Knows no rules: it is handed the traits of
//! [`crate::event::delivery`].

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::settings::StorageSettings;
use crate::deliver::dead_letter::DeadLetters;
use crate::deliver::destination::Destination;
use crate::deliver::journal::Position;
use crate::deliver::keeper::Keeper;
use crate::deliver::status::DestinationStatus;
use crate::deliver::status::EngineStatus;
use crate::deliver::stores::Stores;
use crate::deliver::tasks::Tasks;
use crate::deliver::worker::Command;
use crate::deliver::worker::Start;
use crate::deliver::worker::Worker;
use crate::event::Call;
use crate::event::Receipt;
use crate::event::record;

pub mod checkpoint;
pub mod courier;
pub mod dead_letter;
pub mod destination;
mod fields;
pub mod journal;
mod keeper;
mod pins;
pub mod sink;
pub mod status;
pub mod storage;
mod stores;
mod tasks;
mod worker;

/// Accepts calls and delivers them. Cheap to share behind an [`Arc`]; all methods take `&self`.
#[derive(Debug)]
pub struct Engine {
    stores: Arc<Stores>,
    settings: StorageSettings,
    keeper: Arc<Keeper>,
    tasks: Tasks,
    /// The running destinations. Locked only while the configuration changes.
    crew: tokio::sync::Mutex<Crew>,
    statuses: Mutex<BTreeMap<Arc<str>, Arc<Mutex<DestinationStatus>>>>,
    stop: watch::Sender<bool>,
}

/// Who delivers.
#[derive(Debug, Default)]
struct Crew {
    running: BTreeMap<Arc<str>, Running>,
    /// Workers of removed destinations that are finishing.
    leaving: BTreeMap<Arc<str>, oneshot::Receiver<()>>,
}

#[derive(Debug)]
struct Running {
    revision: Arc<str>,
    commands: mpsc::Sender<Command>,
    ended: oneshot::Receiver<()>,
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process holds the data directory.
    #[error("data directory is in use by another process")]
    Locked,
    /// The file system said no.
    #[error("cannot open {what}")]
    Io {
        /// Which part.
        what: String,
        /// What it said.
        #[source]
        source: std::io::Error,
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
    /// Larger than a record may be; nothing was stored.
    #[error("request is larger than a record may be")]
    TooLarge,
    /// The disk failed or the journal is closing. The request may or may not be stored.
    #[error("journal does not accept: {0}")]
    Unavailable(String),
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

/// How long the worker of a removed destination may finish what is under way.
const LEAVE_WITHIN: Duration = Duration::from_secs(30);

/// How long the checkpoint of a removed destination is kept: a week, for a change that is reverted.
const REMOVED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// When a client should come back to a journal that is full: destinations need time to catch up.
const RETRY_FULL: Duration = Duration::from_secs(10);

/// When a client should come back to a journal that is busy.
const RETRY_BUSY: Duration = Duration::from_secs(1);

impl Engine {
    /// Opens the journal, the dead letters and the checkpoints in `settings.dir`, which it creates.
    pub async fn open(settings: &StorageSettings, clock: Clock) -> Result<Self, OpenError> {
        let settings = settings.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let stores = keeper::open(&settings, clock)?;
            Ok((stores, settings))
        });
        let (stores, settings) = opened.await.map_err(|error| OpenError::Io {
            what: "the data directory".to_owned(),
            source: std::io::Error::other(error),
        })??;
        let stores = Arc::new(stores);
        let keeper = Arc::new(Keeper::new(stores.clone(), settings.clone()));
        let (stop, stopping) = watch::channel(false);
        let tasks = Tasks::default();
        tasks.spawn(keeper.clone().run(stopping));
        Ok(Self {
            stores,
            settings,
            keeper,
            tasks,
            crew: tokio::sync::Mutex::default(),
            statuses: Mutex::default(),
            stop,
        })
    }

    /// Stores a request; it is on disk when this returns. The position is that of its first call.
    ///
    /// Dropping the future does not undo the append.
    pub async fn append(&self, receipt: &Receipt, calls: &[Call]) -> Result<Position, AppendError> {
        if self.keeper.is_full() {
            return Err(AppendError::Full {
                retry_after: RETRY_FULL,
            });
        }
        let bytes = calls
            .iter()
            .map(|call| call.body.len() + 128)
            .sum::<usize>();
        let mut frame = Vec::with_capacity(bytes + 256);
        record::encode(receipt, calls, &mut frame);
        let records = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        self.stores
            .journal
            .append(frame, records)
            .await
            .map_err(|error| match error {
                journal::AppendError::Full { .. } => AppendError::Full {
                    retry_after: RETRY_FULL,
                },
                journal::AppendError::Busy { .. } => AppendError::Full {
                    retry_after: RETRY_BUSY,
                },
                journal::AppendError::TooLarge { .. } => AppendError::TooLarge,
                other => AppendError::Unavailable(other.to_string()),
            })
    }

    /// Makes the running destinations those of `destinations`: starts new ones, hands changed ones
    /// their new plan, leaves unchanged ones alone, stops removed ones and keeps their checkpoints.
    ///
    /// When it returns, calls appended from now on will reach every destination it was given.
    pub async fn reconcile(&self, destinations: Vec<Destination>) -> Result<(), Vec<StartError>> {
        let mut crew = self.crew.lock().await;
        let wanted: BTreeSet<_> = destinations.iter().map(|it| it.id.clone()).collect();
        let removed: Vec<_> = crew
            .running
            .keys()
            .filter(|id| !wanted.contains(*id))
            .cloned()
            .collect();
        let until = self.stores.clock.tick().after(LEAVE_WITHIN);
        for id in removed {
            if let Some(running) = crew.running.remove(&id) {
                // A worker that ended by itself needs no order to.
                drop(running.commands.send(Command::Leave(until)).await);
                crew.leaving.insert(id.clone(), running.ended);
                self.statuses().remove(&id);
            }
        }
        let mut errors = Vec::new();
        for destination in destinations {
            let id = destination.id.clone();
            match crew.running.get_mut(&id) {
                Some(running) if running.revision == destination.revision => {}
                Some(running) => {
                    running.revision = destination.revision.clone();
                    drop(
                        running
                            .commands
                            .send(Command::Plan(Arc::new(destination)))
                            .await,
                    );
                }
                None => match self.start(destination, crew.leaving.remove(&id)).await {
                    Ok(running) => drop(crew.running.insert(id, running)),
                    Err(cause) => errors.push(StartError {
                        destination: id,
                        cause,
                    }),
                },
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    async fn start(
        &self,
        destination: Destination,
        leaving: Option<oneshot::Receiver<()>>,
    ) -> Result<Running, String> {
        if let Some(leaving) = leaving {
            // Two workers of one destination would deliver everything twice.
            let _ = leaving.await;
        }
        let (stores, id) = (self.stores.clone(), destination.id.clone());
        let delivery = destination.delivery.clone();
        let preparing = tokio::task::spawn_blocking(move || {
            let checkpoint = keeper::checkpoint(&stores, &id, &delivery, REMOVED_KEPT)?;
            // Order: what a destination needs is pinned before anything can be let go.
            stores.pins.set(&id, checkpoint.memory.watermark());
            Ok::<_, String>(checkpoint)
        });
        let checkpoint = preparing.await.map_err(|error| error.to_string())??;
        let (commands, orders) = mpsc::channel(8);
        let (end, ended) = oneshot::channel::<()>();
        let id = destination.id.clone();
        let revision = destination.revision.clone();
        let worker = Worker::new(Start {
            stores: self.stores.clone(),
            plan: Arc::new(destination),
            ttl: self.settings.ttl,
            checkpoint,
            commands: orders,
        });
        self.statuses().insert(id, worker.status());
        self.tasks.spawn(async move {
            worker.run().await;
            // Nobody may be waiting for it.
            let _ = end.send(());
        });
        Ok(Running {
            revision,
            commands,
            ended,
        })
    }

    /// Stops reading, lets what is under way finish until `within` has passed, writes the
    /// checkpoints and closes the journal.
    pub async fn drain(&self, within: Duration) {
        let until = self.stores.clock.tick().after(within);
        {
            let mut crew = self.crew.lock().await;
            for running in std::mem::take(&mut crew.running).into_values() {
                drop(running.commands.send(Command::Drain(until)).await);
            }
        }
        // The keeper may have ended by itself.
        let _ = self.stop.send(true);
        self.tasks.ended().await;
        let stores = self.stores.clone();
        let closing = tokio::task::spawn_blocking(move || {
            stores.dead_letters.close();
            stores.journal.close();
        });
        if let Err(error) = closing.await {
            tracing::error!(%error, "closing the journal failed");
        }
    }

    /// What the engine and its destinations are doing.
    pub fn status(&self) -> EngineStatus {
        let read = |status: &Arc<Mutex<DestinationStatus>>| {
            status
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        let journal = &self.stores.journal;
        EngineStatus {
            start: journal.start(),
            end: journal.end(),
            journal_bytes: journal.usage().bytes,
            refusing: self.keeper.refusing(),
            destinations: self.statuses().values().map(read).collect(),
        }
    }

    /// The events that were given up.
    pub fn dead_letters(&self) -> &DeadLetters {
        &self.stores.dead_letters
    }

    fn statuses(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<Mutex<DestinationStatus>>>> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
