//! The configuration's files on disk, and whether they are still what was read.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use globset::GlobBuilder;
use sha2::Digest as _;
use sha2::Sha256;

use crate::config::Files;

/// Most files a pattern may look at: a pattern that walks a whole disk is a mistake.
const WALK_MAX: usize = 10_000;

/// Reads files and remembers what it was asked for.
#[derive(Debug, Default)]
pub struct DiskFiles {
    asked: Mutex<Asked>,
}

#[derive(Clone, Debug, Default)]
struct Asked {
    files: BTreeMap<PathBuf, Option<[u8; 32]>>,
    patterns: BTreeMap<(PathBuf, String), Vec<PathBuf>>,
}

/// What the files of a configuration hold, in 32 bytes: the truth about whether anything changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The first 16 hexadecimal digits, as people and metrics see it.
    pub fn short(self) -> String {
        use std::fmt::Write as _;
        self.0.iter().take(8).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Files for DiskFiles {
    /// Reads a file, following links as they are now.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = fs::read(path);
        let hash = bytes
            .as_ref()
            .ok()
            .map(|bytes| Sha256::digest(bytes).into());
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.files.insert(path.to_owned(), hash);
        bytes
    }

    /// The files below `base` that match `pattern`, sorted by bytes.
    fn glob(&self, base: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let found = expand(base, pattern)?;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked
            .patterns
            .insert((base.to_owned(), pattern.to_owned()), found.clone());
        Ok(found)
    }
}

impl DiskFiles {
    /// Every file that was asked for, and every directory a pattern looked at.
    pub fn watched(&self) -> Vec<PathBuf> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let bases = asked.patterns.keys().map(|(base, pattern)| {
            // The directory part of the pattern up to its first wildcard, plus any name in it.
            let plain: PathBuf = Path::new(pattern)
                .components()
                .take_while(|part| {
                    !part
                        .as_os_str()
                        .to_string_lossy()
                        .contains(['*', '?', '[', '{'])
                })
                .collect();
            base.join(plain).join("*")
        });
        asked.files.keys().cloned().chain(bases).collect()
    }

    /// The hash of what was read.
    pub fn hash(&self) -> ContentHash {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .hash()
    }

    /// The hash that reading the same files and patterns gives now.
    pub fn hash_now(&self) -> ContentHash {
        let asked = self
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let again = Self::default();
        for path in asked.files.keys() {
            // A file that is gone changes the hash.
            drop(again.read(path));
        }
        for (base, pattern) in asked.patterns.keys() {
            drop(again.glob(base, pattern));
        }
        again.hash()
    }
}

impl Asked {
    fn hash(&self) -> ContentHash {
        let mut hasher = Sha256::new();
        for (path, content) in &self.files {
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update([0, u8::from(content.is_some())]);
            hasher.update(content.unwrap_or_default());
        }
        for found in self.patterns.values() {
            for path in found {
                hasher.update(path.as_os_str().as_encoded_bytes());
                hasher.update([1]);
            }
        }
        ContentHash(hasher.finalize().into())
    }
}

fn expand(base: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let matcher = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?
        .compile_matcher();
    let mut open = vec![PathBuf::new()];
    let mut found = Vec::new();
    let mut seen = 0;
    while let Some(relative) = open.pop() {
        let entries = match fs::read_dir(base.join(&relative)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            seen += 1;
            if WALK_MAX < seen {
                let message = format!("`{pattern}` looks at more than {WALK_MAX} files");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            let relative = relative.join(entry.file_name());
            let deep = relative.components().count() < Path::new(pattern).components().count();
            // A directory behind a link is not walked: links can make a circle.
            if entry.file_type()?.is_dir() {
                if deep || pattern.contains("**") {
                    open.push(relative);
                }
            } else if matcher.is_match(&relative) {
                found.push(base.join(relative));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_anywhere_changes_the_hash_and_going_back_restores_it() {
        let dir = tempfile::tempdir().unwrap();
        let (main, part) = (dir.path().join("routing.yaml"), dir.path().join("parts"));
        fs::create_dir(&part).unwrap();
        fs::write(&main, "a").unwrap();
        fs::write(part.join("one.yaml"), "b").unwrap();
        let files = DiskFiles::default();
        files.read(&main).unwrap();
        let found = files.glob(dir.path(), "parts/*.yaml").unwrap();
        assert_eq!(found, [part.join("one.yaml")]);
        files.read(&found[0]).unwrap();
        let hash = files.hash();
        assert_eq!(files.hash_now(), hash);
        fs::write(&main, "c").unwrap();
        assert_ne!(files.hash_now(), hash);
        fs::write(&main, "a").unwrap();
        assert_eq!(files.hash_now(), hash);
        fs::write(part.join("two.yaml"), "").unwrap();
        assert_ne!(files.hash_now(), hash);
        fs::remove_file(part.join("two.yaml")).unwrap();
        fs::remove_file(&main).unwrap();
        assert_ne!(files.hash_now(), hash);
    }
}
