//! All integration tests: one binary, one module for each subject.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod captures;
mod destination_fixture;
mod inbound_fixture;
mod sink_connections;
mod sinks;
mod tidy;

#![cfg(test)]

mod captures;
mod inbound;
mod inbound_fixture;
