//! Expressions that YAML ended early: ` #`, `: ` and, inside brackets, `,` `[` `{` `}` `]` end a scalar
//! without quotes, whatever the expression still meant to say.

use std::ops::Range;

use crate::config::yaml::events::Notation;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::text::FileId;
use crate::text::Span;

/// The whole expression that starts at `start`, if the plain scalar that YAML made of it, up to
/// `end`, leaves a bracket or quote open that the rest of the line closes.
pub(super) fn intended(
    source: &str,
    scalar: Range<usize>,
    notation: Notation,
) -> Option<Range<usize>> {
    let text = source.get(scalar.clone())?;
    if !text.starts_with('=') || text.contains('\n') || Scan::of(text).is_balanced() {
        return None;
    }
    let behind = source.get(scalar.end..)?;
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    let cut = match behind.get(blanks..)?.chars().next()? {
        '#' => 0 < blanks,
        ',' | '}' | ']' | '{' | '[' => notation == Notation::Flow,
        _ => false,
    };
    let whole = expression(source, scalar.start, notation)?;
    (cut && scalar.end < whole.end).then_some(whole)
}

/// Finds the expression around `at`, where a parser gave up, that cannot stand without quotes.
pub(super) fn culprit(source: &str, at: usize, notation: Notation) -> Option<Range<usize>> {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let before = source.get(..at)?;
    // A parser may notice at the start of the next line.
    let line = before
        .trim_end()
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let starts = before
        .get(line..)?
        .match_indices('=')
        .map(|(offset, _)| line + offset);
    let starts: Vec<_> = starts
        .filter(|start| starts_scalar(source, *start))
        .collect();
    // The nearest one: what stands before it may be a directive's key, `=each:`.
    starts.into_iter().rev().find_map(|start| {
        // The parser may not have come to say that a bracket of this line is open.
        let opened = 0 < Scan::of(source.get(line..start)?).depth;
        let notation = if opened { Notation::Flow } else { notation };
        let range = expression(source, start, notation)?;
        let text = source.get(range.clone())?;
        (at <= range.end + 1 && needs_quotes(text, notation)).then_some(range)
    })
}

/// Says so, with the quoted form as the fix.
pub(super) fn report(file: FileId, source: &str, whole: Range<usize>, at: usize) -> Diagnostic {
    let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let text = source.get(whole.clone()).unwrap_or("");
    let found = source
        .get(at..)
        .unwrap_or("")
        .trim_start_matches([' ', '\t']);
    let found = found.chars().next().unwrap_or(' ');
    let at = at
        + source
            .get(at..)
            .map_or(0, |rest| rest.len() - rest.trim_start().len());
    let width = if found == ' ' { 0 } else { found.len_utf8() };
    let message = if width == 0 {
        "YAML ends this expression early".to_owned()
    } else {
        format!("YAML ends this expression at the `{found}`")
    };
    let quoted = format!("'{}'", text.replace('\'', "''"));
    Diagnostic::error(
        Code::YamlCutExpression,
        Span::new(file, byte(at), byte(at + width)),
        message,
    )
    .also(
        Span::new(file, byte(whole.start), byte(whole.end)),
        "the expression meant",
    )
    .fix(
        "put the whole expression in quotes",
        Span::new(file, byte(whole.start), byte(whole.end)),
        quoted,
    )
}

/// Whether the `=` at `start` is the first character of a value.
fn starts_scalar(source: &str, start: usize) -> bool {
    let before = source.get(..start).unwrap_or("");
    let trimmed = before.trim_end_matches([' ', '\t']);
    let spaced = trimmed.len() < before.len();
    match trimmed.chars().next_back() {
        Some('{' | '[' | ',') => true,
        Some(':' | '-') => spaced,
        _ => false,
    }
}

fn needs_quotes(text: &str, notation: Notation) -> bool {
    let in_flow = notation == Notation::Flow && text.contains(['[', ']', '{', '}', ',']);
    in_flow || text.contains(": ") || text.contains(" #") || text.ends_with(':')
}

/// The range of a balanced expression that starts at `start` and ends on the same line.
fn expression(source: &str, start: usize, notation: Notation) -> Option<Range<usize>> {
    let line = source.get(start..)?.lines().next()?;
    let mut scan = Scan::default();
    let mut end = line.len();
    let mut previous = '\0';
    for (offset, char) in line.char_indices() {
        let flow_end = notation == Notation::Flow && matches!(char, ',' | '}' | ']');
        let comment = char == '#' && matches!(previous, ' ' | '\t');
        if scan.is_balanced() && (flow_end || comment) {
            end = offset;
            break;
        }
        scan.push(char);
        previous = char;
    }
    let text = line.get(..end)?.trim_end();
    scan.is_balanced().then_some(start..start + text.len())
}

/// Counts open brackets and quotes of an expression.
#[derive(Default)]
struct Scan {
    depth: i32,
    quote: Option<char>,
    escaped: bool,
}

impl Scan {
    fn of(text: &str) -> Self {
        let mut scan = Self::default();
        text.chars().for_each(|char| scan.push(char));
        scan
    }

    fn push(&mut self, char: char) {
        match (self.quote, char) {
            (Some(_), _) if self.escaped => self.escaped = false,
            (Some(_), '\\') => self.escaped = true,
            (Some(quote), _) if char == quote => self.quote = None,
            (None, '"' | '\'') => self.quote = Some(char),
            (None, '(' | '[' | '{') => self.depth += 1,
            (None, ')' | ']' | '}') => self.depth -= 1,
            _ => {}
        }
    }

    fn is_balanced(&self) -> bool {
        self.depth == 0 && self.quote.is_none()
    }
}
