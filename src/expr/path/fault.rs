//! What is wrong with a JSONPath, in words.

use std::ops::Range;

use jsonpath_rust::parser::errors::JsonPathError;

use crate::diagnostic::Code;
use crate::diagnostic::suggest;

/// Why a text is no JSONPath; places are bytes of it.
#[derive(Clone, Debug)]
pub(in crate::expr) struct PathError {
    pub(in crate::expr) code: Code,
    pub(in crate::expr) at: Range<usize>,
    pub(in crate::expr) message: String,
    pub(in crate::expr) help: Option<String>,
    /// What to write instead of the text at `at`.
    pub(in crate::expr) edit: Option<String>,
}

/// The functions of RFC 9535.
const FUNCTIONS: [&str; 5] = ["length", "count", "match", "search", "value"];

impl PathError {
    /// A rule of RFC 9535 that the parser does not know. Where is not known either: all of it.
    pub(super) fn typing(message: impl Into<String>) -> Self {
        Self {
            code: Code::InvalidPath,
            at: 0..0,
            message: message.into(),
            help: None,
            edit: None,
        }
    }

    /// The same, in all of `text` if there is no better place.
    #[must_use]
    pub(super) fn within(self, text: &str) -> Self {
        if self.at == (0..0) { Self { at: 0..text.len(), ..self } } else { self }
    }

    /// A function that only the parser knows.
    pub(super) fn extension(name: &str) -> Self {
        let message = format!("`{name}` is not a function of RFC 9535");
        let help = match name {
            "in" | "any_of" => "write `==` for each value, joined by `||`",
            "nin" | "none_of" => "write `!=` for each value, joined by `&&`",
            _ => "known are length, count, match, search and value",
        };
        Self { code: Code::NotRfc9535, help: Some(help.to_owned()), ..Self::typing(message) }
    }

    /// What the parser stumbled over.
    pub(super) fn syntax(text: &str, error: &JsonPathError) -> Self {
        let at = match error {
            JsonPathError::PestError(error) => match error.location {
                pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
            },
            _ => 0,
        };
        let at = at.min(text.len());
        habit(text, at).unwrap_or_else(|| {
            let place = if at == 0 { 0..0 } else { at..at + width(text, at) };
            Self { at: place, ..Self::typing("not a valid JSONPath") }
        })
    }
}

fn width(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

/// Habits of the many other dialects of JSONPath, and of our own language.
const HABITS: &[(&str, Option<&str>, &str)] = &[
    ("===", Some("=="), "equality is written `==`"),
    ("!==", Some("!="), "inequality is written `!=`"),
    ("=~", None, "a regular expression is matched with `match(@.name, \"…\")` or `search(…)`"),
    ("~", None, "a regular expression is matched with `match(@.name, \"…\")`; globs stand outside of a path"),
    ("<>", Some("!="), "inequality is written `!=`"),
    ("=", Some("=="), "equality is written `==`"),
    ("and ", Some("&& "), "inside a filter and is written `&&`"),
    ("or ", Some("|| "), "inside a filter or is written `||`"),
    ("not ", Some("!"), "inside a filter not is written `!`"),
    ("is ", None, "inside a filter a path alone asks whether something is there: `?@.name`, `?!@.name`"),
    ("in ", None, "inside a filter write `==` for each value, joined by `||`"),
    ("|", None, "a function is applied behind the path or with `filter(list, x => …)`; inside a filter or is written `||`"),
];

fn habit(text: &str, at: usize) -> Option<PathError> {
    let before = text.get(..at)?;
    let trimmed = before.trim_end();
    let rest = text.get(at..)?.trim_start();
    let start = text.len() - rest.len();
    let fault = |at: Range<usize>, help: String, edit: Option<&str>| PathError {
        at,
        help: Some(help),
        edit: edit.map(str::to_owned),
        ..PathError::typing("not a valid JSONPath")
    };
    for (symbol, ours, help) in HABITS {
        if rest.starts_with(symbol) {
            return Some(fault(start..start + symbol.len(), (*help).to_owned(), *ours));
        }
    }
    let is_word = |char: &char| char.is_alphanumeric() || *char == '_';
    let word: String = rest.chars().take_while(is_word).collect();
    let here = start..start + word.len();
    let called = rest.get(word.len()..).is_some_and(|behind| behind.starts_with('('));
    if called && !word.is_empty() {
        let message = format!("`{word}` is not a function of RFC 9535");
        let near = suggest::nearest(&word, FUNCTIONS);
        let help = near.map_or_else(
            || format!("known are {}", FUNCTIONS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Some(PathError {
            code: Code::NotRfc9535,
            message,
            ..fault(here, help, near)
        });
    }
    if trimmed.ends_with(['?', '&', '|', '(']) && word.starts_with(char::is_alphabetic) {
        let help = "a member of the item that is being decided on is read with `@.`".to_owned();
        return Some(fault(here, help, Some(&format!("@.{word}"))));
    }
    if rest.starts_with(']') && trimmed.ends_with('[') {
        return Some(fault(start..start, "all items of a list are `[*]`".to_owned(), Some("*")));
    }
    if trimmed.ends_with(['.', '[']) || rest.starts_with('.') {
        let help = "behind a dot stands a name, in brackets a number, a quoted name, `*`, a slice or a filter";
        return Some(fault(start..start + width(text, start), help.to_owned(), None));
    }
    None
}
