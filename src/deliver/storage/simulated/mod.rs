//! A disk in memory that keeps exactly what it has promised, for tests.
//!
//! Every file has bytes that are durable and sectors that are not yet. [`SimulatedDisk::cut_power`]
//! keeps a random part of those, and of the names that were not synced a random number, oldest first,
//! as file systems with a journal do. [`SimulatedDisk::kill`] ends the process only. Either way the
//! storages and files of before answer with errors from then on, so whatever still runs does no harm.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use rustix::io::Errno;

use crate::deliver::storage::Storage;
#[cfg(doc)]
use crate::deliver::storage::StoredFile;
use crate::deliver::storage::simulated::directory::Directory;
use crate::deliver::storage::simulated::state::Disk;
use crate::deliver::storage::simulated::state::Fault;

mod directory;
mod state;

/// What can be asked of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`Storage::create`].
    Create,
    /// [`Storage::open`].
    Open,
    /// [`Storage::rename`].
    Rename,
    /// [`Storage::remove`].
    Remove,
    /// [`Storage::sync_directory`].
    SyncDirectory,
    /// [`StoredFile::write_at`].
    Write,
    /// [`StoredFile::read_at`].
    Read,
    /// [`StoredFile::sync_data`].
    SyncData,
}

/// A write as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The name of the thread.
    pub thread: String,
    /// How many bytes.
    pub bytes: usize,
    /// Whether the file grew.
    pub extends: bool,
}

/// The disk, seen from outside. Clones are the same disk.
#[derive(Clone)]
pub struct SimulatedDisk(Arc<Mutex<Disk>>);

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedDisk")
    }
}

impl SimulatedDisk {
    /// An empty disk without limits. The same seed makes the same choices.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk::new(seed))))
    }

    /// The root directory, until the next restart.
    pub fn storage(&self) -> Arc<dyn Storage> {
        let epoch = self.disk().epoch;
        Arc::new(Directory::root(self.clone(), epoch))
    }

    /// Takes the power away and gives it back.
    pub fn cut_power(&self) {
        self.disk().cut_power();
    }

    /// Cuts the power in the middle of an operation, after `operations` others.
    pub fn cut_power_after(&self, operations: u64) {
        self.disk().until_cut = Some(operations);
    }

    /// Ends the process: everything it wrote is there.
    pub fn kill(&self) {
        self.disk().restart();
    }

    /// Lets `operation` fail `times` times, after it has gone well `skip` times.
    pub fn fail(&self, operation: Operation, skip: u64, times: u64, error: Errno) {
        self.disk().faults.push(Fault {
            operation,
            skip,
            times,
            error,
        });
    }

    /// Ends all failures.
    pub fn heal(&self) {
        self.disk().faults.clear();
    }

    /// Sets how many bytes all files together may have.
    pub fn set_capacity(&self, bytes: u64) {
        self.disk().capacity = bytes;
    }

    /// Sets how many bytes one read or write moves at most.
    pub fn set_transfer_max(&self, bytes: usize) {
        self.disk().transfer_bytes_max = bytes;
    }

    /// Lets no operation begin while the returned guard is held.
    pub fn pause(&self) -> impl Drop + '_ {
        Paused { _disk: self.disk() }
    }

    /// The paths of all files.
    pub fn paths(&self) -> Vec<String> {
        self.disk().names.keys().cloned().collect()
    }

    /// The bytes of a file; empty if there is none.
    pub fn content(&self, path: &str) -> Vec<u8> {
        self.disk().content(path)
    }

    /// Replaces the bytes of a file, or makes one, as damage or an operator would.
    pub fn set_content(&self, path: &str, bytes: Vec<u8>) {
        self.disk().set_content(path, bytes);
    }

    /// Removes a file, as an operator would.
    pub fn remove(&self, path: &str) {
        self.disk().forget(path);
    }

    /// Every write so far.
    pub fn writes(&self) -> Vec<Write> {
        self.disk().writes.clone()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk, if it may still be used by what was opened in `epoch`.
    fn begin(&self, epoch: u64, operation: Operation) -> io::Result<MutexGuard<'_, Disk>> {
        let mut disk = self.disk();
        disk.check(epoch)?;
        disk.begin(operation)?;
        Ok(disk)
    }
}

struct Paused<'a> {
    _disk: MutexGuard<'a, Disk>,
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {}
}

#[cfg(test)]
mod tests;
