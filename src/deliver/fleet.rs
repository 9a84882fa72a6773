//! The workers of all destinations: starts, replaces and ends them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::Tick;
use crate::config::settings::Start as StartAt;
use crate::deliver::StartError;
use crate::deliver::checkpoint::Checkpoint;
use crate::deliver::checkpoint::LoadError;
use crate::deliver::courier::memory::Memory;
use crate::deliver::destination::Destination;
use crate::deliver::journal::Position;
use crate::deliver::status::Activity;
use crate::deliver::status::DestinationStatus;
use crate::deliver::stores::Stores;
use crate::deliver::tasks::Tasks;
use crate::deliver::worker::Command;
use crate::deliver::worker::Start;
use crate::deliver::worker::Worker;

/// Commands that wait for a worker: more than can be given between two of its steps.
const COMMANDS_MAX: usize = 8;
/// How long a removed destination may finish what is under way.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// The workers, by destination.
#[derive(Debug)]
pub(super) struct Fleet {
    stores: Arc<Stores>,
    tasks: Tasks,
    /// How long a call may be pending.
    ttl: Option<Duration>,
    running: BTreeMap<Arc<str>, Running>,
    /// Removed, and still finishing.
    leaving: BTreeMap<Arc<str>, mpsc::Sender<Command>>,
}

#[derive(Debug)]
struct Running {
    commands: mpsc::Sender<Command>,
    revision: Arc<str>,
    status: Arc<Mutex<DestinationStatus>>,
}

/// Where the state of every destination can be read without waiting.
pub(super) type Statuses = Vec<Watched>;

/// The state of one destination.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    commands: mpsc::Sender<Command>,
    status: Arc<Mutex<DestinationStatus>>,
}

impl Watched {
    pub(super) fn read(&self) -> DestinationStatus {
        let mut status = self
            .status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if self.commands.is_closed() {
            status.activity = Activity::Stopped;
        }
        status
    }
}

impl Fleet {
    pub(super) fn new(stores: Arc<Stores>, ttl: Option<Duration>) -> Self {
        Self {
            stores,
            tasks: Tasks::default(),
            ttl,
            running: BTreeMap::new(),
            leaving: BTreeMap::new(),
        }
    }

    /// See [`crate::deliver::Engine::reconcile`].
    pub(super) async fn reconcile(&mut self, wanted: Vec<Destination>) -> Vec<StartError> {
        self.leaving.retain(|_, commands| !commands.is_closed());
        let wanted: BTreeMap<_, _> = wanted
            .into_iter()
            .map(|destination| (destination.id.clone(), destination))
            .collect();
        // Order: the removed leave first, for the checkpoints that a rename inherits.
        self.remove_all_but(&wanted).await;
        let mut errors = Vec::new();
        for (id, destination) in wanted {
            match self.running.get_mut(&id) {
                Some(running) if !running.commands.is_closed() => running.update(destination).await,
                _ => {
                    if let Err(cause) = self.start(destination).await {
                        // Whatever it has to say is kept until it can be read.
                        self.stores.pins.set(&id, Position(0));
                        errors.push(StartError {
                            destination: id,
                            cause,
                        });
                    }
                }
            }
        }
        self.stores.pins.complete();
        errors
    }

    async fn remove_all_but(&mut self, wanted: &BTreeMap<Arc<str>, Destination>) {
        let until = self.stores.clock.tick().after(LEAVE_WITHIN);
        let removed: Vec<_> = self
            .running
            .keys()
            .filter(|id| !wanted.contains_key(*id))
            .cloned()
            .collect();
        for id in removed {
            if let Some(running) = self.running.remove(&id) {
                // Fails if it has ended, and then there is nothing to end.
                running.commands.send(Command::Leave(until)).await.ok();
                self.leaving.insert(id, running.commands);
            }
        }
        // Those that did not start before and are no longer wanted keep nothing either.
        self.stores
            .pins
            .retain(|id| wanted.contains_key(id) || self.leaving.contains_key(id));
    }

    async fn start(&mut self, destination: Destination) -> Result<(), String> {
        let before = [
            Some(&destination.id),
            destination.delivery.renamed_from.as_ref(),
        ];
        for id in before.into_iter().flatten() {
            if let Some(leaving) = self.leaving.remove(id) {
                leaving.closed().await;
            }
        }
        let plan = Arc::new(destination);
        let (stores, starting) = (self.stores.clone(), plan.clone());
        let loading = tokio::task::spawn_blocking(move || load(&stores, &starting));
        let checkpoint = loading.await.map_err(|error| error.to_string())??;
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        let worker = Worker::new(Start {
            stores: self.stores.clone(),
            plan: plan.clone(),
            ttl: self.ttl,
            checkpoint,
            commands: received,
        });
        let revision = plan.revision.clone();
        let running = Running {
            commands,
            revision,
            status: worker.status(),
        };
        self.running.insert(plan.id.clone(), running);
        self.tasks.spawn(worker.run());
        Ok(())
    }

    /// Ends all workers, until then at the latest.
    pub(super) async fn drain(&mut self, until: Tick) {
        for running in self.running.values() {
            running.commands.send(Command::Drain(until)).await.ok();
        }
        self.tasks.ended().await;
        self.running.clear();
        self.leaving.clear();
    }

    pub(super) fn statuses(&self) -> Statuses {
        let watch = |running: &Running| Watched {
            commands: running.commands.clone(),
            status: running.status.clone(),
        };
        self.running.values().map(watch).collect()
    }
}

impl Running {
    async fn update(&mut self, destination: Destination) {
        if self.revision != destination.revision {
            self.revision = destination.revision.clone();
            self.commands
                .send(Command::Plan(Arc::new(destination)))
                .await
                .ok();
        }
    }
}

/// Finds where a destination goes on, and puts it on disk: what is accepted from now on reaches it
/// even if the process ends before anything else happens. Blocks.
fn load(stores: &Stores, destination: &Destination) -> Result<Checkpoint, String> {
    let (start, end) = (stores.journal.start(), stores.journal.end());
    let inherited = destination.delivery.renamed_from.as_deref();
    let mut memory = None;
    for id in [Some(&*destination.id), inherited].into_iter().flatten() {
        memory = match stores.checkpoints.load(id) {
            Ok(found) => found.map(|found| found.memory),
            Err(LoadError::Damaged) => {
                tracing::error!(
                    id,
                    "starts with the oldest call kept: its checkpoint is damaged"
                );
                Some(Memory::starting_at(start))
            }
            Err(error @ LoadError::Io(_)) => return Err(describe(&error)),
        };
        if memory.is_some() {
            break;
        }
    }
    let memory = memory.unwrap_or_else(|| {
        Memory::starting_at(match destination.delivery.start {
            StartAt::Latest => end,
            StartAt::Earliest => start,
        })
    });
    let checkpoint = Checkpoint {
        written_at: stores.clock.now(),
        memory,
    };
    let saved = stores.checkpoints.save(&destination.id, &checkpoint);
    saved.map_err(|error| format!("write checkpoint: {error}"))?;
    stores
        .pins
        .set(&destination.id, checkpoint.memory.watermark());
    Ok(checkpoint)
}

fn describe(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
