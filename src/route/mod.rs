//! Calls to events, events to what each destination is sent; pure, and told by [`Plan`] how.
//!
//! `plan` is the compiled configuration, `translate` turns a call into events, `render` turns events
//! into the items of one destination, `frame` turns a batch of items into a request, `judge` reads
//! the answer. `forward` does the last three for the real Track API. `witness` is how `trace` looks
//! on without a second walk.

pub mod build;
pub mod forward;
pub mod frame;
pub mod judge;
pub mod plan;
pub mod render;
pub mod secret;
mod settings;
pub mod translate;
pub mod witness;

pub use plan::DestinationPlan;
pub use plan::Plan;
pub use witness::Witness;
