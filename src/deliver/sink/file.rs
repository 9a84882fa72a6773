//! Lines appended to a file, on disk before they count as written.
//!
//! The file has one writer. It may be renamed or removed at any time, by logrotate for instance: the
//! next batch goes to a new file of the old name. Batches are whole: when the disk fills up within one,
//! what got there is cut off again.

use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::deliver::sink::Sending;
use crate::deliver::sink::Sent;
use crate::deliver::sink::Sink;
use crate::deliver::sink::SinkError;
use crate::event::delivery::Outgoing;
use crate::event::delivery::ReasonClass;

/// Appends lines to a file. Answers after an fsync: written lines survive a power cut.
#[derive(Clone, Debug)]
pub struct FileSink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    open: Mutex<Option<File>>,
}

impl FileSink {
    /// A sink for the file at `path`, which is created when the first batch comes: readable by its
    /// owner only, with its directories.
    pub fn new(path: PathBuf) -> Self {
        Self(Arc::new(Shared {
            path,
            open: Mutex::new(None),
        }))
    }
}

impl Sink for FileSink {
    fn send(&self, outgoing: Outgoing) -> Sending<'_> {
        Box::pin(async move {
            let Outgoing::Lines(lines) = outgoing else {
                return Err(SinkError::misframed("lines"));
            };
            let shared = Arc::clone(&self.0);
            let written = tokio::task::spawn_blocking(move || shared.append(&lines)).await;
            written
                .unwrap_or_else(|error| Err(io::Error::other(error)))
                .map_err(|error| explain(&self.0.path, &error))
        })
    }
}

impl Shared {
    fn append(&self, lines: &[u8]) -> io::Result<Sent> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever fails, the next batch starts from the file system, not from this handle.
        let mut file = match open.take() {
            Some(file) if is_at(&file, &self.path)? => file,
            _ => create(&self.path)?,
        };
        let length = file.metadata()?.len();
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // Crash: what remains if this fails too is an unfinished line; `create` ends it.
            file.set_len(length).ok();
            return Err(error);
        }
        *open = Some(file);
        Ok(Sent::Written)
    }
}

/// Whether `path` still names the open file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(named) => {
            let open = file.metadata()?;
            Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens the file for appending, creates it and its directories if they are not there, and ends a
/// line that a crash left unfinished.
fn create(path: &Path) -> io::Result<File> {
    // Order: look before opening, because opening a pipe waits for its reader.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    // Crash: without this the name may be lost though the content was synced.
    File::open(directory)?.sync_all()?;
    if let Some(last) = file.metadata()?.len().checked_sub(1) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, last)?;
        if byte != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

fn explain(path: &Path, error: &io::Error) -> SinkError {
    let (class, advice) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            ReasonClass::Unavailable,
            "; make room, nothing is lost meanwhile",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            ReasonClass::Unauthorized,
            "; let the user Trackway runs as write there",
        ),
        _ => (ReasonClass::Unavailable, ""),
    };
    SinkError::new(
        class,
        format!("cannot append to `{}`: {error}{advice}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use bytes::Bytes;

    use super::*;

    fn lines(text: &'static str) -> Outgoing {
        Outgoing::Lines(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn appends_whole_lines_to_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/events.ndjson");
        let sink = FileSink::new(path.clone());
        assert_eq!(sink.send(lines("1\n2\n")).await, Ok(Sent::Written));
        assert_eq!(sink.send(lines("3\n")).await, Ok(Sent::Written));
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let parent = path.parent().unwrap();
        assert_eq!(
            fs::metadata(parent).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[tokio::test]
    async fn starts_anew_when_the_file_was_rotated_or_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        let sink = FileSink::new(path.clone());
        sink.send(lines("1\n")).await.unwrap();
        fs::rename(&path, dir.path().join("events.1")).unwrap();
        sink.send(lines("2\n")).await.unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join("events.1")).unwrap(),
            "1\n"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
        fs::remove_file(&path).unwrap();
        sink.send(lines("3\n")).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "3\n");
    }

    #[tokio::test]
    async fn ends_a_line_that_a_crash_left_unfinished() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        fs::write(&path, "{\"torn\":").unwrap();
        FileSink::new(path.clone())
            .send(lines("1\n"))
            .await
            .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"torn\":\n1\n");
    }

    #[tokio::test]
    async fn says_why_it_cannot_and_recovers() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        fs::create_dir(&path).unwrap();
        let sink = FileSink::new(path.clone());
        let error = sink.send(lines("1\n")).await.unwrap_err();
        assert_eq!(error.class, ReasonClass::Unavailable);
        assert!(
            error.text.ends_with("events`: it is not a regular file"),
            "{error}"
        );
        fs::remove_dir(&path).unwrap();
        assert_eq!(sink.send(lines("1\n")).await, Ok(Sent::Written));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_and_a_forbidden_file_are_told_apart() {
        let full = OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .write_all(b"1\n");
        let full = explain(Path::new("/data/events"), &full.unwrap_err());
        assert_eq!(full.class, ReasonClass::Unavailable);
        assert_eq!(
            full.text,
            "cannot append to `/data/events`: No space left on device (os error 28); \
             make room, nothing is lost meanwhile"
        );
        let forbidden = explain(Path::new("/x"), &io::ErrorKind::PermissionDenied.into());
        assert_eq!(forbidden.class, ReasonClass::Unauthorized);
    }
}
