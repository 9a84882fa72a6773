//! What the YAML parsers complain about, in words that say what to do.

use granit_parser::ErrorKind;
use granit_parser::ScanError;

use crate::config::yaml::DEPTH_MAX;
use crate::config::yaml::cut;
use crate::config::yaml::events::Notation;
use crate::config::yaml::typed;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::text::FileId;
use crate::text::SourceFile;
use crate::text::Span;

/// What the event parser refused.
pub(super) fn scan_error(
    file: FileId,
    text: &str,
    error: &ScanError,
    notation: Notation,
) -> Diagnostic {
    let at = error
        .marker()
        .byte_offset()
        .unwrap_or(text.len())
        .min(text.len());
    if let Some(whole) = cut::culprit(text, at, notation) {
        return cut::report(file, text, whole, at);
    }
    let at = position(file, text, at);
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        let message = format!("nested deeper than {DEPTH_MAX} levels");
        return Diagnostic::error(Code::ConfigTooLarge, at, message)
            .help("no key of a configuration is that deep; check the brackets");
    }
    if let Some(tab) = indenting_tab(text, at.start) {
        return tab_error(file, tab);
    }
    let diagnostic = Diagnostic::error(Code::YamlSyntax, at, lower_first(&error.info()));
    match error.kind() {
        ErrorKind::UnknownQuotedScalarEscape => {
            // The other reader points at the escape, this one at the quote that opens the text.
            let escape = typed::read(text)
                .err()
                .map_or(at, |error| place_of(file, text, &error));
            Diagnostic::error(Code::YamlSyntax, escape, "unknown escape in double quotes")
                .help("use single quotes, in which a backslash is a backslash")
        }
        ErrorKind::ExpectedBlockMappingKey => {
            Diagnostic::error(Code::YamlSyntax, at, "no key is expected here")
                .here("this line is indented unlike those above it")
        }
        ErrorKind::UnclosedQuotedScalar => diagnostic.here("no quote closes this one"),
        ErrorKind::MappingValueNotAllowed => diagnostic
            .here("no key can stand before this colon")
            .help("check the indentation, or put text that holds `: ` in quotes"),
        _ => diagnostic,
    }
}

/// What only the reader of values refused.
pub(super) fn typed_error(
    file: FileId,
    source: &SourceFile,
    error: &serde_yaml::Error,
) -> Diagnostic {
    let text = source.text();
    let at = place_of(file, text, error);
    if let Some(tab) = indenting_tab(text, at.start) {
        return tab_error(file, tab);
    }
    let message = error.to_string();
    let message = message
        .split(" at line ")
        .next()
        .unwrap_or("not valid YAML");
    Diagnostic::error(Code::YamlSyntax, at, lower_first(message))
}

fn place_of(file: FileId, text: &str, error: &serde_yaml::Error) -> Span {
    let at = error
        .location()
        .map_or(0, |at| byte_at(text, at.line(), at.column()));
    position(file, text, at)
}

fn tab_error(file: FileId, at: u32) -> Diagnostic {
    let tab = Span::new(file, at, at.saturating_add(1));
    Diagnostic::error(Code::YamlSyntax, tab, "a tab cannot indent")
        .here("this is a tab")
        .fix("YAML is indented with spaces", tab, "  ")
}

/// The first tab in the indentation of the line of `at`.
fn indenting_tab(text: &str, at: u32) -> Option<u32> {
    let line = text
        .get(..at as usize)?
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let indent = text
        .get(line..)?
        .bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'));
    let tab = indent.zip(line..).find(|(byte, _)| *byte == b'\t')?.1;
    u32::try_from(tab).ok()
}

/// The character at `at`, or the last one of the text.
fn position(file: FileId, text: &str, at: usize) -> Span {
    let mut start = at.min(text.len());
    if text.get(start..).is_none_or(str::is_empty) {
        start = text.trim_end().len();
    }
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let width = text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(file, byte(start), byte(start + width))
}

/// The byte of a line and a column, both from 1.
fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(start..).unwrap_or("");
    start
        + rest
            .chars()
            .take(column.saturating_sub(1))
            .map(char::len_utf8)
            .sum::<usize>()
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
