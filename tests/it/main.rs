//! All integration tests: one binary, one module for each subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod diagnostics;
mod tidy;
