//! All integration tests: one binary, one module for each subject.
#![cfg(test)]

mod captures;
mod destination_fixture;
mod diagnostics;
mod inbound;
mod inbound_fixture;
mod sink_connections;
mod sinks;
mod tidy;
