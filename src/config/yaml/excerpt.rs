//! From the raw text of a scalar to its decoded text, keeping for each byte where it came from.
//!
//! The decoding is done a second time, by rules written here, only to learn the positions. The
//! result is compared with what the parser decoded; if it differs in any byte, the scalar gets one
//! place for the whole.

use granit_parser::ScalarStyle;

use crate::config::yaml::events::Raw;
use crate::config::yaml::events::RawScalar;
use crate::text::Excerpt;
use crate::text::FileId;
use crate::text::Span;

/// The text of `scalar`, standing at `raw` in `source`, with the origin of each byte.
pub(super) fn excerpt(file: FileId, source: &str, raw: &Raw, scalar: &RawScalar) -> Excerpt {
    let text = scalar.text.as_str();
    let slice = source
        .get(raw.start as usize..raw.end as usize)
        .unwrap_or("");
    let quotes = matches!(
        scalar.style,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
    );
    let quote = u32::from(quotes);
    let inner = if quotes {
        slice.get(1..slice.len().saturating_sub(1)).unwrap_or("")
    } else {
        slice
    };
    if inner == text {
        return Excerpt::contiguous(text, file, raw.start + quote);
    }
    let mut decoded = Decoded {
        text: String::with_capacity(text.len()),
        origins: Vec::new(),
    };
    let end = match scalar.style {
        ScalarStyle::Literal | ScalarStyle::Folded => {
            // The place starts at the first line with content; the empty ones above it count.
            let leading = text.len() - text.trim_start_matches('\n').len();
            (0..leading).for_each(|_| decoded.stand_for('\n', 0));
            let content_end = block(inner, scalar.style, scalar.indent, &mut decoded);
            decoded.trailing_breaks(text, content_end);
            content_end
        }
        style => {
            flow(inner, style, &mut decoded);
            inner.len()
        }
    };
    if decoded.text != text {
        return Excerpt::whole(text, Span::new(file, raw.start, raw.end));
    }
    let base = raw.start + quote;
    let origins: Vec<u32> = decoded
        .origins
        .into_iter()
        .chain([end])
        .map(|at| base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)))
        .collect();
    Excerpt::scattered(text, file, origins)
}

/// Text under construction, and for each of its bytes the byte of the slice it came from.
struct Decoded {
    text: String,
    origins: Vec<usize>,
}

impl Decoded {
    /// Adds a character that is written in the slice as it is.
    fn copy(&mut self, char: char, at: usize) {
        self.text.push(char);
        self.origins.extend(at..at + char.len_utf8());
    }

    /// Adds a character that something else at `at` stands for.
    fn stand_for(&mut self, char: char, at: usize) {
        self.text.push(char);
        self.origins
            .extend(std::iter::repeat_n(at, char.len_utf8()));
    }

    /// How many line breaks end a block scalar depends on its header alone: takes them over from
    /// the text as the parser decoded it.
    fn trailing_breaks(&mut self, wanted: &str, content_end: usize) {
        let content = self.text.trim_end_matches('\n').len();
        self.text.truncate(content);
        self.origins.truncate(content);
        let Some(rest) = wanted.get(content..) else {
            return;
        };
        if rest.bytes().all(|byte| byte == b'\n') {
            rest.chars()
                .for_each(|newline| self.stand_for(newline, content_end));
        }
    }
}

/// Plain, single-quoted and double-quoted scalars: one line break is a space, more are one less.
fn flow(inner: &str, style: ScalarStyle, out: &mut Decoded) {
    let mut at = 0;
    while let Some(char) = char_at(inner, at) {
        let next = at + char.len_utf8();
        match char {
            ' ' | '\t' | '\n' | '\r' => {
                let gap = Gap::at(inner, at);
                match gap.breaks {
                    0 => inner
                        .get(at..gap.end)
                        .unwrap_or("")
                        .char_indices()
                        .for_each(|(offset, char)| out.copy(char, at + offset)),
                    1 => out.stand_for(' ', at),
                    more => (1..more).for_each(|_| out.stand_for('\n', at)),
                }
                at = gap.end;
            }
            '\'' if style == ScalarStyle::SingleQuoted => {
                out.stand_for('\'', at);
                at = next + 1;
            }
            '\\' if style == ScalarStyle::DoubleQuoted => at = escape(inner, at, out),
            _ => {
                out.copy(char, at);
                at = next;
            }
        }
    }
}

/// White space between two characters of a flow scalar.
struct Gap {
    breaks: usize,
    end: usize,
}

impl Gap {
    fn at(text: &str, start: usize) -> Self {
        let mut gap = Self {
            breaks: 0,
            end: start,
        };
        while let Some(char @ (' ' | '\t' | '\n' | '\r')) = char_at(text, gap.end) {
            if matches!(char, '\n' | '\r') {
                gap.breaks += 1;
                gap.end += usize::from(text.get(gap.end..).is_some_and(|t| t.starts_with("\r\n")));
            }
            gap.end += 1;
        }
        gap
    }
}

/// Decodes the escape at `at` and returns where the text goes on.
fn escape(inner: &str, at: usize, out: &mut Decoded) -> usize {
    let Some(char) = char_at(inner, at + 1) else {
        return at + 1;
    };
    let next = at + 1 + char.len_utf8();
    let digits = match char {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' | '\r' => {
            // The break itself is joined; each further empty line counts.
            let gap = Gap::at(inner, at + 1);
            (1..gap.breaks).for_each(|_| out.stand_for('\n', at));
            return gap.end;
        }
        _ => 0,
    };
    if digits == 0 {
        out.stand_for(named_escape(char), at);
        return next;
    }
    let code = inner
        .get(next..next + digits)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    out.stand_for(
        code.and_then(char::from_u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        at,
    );
    next + digits
}

/// The escapes of YAML 1.2, section 5.7, that are one character long.
fn named_escape(char: char) -> char {
    match char {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        other => other,
    }
}

/// Literal and folded scalars up to their last line with content; returns where that ends. `inner`
/// starts behind the indentation of its first line.
fn block(inner: &str, style: ScalarStyle, indent: usize, out: &mut Decoded) -> usize {
    // The empty lines since the last line with content, and whether that one was indented further.
    let (mut empty, mut above_is_spaced) = (0, None);
    let (mut line_start, mut above_end) = (0, 0);
    for raw_line in inner.split_inclusive('\n') {
        let line = raw_line.trim_end_matches(['\n', '\r']);
        let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
        let cut = if line_start == 0 {
            0
        } else {
            spaces.min(indent)
        };
        let content = line.get(cut..).unwrap_or("");
        let start = line_start + cut;
        line_start += raw_line.len();
        if content.is_empty() {
            empty += 1;
            continue;
        }
        let is_spaced = style == ScalarStyle::Folded && content.starts_with([' ', '\t']);
        let breaks = match above_is_spaced {
            None => empty,
            Some(false) if style == ScalarStyle::Folded && !is_spaced => {
                if empty == 0 {
                    out.stand_for(' ', above_end);
                }
                empty
            }
            Some(_) => empty + 1,
        };
        (0..breaks).for_each(|_| out.stand_for('\n', above_end));
        content
            .char_indices()
            .for_each(|(offset, char)| out.copy(char, start + offset));
        above_end = start + content.len();
        (empty, above_is_spaced) = (0, Some(is_spaced));
    }
    above_end
}

fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}
