//! routing.yaml and catalogue files to [`settings::Settings`].
//!
//! Opens no file and reads no environment: it is handed text and a map, so `validate`, `test`, the
//! fuzzer and the gateway run the same code.

mod decode;
mod interpolate;
mod quantity;
pub mod settings;
mod template;
pub mod vocabulary;
mod yaml;

pub use interpolate::Environment;
pub use interpolate::Unset;
