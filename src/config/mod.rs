//! routing.yaml and catalogue files to [`settings::Settings`].
//!
//! Opens no file and reads no environment: it is handed text and a map, so `validate`, `test`, the
//! fuzzer and the gateway run the same code.

pub mod settings;
pub mod vocabulary;
pub mod yaml;
