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

fn findings(path: &Path) -> String {
    let variables = [("HOST", "example.com"), ("PORT", "81"), ("BROKEN", "7d\n")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables = BTreeMap::from(variables);
    let environment = Environment {
        variables: &variables,
        unset: Unset::Error,
    };
    let files = Directory(path.parent().unwrap().to_owned());
    let loaded = config::load(Path::new(path.file_name().unwrap()), &files, environment);
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
    insta::with_settings!({snapshot_path => "../diagnostics", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("../diagnostics", "*.yaml", |path| insta::assert_snapshot!("findings", findings(path)));
        insta::glob!("../diagnostics", "*/routing.yaml", |path| insta::assert_snapshot!("findings", findings(path)));
    });
}
