//! Files of the operating system.
//!
//! `std` asks macOS for `F_FULLFSYNC` in both `sync_data` and `sync_all`, so "synced" means the same
//! there as on Linux. Windows has no directory to sync and is refused by the crate as a whole.

use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::FlockOperation;
use rustix::fs::OFlags;
use rustix::fs::flock;
use rustix::fs::fstatvfs;

use crate::deliver::storage::Storage;
use crate::deliver::storage::StoredFile;

/// Only the user that Trackway runs as may look into what it stores.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A directory of the operating system.
#[derive(Debug)]
pub struct DiskStorage {
    path: PathBuf,
    // Kept open: the directory that is synced is the one that was opened.
    directory: File,
}

impl DiskStorage {
    /// Opens a directory, and makes it and its parents if they are not there.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let missing: Vec<_> = path.ancestors().take_while(|path| !path.is_dir()).collect();
        if !missing.is_empty() {
            DirBuilder::new()
                .recursive(true)
                .mode(DIRECTORY_MODE)
                .create(&path)?;
        }
        for parent in missing.iter().filter_map(|path| path.parent()) {
            let here = parent.as_os_str().is_empty();
            File::open(if here { Path::new(".") } else { parent })?.sync_all()?;
        }
        let directory = File::open(&path)?;
        Ok(Self { path, directory })
    }

    fn open_with(&self, options: &mut OpenOptions, name: &str) -> io::Result<File> {
        // A link planted in the directory must not lead writes elsewhere.
        options
            .read(true)
            .write(true)
            .mode(FILE_MODE)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(self.path.join(name))
    }
}

impl Storage for DiskStorage {
    fn directory(&self, name: &str) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(Self::open(self.path.join(name))?))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        Ok(Arc::new(
            self.open_with(OpenOptions::new().create_new(true), name)?,
        ))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        Ok(Arc::new(self.open_with(&mut OpenOptions::new(), name)?))
    }

    fn lock(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        let file = self.open_with(OpenOptions::new().create(true), name)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        Ok(names)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let space = fstatvfs(&self.directory)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}

impl StoredFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path)
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    }

    #[test]
    fn only_the_owner_may_look() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        let storage = DiskStorage::open(&path).unwrap();
        storage
            .create("f")
            .unwrap()
            .write_all_at(b"secret", 0)
            .unwrap();
        let _inner = storage.directory("c").unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("c")), 0o700);
        assert_eq!(mode(&path.join("f")), 0o600);
        assert_eq!(storage.list().unwrap(), ["f"]);
        storage.sync_directory().unwrap();
        assert!(0 < storage.free_bytes().unwrap());
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let storage = DiskStorage::open(root.path()).unwrap();
        let held = storage.lock("lock").unwrap();
        assert_eq!(
            storage.lock("lock").unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(held);
        let _held = storage.lock("lock").unwrap();
    }

    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("target"), "x").unwrap();
        std::os::unix::fs::symlink(root.path().join("target"), root.path().join("link")).unwrap();
        let storage = DiskStorage::open(root.path()).unwrap();
        assert!(storage.open("link").is_err());
        assert_eq!(storage.list().unwrap(), ["target"]);
    }

    #[test]
    fn reads_end_where_the_file_does() {
        let root = tempfile::tempdir().unwrap();
        let storage = DiskStorage::open(root.path()).unwrap();
        let file = storage.create("f").unwrap();
        file.write_all_at(b"0123456789", 0).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(file.read_full_at(&mut buffer, 4).unwrap(), 6);
        assert_eq!(&buffer[..6], b"456789");
        assert_eq!(file.size().unwrap(), 10);
        assert_eq!(
            storage.create("f").unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }
}
