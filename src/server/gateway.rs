//! The running gateway: what serves, what stores and delivers, and how a configuration goes live.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::config::settings::BatchSettings;
use crate::config::settings::Settings;
use crate::config::settings::SourceSettings;
use crate::deliver::Engine;
use crate::deliver::OpenError;
use crate::deliver::destination::Destination;
use crate::deliver::destination::Lane;
use crate::diagnostic::Code;
use crate::ingest::auth::Credential;
use crate::ingest::auth::Credentials;
use crate::metrics::ConfigLabels;
use crate::metrics::Metrics;
use crate::route::DestinationPlan;
use crate::route::Plan;
use crate::route::forward::Forward;
use crate::route::secret::ReadSecret;
use crate::server::configuration::Accepted;
use crate::server::live::AcceptedCounters;
use crate::server::live::Live;
use crate::server::live::Revision;
use crate::server::numbers::EngineNumbers;
use crate::server::sinks::SinkTarget;
use crate::server::sinks::Sinks;

/// Everything that lives as long as the process.
#[derive(Debug)]
pub struct Gateway {
    live: Live,
    engine: Arc<Engine>,
    metrics: Arc<Metrics>,
    secrets: Arc<dyn ReadSecret>,
    sinks: Mutex<Sinks>,
    clock: Clock,
    /// Bytes of request bodies that may be held at once.
    pub(super) bodies: Arc<Semaphore>,
}

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("{0}")]
    Storage(#[from] OpenError),
    /// A secret of a source cannot be read, or a destination cannot be started.
    #[error("{0}")]
    Configuration(String),
}

impl Gateway {
    /// Opens the data directory and starts delivering under `accepted`.
    pub async fn start(
        accepted: Accepted,
        secrets: Arc<dyn ReadSecret>,
        clock: Clock,
    ) -> Result<Arc<Self>, StartError> {
        let settings = accepted.plan.settings.clone();
        let metrics = Arc::new(Metrics::default());
        let credentials =
            credentials(&settings.sources, &*secrets).map_err(StartError::Configuration)?;
        let engine = Arc::new(Engine::open(&settings.storage, clock.clone()).await?);
        metrics.collect(Box::new(EngineNumbers::new(Arc::downgrade(&engine))));
        let revision = revision((1, &clock), accepted, credentials, &metrics);
        let bodies = usize::try_from(settings.server.in_flight_bytes_max).unwrap_or(usize::MAX);
        let gateway = Arc::new(Self {
            live: Live::new(revision),
            engine,
            metrics,
            secrets,
            sinks: Mutex::new(Sinks::new(clock.clone())),
            clock,
            bodies: Arc::new(Semaphore::new(bodies.min(Semaphore::MAX_PERMITS))),
        });
        let active = gateway.live.active();
        gateway
            .reconcile(&active.plan, &active.hash.short())
            .await
            .map_err(StartError::Configuration)?;
        gateway.went_live(&active);
        Ok(gateway)
    }

    /// Makes a configuration the active one; says which changed settings wait for a restart.
    ///
    /// # Errors
    ///
    /// A secret that cannot be read or a destination that cannot be started; nothing has changed.
    pub async fn apply(&self, accepted: Accepted) -> Result<Vec<String>, String> {
        let before = self.live.active();
        let settings = accepted.plan.settings.clone();
        let credentials = credentials(&settings.sources, &*self.secrets)?;
        self.reconcile(&accepted.plan, &accepted.hash.short())
            .await?;
        let number = before.number + 1;
        let revision = revision((number, &self.clock), accepted, credentials, &self.metrics);
        let needs_restart = needs_restart(&before.plan.settings, &settings);
        for setting in &needs_restart {
            tracing::warn!(code = %Code::NeedsRestart, setting, "this change takes a restart");
        }
        self.live.swap(revision, needs_restart.clone());
        self.went_live(&self.live.active());
        Ok(needs_restart)
    }

    /// The configuration that serves.
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// The numbers.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The journal and the deliveries.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The time.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    fn went_live(&self, revision: &Revision) {
        let settings = &revision.plan.settings;
        tracing::info!(
            revision = revision.number,
            hash = revision.hash.short(),
            sources = settings.sources.len(),
            connections = settings.connections.len(),
            destinations = settings.destinations.len(),
            "configuration is active"
        );
        self.metrics.reload_successful.set(1);
        let seconds = revision.since.as_millis().div_euclid(1000);
        self.metrics.reload_success_seconds.set(seconds);
        let labels = ConfigLabels {
            revision: revision.number,
            hash: revision.hash.short(),
        };
        self.metrics.config.clear();
        self.metrics.config.get_or_create(&labels).set(1);
    }

    async fn reconcile(&self, plan: &Plan, hash: &str) -> Result<(), String> {
        let destinations = {
            let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
            let named = plan
                .destinations
                .iter()
                .map(|plan| destination(plan, hash, &mut sinks));
            let mut destinations: Vec<_> = named.collect();
            destinations.extend(
                plan.forwards
                    .iter()
                    .map(|plan| forward(plan, hash, &mut sinks)),
            );
            sinks.forget_unused();
            destinations
        };
        self.engine.reconcile(destinations).await.map_err(|errors| {
            let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
            texts.join("\n")
        })
    }
}

fn destination(plan: &Arc<DestinationPlan>, hash: &str, sinks: &mut Sinks) -> Destination {
    let settings = &plan.settings;
    let lanes = plan.lanes.iter().map(|lane| Lane {
        name: lane.settings.name.as_str().into(),
        batch: lane.settings.batch,
        sink: sinks.sink(
            &settings.id,
            SinkTarget::from(&lane.target),
            &settings.delivery,
        ),
    });
    Destination {
        id: settings.id.clone(),
        revision: hash.into(),
        lanes: lanes.collect(),
        delivery: settings.delivery.clone(),
        translate: plan.clone(),
        frame: plan.clone(),
        judge: plan.clone(),
    }
}

fn forward(plan: &Arc<Forward>, hash: &str, sinks: &mut Sinks) -> Destination {
    let delivery = &plan.settings.delivery;
    // A call goes out as it came in: one request for one request.
    let batch = BatchSettings {
        items: 1,
        bytes: u64::MAX,
        wait: std::time::Duration::ZERO,
    };
    let lane = Lane {
        name: "track".into(),
        batch,
        sink: sinks.sink(&plan.id, SinkTarget::Http, delivery),
    };
    Destination {
        id: plan.id.clone(),
        revision: hash.into(),
        lanes: vec![lane],
        delivery: delivery.clone(),
        translate: plan.clone(),
        frame: plan.clone(),
        judge: plan.clone(),
    }
}

fn revision(
    (number, clock): (u64, &Clock),
    accepted: Accepted,
    credentials: Credentials,
    metrics: &Metrics,
) -> Revision {
    let sources = &accepted.plan.settings.sources;
    let counters: BTreeMap<_, _> = sources
        .iter()
        .map(|source| {
            (
                source.id.clone(),
                AcceptedCounters::new(&source.id, metrics),
            )
        })
        .collect();
    Revision {
        number,
        hash: accepted.hash,
        since: clock.now(),
        plan: accepted.plan,
        credentials,
        accepted: counters,
    }
}

/// Reads the keys of all sources; only their digests are kept.
fn credentials(
    sources: &[SourceSettings],
    secrets: &dyn ReadSecret,
) -> Result<Credentials, String> {
    let mut keys = Vec::new();
    for source in sources {
        for credential in &source.credentials {
            let key = secrets.read(&credential.api_key).map_err(|cause| {
                format!(
                    "the api_key of site id `{}` of source `{}`: {cause}",
                    credential.site_id, source.id
                )
            })?;
            keys.push((&source.id, &credential.site_id, key));
        }
    }
    let credentials = keys.iter().map(|(source, site_id, key)| Credential {
        source,
        site_id,
        api_key: key,
    });
    Ok(Credentials::new(credentials))
}

/// The changed settings that only a restart brings into force.
fn needs_restart(before: &Settings, after: &Settings) -> Vec<String> {
    let changed = [
        ("server.listen", before.server.listen != after.server.listen),
        ("server.admin", before.server.admin != after.server.admin),
        ("server.tls", before.server.tls != after.server.tls),
        (
            "server.max_connections",
            before.server.connections_max != after.server.connections_max,
        ),
        (
            "server.max_in_flight",
            before.server.in_flight_bytes_max != after.server.in_flight_bytes_max,
        ),
        ("storage", before.storage != after.storage),
    ];
    changed
        .iter()
        .filter(|(_, changed)| *changed)
        .map(|(name, _)| (*name).to_owned())
        .collect()
}
