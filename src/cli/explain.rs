//! `trackway explain`: what a diagnostic code means, or what a function of the language does.

use std::fmt::Write as _;

use clap::Args;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::diagnostic::Code;
use crate::diagnostic::suggest;
use crate::expr::builtins;
use crate::expr::builtins::Family;

/// Explains a diagnostic code, or a function of the language.
///
/// `trackway explain TW0204` prints the page of a code: what is wrong, why it matters, an example and
/// its repair. `trackway explain upper` prints the entry of a function. `trackway explain` lists all.
#[derive(Args, Debug)]
pub struct Explain {
    /// A code such as `TW0204` or a function such as `upper`; without it, all are listed.
    name: Option<String>,
}

impl Explain {
    /// Runs the command.
    pub fn execute(&self, setting: &Setting) -> Exit {
        let Some(name) = &self.name else {
            setting.output.data(&list());
            return Exit::Clean;
        };
        if let Some(code) = Code::named(name) {
            setting.output.data(code.page());
            return Exit::Clean;
        }
        if let Some(function) = builtins::find(name) {
            setting.output.data(&builtins::entry(function));
            return Exit::Clean;
        }
        setting.output.note(&unknown(name));
        Exit::Usage
    }
}

/// Every code with its title, and the functions by family.
fn list() -> String {
    let mut text = String::from("Diagnostics\n\n");
    // Writing to a String cannot fail.
    for code in Code::ALL {
        let _ = writeln!(text, "  {code}  {}", code.title());
    }
    text.push_str("\nFunctions\n");
    for family in Family::ALL {
        let _ = writeln!(text, "\n  {}", family.title());
        for function in builtins::functions().filter(|function| function.family == *family) {
            let _ = writeln!(
                text,
                "    {:<18}  {}",
                function.name,
                gist(function.summary)
            );
        }
    }
    text
}

/// What a function does, without when and how.
fn gist(summary: &str) -> &str {
    let end = [". ", "; ", ": "]
        .iter()
        .filter_map(|mark| summary.find(mark))
        .min();
    let gist = end.and_then(|end| summary.get(..end)).unwrap_or(summary);
    gist.trim_end_matches('.')
}

fn unknown(name: &str) -> String {
    let codes = Code::ALL.iter().map(ToString::to_string);
    let known: Vec<_> = codes.chain(builtins::names().map(str::to_owned)).collect();
    let known = known.iter().map(String::as_str);
    let hint = match builtins::ours_for(name).or_else(|| suggest::nearest(name, known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`trackway explain` lists all codes and functions".to_owned(),
    };
    format!("error: there is no code and no function `{name}`\nhint: {hint}")
}
