//! What a person is told to fix: a code, a message, labelled places, and help with a patch.
//!
//! Diagnostics are data. The checks push them into [`Diagnostics`]; rendering for people
//! (`render`) and for machines (`json`) happens once, at the edge.

use crate::text::Span;

pub mod code;
pub mod json;
pub mod render;
pub mod suggest;

pub use code::Code;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, and probably does not do what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place and what is true there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The smallest span the text is about.
    pub span: Span,
    /// The fact, as a fragment without a period; may be empty for the primary label.
    pub text: String,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// What to do, as a fragment without a period.
    pub message: String,
    /// The edit that does it, when it is known exactly.
    pub patch: Option<Patch>,
}

/// Replace the text of `span` by `replacement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// What to replace; empty to insert.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of finding; has a page.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in the reader's words; names in backticks, no period at the end.
    pub message: String,
    /// Where; the first is the primary one. Empty only for what has no place (a missing file).
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<Help>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, Some(span), message.into())
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, Some(span), message.into())
    }

    /// An error that has no place in any text, for example a file that cannot be read.
    pub fn global(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, None, message.into())
    }

    fn new(code: Code, severity: Severity, span: Option<Span>, message: String) -> Self {
        let labels = span
            .map(|span| Label {
                span,
                text: String::new(),
            })
            .into_iter()
            .collect();
        Self {
            code,
            severity,
            message,
            labels,
            help: None,
        }
    }

    /// Says what is true at the primary place.
    #[must_use]
    pub fn here(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, message: impl Into<String>) -> Self {
        self.help = Some(Help {
            message: message.into(),
            patch: None,
        });
        self
    }

    /// Says what to do, with the edit that does it.
    #[must_use]
    pub fn fix(
        mut self,
        message: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Self {
        let patch = Some(Patch {
            span,
            replacement: replacement.into(),
        });
        self.help = Some(Help {
            message: message.into(),
            patch,
        });
        self
    }

    /// The primary place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// Most findings kept: nobody reads more, and a file of 200,000 mistakes must not take minutes.
const KEPT_MAX: usize = 1_000;

/// Where the checks put what they find.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a finding; the same finding at the same place is kept once. Of more than 1,000 only the
    /// first are kept, and at least one error if there is one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if KEPT_MAX <= self.found.len()
            && (diagnostic.severity == Severity::Warning || self.has_errors())
        {
            return;
        }
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        other
            .found
            .into_iter()
            .for_each(|diagnostic| self.push(diagnostic));
    }

    /// Whether an error was found; warnings do not count.
    pub fn has_errors(&self) -> bool {
        self.found
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many of a severity were found.
    pub fn count(&self, severity: Severity) -> usize {
        self.found
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The findings in source order, errors and warnings mixed; those without a place first.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<_> = self.found.iter().collect();
        sorted.sort_by_key(|diagnostic| (diagnostic.span(), diagnostic.code));
        sorted
    }

    /// The findings in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_kept_behind_any_number_of_warnings() {
        let mut diagnostics = Diagnostics::default();
        for nth in 0..2 * KEPT_MAX {
            let mut warning = Diagnostic::global(Code::PlainSecret, nth.to_string());
            warning.severity = Severity::Warning;
            diagnostics.push(warning);
        }
        assert_eq!(diagnostics.count(Severity::Warning), KEPT_MAX);
        for nth in 0..3 {
            diagnostics.push(Diagnostic::global(Code::Unreadable, nth.to_string()));
        }
        assert_eq!(diagnostics.count(Severity::Error), 1);
    }
}
