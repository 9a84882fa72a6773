//! The configuration that serves, and what is known of the ones before it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use arc_swap::ArcSwap;
use prometheus_client::metrics::counter::Counter;

use crate::clock::Timestamp;
use crate::event::Operation;
use crate::ingest::auth::Credentials;
use crate::metrics::Metrics;
use crate::metrics::SourceLabels;
use crate::route::Plan;
use crate::server::files::ContentHash;

/// One configuration that went live.
#[derive(Debug)]
pub struct Revision {
    /// Counts up from 1 at each start of the process.
    pub number: u64,
    /// What the files held.
    pub hash: ContentHash,
    /// When it went live.
    pub since: Timestamp,
    /// How events are routed.
    pub plan: Arc<Plan>,
    /// Who may send.
    pub credentials: Credentials,
    /// Counters of accepted calls, looked up once.
    pub accepted: BTreeMap<Arc<str>, AcceptedCounters>,
}

/// The counters of one source, one for each operation.
#[derive(Debug)]
pub struct AcceptedCounters(BTreeMap<Operation, Counter>);

impl AcceptedCounters {
    /// The counters of `source`.
    pub fn new(source: &str, metrics: &Metrics) -> Self {
        let counters = Operation::ALL.into_iter().map(|operation| {
            let labels = SourceLabels {
                source: source.to_owned(),
                operation: operation.name().to_owned(),
            };
            (operation, metrics.accepted.get_or_create(&labels).clone())
        });
        Self(counters.collect())
    }

    /// Counts one call.
    pub fn count(&self, operation: Operation) {
        if let Some(counter) = self.0.get(&operation) {
            counter.inc();
        }
    }
}

/// A configuration that was refused.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// What the files held.
    pub hash: ContentHash,
    /// When it was refused.
    pub at: Timestamp,
    /// Why, as people read it.
    pub text: String,
    /// Why, as machines read it: one JSON object for each finding.
    pub json: Vec<String>,
}

/// What the admin port tells about a configuration that served before.
#[derive(Clone, Debug)]
pub struct Past {
    /// Its number.
    pub number: u64,
    /// What its files held.
    pub hash: ContentHash,
    /// When it went live.
    pub since: Timestamp,
}

/// The active configuration. A request takes it once and keeps it to its end.
#[derive(Debug)]
pub struct Live {
    active: ArcSwap<Revision>,
    history: Mutex<History>,
}

#[derive(Clone, Debug, Default)]
struct History {
    previous: Option<Past>,
    rejected: Option<Rejected>,
    needs_restart: Vec<String>,
}

impl Live {
    /// Starts with `revision`.
    pub fn new(revision: Revision) -> Self {
        Self {
            active: ArcSwap::from_pointee(revision),
            history: Mutex::default(),
        }
    }

    /// The active configuration.
    pub fn active(&self) -> Arc<Revision> {
        self.active.load_full()
    }

    /// Makes `revision` the active one, for every request that begins from now on.
    pub fn swap(&self, revision: Revision, needs_restart: Vec<String>) {
        let before = self.active.swap(Arc::new(revision));
        let past = Past {
            number: before.number,
            hash: before.hash,
            since: before.since,
        };
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        *history = History {
            previous: Some(past),
            rejected: None,
            needs_restart,
        };
    }

    /// Remembers a refused configuration.
    pub fn reject(&self, rejected: Rejected) {
        self.history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rejected = Some(rejected);
    }

    /// The files are back to what is active: nothing is wrong any more.
    pub fn clear_rejection(&self) -> Option<Rejected> {
        self.history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rejected
            .take()
    }

    /// The last refused configuration, if none went live since.
    pub fn rejected(&self) -> Option<Rejected> {
        self.history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rejected
            .clone()
    }

    /// The configuration before the active one.
    pub fn previous(&self) -> Option<Past> {
        self.history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .previous
            .clone()
    }

    /// Which settings were changed in the files and wait for a restart.
    pub fn needs_restart(&self) -> Vec<String> {
        self.history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .needs_restart
            .clone()
    }
}
