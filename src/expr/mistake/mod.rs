//! What is wrong with an expression, in words: from what the grammar expected to what was meant.

mod balance;
mod expected;
mod habit;

use std::ops::Range;

use pest::error::ErrorVariant;
use pest::error::InputLocation;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::expr::grammar::Rule;
use crate::text::Excerpt;

/// One mistake; positions are bytes of the expression's text.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    code: Code,
    at: Range<usize>,
    message: String,
    here: String,
    help: Option<Box<Advice>>,
}

#[derive(Clone, Debug)]
struct Advice {
    text: String,
    edit: Option<(Range<usize>, String)>,
}

impl Mistake {
    pub(super) fn new(code: Code, at: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            at,
            message: message.into(),
            here: String::new(),
            help: None,
        }
    }

    #[must_use]
    pub(super) fn here(mut self, here: impl Into<String>) -> Self {
        self.here = here.into();
        self
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(Box::new(Advice {
            text: help.into(),
            edit: None,
        }));
        self
    }

    #[must_use]
    pub(super) fn fix(
        mut self,
        help: impl Into<String>,
        at: Range<usize>,
        text: impl Into<String>,
    ) -> Self {
        self.help = Some(Box::new(Advice {
            text: help.into(),
            edit: Some((at, text.into())),
        }));
        self
    }

    /// The mistake as a finding in the file the text stands in.
    pub(super) fn diagnostic(self, source: &Excerpt) -> Diagnostic {
        let span = |at: &Range<usize>| source.span(at.start, at.end);
        let diagnostic = Diagnostic::error(self.code, span(&self.at), self.message).here(self.here);
        let Some(Advice { text, edit }) = self.help.map(|advice| *advice) else {
            return diagnostic;
        };
        match edit {
            None => diagnostic.help(text),
            Some((at, new)) => diagnostic.fix(text, span(&at), new),
        }
    }
}

pub(super) fn too_large(text: &str, bytes_max: usize) -> Mistake {
    let message = format!("expression of {} bytes; at most {bytes_max}", text.len());
    Mistake::new(Code::ExpressionTooLarge, 0..text.len(), message)
        .help("move parts of it into `let:` or a table")
}

pub(super) fn too_deep(at: usize, nesting_max: usize) -> Mistake {
    let message = format!("brackets or `if` nested deeper than {nesting_max}");
    Mistake::new(Code::ExpressionTooLarge, at..at + 1, message)
        .help("use a table for many cases, and `let:` for parts")
}

pub(super) fn too_many_steps(at: Range<usize>, depth_max: usize) -> Mistake {
    let message = format!("more than {depth_max} steps build on one another");
    Mistake::new(Code::ExpressionTooLarge, at, message).help("move parts of it into `let:`")
}

/// `a < b < c`; `middle` is the text of `b` and where it ends.
pub(super) fn chained(at: Range<usize>, middle: Option<(usize, &str)>) -> Mistake {
    let mistake = Mistake::new(Code::ChainedComparison, at, "comparisons do not chain")
        .here("the result of a comparison is a bool");
    match middle {
        None => mistake.help("compare two values at a time, joined by `and`"),
        Some((end, middle)) => mistake.fix(
            "join two comparisons with `and`",
            end..end,
            format!(" and {middle}"),
        ),
    }
}

pub(super) fn escape(at: Range<usize>) -> Mistake {
    Mistake::new(Code::InvalidLiteral, at, "unknown escape in text")
        .here("known are \\n \\r \\t \\\" \\\\ \\/ \\{ \\} and \\uXXXX")
        .help("write `\\\\` for a backslash, or use '…', which has no escapes")
}

pub(super) fn quoted_selector(at: Range<usize>) -> Mistake {
    Mistake::new(Code::InvalidPath, at, "not a valid selector of a JSONPath")
        .help("a backslash in a quoted name is written `\\\\`")
}

/// For what the grammar makes impossible: reported as a mistake rather than a crash.
pub(super) fn impossible(at: Range<usize>) -> Mistake {
    Mistake::new(Code::ExpressionSyntax, at, "cannot parse this expression")
}

/// What pest stumbled over, said so that a person can act.
pub(super) fn of(text: &str, error: &pest::error::Error<Rule>) -> Mistake {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(text.len()),
    };
    if matches!(error.variant, ErrorVariant::CustomError { .. }) {
        // The parser saw the end of the stack coming.
        return Mistake::new(Code::ExpressionTooLarge, 0..text.len(), "nested too deep");
    }
    if text.trim().is_empty() {
        return Mistake::new(
            Code::ExpressionSyntax,
            0..text.len(),
            "the expression is empty",
        )
        .help("write `=missing` for no value, or quote the text to mean `=` itself");
    }
    // A quote that stays open makes nonsense of everything behind it; a bracket does not.
    balance::open_text(text)
        .or_else(|| habit::at(text, at))
        .or_else(|| balance::brackets(text))
        .unwrap_or_else(|| expected::at(text, at, error))
}

/// What stands at a byte, as messages show it, and how many bytes that is.
fn token(rest: &str) -> (String, usize) {
    let is_word = |char: &char| char.is_alphanumeric() || *char == '_';
    let word: usize = rest.chars().take_while(is_word).map(char::len_utf8).sum();
    let symbol = rest.chars().next().map_or(0, char::len_utf8);
    let width = if 0 < word { word } else { symbol };
    match rest.get(..width) {
        None | Some("") => ("the end".to_owned(), 0),
        Some(shown) => (format!("`{shown}`"), width),
    }
}
