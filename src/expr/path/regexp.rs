//! I-Regexp (RFC 9485), the regular expressions of `match` and `search`, as ones of the `regex` crate.

use regex::Regex;
use regex::RegexBuilder;

/// Largest compiled expression, in bytes of automaton: enough for every pattern written by hand.
const BYTES_MAX: usize = 1 << 20;

/// How much of a text a pattern must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// `match`: all of it.
    Whole,
    /// `search`: some of it.
    Part,
}

/// Compiles a pattern; `None` if it is no regular expression. Then RFC 9535 has it match nothing.
pub(super) fn compile(pattern: &str, extent: Extent) -> Option<Regex> {
    let (open, close) = match extent {
        Extent::Whole => (r"\A(?:", r")\z"),
        Extent::Part => ("(?:", ")"),
    };
    let mut text = String::with_capacity(pattern.len() + 16);
    text.push_str(open);
    let (mut escaped, mut in_class) = (false, false);
    for char in pattern.chars() {
        match char {
            // A dot is any character but a line end, and here that includes the carriage return.
            '.' if !escaped && !in_class => text.push_str(r"[^\n\r]"),
            _ => text.push(char),
        }
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    text.push_str(close);
    RegexBuilder::new(&text).size_limit(BYTES_MAX).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_any_character_but_a_line_end() {
        let regex = compile("a.b", Extent::Whole).unwrap();
        assert!(regex.is_match("a\u{2028}b"));
        assert!(!regex.is_match("a\rb"));
        assert!(!regex.is_match("a\nb"));
        assert!(compile(r"a[.]b", Extent::Whole).unwrap().is_match("a.b"));
        assert!(!compile(r"a\.b", Extent::Whole).unwrap().is_match("axb"));
    }

    #[test]
    fn whole_means_all_of_alternatives_too() {
        assert!(!compile("a|b", Extent::Whole).unwrap().is_match("ab"));
        assert!(compile("a|b", Extent::Part).unwrap().is_match("xb"));
        assert!(compile("(", Extent::Part).is_none());
    }
}
