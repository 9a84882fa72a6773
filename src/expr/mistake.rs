//! What is wrong with an expression, in words: from what the grammar expected to what was meant.

use std::ops::Range;

use pest::error::ErrorVariant;
use pest::error::InputLocation;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::expr::grammar::Rule;
use crate::text::Excerpt;

/// One mistake; positions are bytes of the expression's text.
#[derive(Clone, Debug)]
pub(super) struct Mistake(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    code: Code,
    at: Range<usize>,
    message: String,
    here: String,
    help: Option<Help>,
}

#[derive(Clone, Debug)]
struct Help {
    text: String,
    /// What to replace by what.
    patch: Option<(Range<usize>, String)>,
}

impl Mistake {
    pub(super) fn new(code: Code, at: Range<usize>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Details {
            code,
            at,
            message,
            here: String::new(),
            help: None,
        }))
    }

    #[must_use]
    pub(super) fn here(mut self, here: impl Into<String>) -> Self {
        self.0.here = here.into();
        self
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(Help {
            text: help.into(),
            patch: None,
        });
        self
    }

    #[must_use]
    pub(super) fn fix(
        mut self,
        help: impl Into<String>,
        at: Range<usize>,
        text: impl Into<String>,
    ) -> Self {
        self.0.help = Some(Help {
            text: help.into(),
            patch: Some((at, text.into())),
        });
        self
    }

    /// The mistake as a finding in the file the text stands in.
    pub(super) fn diagnostic(self, source: &Excerpt) -> Diagnostic {
        let Details {
            code,
            at,
            message,
            here,
            help,
        } = *self.0;
        let span = |at: &Range<usize>| source.span(at.start, at.end);
        let diagnostic = Diagnostic::error(code, span(&at), message).here(here);
        match help {
            None => diagnostic,
            Some(Help { text, patch: None }) => diagnostic.help(text),
            Some(Help {
                text,
                patch: Some((at, replacement)),
            }) => diagnostic.fix(text, span(&at), replacement),
        }
    }
}

pub(super) fn too_large(text: &str, bytes_max: usize) -> Mistake {
    let message = format!("expression of {} bytes; at most {bytes_max}", text.len());
    Mistake::new(Code::ExpressionTooLarge, 0..text.len(), message)
        .help("move parts of it into `let:` or a table")
}

pub(super) fn too_deep(at: usize, nesting_max: usize) -> Mistake {
    let message = format!("brackets nested deeper than {nesting_max}");
    Mistake::new(Code::ExpressionTooLarge, at..at + 1, message)
}

pub(super) fn chained(at: Range<usize>, second: Range<usize>) -> Mistake {
    Mistake::new(Code::ChainedComparison, at, "comparisons do not chain")
        .here("compare two values at a time")
        .fix(
            "join the comparisons with `and`",
            second.start..second.start,
            "and … ",
        )
}

pub(super) fn escape(at: Range<usize>) -> Mistake {
    Mistake::new(Code::InvalidLiteral, at, "unknown escape in text")
        .here("known are \\n \\r \\t \\\" \\\\ \\{ \\} and \\uXXXX")
        .help("write `\\\\` for a backslash, or use '…', which has no escapes")
}

/// For what the grammar makes impossible: reported as a mistake rather than a crash.
pub(super) fn impossible(at: Range<usize>) -> Mistake {
    Mistake::new(Code::ExpressionSyntax, at, "cannot parse this expression")
}

/// What pest stumbled over, said so that a person can act.
pub(super) fn of(text: &str, error: &pest::error::Error<Rule>) -> Mistake {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(text.len()),
    };
    let rest = text.get(at..).unwrap_or("");
    foreign(text, at, rest)
        .or_else(|| unbalanced(text, at))
        .unwrap_or_else(|| expected(text, at, rest, error))
}

/// Habits of other languages, each with our way to write it.
fn foreign(text: &str, at: usize, rest: &str) -> Option<Mistake> {
    const HABITS: [(&str, &str, &str); 10] = [
        ("&&", "and", "and is written `and`"),
        ("||", "or", "or is written `or`"),
        ("===", "==", "equality is written `==`"),
        ("!==", "!=", "inequality is written `!=`"),
        ("<>", "!=", "inequality is written `!=`"),
        (
            "=~",
            "~",
            "a glob is matched with `~`; for a regular expression use `matches(x, r\"…\")`",
        ),
        ("!", "not ", "not is written `not`"),
        ("=", "==", "equality is written `==`"),
        (
            "${",
            "",
            "there is no `${…}` in an expression; `${env:…}` belongs to server, storage, sources and destinations",
        ),
        ("{{", "{", "a value in a text is written `\"{$.name}\"`"),
    ];
    let found = |word: &str, from: usize| text.get(from..).is_some_and(|it| it.starts_with(word));
    // The grammar may have taken the first character of the operator before it stopped.
    for from in [at, at.saturating_sub(1)] {
        for (word, ours, help) in HABITS {
            let single = matches!(word, "=" | "!");
            if !found(word, from) || single && from != at {
                continue;
            }
            let here = from..from + word.len();
            return Some(
                Mistake::new(
                    Code::ForeignSyntax,
                    here.clone(),
                    format!("`{word}` is not of this language"),
                )
                .fix(help, here, ours),
            );
        }
    }
    if rest.starts_with('?') && !rest.starts_with("??") && !rest.starts_with("?!") {
        let message = "`? :` is not of this language";
        let mistake = Mistake::new(Code::ForeignSyntax, at..at + 1, message);
        return Some(mistake.help("write `if CONDITION then A else B`"));
    }
    let begins_path = rest.starts_with('.')
        && !text
            .get(..at)
            .is_some_and(|it| it.ends_with(|c: char| c.is_alphanumeric() || c == ')' || c == ']'));
    begins_path.then(|| {
        Mistake::new(Code::ForeignSyntax, at..at + 1, "a path begins with `$`").fix(
            "write `$.name` for a member of the subject, `@.name` for one of the current item",
            at..at,
            "$",
        )
    })
}

/// A quote or bracket that is not closed, or one that was never opened.
fn unbalanced(text: &str, at: usize) -> Option<Mistake> {
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut quote: Option<(char, usize)> = None;
    let mut escaped = false;
    for (here, char) in text.char_indices() {
        if let Some((mark, _)) = quote {
            if escaped {
                escaped = false;
            } else if char == '\\' && mark == '"' {
                escaped = true;
            } else if char == mark {
                quote = None;
            }
            continue;
        }
        match char {
            '"' | '\'' => quote = Some((char, here)),
            '(' | '[' => open.push((char, here)),
            ')' | ']' => {
                let wanted = if char == ')' { '(' } else { '[' };
                if open.pop().is_none_or(|(opened, _)| opened != wanted) {
                    let message = format!("`{char}` closes nothing");
                    return Some(Mistake::new(Code::Unbalanced, here..here + 1, message));
                }
            }
            _ => {}
        }
    }
    let (char, from) = quote.or_else(|| open.pop())?;
    let what = if quote.is_some() { "quote" } else { "bracket" };
    let close = match char {
        '(' => ')',
        '[' => ']',
        other => other,
    };
    let _ = at;
    let message = format!("{what} `{char}` is not closed");
    let end = text.trim_end().len();
    Some(
        Mistake::new(Code::Unbalanced, from..from + 1, message)
            .here("opened here")
            .fix(
                format!("close it with `{close}`"),
                end..end,
                close.to_string(),
            ),
    )
}

fn expected(text: &str, at: usize, rest: &str, error: &pest::error::Error<Rule>) -> Mistake {
    let found = if rest.chars().next().is_none() {
        "the end".to_owned()
    } else {
        let word: String = rest
            .chars()
            .take_while(|char| char.is_alphanumeric() || *char == '_')
            .collect();
        let shown = if word.is_empty() {
            rest.chars().take(1).collect()
        } else {
            word
        };
        format!("`{shown}`")
    };
    let width = found.len().saturating_sub(2).min(rest.len());
    let mut words: Vec<&str> = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => {
            positives.iter().copied().map(word).collect()
        }
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    words.sort_unstable();
    words.dedup();
    let end = if rest.is_empty() {
        at
    } else {
        at + width.max(1)
    };
    let mut end = end.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let mistake = Mistake::new(
        Code::ExpressionSyntax,
        at..end,
        format!("unexpected {found}"),
    );
    match words.split_last() {
        None => mistake,
        Some((only, [])) => mistake.here(format!("expected {only}")),
        Some((last, others)) => mistake.here(format!("expected {} or {last}", others.join(", "))),
    }
}

/// What a rule is to somebody who has not read the grammar.
const fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::EOI => "the end",
        Rule::kind_name => "a kind such as `string` or `missing`",
        Rule::kw_then => "`then`",
        Rule::kw_else => "`else`",
        Rule::args => "arguments in parentheses",
        Rule::function => "a function",
        Rule::member | Rule::member_name => "a member",
        Rule::index => "an index",
        Rule::cmp_tail
        | Rule::cmp_op
        | Rule::glob_op
        | Rule::in_op
        | Rule::is_op
        | Rule::kw_in
        | Rule::kw_is => "a comparison",
        Rule::chain_step
        | Rule::pipe
        | Rule::or_null
        | Rule::or_missing
        | Rule::on_error
        | Rule::kw_catch
        | Rule::sum_op
        | Rule::mul_op
        | Rule::kw_and
        | Rule::kw_or => "an operator",
        _ => "a value",
    }
}
