//! Habits of other languages, each with our way to write it.

use std::ops::Range;

use crate::diagnostic::Code;
use crate::expr::builtins;
use crate::expr::mistake::Mistake;
use crate::expr::mistake::token;

/// What somebody used to another language wrote at that byte.
pub(super) fn at(text: &str, at: usize) -> Option<Mistake> {
    let before = text.get(..at).unwrap_or("");
    let rest = text.get(at..).unwrap_or("");
    symbol(text, at)
        .or_else(|| path(before, rest))
        .or_else(|| choice(before, rest))
        .or_else(|| word(before, rest))
        .or_else(|| quote(text, at))
}

fn foreign(at: Range<usize>, found: &str) -> Mistake {
    Mistake::new(Code::ForeignSyntax, at, format!("`{found}` is not of this language"))
}

/// Operators and brackets: as written, as written here, and the sentence that says so.
const SYMBOLS: &[(&str, Option<&str>, &str)] = &[
    ("&&", Some("and"), "and is written `and`"),
    ("||", Some("or"), "or is written `or`; a default is `??`"),
    ("===", Some("=="), "equality is written `==`"),
    ("!==", Some("!="), "inequality is written `!=`"),
    ("<>", Some("!="), "inequality is written `!=`"),
    ("=~", None, "a glob is matched with `~`, a regular expression with `matches(x, r\"…\")`"),
    ("==~", None, "a glob is matched with `~`, a regular expression with `matches(x, r\"…\")`"),
    ("${", None, "a value is read with `$.name`; `${env:NAME}` stands in settings, never in an expression"),
    ("{{", None, "a value is read with `$.name`, and put into a text with `\"{$.name}\"`"),
    ("{%", None, "the whole text behind `=` is the expression"),
    ("->", Some("=>"), "a lambda is written `x => …`"),
    ("**", None, "there is no power; multiply"),
    ("//", Some("??"), "a default is written `??`; a comment stands behind `#`, outside of the expression"),
    ("/*", None, "a comment stands behind `#`, outside of the expression"),
    ("#", None, "a comment stands outside of the expression; quote the whole if `#` belongs to it"),
    (";", None, "an expression is one value; name parts of it with `let:`"),
    ("`", Some("\""), "a text stands in \"…\" or '…'"),
    ("++", None, "texts are joined with `\"{a}{b}\"`, lists with `concat`"),
    ("&", Some("and"), "and is written `and`"),
    ("{", None, "an object is written as YAML, with expressions at its leaves"),
    ("!", Some("not "), "not is written `not`"),
    ("=", Some("=="), "equality is written `==`"),
];

fn symbol(text: &str, at: usize) -> Option<Mistake> {
    // The grammar may have taken the first character of an operator before it stopped.
    for from in [at, at.saturating_sub(1)] {
        let rest = text.get(from..).unwrap_or("");
        for (symbol, ours, help) in SYMBOLS {
            let one = symbol.len() == 1;
            if !rest.starts_with(symbol) || (one && from != at) {
                continue;
            }
            let here = from..from + symbol.len();
            let mistake = foreign(here.clone(), symbol);
            // `=` may be meant as `==`, but `==` at the end lacks an operand.
            let lacks = rest.len() == symbol.len();
            return Some(match ours {
                Some(ours) if !lacks => mistake.fix(*help, here, *ours),
                _ => mistake.help(*help),
            });
        }
    }
    None
}

/// Paths as jq, JavaScript and lodash write them.
fn path(before: &str, rest: &str) -> Option<Mistake> {
    let at = before.len();
    let trimmed = before.trim_end();
    let after_value = trimmed.ends_with(|char: char| char.is_alphanumeric() || matches!(char, '_' | ')' | ']' | '"' | '\''));
    let (found, width) = token(rest);
    let starts_name = rest.starts_with(|char: char| char.is_alphabetic() || char == '_');
    if rest.starts_with('.') && !after_value {
        let lead = if before.ends_with(['$', '@']) { None } else { Some("$") };
        let mistake = Mistake::new(Code::ForeignSyntax, at..at + 1, "a path begins with `$`");
        return match lead {
            Some(lead) => Some(mistake.fix(
                "write `$.name` for a member of the subject, `@.name` for one of the current item",
                at..at,
                lead,
            )),
            None => Some(
                Mistake::new(Code::InvalidPath, at..at + 1, "a name must follow `.`")
                    .help("a name with other characters is written `['order-id']`"),
            ),
        };
    }
    if before.ends_with(['$', '@']) && starts_name {
        return Some(
            Mistake::new(Code::InvalidPath, at..at + width, format!("unexpected {found} in a path"))
                .fix("a member is read with a dot", at..at, "."),
        );
    }
    let in_path = before.rsplit(|char: char| char.is_whitespace()).next().unwrap_or("");
    let in_path = in_path.contains(['$', '@']);
    if in_path && (before.ends_with('.') || rest.starts_with('.')) {
        let dot = if before.ends_with('.') { at - 1 } else { at };
        let name = rest.trim_start_matches('.');
        let mistake = Mistake::new(Code::InvalidPath, dot..dot + 1, "a name must follow `.`");
        let (_, width) = token(name);
        let end = dot + 1 + width;
        if name.starts_with(|char: char| char.is_ascii_digit()) {
            let index = name.get(..width).unwrap_or("");
            return Some(mistake.fix("an item is read with brackets", dot..end, format!("[{index}]")));
        }
        if name.starts_with('[') {
            return Some(mistake.fix("brackets need no dot before them", dot..dot + 1, ""));
        }
        return Some(mistake.help("a name with other characters is written `['order-id']`"));
    }
    if in_path && rest.starts_with('(') {
        let name = before.rsplit('.').next().unwrap_or("");
        let dot = at.checked_sub(name.len() + 1)?;
        let empty = rest.get(1..).is_some_and(|rest| rest.trim_start().starts_with(')'));
        let mistake = foreign(dot..at, &format!(".{name}(…)"));
        let help = "a function is applied with a pipe";
        return Some(if empty && builtins::find(name).is_some() {
            let close = rest.find(')').map_or(1, |close| close + 1);
            mistake.fix(help, dot..at + close, format!(" | {name}"))
        } else {
            mistake.help(format!("{help}: `$.name | lower`"))
        });
    }
    None
}

/// `? :`, `elif`, an `if` without `else`.
fn choice(before: &str, rest: &str) -> Option<Mistake> {
    let at = before.len();
    let ternary = rest.starts_with('?') && !rest.starts_with("??") && !rest.starts_with("?!");
    if rest.starts_with("?.") {
        return Some(foreign(at..at + 2, "?.").fix(
            "reading through what is missing gives missing, so `.` is enough",
            at..at + 2,
            ".",
        ));
    }
    if ternary && !before.trim_end().ends_with('[') {
        return Some(foreign(at..at + 1, "? :").help("write `if CONDITION then A else B`"));
    }
    for elif in ["elif", "elsif", "elseif"] {
        if rest.starts_with(elif) {
            return Some(foreign(at..at + elif.len(), elif).fix(
                "write `else if`",
                at..at + elif.len(),
                "else if",
            ));
        }
    }
    if rest.trim().is_empty() && before.contains("then") && !before.contains("else") {
        let end = before.trim_end().len();
        return Some(
            Mistake::new(Code::ExpressionSyntax, end..end, "`if` needs an `else`")
                .fix("`else missing` leaves the key out", end..end, " else missing"),
        );
    }
    None
}

/// Words between two values: keywords in capitals, functions used as operators.
fn word(before: &str, rest: &str) -> Option<Mistake> {
    const WORDS: &[(&str, &str, &str)] = &[
        ("like", "~", "a glob is matched with `~`: `$.name ~ \"order_*\"`"),
        ("eq", "==", "equality is written `==`"),
        ("ne", "!=", "inequality is written `!=`"),
        ("gt", ">", "greater than is written `>`"),
        ("ge", ">=", "at least is written `>=`"),
        ("lt", "<", "less than is written `<`"),
        ("le", "<=", "at most is written `<=`"),
        ("div", "/", "division is written `/`"),
        ("mod", "%", "the remainder is written `%`"),
        ("when", "if", "a choice is written `if CONDITION then A else B`"),
        ("or_else", "??", "a default is written `??`"),
        ("default", "??", "a default is written `??`"),
    ];
    let at = before.len();
    let (_, width) = token(rest);
    let found = rest.get(..width).filter(|word| word.starts_with(char::is_alphabetic))?;
    let here = at..at + width;
    let lower = found.to_ascii_lowercase();
    let keyword = ["and", "or", "not", "in", "is", "if", "then", "else", "catch"].contains(&lower.as_str());
    if keyword && lower != found {
        return Some(foreign(here.clone(), found).fix(
            format!("keywords are in lower case: `{lower}`"),
            here,
            lower,
        ));
    }
    if let Some((_, ours, help)) = WORDS.iter().find(|(word, ..)| *word == lower) {
        return Some(foreign(here.clone(), found).fix(*help, here, *ours));
    }
    builtins::find(&lower)?;
    let message = format!("`{found}` is a function, not an operator");
    Some(
        Mistake::new(Code::ForeignSyntax, here.clone(), message)
            .fix("a function is applied with a pipe", here, format!("| {lower}"))
            .here("its other arguments stand in parentheses"),
    )
}

/// Quotes that a word processor made.
fn quote(text: &str, at: usize) -> Option<Mistake> {
    const CURLY: [char; 6] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}'];
    let (from, char) = text.get(at..)?.char_indices().next()?;
    let here = at + from..at + from + char.len_utf8();
    CURLY.contains(&char).then(|| {
        foreign(here.clone(), &char.to_string())
            .fix("a text stands in straight quotes, \"…\" or '…'", here, "\"")
    })
}
