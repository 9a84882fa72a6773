//! Keeps the data directory within its bounds, and says when nothing more can be accepted.
//!
//! Order of giving up: settled records older than `retain`; settled records, oldest first, when the
//! journal is full; then, only with `on_full: drop_oldest`, unsettled ones. Settled is what the
//! checkpoints on disk say, so that a crash never finds a checkpoint before the oldest record.

use std::io;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::config::settings::OnFull;
use crate::config::settings::StorageSettings;
use crate::deliver::AppendError;
use crate::deliver::journal::Position;
use crate::deliver::journal::Retention;
use crate::deliver::storage::Storage;
use crate::deliver::stores::Stores;

/// How often the directory is looked after. The journal can grow by what is accepted meanwhile only
/// within `max_bytes`, which every append checks.
const EVERY: Duration = Duration::from_secs(1);
/// How long the checkpoint of a removed destination is kept, should it come back.
const CHECKPOINT_RETAIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The hint for clients when there is no room: it takes a destination or an operator to change that.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Keeper {
    stores: Arc<Stores>,
    storage: Arc<dyn Storage>,
    settings: StorageSettings,
    is_disk_low: AtomicBool,
    is_full: AtomicBool,
    /// The last reason that was logged.
    told: std::sync::Mutex<Option<String>>,
    /// Held while room is made, so that a thousand requests do not all try.
    evicting: Mutex<()>,
}

impl Keeper {
    pub(super) fn new(
        stores: Arc<Stores>,
        storage: Arc<dyn Storage>,
        settings: StorageSettings,
    ) -> Self {
        Self {
            stores,
            storage,
            settings,
            is_disk_low: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            told: std::sync::Mutex::default(),
            evicting: Mutex::new(()),
        }
    }

    /// Looks after the directory until `stopped` says so or is gone.
    pub(super) async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        self.clone().blocking(Self::forget_removed).await;
        while !*stopped.borrow_and_update() {
            self.clone().blocking(Self::tend).await;
            tokio::select! {
                changed = stopped.changed() => if changed.is_err() { return },
                () = self.stores.clock.sleep(EVERY) => {}
            }
        }
    }

    async fn blocking(self: Arc<Self>, work: fn(&Self) -> io::Result<()>) {
        let done = tokio::task::spawn_blocking(move || work(&self)).await;
        if let Err(error) = done.unwrap_or_else(|error| Err(io::Error::other(error))) {
            tracing::error!(%error, "cannot look after the data directory");
        }
    }

    /// Why nothing is accepted, if so.
    pub(super) fn refusing(&self) -> Option<String> {
        if self.stores.journal.is_failed() {
            return Some("the disk failed a write; restart after checking it".to_owned());
        }
        if self.is_disk_low.load(Ordering::Relaxed) {
            let min = self.settings.free_bytes_min;
            return Some(format!("less than {min} bytes are free on the disk"));
        }
        let max = self.settings.bytes_max;
        let full = self.is_full.load(Ordering::Relaxed);
        full.then(|| format!("calls that are not delivered fill the {max} bytes of the journal"))
    }

    /// Sees to it that a frame fits into the bounds.
    pub(super) async fn make_room(self: &Arc<Self>, bytes: u64) -> Result<(), AppendError> {
        // Relaxed: a hint that is a second old anyway.
        if self.is_disk_low.load(Ordering::Relaxed) {
            return Err(AppendError::Full {
                retry_after: RETRY_AFTER,
            });
        }
        if self.has_room(bytes) {
            return Ok(());
        }
        let _alone = self.evicting.lock().await;
        if !self.has_room(bytes) {
            self.clone().blocking(Self::evict).await;
        }
        let has_room = self.has_room(bytes);
        self.is_full.store(!has_room, Ordering::Relaxed);
        if has_room {
            Ok(())
        } else {
            Err(AppendError::Full {
                retry_after: RETRY_AFTER,
            })
        }
    }

    fn has_room(&self, bytes: u64) -> bool {
        let journal = &self.stores.journal;
        let used = journal.bytes_since(journal.start());
        used.saturating_add(bytes) <= self.settings.bytes_max
    }

    fn tend(&self) -> io::Result<()> {
        let free = self.storage.free_bytes()?;
        let is_low = free < self.settings.free_bytes_min;
        self.is_disk_low.store(is_low, Ordering::Relaxed);
        let since = self.before(self.settings.retain);
        let keep = Retention {
            since,
            bytes_max: self.settings.bytes_max,
        };
        self.stores.journal.trim(self.settled(), keep)?;
        self.is_full.store(!self.has_room(1), Ordering::Relaxed);
        self.tell();
        self.stores.dead_letters.trim()
    }

    /// Says once when nothing is accepted any more, and when it is again.
    fn tell(&self) {
        let refusing = self.refusing();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != refusing {
            if let Some(reason) = &refusing {
                tracing::error!(reason, "nothing more is accepted");
            } else {
                tracing::info!("calls are accepted again");
            }
            *told = refusing;
        }
    }

    /// Frees settled segments until what is left fits, and unsettled ones if that is what is wanted.
    fn evict(&self) -> io::Result<()> {
        let journal = &self.stores.journal;
        // One segment is being written and one prepared: those are not to be had.
        let bytes_max = self
            .settings
            .bytes_max
            .saturating_sub(2 * segment_bytes(&self.settings));
        let keep = Retention {
            since: Timestamp::from_millis(i64::MIN),
            bytes_max,
        };
        journal.trim(self.settled(), keep)?;
        match self.settings.on_full {
            OnFull::Reject => Ok(()),
            OnFull::DropOldest => journal.trim(journal.end(), keep),
        }
    }

    fn settled(&self) -> Position {
        self.stores.pins.lowest(self.stores.journal.end())
    }

    /// Forgets destinations that were removed long ago.
    fn forget_removed(&self) -> io::Result<()> {
        let long_ago = self.before(CHECKPOINT_RETAIN);
        for destination in self.stores.checkpoints.destinations()? {
            if self.stores.pins.has(&destination) {
                continue;
            }
            let checkpoint = self.stores.checkpoints.load(&destination);
            if checkpoint.is_ok_and(|found| found.is_some_and(|found| found.written_at < long_ago))
            {
                tracing::info!(
                    destination,
                    "forgets the checkpoint of a removed destination"
                );
                self.stores.checkpoints.remove(&destination)?;
            }
        }
        Ok(())
    }

    fn before(&self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.stores.clock.now().as_millis().saturating_sub(millis))
    }
}

/// The size of segments: as set, but small enough that a full journal has several.
pub(super) fn segment_bytes(settings: &StorageSettings) -> u64 {
    const PAGE: u64 = 4096;
    let share = settings.bytes_max / 8 / PAGE * PAGE;
    settings.segment_bytes.min(share).max(4 * PAGE)
}
