//! Durable delivery.

pub mod journal;
pub mod storage;
