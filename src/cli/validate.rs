//! `trackway validate`: everything that is wrong with a configuration, in one run.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::load::Format;
use crate::diagnostic::Severity;

/// Checks configurations without running them.
///
/// Needs no environment variable and no secret; opens no connection. Reports every mistake with
/// file, line, column and a fix. Takes routing.yaml files and catalogue files alike.
#[derive(Args, Debug)]
pub struct Validate {
    /// What to check.
    #[arg(default_value = "routing.yaml")]
    paths: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// What else makes the check fail.
    #[arg(long, value_name = "WHAT")]
    deny: Vec<Deny>,
}

/// What can be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Deny {
    /// Warnings.
    Warnings,
}

impl Validate {
    /// Runs the command.
    pub fn execute(&self, setting: &Setting) -> Exit {
        let mut exit = Exit::Clean;
        for path in &self.paths {
            let candidate = load::read_offline(path, setting);
            if candidate.is_unreadable() {
                load::print(&candidate, self.format, setting);
                exit = exit.max(Exit::NoInput);
                continue;
            }
            load::print(&candidate, self.format, setting);
            let warnings = candidate.diagnostics.count(Severity::Warning);
            if candidate.diagnostics.has_errors() {
                exit = exit.max(Exit::Findings);
            } else if 0 < warnings && self.deny.contains(&Deny::Warnings) {
                exit = exit.max(Exit::Warnings);
            } else if self.format == Format::Text {
                setting.output.note(&format!("{}: valid", path.display()));
            }
        }
        exit
    }
}
