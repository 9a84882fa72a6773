//! The plain answer: what was found, and what could have stood there.

use pest::error::ErrorVariant;

use crate::diagnostic::Code;
use crate::expr::grammar::Rule;
use crate::expr::mistake::Mistake;
use crate::expr::mistake::balance;
use crate::expr::mistake::token;

pub(super) fn at(text: &str, at: usize, error: &pest::error::Error<Rule>) -> Mistake {
    let (found, width) = token(text.get(at..).unwrap_or(""));
    let mut words: Vec<&str> = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => {
            positives.iter().copied().map(word).collect()
        }
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    words.sort_unstable();
    words.dedup();
    // Where a value may stand the many operators before it are no news.
    if words.contains(&"a value") {
        words.retain(|word| !matches!(*word, "an operator" | "a comparison"));
    }
    let mistake = Mistake::new(
        Code::ExpressionSyntax,
        at..at + width,
        if width == 0 {
            "unexpected end".to_owned()
        } else {
            format!("unexpected {found}")
        },
    );
    let mistake = match words.split_last() {
        None => mistake,
        Some((only, [])) => mistake.here(format!("expected {only}")),
        Some((last, others)) => mistake.here(format!("expected {} or {last}", others.join(", "))),
    };
    let before = text.get(..at).unwrap_or("");
    let computes = found
        .trim_matches('`')
        .starts_with(['+', '-', '*', '/', '%']);
    if computes && (before.contains('|') || before.contains("??") || before.contains("catch")) {
        return mistake.help("arithmetic binds tighter than a pipe: `($.x | number) + 1`");
    }
    if balance::in_hole(text, at) {
        return mistake
            .help("inside `{…}` of a text stands an expression; the character itself is `\\{`");
    }
    mistake
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
        Rule::path_name => "a name",
        Rule::member | Rule::index => "a member",
        Rule::cmp_tail
        | Rule::cmp_op
        | Rule::glob_op
        | Rule::in_op
        | Rule::is_op
        | Rule::kw_in
        | Rule::kw_is
        | Rule::kw_not => "a comparison",
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
