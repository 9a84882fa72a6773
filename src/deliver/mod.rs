//! Durable delivery: the journal, one worker for each destination, checkpoints, dead letters.
//!
//! [`Engine::append`] returns when a request is on disk. Every destination reads the journal on its
//! own, so what one of them does costs the others nothing. Knows no rules: it is handed the traits of
//! [`crate::event::delivery`].

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::settings::StorageSettings;
use crate::deliver::destination::Destination;
use crate::deliver::journal::Position;
use crate::deliver::status::EngineStatus;
use crate::event::Call;
use crate::event::Receipt;

pub mod courier;
pub mod destination;
pub mod journal;
pub mod sink;
pub mod status;
pub mod storage;

/// Accepts calls and delivers them. Cheap to share behind an [`Arc`]; all methods take `&self`.
#[derive(Debug)]
pub struct Engine {
    clock: Clock,
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

impl Engine {
    /// Opens the journal, the dead letters and the checkpoints in `settings.dir`, which it creates.
    pub async fn open(settings: &StorageSettings, clock: Clock) -> Result<Self, OpenError> {
        let _ = settings;
        std::future::ready(Ok(Self { clock })).await
    }

    /// Stores a request; it is on disk when this returns. The position is that of its first call.
    ///
    /// Dropping the future does not undo the append.
    pub async fn append(&self, receipt: &Receipt, calls: &[Call]) -> Result<Position, AppendError> {
        let _ = (receipt, calls, &self.clock);
        std::future::ready(Err(AppendError::Unavailable("not built yet".to_owned()))).await
    }

    /// Makes the running destinations those of `destinations`: starts new ones, hands changed ones
    /// their new plan, leaves unchanged ones alone, stops removed ones and keeps their checkpoints.
    ///
    /// When it returns, calls appended from now on will reach every destination it was given.
    pub async fn reconcile(&self, destinations: Vec<Destination>) -> Result<(), Vec<StartError>> {
        let _ = destinations;
        std::future::ready(Ok(())).await
    }

    /// Stops reading, lets what is under way finish until `within` has passed, writes the
    /// checkpoints and closes the journal.
    pub async fn drain(&self, within: Duration) {
        let _ = within;
        std::future::ready(()).await;
    }

    /// What the engine and its destinations are doing.
    pub fn status(&self) -> EngineStatus {
        EngineStatus {
            start: Position(0),
            end: Position(0),
            journal_bytes: 0,
            refusing: None,
            destinations: Vec::new(),
        }
    }
}
