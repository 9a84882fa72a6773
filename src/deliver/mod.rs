//! Deliveries → the world.

pub mod sink;
