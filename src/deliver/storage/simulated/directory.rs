//! Directories and files of a simulated disk, as they are opened.

use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use crate::deliver::storage::Storage;
use crate::deliver::storage::StoredFile;
use crate::deliver::storage::simulated::Operation;
use crate::deliver::storage::simulated::SimulatedDisk;
use crate::deliver::storage::simulated::Write;
use crate::deliver::storage::simulated::state::Content;
use crate::deliver::storage::simulated::state::NameChange;
use crate::deliver::storage::simulated::state::SECTOR_BYTES;

/// A directory of a simulated disk.
#[derive(Debug)]
pub(crate) struct Directory {
    disk: SimulatedDisk,
    epoch: u64,
    /// Empty, or ends with a slash.
    path: String,
}

impl Directory {
    pub(crate) fn root(disk: SimulatedDisk, epoch: u64) -> Self {
        Self {
            disk,
            epoch,
            path: String::new(),
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    fn file(&self, id: u64, locks: Option<String>) -> Arc<dyn StoredFile> {
        Arc::new(OpenFile {
            disk: self.disk.clone(),
            epoch: self.epoch,
            id,
            locks,
        })
    }
}

impl Storage for Directory {
    fn directory(&self, name: &str) -> io::Result<Arc<dyn Storage>> {
        let path = self.path(&format!("{name}/"));
        Ok(Arc::new(Self {
            disk: self.disk.clone(),
            epoch: self.epoch,
            path,
        }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        let mut disk = self.disk.begin(self.epoch, Operation::Create)?;
        let path = self.path(name);
        if disk.names.contains_key(&path) {
            return Err(Errno::EXIST.into());
        }
        let id = disk.fresh_id();
        disk.files.insert(id, Content::default());
        disk.change_name(NameChange::Add(path, id))?;
        Ok(self.file(id, None))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        let disk = self.disk.begin(self.epoch, Operation::Open)?;
        let id = disk.names.get(&self.path(name)).ok_or(Errno::NOENT)?;
        Ok(self.file(*id, None))
    }

    fn lock(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        let path = self.path(name);
        let mut disk = self.disk.disk();
        disk.check(self.epoch)?;
        if !disk.locked.insert(path.clone()) {
            return Err(Errno::WOULDBLOCK.into());
        }
        let id = disk
            .names
            .get(&path)
            .copied()
            .unwrap_or_else(|| disk.fresh_id());
        disk.files.entry(id).or_default();
        if !disk.names.contains_key(&path) {
            disk.change_name(NameChange::Add(path.clone(), id))?;
        }
        drop(disk);
        Ok(self.file(id, Some(path)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk.begin(self.epoch, Operation::Rename)?;
        let (from, to) = (self.path(from), self.path(to));
        if !disk.names.contains_key(&from) {
            return Err(Errno::NOENT.into());
        }
        disk.change_name(NameChange::Rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk.begin(self.epoch, Operation::Remove)?;
        let path = self.path(name);
        if !disk.names.contains_key(&path) {
            return Err(Errno::NOENT.into());
        }
        disk.change_name(NameChange::Remove(path))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let disk = self.disk.disk();
        disk.check(self.epoch)?;
        let names = disk
            .names
            .keys()
            .filter_map(|path| path.strip_prefix(&self.path));
        Ok(names
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut disk = self.disk.begin(self.epoch, Operation::SyncDirectory)?;
        let unsynced = std::mem::take(&mut disk.unsynced);
        let (synced, unsynced) = unsynced
            .into_iter()
            .partition(|change| change.is_in(&self.path));
        disk.unsynced = unsynced;
        let synced: Vec<NameChange> = synced;
        for change in synced {
            change.apply(&mut disk.durable_names);
        }
        disk.end()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let disk = self.disk.disk();
        disk.check(self.epoch)?;
        Ok(disk.free_bytes())
    }
}

#[derive(Debug)]
struct OpenFile {
    disk: SimulatedDisk,
    epoch: u64,
    id: u64,
    /// The path it holds against others.
    locks: Option<String>,
}

impl StoredFile for OpenFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.disk.begin(self.epoch, Operation::Write)?;
        let free = usize::try_from(disk.free_bytes()).unwrap_or(usize::MAX);
        let transfer = disk.transfer_bytes_max;
        let content = disk.files.get_mut(&self.id).ok_or(Errno::IO)?;
        let start = usize::try_from(offset).map_err(|_| Errno::FBIG)?;
        let room = content
            .live
            .len()
            .saturating_add(free)
            .saturating_sub(start);
        let length = bytes.len().min(transfer).min(room);
        if length == 0 && !bytes.is_empty() {
            return Err(Errno::NOSPC.into());
        }
        let end = start + length;
        let extends = content.live.len() < end;
        if extends {
            content.live.resize(end, 0);
        }
        if let Some((to, from)) = content.live.get_mut(start..end).zip(bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        content
            .dirty
            .extend(start / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES));
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        disk.writes.push(Write {
            thread,
            bytes: length,
            extends,
        });
        disk.end()?;
        Ok(length)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.disk.begin(self.epoch, Operation::Read)?;
        let content = disk.files.get(&self.id).ok_or(Errno::IO)?;
        let start = usize::try_from(offset).map_err(|_| Errno::FBIG)?;
        let bytes = content.live.get(start..).unwrap_or_default();
        let length = bytes.len().min(buffer.len()).min(disk.transfer_bytes_max);
        if let Some((to, from)) = buffer.get_mut(..length).zip(bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk.begin(self.epoch, Operation::SyncData)?;
        // A cut in the middle of a sync leaves a part of it.
        disk.end()?;
        let content = disk.files.get_mut(&self.id).ok_or(Errno::IO)?;
        for sector in std::mem::take(&mut content.dirty) {
            content.persist(sector);
        }
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        let disk = self.disk.disk();
        disk.check(self.epoch)?;
        let content = disk.files.get(&self.id).ok_or(Errno::IO)?;
        Ok(content.live.len() as u64)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let mut disk = self.disk.disk();
        if disk.epoch == self.epoch
            && let Some(path) = &self.locks
        {
            disk.locked.remove(path);
        }
    }
}
