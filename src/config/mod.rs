//! routing.yaml and catalogue files to [`settings::Settings`].
//!
//! Opens no file and reads no environment: it is handed text and a map, so `validate`, `test`, the
//! fuzzer and the gateway run the same code.

pub mod catalog;
mod decode;
mod document;
mod interpolate;
pub mod load;
mod quantity;
mod reader;
pub mod settings;
mod template;
#[cfg(test)]
mod tests;
pub mod vocabulary;
mod yaml;

pub use interpolate::Environment;
pub use interpolate::Unset;
pub use load::Files;
pub use load::Loaded;
pub use load::load;
