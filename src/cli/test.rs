//! `trackway test`: runs the tests of a configuration.

use std::path::PathBuf;

use clap::Args;
use regex::Regex;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::load::Format;
use crate::diagnostic::Diagnostics;

/// Runs the tests of configurations.
///
/// A test sends a request through the whole configuration and compares what each destination would
/// be sent. Nothing is stored and nothing leaves. Needs no environment variable and no secret.
#[derive(Args, Debug)]
pub struct Test {
    /// What to test.
    #[arg(default_value = "routing.yaml")]
    paths: Vec<PathBuf>,
    /// Only tests whose name matches this regular expression.
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
}

impl Test {
    /// Runs the command.
    pub fn execute(&self, setting: &Setting) -> Exit {
        let mut exit = Exit::Clean;
        let (mut passed, mut failed) = (0_usize, 0_usize);
        for path in &self.paths {
            let candidate = load::read_offline(path, setting);
            load::print(&candidate, Format::Text, setting);
            if candidate.is_unreadable() {
                exit = exit.max(Exit::NoInput);
                continue;
            }
            if candidate.diagnostics.has_errors() {
                exit = exit.max(Exit::Findings);
                continue;
            }
            let mut findings = Diagnostics::default();
            let selected = |name: &str| self.run.as_ref().is_none_or(|regex| regex.is_match(name));
            for outcome in candidate.run_cases(selected) {
                let word = if outcome.passed() { "ok" } else { "FAILED" };
                setting
                    .output
                    .data(&format!("test {} ... {word}", outcome.name));
                if outcome.passed() {
                    passed += 1;
                } else {
                    failed += 1;
                    outcome
                        .diagnostics()
                        .for_each(|finding| findings.push(finding));
                }
            }
            if !findings.is_empty() {
                exit = exit.max(Exit::Findings);
                load::print_findings(&findings, &candidate.sources, Format::Text, setting);
            }
        }
        setting
            .output
            .data(&format!("{passed} passed, {failed} failed"));
        exit
    }
}
