//! `trackway explain`: what a diagnostic code means, or what a function does.

use clap::Args;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::diagnostic::Code;
use crate::diagnostic::code::page;

/// Explains a diagnostic code, or a function of the language.
///
/// `trackway explain TW0204` prints the page of a code: what is wrong, a failing example and its
/// repair. `trackway explain` lists all codes.
#[derive(Args, Debug)]
pub struct Explain {
    /// The code, such as `TW0204`; without it, all codes are listed.
    code: Option<String>,
}

impl Explain {
    /// Runs the command.
    pub fn execute(&self, setting: &Setting) -> Exit {
        let Some(name) = &self.code else {
            let lines: String = Code::ALL
                .iter()
                .map(|code| format!("{code}  {}\n", code.title()))
                .collect();
            setting.output.data(&lines);
            return Exit::Clean;
        };
        match Code::named(name) {
            Some(code) => {
                setting.output.data(page(code));
                Exit::Clean
            }
            None => {
                setting.output.note(&format!(
                    "error: there is no code `{name}`\nhint: `trackway explain` lists all codes"
                ));
                Exit::Usage
            }
        }
    }
}
