//! House rules that the compiler does not check: layers, names, sizes, headers.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. A module may import only layers above its own line.
const LAYERS: &[&[&str]] = &[
    &["clock", "metrics", "text"],
    &["diagnostic", "value"],
    &["event", "expr"],
    &["config"],
    &["deliver", "ingest", "route"],
    &["server"],
    &["cli"],
];

/// The only modules that may await or do I/O on the runtime.
const ASYNC_MODULES: &[&str] = &["clock", "deliver", "server", "cli", "main"];

const LINES_MAX: usize = 500;

const VAGUE_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "misc", "manager", "core", "base", "types",
];

#[test]
fn modules_import_only_lower_layers() {
    for (path, text) in sources() {
        let own = top_module(&path);
        let Some(own_rank) = rank(&own) else {
            assert!(
                matches!(own.as_str(), "lib" | "main"),
                "{own} has no layer: add it to LAYERS"
            );
            continue;
        };
        for (n, line) in text.lines().enumerate() {
            for target in line.split("crate::").skip(1) {
                let target: String = target
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let at = format!("{}:{}", path.display(), n + 1);
                let Some(target_rank) = rank(&target) else {
                    panic!("{at}: import `crate::{target}…` from the module that defines it");
                };
                assert!(
                    target == own || target_rank < own_rank,
                    "{at}: `{own}` may not import `{target}`"
                );
            }
        }
    }
}

#[test]
fn pure_modules_stay_synchronous() {
    for (path, text) in sources() {
        if ASYNC_MODULES.contains(&top_module(&path).as_str()) {
            continue;
        }
        for word in [
            "async fn",
            ".await",
            "tokio::",
            "hyper::",
            "std::fs",
            "std::net::Tcp",
        ] {
            assert!(
                !text.contains(word),
                "{}: `{word}` belongs higher up",
                path.display()
            );
        }
    }
}

#[test]
fn files_have_a_header_a_clear_name_and_a_readable_size() {
    for (path, text) in sources() {
        let at = path.display();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            text.starts_with("//! "),
            "{at}: start with a `//!` line that says what it is for"
        );
        assert!(
            !VAGUE_NAMES.contains(&stem),
            "{at}: name the file after what it holds"
        );
        assert!(
            text.lines().count() <= LINES_MAX,
            "{at}: split it ({LINES_MAX} lines at most)"
        );
    }
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Returns `route` for `src/route/plan.rs` and for `src/route.rs`.
fn top_module(path: &Path) -> String {
    let first = path
        .strip_prefix(src())
        .unwrap()
        .components()
        .next()
        .unwrap();
    first
        .as_os_str()
        .to_str()
        .unwrap()
        .trim_end_matches(".rs")
        .to_owned()
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut open = vec![src()];
    let mut found = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}
