//! The gateway: joins what comes in, what is decided and what goes out.

pub mod respond;
