//! Globs: what `~` matches with. Compiled when the expression is; most need no regular expression.
//!
//! `*` is any text, `?` one character, `[a-z]` and `[!a-z]` one of a class, `{a,b}` alternatives,
//! `\` takes the next character as it is. A glob matches the whole text, in its case.

use regex::Regex;
use regex::RegexBuilder;

/// Largest automaton, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// A text matches if one of the globs does.
#[derive(Clone, Debug)]
pub(super) struct Globs {
    plain: Box<[Plain]>,
    /// Those that are no [`Plain`] ones, as alternatives.
    other: Option<Regex>,
}

/// A glob with at most a star at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plain {
    Any,
    Exactly(Box<str>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<str>),
}

impl Globs {
    /// Compiles globs.
    ///
    /// # Errors
    ///
    /// The number of the one that is wrong and what is wrong with it.
    pub(super) fn compile(globs: &[&str]) -> Result<Self, (usize, String)> {
        let mut plain = Vec::new();
        let mut other = String::new();
        for (nth, glob) in globs.iter().enumerate() {
            let pieces = pieces(glob).map_err(|message| (nth, message))?;
            if let Some(glob) = simple(&pieces) {
                plain.push(glob);
                continue;
            }
            other.push_str(if other.is_empty() { r"\A(?:" } else { "|" });
            for piece in &pieces {
                piece.push_regex(&mut other);
            }
        }
        let other = if other.is_empty() {
            None
        } else {
            other.push_str(r")\z");
            let mut regex = RegexBuilder::new(&other);
            let regex = regex
                .dot_matches_new_line(true)
                .size_limit(BYTES_MAX)
                .build();
            Some(regex.map_err(|_| (0, "the glob is too large".to_owned()))?)
        };
        Ok(Self {
            plain: plain.into(),
            other,
        })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        let plain = |glob: &Plain| match glob {
            Plain::Any => true,
            Plain::Exactly(whole) => text == &**whole,
            Plain::StartsWith(start) => text.starts_with(&**start),
            Plain::EndsWith(end) => text.ends_with(&**end),
            Plain::Contains(part) => text.contains(&**part),
        };
        self.plain.iter().any(plain)
            || self
                .other
                .as_ref()
                .is_some_and(|other| other.is_match(text))
    }

    /// The texts it matches, if it can match only a few: globs without any wildcard.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        if self.other.is_some() {
            return None;
        }
        let text = |glob: &Plain| match glob {
            Plain::Exactly(text) => Some(text.to_string()),
            _ => None,
        };
        self.plain.iter().map(text).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Star,
    One,
    /// A class, as a regular expression.
    Class(String),
    Either(Vec<Vec<Self>>),
}

impl Piece {
    fn push_regex(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(&regex::escape(text)),
            Self::Star => out.push_str(".*"),
            Self::One => out.push('.'),
            Self::Class(class) => out.push_str(class),
            Self::Either(branches) => {
                out.push_str("(?:");
                for (nth, branch) in branches.iter().enumerate() {
                    if 0 < nth {
                        out.push('|');
                    }
                    for piece in branch {
                        piece.push_regex(out);
                    }
                }
                out.push(')');
            }
        }
    }
}

fn simple(pieces: &[Piece]) -> Option<Plain> {
    Some(match pieces {
        [] => Plain::Exactly("".into()),
        [Piece::Star] => Plain::Any,
        [Piece::Text(text)] => Plain::Exactly(text.as_str().into()),
        [Piece::Text(text), Piece::Star] => Plain::StartsWith(text.as_str().into()),
        [Piece::Star, Piece::Text(text)] => Plain::EndsWith(text.as_str().into()),
        [Piece::Star, Piece::Text(text), Piece::Star] => Plain::Contains(text.as_str().into()),
        _ => return None,
    })
}

type Chars<'g> = std::iter::Peekable<std::str::Chars<'g>>;

fn pieces(glob: &str) -> Result<Vec<Piece>, String> {
    let mut chars = glob.chars().peekable();
    sequence(&mut chars, 0)
}

/// Up to the end, or inside of braces to the next `,` or `}`, which is left.
fn sequence(chars: &mut Chars<'_>, braces: u32) -> Result<Vec<Piece>, String> {
    // An expression nests no deeper either.
    const BRACES_MAX: u32 = 16;
    if BRACES_MAX < braces {
        return Err(format!("braces nested deeper than {BRACES_MAX}"));
    }
    let mut pieces: Vec<Piece> = Vec::new();
    while let Some(char) = chars.next_if(|char| braces == 0 || !matches!(char, ',' | '}')) {
        let piece = match char {
            '*' if pieces.last() == Some(&Piece::Star) => continue,
            '*' => Piece::Star,
            '?' => Piece::One,
            '[' => Piece::Class(class(chars)?),
            '{' => {
                let mut branches = vec![sequence(chars, braces + 1)?];
                while chars.next_if_eq(&',').is_some() {
                    branches.push(sequence(chars, braces + 1)?);
                }
                chars
                    .next()
                    .ok_or("`{` is not closed; `\\\\{` is the character")?;
                Piece::Either(branches)
            }
            char => {
                let char = match char {
                    '\\' => chars.next().ok_or("nothing follows the last `\\`")?,
                    char => char,
                };
                if let Some(Piece::Text(text)) = pieces.last_mut() {
                    text.push(char);
                    continue;
                }
                Piece::Text(char.to_string())
            }
        };
        pieces.push(piece);
    }
    Ok(pieces)
}

/// A class behind its `[`.
fn class(chars: &mut Chars<'_>) -> Result<String, String> {
    let open = || "`[` is not closed; `\\\\[` is the character".to_owned();
    let negated = chars.next_if(|char| matches!(char, '!' | '^')).is_some();
    let mut class = String::from(if negated { "[^" } else { "[" });
    let mut first = true;
    loop {
        let char = chars.next().ok_or_else(open)?;
        if char == ']' && !first {
            break;
        }
        first = false;
        let low = if char == '\\' {
            chars.next().ok_or_else(open)?
        } else {
            char
        };
        push_escaped(low, &mut class);
        if chars.next_if_eq(&'-').is_some() {
            match chars.peek() {
                // A `-` at the end is one of the characters.
                Some(']') => push_escaped('-', &mut class),
                Some(high) if *high < low => {
                    return Err(format!("the range `{low}-{high}` is the wrong way round"));
                }
                Some(high) => {
                    class.push('-');
                    push_escaped(*high, &mut class);
                    chars.next();
                }
                None => return Err(open()),
            }
        }
    }
    class.push(']');
    Ok(class)
}

fn push_escaped(char: char, class: &mut String) {
    if char.is_ascii_punctuation() {
        class.push('\\');
    }
    class.push(char);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, text: &str) -> bool {
        Globs::compile(&[glob]).unwrap().is_match(text)
    }

    #[test]
    fn a_glob_matches_the_whole_text() {
        for (glob, text) in [
            ("order_*", "order_"),
            ("order_*", "order_a/b\nc"),
            ("*_done", "x_done"),
            ("*mid*", "amidst"),
            ("order_*_done", "order_x_done"),
            ("a?c", "aéc"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("[a-]", "-"),
            ("{sign,log}_in", "log_in"),
            ("{a,b*}", "bcd"),
            ("{,x}", ""),
            ("a\\*", "a*"),
            ("", ""),
            ("**", "x"),
            ("a,b}", "a,b}"),
            (r"[\]^]", "^"),
            ("v1.0", "v1.0"),
        ] {
            assert!(matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [
            ("order_*", "xorder_1"),
            ("order_*_done", "rder_x_done"),
            ("a?c", "ac"),
            ("[!a-c]x", "bx"),
            ("v1.0", "v1x0"),
            ("a", "A"),
            ("a|b", "a"),
            ("", "x"),
        ] {
            assert!(!matches(glob, text), "{glob} {text}");
        }
    }

    #[test]
    fn one_of_several_is_enough_and_knows_its_texts() {
        let globs = Globs::compile(&["a", "b_?", "c"]).unwrap();
        assert!(globs.is_match("b_1"));
        assert!(globs.is_match("c"));
        assert!(!globs.is_match("d"));
        assert_eq!(globs.texts(), None);
        let texts = Globs::compile(&["a", "c"]).unwrap().texts();
        assert_eq!(texts, Some(vec!["a".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn says_what_is_wrong_with_which() {
        let error = |globs: &[&str]| Globs::compile(globs).unwrap_err();
        assert_eq!(error(&["a", "[b"]).0, 1);
        assert!(error(&["{a,b"]).1.contains("not closed"));
        assert!(error(&["[z-a]"]).1.contains("wrong way"));
        assert!(error(&["a\\"]).1.contains("nothing follows"));
        assert!(error(&[&"{".repeat(20)]).1.contains("nested"));
    }
}
