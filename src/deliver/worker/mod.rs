//! The task of one destination: does what its courier asks for and tells it what came of it.
//!
//! Decisions are made in one place, [`Worker::advance`], between two waits; everything that takes time
//! is a job: reading the journal, sending, writing dead letters and checkpoints. A worker waits for
//! nobody else, so a destination that hangs hangs alone. It ends when it is told to, see [`Command`].

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task;
use tokio::task::JoinError;
use tokio::task::JoinSet;

use crate::clock::Tick;
use crate::deliver::checkpoint::Checkpoint;
use crate::deliver::courier::Action;
use crate::deliver::courier::Burial;
use crate::deliver::courier::Courier;
use crate::deliver::courier::FlightId;
use crate::deliver::courier::Input;
use crate::deliver::courier::Moment;
use crate::deliver::courier::Terms;
use crate::deliver::destination::Destination;
use crate::deliver::journal::Position;
use crate::deliver::status::Activity;
use crate::deliver::status::DestinationStatus;
use crate::deliver::stores::Stores;
use crate::deliver::worker::burying::Buried;
use crate::deliver::worker::fetching::Fetched;
use crate::deliver::worker::reading::Feed;
use crate::deliver::worker::reading::Read;
use crate::deliver::worker::sending::Aloft;
use crate::deliver::worker::sending::Landed;

mod burying;
mod fetching;
mod reading;
mod sending;

/// How often a checkpoint is written, if there is something new: the most that is delivered again
/// after a crash.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How long the disk is left alone after it gave an error.
const REST: Duration = Duration::from_secs(1);

/// What a worker can be told.
#[derive(Debug)]
pub(super) enum Command {
    /// Deliver under this plan from now on.
    Plan(Arc<Destination>),
    /// End: what is under way may finish until then.
    Drain(Tick),
    /// As [`Command::Drain`], and the destination is no longer configured.
    Leave(Tick),
}

/// What is done outside of the worker's own thread of thought.
#[derive(Debug)]
enum Done {
    Read(Read),
    Loaded(Vec<(Position, Fetched)>),
    Buried(Buried),
    Saved(Position, io::Result<()>),
    Landed(Landed),
}

/// One job as far as the worker must know of it when it dies.
#[derive(Clone, Debug)]
enum Job {
    Read,
    Load(Vec<Position>),
    Bury(Vec<Burial>),
    Save,
    Send(FlightId),
}

/// Kinds of jobs of which there is one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Single {
    Read,
    Load,
    Bury,
    Save,
}

#[derive(Clone, Copy, Debug)]
struct Closing {
    until: Tick,
    /// Whether what was not delivered is still wanted: by the next start.
    pinned: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Worker {
    stores: Arc<Stores>,
    plan: Arc<Destination>,
    ttl: Option<Duration>,
    courier: Courier,
    actions: Vec<Action>,
    feed: Feed,
    loads: Vec<Position>,
    burials: Vec<Burial>,
    flights: BTreeMap<FlightId, Aloft>,
    jobs: JoinSet<Done>,
    running: HashMap<task::Id, Job>,
    singles: BTreeSet<Single>,
    commands: mpsc::Receiver<Command>,
    end: watch::Receiver<Position>,
    status: Arc<Mutex<DestinationStatus>>,
    saved_at: Tick,
    changed: bool,
    resting_until: Tick,
    closing: Option<Closing>,
}

/// What a worker is made of.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) stores: Arc<Stores>,
    pub(super) plan: Arc<Destination>,
    /// How long a call may be pending.
    pub(super) ttl: Option<Duration>,
    /// Where to go on; on disk already.
    pub(super) checkpoint: Checkpoint,
    pub(super) commands: mpsc::Receiver<Command>,
}

impl Worker {
    pub(super) fn new(start: Start) -> Self {
        let Start {
            stores,
            plan,
            ttl,
            checkpoint,
            commands,
        } = start;
        let now = stores.moment();
        let terms = terms(&plan, ttl);
        let courier = Courier::resume(&checkpoint.memory, terms, fastrand::u64(..), now);
        let status = courier.report(&plan.id, &plan.revision, now);
        Self {
            feed: Feed::new(stores.journal.reader(courier.cursor())),
            end: stores.journal.subscribe(),
            status: Arc::new(Mutex::new(status)),
            saved_at: now.tick,
            stores,
            plan,
            ttl,
            courier,
            actions: Vec::new(),
            loads: Vec::new(),
            burials: Vec::new(),
            flights: BTreeMap::new(),
            jobs: JoinSet::new(),
            running: HashMap::new(),
            singles: BTreeSet::new(),
            commands,
            changed: false,
            resting_until: Tick::default(),
            closing: None,
        }
    }

    /// Where the state of the destination can be read while the worker runs.
    pub(super) fn status(&self) -> Arc<Mutex<DestinationStatus>> {
        self.status.clone()
    }

    /// Delivers until told to end, then writes the checkpoint.
    pub(super) async fn run(mut self) {
        // What was pending at the last stop may be due.
        self.step(Input::Wake);
        loop {
            let now = self.stores.moment();
            let hungry = self.advance(now);
            self.publish();
            if self.is_over() {
                break;
            }
            let wake = self.wake_at(now);
            tokio::select! {
                biased;
                command = self.commands.recv() => self.obey(command),
                Some(done) = self.jobs.join_next_with_id() => self.finish(done),
                Ok(()) = self.end.changed(), if self.feed.is_caught_up() => {}
                () = self.stores.clock.sleep_until(wake) => self.step(Input::Wake),
                () = task::yield_now(), if hungry => {}
            }
        }
        self.close().await;
    }

    fn step(&mut self, input: Input<'_>) {
        let now = self.stores.moment();
        self.changed |= !matches!(input, Input::Wake);
        self.courier.step(input, now, &mut self.actions);
    }

    /// Does all that can be done without waiting. Returns whether there is more to read right away.
    fn advance(&mut self, now: Moment) -> bool {
        let cursor = self.courier.cursor();
        let translate = &*self.plan.translate;
        let hungry = self
            .feed
            .hand_over(&mut self.courier, translate, now, &mut self.actions);
        if cursor < self.courier.cursor() {
            self.changed = true;
            self.step(Input::Wake);
        }
        // A batch that cannot be framed is judged at once, which may ask for more.
        while !self.actions.is_empty() {
            self.changed = true;
            for action in std::mem::take(&mut self.actions) {
                match action {
                    Action::Load(position) => self.loads.push(position),
                    Action::Bury(burial) => self.burials.push(burial),
                    Action::Send(dispatch) => self.send(dispatch),
                }
            }
        }
        if self.resting_until <= now.tick {
            self.start_read();
            self.start_load();
            self.start_bury();
            if self.saved_at.after(CHECKPOINT_EVERY) <= now.tick {
                self.start_save(now.tick);
            }
        }
        hungry
    }

    fn obey(&mut self, command: Option<Command>) {
        let closing = match command {
            Some(Command::Plan(plan)) => {
                let terms = terms(&plan, self.ttl);
                self.plan = plan;
                return self.step(Input::Plan(terms));
            }
            Some(Command::Drain(until)) => Closing {
                until,
                pinned: true,
            },
            Some(Command::Leave(until)) => Closing {
                until,
                pinned: false,
            },
            // The engine is gone.
            None => Closing {
                until: Tick::default(),
                pinned: self.closing.is_none_or(|closing| closing.pinned),
            },
        };
        self.closing = Some(closing);
        self.step(Input::Drain);
    }

    fn finish(&mut self, done: Result<(task::Id, Done), JoinError>) {
        match done {
            Ok((id, done)) => {
                self.running.remove(&id);
                match done {
                    Done::Read(read) => self.take_read(read),
                    Done::Loaded(records) => self.take_loaded(records),
                    Done::Buried(buried) => self.take_buried(buried),
                    Done::Saved(watermark, saved) => self.take_saved(watermark, saved),
                    Done::Landed(landed) => self.land(landed),
                }
            }
            Err(error) => {
                let job = self.running.remove(&error.id());
                tracing::error!(destination = &*self.plan.id, %error, ?job, "job died");
                self.recover(job);
            }
        }
    }

    /// A bug ended a job: it is done again.
    fn recover(&mut self, job: Option<Job>) {
        self.rest();
        match job {
            Some(Job::Read) => {
                self.singles.remove(&Single::Read);
                let next = self.feed.next_position(self.courier.cursor());
                self.feed.restart(self.stores.journal.reader(next));
            }
            Some(Job::Load(positions)) => {
                self.singles.remove(&Single::Load);
                self.loads.extend(positions);
            }
            Some(Job::Bury(burials)) => {
                self.singles.remove(&Single::Bury);
                self.burials.extend(burials);
            }
            Some(Job::Save) => {
                self.singles.remove(&Single::Save);
                self.changed = true;
            }
            Some(Job::Send(flight)) => self.land(Landed::died(flight)),
            None => {}
        }
    }

    /// Runs a job that blocks a thread.
    fn run_blocking(&mut self, job: Job, work: impl FnOnce() -> Done + Send + 'static) {
        let handle = self.jobs.spawn_blocking(work);
        self.running.insert(handle.id(), job);
    }

    /// Runs a job that waits.
    fn run_waiting(&mut self, job: Job, work: impl Future<Output = Done> + Send + 'static) {
        let handle = self.jobs.spawn(work);
        self.running.insert(handle.id(), job);
    }

    fn start_save(&mut self, now: Tick) {
        if !self.changed || !self.singles.insert(Single::Save) {
            return;
        }
        self.changed = false;
        self.saved_at = now;
        let checkpoint = self.checkpoint();
        let (stores, id) = (self.stores.clone(), self.plan.id.clone());
        self.run_blocking(Job::Save, move || {
            let saved = stores.checkpoints.save(&id, &checkpoint);
            Done::Saved(checkpoint.memory.watermark(), saved)
        });
    }

    fn take_saved(&mut self, watermark: Position, saved: io::Result<()>) {
        self.singles.remove(&Single::Save);
        match saved {
            // Order: only what is on disk may let the journal go on.
            Ok(()) => self.stores.pins.set(&self.plan.id, watermark),
            Err(error) => {
                tracing::error!(destination = &*self.plan.id, %error, "cannot write checkpoint");
                self.changed = true;
                self.rest();
            }
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let now = self.stores.moment();
        Checkpoint {
            written_at: now.wall,
            memory: self.courier.memory(now),
        }
    }

    fn rest(&mut self) {
        self.resting_until = self.stores.clock.tick().after(REST);
    }

    /// When there is something to do if nothing happens, as seen at the moment of the last advance.
    fn wake_at(&self, now: Moment) -> Tick {
        let save = self.saved_at.after(CHECKPOINT_EVERY);
        let expiry = self
            .feed
            .oldest_unread()
            .zip(self.ttl)
            .map(|(accepted_at, ttl)| {
                let wait = accepted_at
                    .after(ttl)
                    .as_millis()
                    .saturating_sub(now.wall.as_millis());
                now.tick
                    .after(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
            });
        // What was due then was done then, or waits for something else.
        let later = [
            expiry,
            Some(save).filter(|_| self.changed),
            Some(self.resting_until),
        ];
        let later = later.into_iter().flatten().filter(|wake| now.tick < *wake);
        let until = self.closing.map(|closing| closing.until);
        let wake = self
            .courier
            .wake_at(now)
            .into_iter()
            .chain(until)
            .chain(later)
            .min();
        wake.unwrap_or(Tick::new(Duration::MAX))
    }

    fn is_over(&self) -> bool {
        self.closing.is_some_and(|closing| {
            let is_quiet = self.courier.is_quiet() && self.burials.is_empty();
            is_quiet || closing.until <= self.stores.clock.tick()
        })
    }

    async fn close(mut self) {
        // What blocks a thread cannot be stopped, and must not write after what follows.
        self.jobs.shutdown().await;
        let checkpoint = self.checkpoint();
        let (stores, id) = (self.stores.clone(), self.plan.id.clone());
        let saving = task::spawn_blocking(move || stores.checkpoints.save(&id, &checkpoint));
        match saving
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
        {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(destination = &*self.plan.id, %error, "cannot write checkpoint");
            }
        }
        if self.closing.is_some_and(|closing| !closing.pinned) {
            self.stores.pins.clear(&self.plan.id);
        }
        self.publish();
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.activity = Activity::Stopped;
    }

    fn publish(&self) {
        let now = self.stores.moment();
        let mut report = self.courier.report(&self.plan.id, &self.plan.revision, now);
        report.behind = self.stores.journal.end().since(report.cursor);
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }
}

fn terms(plan: &Destination, ttl: Option<Duration>) -> Terms {
    Terms {
        lanes: plan.lanes.iter().map(|lane| lane.batch).collect(),
        ordering: plan.delivery.ordering,
        concurrency: plan.delivery.concurrency,
        rate: plan.delivery.rate,
        retry: plan.delivery.retry.clone(),
        ttl,
    }
}
