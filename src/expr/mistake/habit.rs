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
    Mistake::new(
        Code::ForeignSyntax,
        at,
        format!("`{found}` is not of this language"),
    )
}

/// Operators and brackets: as written, as written here, and the sentence that says so. What others
/// begin with comes behind them.
const SYMBOLS: &[(&str, Option<&str>, &str)] = &[
    ("&&", Some("and"), "and is written `and`"),
    ("||", Some("or"), "or is written `or`; a default is `??`"),
    ("===", Some("=="), "equality is written `==`"),
    ("!==", Some("!="), "inequality is written `!=`"),
    ("<>", Some("!="), "inequality is written `!=`"),
    (
        "=~",
        None,
        "a glob is matched with `~`, a regular expression with `matches(x, r\"…\")`",
    ),
    (
        "==~",
        None,
        "a glob is matched with `~`, a regular expression with `matches(x, r\"…\")`",
    ),
    (
        "${",
        None,
        "a value is read with `$.name`; `${env:NAME}` stands in settings, never in an expression",
    ),
    (
        "{{",
        None,
        "a value is read with `$.name`, and put into a text with `\"{$.name}\"`",
    ),
    ("{%", None, "the whole text behind `=` is the expression"),
    ("->", Some("=>"), "a lambda is written `x => …`"),
    ("**", None, "there is no power; multiply"),
    (
        "//",
        Some("??"),
        "a default is written `??`; a comment stands behind `#`, outside of the expression",
    ),
    (
        "/*",
        None,
        "a comment stands behind `#`, outside of the expression",
    ),
    (
        "#",
        None,
        "a comment stands outside of the expression; quote the whole if `#` belongs to it",
    ),
    (
        ";",
        None,
        "an expression is one value; name parts of it with `let:`",
    ),
    (
        "++",
        None,
        "texts are joined with `\"{a}{b}\"`, lists with `concat`",
    ),
    ("&", Some("and"), "and is written `and`"),
    (
        "{",
        None,
        "an object is written as YAML, with expressions at its leaves",
    ),
    ("!", Some("not "), "not is written `not`"),
    ("=", Some("=="), "equality is written `==`"),
];

fn symbol(text: &str, at: usize) -> Option<Mistake> {
    // The grammar may have taken the first character of an operator before it stopped.
    let places = [at, at.saturating_sub(1)];
    let starts = |from: usize, symbol: &str| {
        text.get(from..)
            .is_some_and(|rest| rest.starts_with(symbol))
    };
    let place = |symbol: &str| {
        let places = if symbol.len() == 1 {
            places.split_at(1).0
        } else {
            &places
        };
        places.iter().copied().find(|from| starts(*from, symbol))
    };
    let (from, (symbol, ours, help)) = SYMBOLS
        .iter()
        .find_map(|row| place(row.0).map(|from| (from, row)))?;
    let here = from..from + symbol.len();
    let mistake = foreign(here.clone(), symbol);
    // At the very end it is an operand that is missing, whatever the operator.
    let ends = text.len() == here.end;
    Some(match ours {
        Some(ours) if !ends => mistake.fix(*help, here, *ours),
        _ => mistake.help(*help),
    })
}

/// Paths as jq, JavaScript and lodash write them.
fn path(before: &str, rest: &str) -> Option<Mistake> {
    let at = before.len();
    let (found, width) = token(rest);
    if before.ends_with("..") || (before.ends_with('.') && rest.starts_with('.')) {
        return Some(
            Mistake::new(Code::InvalidPath, at..at + width, "a name must follow `..`")
                .help("everything below is `$..*`"),
        );
    }
    if before.ends_with(['$', '@']) && rest.starts_with(|char: char| char.is_alphabetic()) {
        let message = format!("unexpected {found} in a path");
        return Some(
            Mistake::new(Code::InvalidPath, at..at + width, message).fix(
                "a member is read with a dot",
                at..at,
                ".",
            ),
        );
    }
    let word = before.rsplit(char::is_whitespace).next().unwrap_or("");
    if word.contains(['$', '@']) {
        return dot(before, rest).or_else(|| method(before, rest));
    }
    let is_operand = |char: char| char.is_alphanumeric() || "_)]\"'".contains(char);
    let begins = rest.starts_with('.') && !before.trim_end().ends_with(is_operand);
    begins.then(|| {
        Mistake::new(Code::ForeignSyntax, at..at + 1, "a path begins with `$`").fix(
            "write `$.name` for a member of the subject, `@.name` for one of the current item",
            at..at,
            "$",
        )
    })
}

/// A dot of a path that no name follows: `$.items.0`, `$.items.[0]`, `$.'a b'`.
fn dot(before: &str, rest: &str) -> Option<Mistake> {
    if !before.ends_with('.') && !rest.starts_with('.') {
        return None;
    }
    let dot = before.trim_end_matches('.').len();
    let name = rest.trim_start_matches('.');
    let (_, width) = token(name);
    let mistake = Mistake::new(Code::InvalidPath, dot..dot + 1, "a name must follow `.`");
    Some(if name.starts_with(|char: char| char.is_ascii_digit()) {
        let index = format!("[{}]", name.get(..width).unwrap_or(""));
        mistake.fix("an item is read with brackets", dot..dot + 1 + width, index)
    } else if name.starts_with('[') {
        mistake.fix("brackets need no dot before them", dot..dot + 1, "")
    } else {
        mistake.help("a name with other characters is written `['order-id']`")
    })
}

/// A function called like a method: `$.name.lower()`.
fn method(before: &str, rest: &str) -> Option<Mistake> {
    let arguments = rest.strip_prefix('(')?;
    let at = before.len();
    let name = before.rsplit('.').next().unwrap_or("");
    let dot = at.checked_sub(name.len() + 1)?;
    let mistake = foreign(dot..at, &format!(".{name}(…)"));
    let help = "a function is applied with a pipe";
    if builtins::find(name).is_none() {
        return Some(mistake.help(format!("{help}: `$.name | lower`")));
    }
    let blank = arguments.len() - arguments.trim_start().len();
    let empty = arguments.trim_start().starts_with(')');
    let end = if empty { at + 2 + blank } else { at };
    Some(mistake.fix(help, dot..end, format!(" | {name}")))
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
            Mistake::new(Code::ExpressionSyntax, end..end, "`if` needs an `else`").fix(
                "`else missing` leaves the key out",
                end..end,
                " else missing",
            ),
        );
    }
    None
}

/// Words between two values: keywords in capitals, functions used as operators.
fn word(before: &str, rest: &str) -> Option<Mistake> {
    const WORDS: &[(&str, &str, &str)] = &[
        (
            "like",
            "~",
            "a glob is matched with `~`: `$.name ~ \"order_*\"`",
        ),
        ("eq", "==", "equality is written `==`"),
        ("ne", "!=", "inequality is written `!=`"),
        ("gt", ">", "greater than is written `>`"),
        ("ge", ">=", "at least is written `>=`"),
        ("lt", "<", "less than is written `<`"),
        ("le", "<=", "at most is written `<=`"),
        ("div", "/", "division is written `/`"),
        ("mod", "%", "the remainder is written `%`"),
        (
            "when",
            "if",
            "a choice is written `if CONDITION then A else B`",
        ),
        ("or_else", "??", "a default is written `??`"),
        ("default", "??", "a default is written `??`"),
    ];
    let at = before.len();
    let (_, width) = token(rest);
    let found = rest
        .get(..width)
        .filter(|word| word.starts_with(char::is_alphabetic))?;
    let here = at..at + width;
    let lower = found.to_ascii_lowercase();
    let keyword = [
        "and", "or", "not", "in", "is", "if", "then", "else", "catch",
    ]
    .contains(&lower.as_str());
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
    if builtins::find(&lower).is_none() {
        return spaced(before, found);
    }
    let message = format!("`{found}` is a function, not an operator");
    let mistake = Mistake::new(Code::ForeignSyntax, here, message);
    let help = "a function is applied with a pipe, its other arguments stand in parentheses";
    // What follows is taken for the argument as long as nothing else can be meant.
    let argument = rest.get(width..).unwrap_or("").trim();
    let is_one = !argument.is_empty() && !argument.contains(char::is_whitespace);
    Some(if is_one {
        let edit = format!("| {lower}({argument})");
        mistake.fix(help, at..at + rest.trim_end().len(), edit)
    } else {
        mistake.help(help)
    })
}

/// A name of two words: `$.first name`.
fn spaced(before: &str, found: &str) -> Option<Mistake> {
    let path = before.trim_end();
    let start = path.rfind(['$', '@'])?;
    let path = path
        .get(start..)
        .filter(|path| !path.contains(char::is_whitespace))?;
    let (object, member) = path.rsplit_once('.')?;
    let at = before.len();
    let here = at..at + found.len();
    let meant = format!("{object}['{member} {found}']");
    Some(
        Mistake::new(
            Code::ExpressionSyntax,
            here.clone(),
            format!("unexpected `{found}`"),
        )
        .here("expected an operator or the end")
        .fix(
            "a name with a space stands in brackets",
            start..here.end,
            meant,
        ),
    )
}

/// Quotes that are none here: those of a word processor, of Markdown and of SQL.
fn quote(text: &str, at: usize) -> Option<Mistake> {
    const PAIRS: [(char, char); 6] = [
        ('\u{201c}', '\u{201d}'),
        ('\u{201e}', '\u{201c}'),
        ('\u{2018}', '\u{2019}'),
        ('\u{201d}', '\u{201d}'),
        ('\u{ab}', '\u{bb}'),
        ('`', '`'),
    ];
    let rest = text.get(at..)?;
    let (open, close) = PAIRS
        .into_iter()
        .find(|(open, _)| rest.starts_with(*open))?;
    let start = at + open.len_utf8();
    let mistake = foreign(at..start, &open.to_string());
    let help = "a text stands in straight quotes, \"…\" or '…'";
    let inner = text
        .get(start..)
        .and_then(|rest| rest.split_once(close))
        .map(|(inner, _)| inner);
    Some(match inner.filter(|inner| !inner.contains(['\'', '\\'])) {
        Some(inner) => {
            let end = start + inner.len() + close.len_utf8();
            mistake.fix(help, at..end, format!("'{inner}'"))
        }
        None => mistake.help(help),
    })
}
