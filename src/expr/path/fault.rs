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

/// Those that only the parser knows.
const EXTENSIONS: [&str; 5] = ["in", "nin", "any_of", "none_of", "subset_of"];

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
    pub(super) fn within(mut self, text: &str) -> Self {
        if self.at == (0..0) {
            let called = |name: &&&str| self.message.starts_with(&format!("`{name}`"));
            let called = EXTENSIONS.iter().find(called);
            let place = called.and_then(|name| Some((text.find(&format!("{name}("))?, name.len())));
            self.at = place.map_or(0..text.len(), |(at, width)| at..at + width);
        }
        self
    }

    /// A function that only the parser knows.
    pub(super) fn extension(name: &str) -> Self {
        let message = format!("`{name}` is not a function of RFC 9535");
        let help = match name {
            "in" | "any_of" => "write `==` for each value, joined by `||`",
            "nin" | "none_of" => "write `!=` for each value, joined by `&&`",
            _ => "known are length, count, match, search and value",
        };
        Self {
            code: Code::NotRfc9535,
            help: Some(help.to_owned()),
            ..Self::typing(message)
        }
    }

    /// What the parser stumbled over.
    pub(super) fn syntax(text: &str, error: &JsonPathError) -> Self {
        let at = match error {
            JsonPathError::PestError(error) => match error.location {
                pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => {
                    at
                }
            },
            _ => 0,
        };
        Self::at(text, at.min(text.len()))
    }

    /// What stands at that byte cannot stand there.
    pub(super) fn at(text: &str, at: usize) -> Self {
        let invisible = |char: char| !char.is_ascii() && char.is_whitespace();
        if text
            .get(at..)
            .is_some_and(|rest| rest.starts_with(invisible))
        {
            return Self {
                at: at..at + width(text, at),
                help: Some("it may have been copied along; a plain space does".to_owned()),
                edit: Some(" ".to_owned()),
                ..Self::typing("a no-break or wide space stands in the path")
            };
        }
        extension(text, at)
            .or_else(|| habit(text, at))
            .unwrap_or_else(|| {
                let place = if at == 0 {
                    0..0
                } else {
                    at..at + width(text, at)
                };
                Self {
                    at: place,
                    ..Self::typing("not a valid JSONPath")
                }
            })
    }
}

fn width(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8)
}

/// Habits of the many other dialects of JSONPath, and of our own language.
const HABITS: &[(&str, Option<&str>, &str)] = &[
    ("===", Some("=="), "equality is written `==`"),
    ("!==", Some("!="), "inequality is written `!=`"),
    (
        "=~",
        None,
        "a regular expression is matched with `match(@.name, \"…\")` or `search(…)`",
    ),
    (
        "~",
        None,
        "a regular expression is matched with `match(@.name, \"…\")`; globs stand outside of a path",
    ),
    ("<>", Some("!="), "inequality is written `!=`"),
    ("=", Some("=="), "equality is written `==`"),
    ("and ", Some("&& "), "inside a filter and is written `&&`"),
    ("or ", Some("|| "), "inside a filter or is written `||`"),
    ("not ", Some("!"), "inside a filter not is written `!`"),
    (
        "is ",
        None,
        "inside a filter a path alone asks whether something is there: `?@.name`, `?!@.name`",
    ),
    (
        "in ",
        None,
        "inside a filter write `==` for each value, joined by `||`",
    ),
    (
        "|",
        None,
        "a function is applied behind the path or with `filter(list, x => …)`; inside a filter or is written `||`",
    ),
];

/// The second of two words with nothing but white space between them, which no path has. The parser
/// takes them for one name.
pub(super) fn split_word(text: &str) -> Option<usize> {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_' || '\u{80}' <= char;
    let (mut quote, mut escaped) = (None, false);
    let (mut behind_word, mut space) = (false, false);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), _) if mark == char => quote = None,
            (None, '\'' | '"') => quote = Some(char),
            (None, ' ' | '\t' | '\r' | '\n') => {
                space = behind_word;
                continue;
            }
            (None, _) if space && is_word(char) => return Some(at),
            // The parser would strip it from the name, which then is another.
            (None, _) if !char.is_ascii() && char.is_whitespace() => return Some(at),
            _ => {}
        }
        behind_word = quote.is_none() && is_word(char);
        space = false;
    }
    None
}

/// A function that the parser knows and RFC 9535 does not, with arguments that even the parser does not take.
fn extension(text: &str, at: usize) -> Option<PathError> {
    let before = text.get(..at)?;
    let open = before.rfind('(')?;
    let name = before.get(..open)?;
    let start = name.rfind(|char: char| !char.is_alphanumeric() && char != '_')? + 1;
    let name = EXTENSIONS
        .into_iter()
        .find(|known| name.get(start..) == Some(*known))?;
    Some(PathError {
        at: start..open,
        ..PathError::extension(name)
    })
}

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
            return Some(fault(
                start..start + symbol.len(),
                (*help).to_owned(),
                *ours,
            ));
        }
    }
    let is_word = |char: &char| char.is_alphanumeric() || *char == '_';
    let word: String = rest.chars().take_while(is_word).collect();
    let here = start..start + word.len();
    let called = rest
        .get(word.len()..)
        .is_some_and(|behind| behind.starts_with('('));
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
    let inside = rest.split(']').next().unwrap_or("");
    if trimmed.ends_with('[') && inside.contains([' ', '+', '*', '/', '%']) {
        let help = "to compute an index put the path before it in parentheses: `($.items)[1 + 1]`";
        return Some(fault(start..start + 1, help.to_owned(), None));
    }
    if rest.starts_with(']') && trimmed.ends_with('[') {
        return Some(fault(
            start..start,
            "all items of a list are `[*]`".to_owned(),
            Some("*"),
        ));
    }
    if trimmed.ends_with(['.', '[']) || rest.starts_with('.') {
        let help = "behind a dot stands a name, in brackets a number, a quoted name, `*`, a slice or a filter";
        return Some(fault(
            start..start + width(text, start),
            help.to_owned(),
            None,
        ));
    }
    None
}
