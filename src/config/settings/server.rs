//! What the gateway itself runs on: listeners, limits, the journal, reloads.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Listeners and limits of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Where calls come in.
    pub listen: SocketAddr,
    /// Where operators come in: health, metrics, reload. Loopback by default; takes a restart.
    pub admin: SocketAddr,
    /// What `/accounts/region` answers; without it, the request's own scheme and host.
    pub public_url: Option<String>,
    /// The source of requests without credentials, for the endpoints that need none.
    pub default_source: Option<Arc<str>>,
    /// Certificate and key; plain HTTP without.
    pub tls: Option<TlsSettings>,
    /// Largest request body, in bytes.
    pub body_bytes_max: u64,
    /// Bytes of request bodies held at once; beyond it requests are answered 503.
    pub in_flight_bytes_max: u64,
    /// Connections open at once; beyond it new ones wait in the kernel.
    pub connections_max: u32,
    /// How long a client may take over its request head, and how long an idle connection is kept:
    /// hyper has one timer for both.
    pub header_timeout: Duration,
    /// How long a client may pause within a body.
    pub body_timeout: Duration,
    /// How long shutdown waits for requests and deliveries.
    pub grace: Duration,
}

impl Default for ServerSettings {
    /// Loopback, so that nothing is reachable before somebody decides it is. 1 MiB is twice what
    /// the vendor takes; 64 MiB in flight and 10,000 connections fit the smallest machines. 120
    /// seconds for a head because the same timer closes idle connections, which Go clients keep for
    /// 90; 10 seconds of silence within a body and 30 for shutdown are what load balancers allow.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin: SocketAddr::from(([127, 0, 0, 1], 9090)),
            public_url: None,
            default_source: None,
            tls: None,
            body_bytes_max: 1 << 20,
            in_flight_bytes_max: 64 << 20,
            connections_max: 10_000,
            header_timeout: Duration::from_secs(120),
            body_timeout: Duration::from_secs(10),
            grace: Duration::from_secs(30),
        }
    }
}

/// A certificate chain and its key, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The journal and what else is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    /// The data directory; takes a restart.
    pub dir: PathBuf,
    /// Largest journal in bytes; one segment more may exist for a moment.
    pub bytes_max: u64,
    /// How long settled calls are kept for replay.
    pub retain: Duration,
    /// How long a call may stay pending before it becomes a dead letter; `None` is for ever.
    pub ttl: Option<Duration>,
    /// Free bytes of the file system below which nothing more is accepted.
    pub free_bytes_min: u64,
    /// What happens when unsettled calls fill `bytes_max`.
    pub on_full: OnFull,
    /// Size of one segment file.
    pub segment_bytes: u64,
}

impl Default for StorageSettings {
    /// `./data`; 20 GiB hold some days of a busy site; a week of settled calls to replay; 1 GiB left
    /// free, because a full disk takes the whole machine down; segments of 64 MiB are freed in
    /// milliseconds. Nothing that was accepted is given up unless asked for.
    fn default() -> Self {
        Self {
            dir: PathBuf::from("data"),
            bytes_max: 20 << 30,
            retain: Duration::from_secs(7 * 86_400),
            ttl: None,
            free_bytes_min: 1 << 30,
            on_full: OnFull::Reject,
            segment_bytes: 64 << 20,
        }
    }
}

/// What happens when the journal is full of calls that are not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Answer 503; nothing that was accepted is lost.
    Reject,
    /// Give up the oldest calls and count them.
    DropOldest,
}

/// How edits go live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadSettings {
    /// What a failing inline test means.
    pub tests: TestPolicy,
    /// How often the files are compared even if nothing was heard.
    pub poll: Duration,
}

impl Default for ReloadSettings {
    /// A mapping that fails its own tests does not go live; five seconds is the longest an edit
    /// that no watch reported waits.
    fn default() -> Self {
        Self {
            tests: TestPolicy::Require,
            poll: Duration::from_secs(5),
        }
    }
}

/// What a failing inline test means for a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestPolicy {
    /// The save does not go live.
    Require,
    /// It goes live with a warning.
    Warn,
    /// Tests are not run.
    Off,
}
