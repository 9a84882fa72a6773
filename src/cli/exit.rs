//! Exit codes: an interface for scripts, never changed.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything is fine; warnings may have been printed.
    Clean = 0,
    /// The configuration has errors, or a test failed.
    Findings = 1,
    /// There are only warnings, and `--deny warnings` was given.
    Warnings = 3,
    /// The command line is wrong (`EX_USAGE`).
    Usage = 64,
    /// An input file cannot be read (`EX_NOINPUT`).
    NoInput = 66,
    /// A bug in Trackway (`EX_SOFTWARE`).
    Software = 70,
    /// The system said no: port in use, disk full or read-only (`EX_IOERR`).
    Io = 74,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
