//! The files that people read first hold: the catalogue, the cases of the translation, the examples.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use trackway::diagnostic::Severity;
use trackway::diagnostic::render::Style;
use trackway::event::Operation;
use trackway::server::configuration;
use trackway::server::configuration::Environment;

/// The YAML files of `folder`, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} holds no YAML file");
    files
}

/// Loads a file, runs its tests and returns how many there were.
fn passes(path: &Path) -> usize {
    let environment = Environment::offline(Arc::default());
    let candidate = configuration::read(path, &environment);
    let text = candidate.text(Style::Plain);
    assert!(
        candidate
            .diagnostics
            .iter()
            .all(|found| found.severity != Severity::Error),
        "{text}"
    );
    let outcomes = candidate.run_cases(|_| true);
    let mut failures = String::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.passed()) {
        writeln!(
            failures,
            "{}: {}: {:#?}",
            path.display(),
            outcome.name,
            outcome.failures
        )
        .unwrap();
    }
    assert!(failures.is_empty(), "{failures}");
    outcomes.len()
}

#[test]
fn every_definition_of_the_catalogue_does_what_its_tests_claim() {
    for path in files("catalog") {
        let is_definition = !path.ends_with("translation.yaml");
        assert_eq!(is_definition, 0 < passes(&path), "{}", path.display());
    }
}

#[test]
fn every_case_of_the_translation_holds() {
    let count: usize = files("tests/cases/translation")
        .iter()
        .map(|path| passes(path))
        .sum();
    assert!(100 < count, "only {count} cases were found");
}

#[test]
fn every_operation_has_a_case() {
    let texts: Vec<_> = files("tests/cases/translation")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for operation in Operation::ALL {
        let line = format!("op: {}\n", operation.name());
        assert!(
            texts.iter().any(|text| text.contains(&line)),
            "{} has no case",
            operation.name()
        );
    }
}

#[test]
fn every_example_does_what_its_tests_claim() {
    for entry in std::fs::read_dir("examples").unwrap() {
        let folder = entry.unwrap().path();
        assert!(
            folder.join("README.md").exists(),
            "{} has no README",
            folder.display()
        );
        assert!(
            0 < passes(&folder.join("routing.yaml")),
            "{} has no test",
            folder.display()
        );
    }
    assert!(0 < passes(Path::new("examples/custom-destination/catalog/acme.yaml")));
}
