//! The gateway: the only place that joins what comes in, what is decided and what goes out.
//!
//! [`run`] is the life of the process on one page. `handle` is one request, `reload` one edit;
//! `configuration` is the path from files to a plan that every command shares.

pub mod accept;
pub mod admin;
pub mod body;
pub mod cases;
pub mod configuration;
pub mod expectation;
pub mod files;
pub mod gateway;
pub mod handle;
mod linger;
pub mod live;
mod numbers;
pub mod reload;
pub mod respond;
pub mod secrets;
mod sinks;
mod timer;
pub mod tls;
pub mod trace;
mod watch;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::watch as watch_channel;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::settings::ServerSettings;
use crate::route::secret::ReadSecret;
use crate::server::accept::AcceptLimits;
use crate::server::accept::Listener;
use crate::server::accept::Peer;
use crate::server::configuration::Accepted;
use crate::server::configuration::Environment;
use crate::server::gateway::Gateway;
use crate::server::gateway::StartError;
use crate::server::reload::Reloader;
use crate::server::reload::Trigger;
use crate::server::tls::ServerTls;

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration names something that cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// The system said no: a port in use, a data directory that cannot be written.
    #[error("{0}")]
    Io(String),
}

impl RunError {
    fn io(error: impl std::fmt::Display) -> Self {
        Self::Io(error.to_string())
    }
}

impl From<StartError> for RunError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Storage(error) => {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(because) = cause {
                    let _ = write!(text, ": {because}");
                    cause = because.source();
                }
                Self::Io(text)
            }
            StartError::Configuration(text) => Self::Configuration(text),
        }
    }
}

/// Runs the gateway until it is told to stop: SIGTERM or SIGINT. SIGHUP reloads.
///
/// `announce` is given the text for the person at the terminal once calls are accepted.
pub async fn run(
    accepted: Accepted,
    (path, environment): (PathBuf, Environment),
    secrets: Arc<dyn ReadSecret>,
    clock: Clock,
    announce: impl FnOnce(&str),
) -> Result<(), RunError> {
    let settings = accepted.plan.settings.server.clone();
    let files = accepted.files.clone();
    // Order: bind first, so that a port in use is told before the data directory is touched.
    let tls = settings
        .tls
        .as_ref()
        .map(|tls| ServerTls::load(&tls.certificate, &tls.key))
        .transpose()
        .map_err(|error| RunError::Configuration(error.to_string()))?;
    let limits = AcceptLimits {
        connections_max: usize::try_from(settings.connections_max).unwrap_or(usize::MAX),
        header_timeout: settings.header_timeout,
        grace: settings.grace,
    };
    let inbound = Listener::bind(settings.listen, tls, limits, clock.clone()).await;
    let inbound = inbound.map_err(RunError::io)?;
    let admin = Listener::bind(settings.admin, None, limits, clock.clone()).await;
    let admin = admin.map_err(RunError::io)?;
    let mut hangups = signal(SignalKind::hangup()).map_err(RunError::io)?;
    let mut terminations = signal(SignalKind::terminate()).map_err(RunError::io)?;
    let gateway = Gateway::start(accepted, secrets, clock.clone()).await?;
    let (reloader, trigger) =
        Reloader::new(gateway.clone(), (path, environment), files, clock.clone());
    let banner = banner(&gateway, &settings, (&inbound, &admin));
    let (stop, stopping) = watch_channel::channel(false);
    let mut tasks = JoinSet::new();
    let of_inbound = gateway.clone();
    let service = move |request, peer: Peer| handle::handle(of_inbound.clone(), request, peer);
    tasks.spawn(inbound.serve(service, stopping.clone()));
    let (of_admin, triggers) = (gateway.clone(), trigger.clone());
    let service =
        move |request, _: Peer| admin::handle(of_admin.clone(), triggers.clone(), request);
    tasks.spawn(admin.serve(service, stopping));
    let reloading = JoinSet::from_iter([reloader.run()]);
    announce(&banner);
    loop {
        tokio::select! {
            _ = hangups.recv() => reload_soon(trigger.clone(), &mut tasks),
            _ = terminations.recv() => break,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.map_err(RunError::io)?;
                break;
            }
        }
    }
    tracing::info!("stopping: no more calls, finishing what is under way");
    drop(reloading);
    // Nobody listens any more if the listeners have ended by themselves.
    let _ = stop.send(true);
    drop(trigger);
    while tasks.join_next().await.is_some() {}
    gateway.engine().drain(settings.grace).await;
    tracing::info!("stopped");
    Ok(())
}

/// Asks for a reload without waiting for it.
fn reload_soon(trigger: Trigger, tasks: &mut JoinSet<usize>) {
    tasks.spawn(async move {
        trigger.look().await;
        0
    });
}

/// What a person wants to know first: where it listens, who may send, where events go, how to try it.
fn banner(
    gateway: &Gateway,
    settings: &ServerSettings,
    (inbound, admin): (&Listener, &Listener),
) -> String {
    let revision = gateway.live().active();
    let plan = &revision.plan.settings;
    let scheme = if settings.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://{}", inbound.address());
    let mut text = format!("trackway {} is ready\n\n", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "  listening     {url}");
    let _ = writeln!(text, "  admin         http://{}", admin.address());
    let _ = writeln!(text, "  data          {}", plan.storage.dir.display());
    let mut section = |title: &str, lines: Vec<String>| {
        for (n, line) in lines.iter().enumerate() {
            let _ = writeln!(text, "  {:<13} {line}", if n == 0 { title } else { "" });
        }
    };
    let sources = plan.sources.iter();
    section(
        "sources",
        sources
            .map(crate::config::settings::SourceSettings::title)
            .collect(),
    );
    let connections = plan.connections.iter();
    section(
        "connections",
        connections.map(|it| it.name.to_string()).collect(),
    );
    let destinations = plan.destinations.iter();
    section(
        "destinations",
        destinations
            .map(|it| format!("{} ({})", it.id, it.definition.title))
            .collect(),
    );
    let credential = plan
        .sources
        .iter()
        .find_map(|source| source.credentials.first());
    if let Some(credential) = credential {
        let _ = write!(
            text,
            "\nsend a first call:\n\n  curl -u {}:API_KEY -H 'Content-Type: application/json' \\\n    \
             -d '{{\"name\":\"signed_up\",\"data\":{{\"plan\":\"pro\"}}}}' \\\n    \
             {url}/api/v1/customers/42/events\n",
            credential.site_id
        );
    }
    text
}
