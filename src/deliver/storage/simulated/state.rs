//! The state of a simulated disk: what is there now, and what would be after a power cut.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;

use rustix::io::Errno;

use crate::deliver::storage::simulated::Operation;
use crate::deliver::storage::simulated::Write;

/// What a disk writes as a whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// The state of a disk.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) random: fastrand::Rng,
    /// How often it was restarted; what was opened before is dead.
    pub(crate) epoch: u64,
    pub(crate) files: BTreeMap<u64, Content>,
    pub(crate) names: BTreeMap<String, u64>,
    pub(crate) durable_names: BTreeMap<String, u64>,
    // Invariant: applied to `durable_names` in order, they give `names`.
    pub(crate) unsynced: Vec<NameChange>,
    pub(crate) locked: BTreeSet<String>,
    pub(crate) capacity: u64,
    pub(crate) transfer_bytes_max: usize,
    pub(crate) faults: Vec<Fault>,
    /// How many operations are left until the power is cut.
    pub(crate) until_cut: Option<u64>,
    pub(crate) writes: Vec<Write>,
}

#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) live: Vec<u8>,
    pub(crate) durable: Vec<u8>,
    /// Numbers of sectors that differ.
    pub(crate) dirty: BTreeSet<usize>,
}

/// A change to the names of files.
#[derive(Clone, Debug)]
pub(crate) enum NameChange {
    Add(String, u64),
    Rename(String, String),
    Remove(String),
}

#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) operation: Operation,
    pub(crate) skip: u64,
    pub(crate) times: u64,
    pub(crate) error: Errno,
}

impl Disk {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            epoch: 0,
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced: Vec::new(),
            locked: BTreeSet::new(),
            capacity: u64::MAX,
            transfer_bytes_max: usize::MAX,
            faults: Vec::new(),
            until_cut: None,
            writes: Vec::new(),
        }
    }

    pub(crate) fn content(&self, path: &str) -> Vec<u8> {
        let content = self.names.get(path).and_then(|id| self.files.get(id));
        content
            .map(|content| content.live.clone())
            .unwrap_or_default()
    }

    pub(crate) fn set_content(&mut self, path: &str, bytes: Vec<u8>) {
        let id = self
            .names
            .get(path)
            .copied()
            .unwrap_or_else(|| self.fresh_id());
        let content = Content {
            live: bytes.clone(),
            durable: bytes,
            dirty: BTreeSet::new(),
        };
        self.files.insert(id, content);
        self.names.insert(path.to_owned(), id);
        self.durable_names.insert(path.to_owned(), id);
    }

    pub(crate) fn forget(&mut self, path: &str) {
        self.names.remove(path);
        self.durable_names.remove(path);
    }

    /// Fails if it is this operation's turn.
    pub(crate) fn begin(&mut self, operation: Operation) -> io::Result<()> {
        for fault in &mut self.faults {
            if fault.operation != operation || fault.times == 0 {
                continue;
            }
            if fault.skip == 0 {
                fault.times -= 1;
                return Err(fault.error.into());
            }
            fault.skip -= 1;
        }
        Ok(())
    }

    pub(crate) fn check(&self, epoch: u64) -> io::Result<()> {
        if self.epoch == epoch {
            Ok(())
        } else {
            Err(Errno::IO.into())
        }
    }

    /// Counts an operation that changed something, and cuts the power if it was its turn.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match &mut self.until_cut {
            None => return Ok(()),
            Some(0) => {}
            Some(left) => {
                *left -= 1;
                return Ok(());
            }
        }
        self.cut_power();
        Err(Errno::IO.into())
    }

    pub(crate) fn cut_power(&mut self) {
        // Sometimes the disk's cache was nearly written out, sometimes it was hardly begun.
        let survives_percent = [0, 10, 50, 90, 100];
        let survives = self.random.choice(survives_percent).unwrap_or(50);
        for content in self.files.values_mut() {
            for sector in std::mem::take(&mut content.dirty) {
                if self.random.u32(0..100) < survives {
                    content.persist(sector);
                }
            }
            content.live.clone_from(&content.durable);
        }
        let kept = self.random.usize(0..=self.unsynced.len());
        let kept: Vec<_> = self.unsynced.drain(..).take(kept).collect();
        for change in kept {
            change.apply(&mut self.durable_names);
        }
        self.names.clone_from(&self.durable_names);
        let names = &self.names;
        self.files
            .retain(|id, _| names.values().any(|named| named == id));
        self.restart();
    }

    pub(crate) fn restart(&mut self) {
        self.epoch += 1;
        self.locked.clear();
        self.until_cut = None;
    }

    pub(crate) fn fresh_id(&self) -> u64 {
        self.files.last_key_value().map_or(0, |(id, _)| id + 1)
    }

    pub(crate) fn change_name(&mut self, change: NameChange) -> io::Result<()> {
        change.clone().apply(&mut self.names);
        self.unsynced.push(change);
        self.end()
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        let files = self.names.values().filter_map(|id| self.files.get(id));
        self.capacity
            .saturating_sub(files.map(|content| content.live.len() as u64).sum())
    }
}

impl Content {
    pub(crate) fn persist(&mut self, sector: usize) {
        let start = sector * SECTOR_BYTES;
        let end = (start + SECTOR_BYTES).min(self.live.len());
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        if let Some((to, from)) = self
            .durable
            .get_mut(start..end)
            .zip(self.live.get(start..end))
        {
            to.copy_from_slice(from);
        }
    }
}

impl NameChange {
    pub(crate) fn apply(self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Add(name, id) => {
                names.insert(name, id);
            }
            Self::Rename(from, to) => {
                if let Some(id) = names.remove(&from) {
                    names.insert(to, id);
                }
            }
            Self::Remove(name) => {
                names.remove(&name);
            }
        }
    }

    pub(crate) fn is_in(&self, directory: &str) -> bool {
        let (Self::Add(name, _) | Self::Rename(name, _) | Self::Remove(name)) = self;
        name.strip_prefix(directory)
            .is_some_and(|name| !name.contains('/'))
    }
}
