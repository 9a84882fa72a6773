//! What the durable parts need of a disk, as small as possible, so that a test can pull the plug.
//!
//! A [`Storage`] is one flat directory. What survives a power cut is what POSIX promises and no
//! more: bytes written to a file are safe after [`StoredFile::sync_data`], names are safe after
//! [`Storage::sync_directory`]. [`DiskStorage`] is the real one, [`simulated::SimulatedDisk`] loses
//! everything that is not promised.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

mod disk;
#[doc(hidden)]
pub mod simulated;

pub use disk::DiskStorage;

/// One directory of files. All calls block.
pub trait Storage: Debug + Send + Sync {
    /// Opens the directory `name` inside this one, and makes it if it is not there.
    fn directory(&self, name: &str) -> io::Result<Arc<dyn Storage>>;

    /// Makes an empty file for reading and writing; it must not exist.
    fn create(&self, name: &str) -> io::Result<Arc<dyn StoredFile>>;

    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn StoredFile>>;

    /// Opens `name`, making it if needed, and holds it against every other process until the
    /// returned file is dropped; [`io::ErrorKind::WouldBlock`] if another holds it.
    fn lock(&self, name: &str) -> io::Result<Arc<dyn StoredFile>>;

    /// Gives a file another name, replacing what had it. Open files stay open.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Needs no free space. Open files stay readable.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names of the files, in no order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes every `create`, `rename` and `remove` so far survive a power cut.
    fn sync_directory(&self) -> io::Result<()>;

    /// Bytes that this process may still write to the file system.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// An open file. All calls block; reads and writes name their place and may run at the same time.
pub trait StoredFile: Debug + Send + Sync {
    /// Writes some of `bytes` at `offset` and returns how many; see [`StoredFile::write_all_at`].
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Reads into `buffer` from `offset`; fewer bytes than asked may come, none at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Makes all written bytes, and the length, survive a power cut. An error means that nobody
    /// knows what did, and asking again may falsely say yes: it must not be retried.
    fn sync_data(&self) -> io::Result<()>;

    /// Bytes in the file.
    fn size(&self) -> io::Result<u64>;

    /// Writes all of `bytes` at `offset`, in as many writes as it takes.
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = bytes.get(written..).unwrap_or_default();
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fills `buffer` from `offset` as far as the file goes and returns how many bytes that is.
    fn read_full_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// Whether an error says that there is no room: the disk is full or a quota is used up.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
