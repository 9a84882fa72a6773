//! The one place that prints: data on standard output, everything else on standard error.

use std::io;
use std::io::IsTerminal as _;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a command prints.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    color: Color,
    no_color: bool,
}

impl Output {
    /// Prints with `color`; `no_color` says that the environment asks for none (no-color.org).
    pub const fn new(color: Color, no_color: NoColor) -> Self {
        Self {
            color,
            no_color: matches!(no_color, NoColor::Set),
        }
    }

    /// Whether standard error shows colour.
    pub fn colors_notes(self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !self.no_color && io::stderr().is_terminal(),
        }
    }

    /// Prints a result. A reader that went away is no error.
    pub fn data(self, text: &str) {
        print_to(io::stdout().lock(), text);
    }

    /// Prints for the person at the terminal.
    pub fn note(self, text: &str) {
        print_to(io::stderr().lock(), text);
    }
}

/// Whether the environment asks for no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoColor {
    /// `NO_COLOR` is set and not empty.
    Set,
    /// It is not.
    Unset,
}

fn print_to(mut stream: impl io::Write, text: &str) {
    // There is nobody left to tell.
    drop(stream.write_all(text.as_bytes()));
    if !text.ends_with('\n') && !text.is_empty() {
        drop(stream.write_all(b"\n"));
    }
    drop(stream.flush());
}
