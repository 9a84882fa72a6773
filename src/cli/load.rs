//! Reading a configuration for a command, and showing what was found.

use std::path::Path;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::json;
use crate::diagnostic::render;
use crate::diagnostic::render::Style;
use crate::server::configuration;
use crate::server::configuration::Accepted;
use crate::server::configuration::Candidate;
use crate::server::configuration::Environment;
use crate::text::Sources;

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people, on standard error.
    Text,
    /// One JSON object for each finding, on standard output.
    Json,
}

/// Reads a configuration that will run.
pub(super) fn read_for_running(path: &Path, setting: &Setting) -> Candidate {
    configuration::read(path, &Environment::new(setting.environment.clone()))
}

/// Reads a configuration to look at: needs no environment.
pub(super) fn read_offline(path: &Path, setting: &Setting) -> Candidate {
    configuration::read(path, &Environment::offline(setting.environment.clone()))
}

/// The configuration if it may go live; otherwise its findings are printed.
pub(super) fn accepted(candidate: Candidate, setting: &Setting) -> Result<Accepted, Exit> {
    let exit = if candidate.is_unreadable() {
        Exit::NoInput
    } else {
        Exit::Findings
    };
    match candidate.accept() {
        Ok(accepted) => {
            setting.output.note(&accepted.warnings);
            Ok(accepted)
        }
        Err((text, _)) => {
            setting.output.note(&text);
            Err(exit)
        }
    }
}

/// Prints what was found in a configuration.
pub(super) fn print(candidate: &Candidate, format: Format, setting: &Setting) {
    print_findings(&candidate.diagnostics, &candidate.sources, format, setting);
}

/// Prints findings.
pub(super) fn print_findings(
    findings: &Diagnostics,
    sources: &Sources,
    format: Format,
    setting: &Setting,
) {
    if findings.is_empty() {
        return;
    }
    match format {
        Format::Text => {
            let style = if setting.output.colors_notes() {
                Style::Colored
            } else {
                Style::Plain
            };
            setting
                .output
                .note(&render::render(findings, sources, style));
        }
        Format::Json => setting
            .output
            .data(&json::lines(findings, sources).join("\n")),
    }
}
