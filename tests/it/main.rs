//! All integration tests: one binary, one module for each subject.

#![cfg(test)]

mod captures;
mod inbound;
mod inbound_fixture;
