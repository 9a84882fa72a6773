//! Secrets, read where they are kept: the environment of the start, or a file that may rotate.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::SystemTime;

use crate::config::settings::SecretSource;
use crate::route::secret::ReadSecret;

/// Largest secret file: a key, not a document.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Reads secrets and keeps those of files until the file changes.
pub struct SecretStore {
    environment: Arc<BTreeMap<String, String>>,
    files: Mutex<BTreeMap<PathBuf, Cached>>,
}

/// The text of a file, and what the file looked like when it was read.
struct Cached {
    text: Arc<str>,
    seen: (u64, Option<SystemTime>),
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretStore")
    }
}

impl SecretStore {
    /// A store over the environment as it was at the start.
    pub fn new(environment: Arc<BTreeMap<String, String>>) -> Self {
        Self {
            environment,
            files: Mutex::default(),
        }
    }

    fn file(&self, path: &Path) -> Result<Arc<str>, String> {
        let describe = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = fs::metadata(path).map_err(describe)?;
        let seen = (metadata.len(), metadata.modified().ok());
        if let Some(cached) = files.get(path)
            && cached.seen == seen
        {
            return Ok(cached.text.clone());
        }
        if FILE_BYTES_MAX < metadata.len() {
            return Err(format!(
                "{}: larger than {FILE_BYTES_MAX} bytes",
                path.display()
            ));
        }
        let text = fs::read_to_string(path).map_err(describe)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text: Arc<str> = text.strip_suffix('\r').unwrap_or(text).into();
        files.insert(
            path.to_owned(),
            Cached {
                text: text.clone(),
                seen,
            },
        );
        Ok(text)
    }
}

impl ReadSecret for SecretStore {
    fn read(&self, source: &SecretSource) -> Result<Arc<str>, String> {
        let text: Arc<str> = match source {
            SecretSource::Plain(text) => text.as_str().into(),
            SecretSource::Environment(name) => self
                .environment
                .get(name)
                .ok_or_else(|| format!("environment variable `{name}` is not set"))?
                .as_str()
                .into(),
            SecretSource::File(path) => self.file(path)?,
        };
        if text.is_empty() {
            Err("it is empty".to_owned())
        } else {
            Ok(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_file_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let store = SecretStore::new(Arc::default());
        let source = SecretSource::File(path.clone());
        assert!(store.read(&source).unwrap_err().contains("key"));
        fs::write(&path, "first\n").unwrap();
        assert_eq!(&*store.read(&source).unwrap(), "first");
        fs::write(&path, "second one\n").unwrap();
        assert_eq!(&*store.read(&source).unwrap(), "second one");
        fs::write(&path, "\n").unwrap();
        assert!(store.read(&source).is_err());
    }

    #[test]
    fn an_unset_variable_is_named() {
        let store = SecretStore::new(Arc::default());
        let error = store
            .read(&SecretSource::Environment("KEY".to_owned()))
            .unwrap_err();
        assert_eq!(error, "environment variable `KEY` is not set");
    }
}
