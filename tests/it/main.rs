//! All integration tests: one binary, one module for each subject.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod accept;
mod accept_tls;
mod bodies;
mod destination_fixture;
mod listener_fixture;
mod sink_connections;
mod sinks;
