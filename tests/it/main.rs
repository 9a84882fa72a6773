//! All integration tests: one binary, one module for each subject.
#![cfg(test)]

mod accept;
mod accept_tls;
mod answers;
mod bodies;
mod captures;
mod catalog;
mod destination_fixture;
mod diagnostics;
mod explain;
mod expr;
mod expr_properties;
mod forwarding;
mod functions;
mod gateway_fixture;
mod inbound;
mod inbound_fixture;
mod listener_fixture;
mod lossless;
mod mistakes;
mod pages;
mod quickstart;
mod reload;
mod sink_connections;
mod sinks;
mod templates;
mod tidy;
mod translation_fixture;
