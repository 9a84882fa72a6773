//! Quotes and brackets: which one is not closed, or was never opened.

use crate::diagnostic::Code;
use crate::expr::mistake::Mistake;

/// A quote that is never closed, or a `{` in a text that no expression follows.
pub(super) fn open_text(text: &str) -> Option<Mistake> {
    let Scan { open, .. } = scan(text);
    let texts = |mark: &&(char, usize)| matches!(mark.0, '"' | '\'');
    let (mark, from) = *open.iter().rev().find(texts)?;
    // `"a { b"`: the quote at the end seems to open a text inside of the braces.
    let hole = open.windows(2).find_map(|pair| match pair {
        [('"', _), ('{', hole)] => Some(*hole),
        _ => None,
    });
    if let Some(hole) = hole {
        return Some(
            Mistake::new(Code::Unbalanced, hole..hole + 1, "`{` is not closed")
                .here("begins a value inside the text")
                .fix("write `\\{` for the character itself", hole..hole, "\\"),
        );
    }
    Some(open_mistake(text, ("quote", mark, from), &open))
}

/// Something that is not closed, with all that is open around it as the edit.
fn open_mistake(
    text: &str,
    (what, mark, from): (&str, char, usize),
    open: &[(char, usize)],
) -> Mistake {
    let end = text.trim_end().len();
    let missing: String = open.iter().rev().map(|(mark, _)| closer(*mark)).collect();
    let message = format!("{what} `{mark}` is not closed");
    Mistake::new(Code::Unbalanced, from..from + 1, message)
        .here("opened here")
        .fix(format!("close it with `{missing}`"), end..end, missing)
}

/// A bracket that is never closed or never opened.
pub(super) fn brackets(text: &str) -> Option<Mistake> {
    let Scan { open, stray } = scan(text);
    if let Some((char, at)) = stray {
        let mistake = Mistake::new(
            Code::Unbalanced,
            at..at + 1,
            format!("`{char}` closes nothing"),
        );
        let opener = open.last().filter(|(mark, _)| matches!(mark, '(' | '['));
        return Some(match opener {
            Some((mark, _)) => {
                let message = format!("`{mark}` is closed with `{}`", closer(*mark));
                mistake.fix(message, at..at + 1, closer(*mark))
            }
            None => mistake.fix("remove it", at..at + 1, ""),
        });
    }
    let (mark, from) = open.last().copied()?;
    Some(open_mistake(text, ("bracket", mark, from), &open))
}

/// Whether the byte is inside the braces of a text.
pub(super) fn in_hole(text: &str, at: usize) -> bool {
    let open = scan(text.get(..at).unwrap_or(text)).open;
    open.windows(2)
        .any(|pair| matches!(pair, [('"', _), ('{', _)]))
}

const fn closer(mark: char) -> &'static str {
    match mark {
        '"' => "\"",
        '\'' => "'",
        '(' => ")",
        '[' => "]",
        _ => "}",
    }
}

/// What a text leaves open, outermost first, and the first bracket that closes nothing.
struct Scan {
    open: Vec<(char, usize)>,
    stray: Option<(char, usize)>,
}

fn scan(text: &str) -> Scan {
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, char)) = chars.next() {
        let top = open.last().map(|(mark, _)| *mark);
        match (top, char) {
            (Some('"' | 'r'), '\\') => drop(chars.next()),
            (Some('"'), '{') => open.push((char, at)),
            // In '…' a quote is doubled; in a JSONPath it has a backslash. Both are skipped, but
            // `'\'` is a whole text unless something behind closes it again.
            (Some('\''), '\\')
                if chars.peek().is_some_and(|(_, next)| *next == '\'')
                    && text.get(at + 2..).is_some_and(|rest| rest.contains('\'')) =>
            {
                chars.next();
            }
            (Some('"' | 'r'), '"')
            | (Some('\''), '\'')
            | (Some('('), ')')
            | (Some('['), ']')
            | (Some('{'), '}') => drop(open.pop()),
            (Some('"' | 'r' | '\''), _) => {}
            (_, '"') if before == 'r' => open.push(('r', at)),
            (_, '"' | '\'' | '(' | '[' | '{') => open.push((char, at)),
            (_, stray @ (')' | ']' | '}')) => {
                return Scan {
                    open,
                    stray: Some((stray, at)),
                };
            }
            _ => {}
        }
        before = char;
    }
    for mark in &mut open {
        if mark.0 == 'r' {
            mark.0 = '"';
        }
    }
    Scan { open, stray: None }
}
