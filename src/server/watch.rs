//! Hints that the configuration may have changed: directory events, turned into one quiet signal.
//!
//! Directories are watched, never files: a file watch falls silent for ever when an editor replaces
//! the file. Names are not looked at, because a Kubernetes mount changes the file without an event
//! that carries its name. The hash of the content decides; a poll makes up for lost events.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use notify::Event;
use notify::EventKind;
use notify::RecommendedWatcher;
use notify::RecursiveMode;
use notify::Watcher as _;
use notify::event::AccessKind;
use notify::event::AccessMode;
use tokio::sync::Notify;

/// Watches the directories of a set of files.
#[derive(Debug)]
pub(super) struct Watch {
    heard: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
}

impl Watch {
    /// Starts without directories. A machine without watches left gives one warning and polls.
    pub(super) fn new() -> Self {
        let heard = Arc::new(Notify::new());
        let signal = heard.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error or an overflow means that something may have been missed: look.
            if event.map_or(true, |event| event.need_rescan() || matters(event.kind)) {
                signal.notify_one();
            }
        });
        let watcher = watcher
            .inspect_err(|error| {
                tracing::warn!(%error, "cannot watch the configuration; it is polled instead");
            })
            .ok();
        Self {
            heard,
            watcher,
            directories: BTreeSet::new(),
        }
    }

    /// Watches the directories of `files` and of what they are links to, and no others.
    pub(super) fn set(&mut self, files: &[PathBuf]) {
        let wanted: BTreeSet<_> = files.iter().flat_map(|file| directories(file)).collect();
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for gone in self.directories.difference(&wanted) {
            // It may have been deleted, which ended the watch.
            drop(watcher.unwatch(gone));
        }
        // Watching again costs nothing and revives the watch of a directory that was recreated.
        for directory in &wanted {
            if let Err(error) = watcher.watch(directory, RecursiveMode::NonRecursive) {
                tracing::debug!(directory = %directory.display(), %error, "cannot watch");
            }
        }
        self.directories = wanted;
    }

    /// Waits until something was heard since the last call.
    pub(super) async fn heard(&self) {
        self.heard.notified().await;
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

/// Our own reading of the files must not wake us.
const fn matters(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// The directory of a file, and those of each link on the way to what it stands for.
fn directories(file: &Path) -> Vec<PathBuf> {
    // More links than any sane layout has; a loop ends here.
    const LINKS_MAX: usize = 16;
    let mut found = Vec::new();
    let mut at = file.to_owned();
    for _ in 0..LINKS_MAX {
        let parent = match at.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        if let Ok(real) = parent.canonicalize() {
            found.push(real);
        }
        found.push(parent.clone());
        match std::fs::read_link(&at) {
            Ok(target) => at = parent.join(target),
            Err(_) => break,
        }
    }
    found
}
