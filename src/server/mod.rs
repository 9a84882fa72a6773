//! Requests in, answers out: listeners and what stands behind them.

pub mod accept;
pub mod body;
mod linger;
mod timer;
pub mod tls;
