//! Edits going live: hints and polls, the hash that decides, and the swap at the end.
//!
//! A watch event is a hint, the content hash is the truth, a poll is the guarantee. Everything new is
//! built first; an error at any step leaves what serves untouched.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::diagnostic::Code;
use crate::metrics::Metrics;
use crate::metrics::ReloadLabels;
use crate::server::configuration;
use crate::server::configuration::Candidate;
use crate::server::configuration::Environment;
use crate::server::files::ContentHash;
use crate::server::files::DiskFiles;
use crate::server::gateway::Gateway;
use crate::server::live::Live;
use crate::server::live::Rejected;
use crate::server::watch::Watch;

/// How long the directory must be quiet after a hint: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// How long hints can put a look off: a directory that never is quiet must not stop reloads.
const QUIET_MAX: Duration = Duration::from_secs(2);

/// A file that does not parse this soon after a hint may be half written: look once more.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// What a reload came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The files hold what is active.
    Unchanged(ContentHash),
    /// The files went live.
    Applied(ContentHash),
    /// They went live but for settings that take a restart, which are named.
    NeedsRestart(ContentHash, Vec<String>),
    /// They were refused; the findings are in the answer.
    Refused(Box<Refusal>),
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the files held.
    pub hash: ContentHash,
    /// The findings for people.
    pub text: String,
    /// The findings for machines, one JSON object each.
    pub json: Vec<String>,
}

/// Asks the reloader to look now.
#[derive(Clone, Debug)]
pub struct Trigger(mpsc::Sender<oneshot::Sender<Outcome>>);

impl Trigger {
    /// Looks now and waits for what came of it; `None` when the gateway is stopping.
    pub async fn look(&self) -> Option<Outcome> {
        let (answer, outcome) = oneshot::channel();
        self.0.send(answer).await.ok()?;
        outcome.await.ok()
    }
}

/// Keeps the active configuration equal to the files.
#[derive(Debug)]
pub struct Reloader {
    path: PathBuf,
    environment: Environment,
    gateway: Arc<Gateway>,
    clock: Clock,
    files: Arc<DiskFiles>,
    asked: mpsc::Receiver<oneshot::Sender<Outcome>>,
    watch: Watch,
}

impl Reloader {
    /// A reloader for the configuration at `path`, which `files` was read from.
    pub fn new(
        gateway: Arc<Gateway>,
        (path, environment): (PathBuf, Environment),
        files: Arc<DiskFiles>,
        clock: Clock,
    ) -> (Self, Trigger) {
        // Several who ask at once are answered by the same look.
        let (sender, asked) = mpsc::channel(16);
        let mut watch = Watch::new();
        watch.set(&files.watched());
        (
            Self {
                path,
                environment,
                gateway,
                clock,
                files,
                asked,
                watch,
            },
            Trigger(sender),
        )
    }

    /// Runs until every [`Trigger`] is gone.
    pub async fn run(mut self) {
        loop {
            let poll = self.gateway.live().active().plan.settings.reload.poll;
            let mut waiting = Vec::new();
            tokio::select! {
                asked = self.asked.recv() => match asked {
                    Some(asked) => waiting.push(asked),
                    None => return,
                },
                () = self.watch.heard() => self.wait_for_quiet(&mut waiting).await,
                () = self.clock.sleep(poll) => {}
            }
            while let Ok(asked) = self.asked.try_recv() {
                waiting.push(asked);
            }
            let outcome = self
                .look(Look {
                    is_asked: !waiting.is_empty(),
                })
                .await;
            for asked in waiting {
                // Whoever asked may have gone.
                drop(asked.send(outcome.clone()));
            }
        }
    }

    async fn wait_for_quiet(&mut self, waiting: &mut Vec<oneshot::Sender<Outcome>>) {
        let latest = self.clock.tick().after(QUIET_MAX);
        loop {
            let quiet = self.clock.tick().after(QUIET).min(latest);
            tokio::select! {
                () = self.watch.heard(), if self.clock.tick() < latest => {}
                asked = self.asked.recv() => match asked {
                    // Somebody who asks wants an answer about what is there now.
                    Some(asked) => return waiting.push(asked),
                    None => return,
                },
                () = self.clock.sleep_until(quiet) => return,
            }
        }
    }

    async fn look(&mut self, look: Look) -> Outcome {
        let now = self.hash_now().await;
        let live = self.gateway.live();
        if now == live.active().hash {
            if live.clear_rejection().is_some() {
                tracing::info!(
                    hash = now.short(),
                    "configuration is back to what is active"
                );
                self.gateway.metrics().reload_successful.set(1);
                self.count("unchanged");
            }
            self.watch.set(&self.files.watched());
            return Outcome::Unchanged(now);
        }
        if let Some(rejected) = live.rejected()
            && rejected.hash == now
            && !look.is_asked
        {
            return Outcome::Refused(Box::new(refusal(&rejected)));
        }
        let mut candidate = self.read().await;
        if candidate.is_half_written() && !look.is_asked {
            self.clock.sleep(SECOND_LOOK).await;
            candidate = self.read().await;
        }
        self.files = candidate.files.clone();
        self.watch.set(&self.files.watched());
        self.decide(candidate).await
    }

    async fn decide(&self, candidate: Candidate) -> Outcome {
        let hash = candidate.hash;
        let live = self.gateway.live();
        if hash == live.active().hash {
            live.clear_rejection();
            return Outcome::Unchanged(hash);
        }
        let rejected = match candidate.accept() {
            Ok(accepted) => match self.gateway.apply(accepted).await {
                Ok(needs_restart) => {
                    self.count("applied");
                    return if needs_restart.is_empty() {
                        Outcome::Applied(hash)
                    } else {
                        Outcome::NeedsRestart(hash, needs_restart)
                    };
                }
                Err(text) => Rejected {
                    hash,
                    at: self.clock.now(),
                    text,
                    json: Vec::new(),
                },
            },
            Err((text, json)) => Rejected {
                hash,
                at: self.clock.now(),
                text,
                json,
            },
        };
        self.refuse(live, rejected)
    }

    fn refuse(&self, live: &Live, rejected: Rejected) -> Outcome {
        tracing::error!(
            code = %Code::ReloadRejected,
            hash = rejected.hash.short(),
            active = live.active().hash.short(),
            "configuration refused, the active one keeps serving\n{}",
            rejected.text
        );
        let outcome = Outcome::Refused(Box::new(refusal(&rejected)));
        live.reject(rejected);
        self.gateway.metrics().reload_successful.set(0);
        self.count("rejected");
        outcome
    }

    async fn hash_now(&self) -> ContentHash {
        let files = self.files.clone();
        let active = self.files.hash();
        tokio::task::spawn_blocking(move || files.hash_now())
            .await
            .unwrap_or(active)
    }

    async fn read(&self) -> Candidate {
        let (path, environment) = (self.path.clone(), self.environment.clone());
        let read = tokio::task::spawn_blocking(move || configuration::read(&path, &environment));
        match read.await {
            Ok(candidate) => candidate,
            Err(error) => Candidate::broken(&error.to_string()),
        }
    }

    fn count(&self, result: &str) {
        let metrics: &Metrics = self.gateway.metrics();
        let labels = ReloadLabels {
            result: result.to_owned(),
        };
        metrics.reloads.get_or_create(&labels).inc();
    }
}

struct Look {
    is_asked: bool,
}

fn refusal(rejected: &Rejected) -> Refusal {
    Refusal {
        hash: rejected.hash,
        text: rejected.text.clone(),
        json: rejected.json.clone(),
    }
}
