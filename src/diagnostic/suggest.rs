//! "Did you mean": the known name that a mistyped one is nearest to.

use std::fmt::Write as _;

/// The one of `known` that `wrong` was probably meant to be.
///
/// Case, `-`, `_` and spaces count for nothing; swapped neighbours are one mistake. A name is only
/// offered when at most a third of its characters differ: a wild guess helps nobody.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = folded(wrong);
    known
        .into_iter()
        .filter_map(|name| {
            let folded = folded(name);
            let longer = wrong.chars().count().max(folded.chars().count());
            let distance = strsim::damerau_levenshtein(&wrong, &folded);
            // A name cut short or drawn out is meant even if many characters are missing.
            let contained = 3 <= wrong.len().min(folded.len())
                && (folded.starts_with(&wrong) || wrong.starts_with(&folded));
            (distance <= longer / 3 || contained).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The names in backticks, separated by commas; after the first twenty only their number.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN_MAX: usize = 20;
    let mut text = String::new();
    let mut names = names.into_iter();
    for (nth, name) in names.by_ref().take(SHOWN_MAX).enumerate() {
        let separator = if nth == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}`{name}`");
    }
    match names.count() {
        0 => {}
        more => {
            let _ = write!(text, " and {more} more");
        }
    }
    text
}

fn folded(name: &str) -> String {
    name.chars()
        .filter(|char| !matches!(char, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["listen", "admin", "max_bytes", "credentials", "on_error"];

    #[test]
    fn finds_the_name_that_was_meant() {
        for (wrong, meant) in [
            ("listn", "listen"),
            ("Listen", "listen"),
            ("lsiten", "listen"),
            ("maxBytes", "max_bytes"),
            ("max-bytes", "max_bytes"),
            ("credential", "credentials"),
            ("onError", "on_error"),
            ("cred", "credentials"),
        ] {
            assert_eq!(nearest(wrong, KNOWN), Some(meant), "{wrong}");
        }
    }

    #[test]
    fn guesses_nothing_when_nothing_is_near() {
        for wrong in ["port", "x", "", "something_else"] {
            assert_eq!(nearest(wrong, KNOWN), None, "{wrong}");
        }
    }

    #[test]
    fn lists_names_up_to_a_limit() {
        assert_eq!(list(["a", "b"]), "`a`, `b`");
        assert!(list(["n"; 25]).ends_with("`n` and 5 more"));
    }
}
