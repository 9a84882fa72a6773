//! Trackway: an event gateway.

pub mod clock;
pub mod config;
pub mod deliver;
pub mod diagnostic;
pub mod event;
pub mod expr;
pub mod server;
pub mod text;
pub mod value;
