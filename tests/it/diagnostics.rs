//! Broken configurations and what is said about them: each file of `tests/diagnostics/` is loaded as
//! `run` would load it, and the findings are a snapshot beside it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use trackway::config;
use trackway::config::Environment;
use trackway::config::Files;
use trackway::config::Loaded;
use trackway::config::Unset;
use trackway::diagnostic::render::Style;
use trackway::diagnostic::render::render;

/// The files of a directory, named as seen from there.
#[derive(Debug)]
struct Directory(PathBuf);

impl Files for Directory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // The system's own words differ between systems.
        fs::read(self.0.join(path)).map_err(|error| error.kind().into())
    }

    fn glob(&self, directory: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let matcher = globset::Glob::new(pattern)
            .map_err(io::Error::other)?
            .compile_matcher();
        let parent = directory.join(Path::new(pattern).parent().unwrap());
        let Ok(entries) = fs::read_dir(self.0.join(&parent)) else {
            return Ok(Vec::new());
        };
        let paths = entries.map(|entry| parent.join(entry.unwrap().file_name()));
        Ok(paths.filter(|path| matcher.is_match(path)).collect())
    }
}

/// One text in place of a file, the rest as it is on disk.
#[derive(Debug)]
struct Overlay<'t>(Directory, &'t Path, &'t str);

impl Files for Overlay<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == self.1 {
            return Ok(self.2.as_bytes().to_vec());
        }
        self.0.read(path)
    }

    fn glob(&self, directory: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
        self.0.glob(directory, pattern)
    }
}

fn load(path: &Path, text: &str) -> Loaded {
    let name = Path::new(path.file_name().unwrap());
    load_from(name, &Overlay(directory_of(path), name, text))
}

fn load_from(name: &Path, files: &dyn Files) -> Loaded {
    let variables = [("HOST", "example.com"), ("PORT", "81"), ("BROKEN", "7d\n")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables = BTreeMap::from(variables);
    config::load(
        name,
        files,
        Environment {
            variables: &variables,
            unset: Unset::Error,
        },
    )
}

fn directory_of(path: &Path) -> Directory {
    Directory(path.parent().unwrap().to_owned())
}

fn findings(path: &Path) -> String {
    let loaded = load_from(Path::new(path.file_name().unwrap()), &directory_of(path));
    let findings = render(&loaded.diagnostics, &loaded.sources, Style::Plain);
    let name = path.to_string_lossy();
    let code = name
        .split("/tw")
        .last()
        .and_then(|rest| rest.get(..4))
        .unwrap();
    assert!(
        findings.contains(&format!("[TW{code}]")),
        "{name} says nothing of TW{code}:\n{findings}"
    );
    findings
}

#[test]
fn findings_are_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::glob!("../diagnostics", "*.yaml", |path| {
            insta::assert_snapshot!("findings", findings(path));
        });
        let twice = "tw0021_defined_twice";
        let main = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/diagnostics")
            .join(twice)
            .join("routing.yaml");
        insta::assert_snapshot!(twice, findings(&main));
    });
}

/// Applies each patch alone and loads again: what it was for must be gone, wherever the text moved.
#[test]
fn a_fix_fixes_what_it_is_for() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut tried = 0;
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        for found in load(&path, &text).diagnostics.sorted() {
            let Some(patch) = found.help.as_ref().and_then(|help| help.patch.as_ref()) else {
                continue;
            };
            let mut fixed = text.clone();
            let range = patch.span.start as usize..patch.span.end as usize;
            fixed.replace_range(range, &patch.replacement);
            let again = load(&path, &fixed);
            let place = found.span().map(|span| span.start);
            let stays = again.diagnostics.iter().any(|other| {
                other.message == found.message && other.span().map(|span| span.start) == place
            });
            let shown = render(&again.diagnostics, &again.sources, Style::Plain);
            assert!(
                !stays,
                "{}: {} is still there:\n{shown}",
                path.display(),
                found.message
            );
            tried += 1;
        }
    }
    assert!(20 < tried, "only {tried} patches were tried");
}
