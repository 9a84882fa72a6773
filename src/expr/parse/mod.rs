//! Text to syntax tree: from the loosest operator to the tightest; `operand` reads what they join.
//!
//! Every way to mistype an expression gets words and, where it can, a fix: `mistake`.

mod operand;

use std::ops::Range;

use pest::Parser as _;
use pest::iterators::Pair;
use pest::iterators::Pairs;

use crate::expr::grammar::Grammar;
use crate::expr::grammar::Rule;
use crate::expr::mistake;
use crate::expr::mistake::Mistake;
use crate::expr::syntax::Arithmetic;
use crate::expr::syntax::Call;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
use crate::expr::syntax::Form;
use crate::expr::syntax::KindWord;
use crate::expr::syntax::Sense;
use crate::expr::syntax::Syntax;

/// Longest expression in bytes: twenty times the longest one anybody needs.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Deepest nesting of brackets and of `if`; looked at before parsing, so that no text can exhaust
/// the stack.
pub const NESTING_MAX: usize = 64;

/// Most steps one below another, as `1 + 1 + …` makes them: the tree is walked by recursion.
pub const DEPTH_MAX: usize = 128;

/// Parses the text of an expression.
pub(super) fn parse(text: &str) -> Result<Syntax, Mistake> {
    within_limits(text)?;
    let mut pairs =
        Grammar::parse(Rule::program, text).map_err(|error| mistake::of(text, &error))?;
    let program = pairs.next().map(Pair::into_inner);
    let expr = program.and_then(|mut inner| inner.next());
    expr.map_or_else(|| Err(mistake::impossible(0..text.len())), tree)
}

/// Refuses what would take too long or too much stack to parse.
pub(super) fn within_limits(text: &str) -> Result<(), Mistake> {
    if TEXT_BYTES_MAX < text.len() {
        return Err(mistake::too_large(text, TEXT_BYTES_MAX));
    }
    too_deep(text).map_or(Ok(()), |at| Err(mistake::too_deep(at, NESTING_MAX)))
}

/// The byte at which brackets or `if`s are nested too deep, if they are. Those inside texts count,
/// and an `if` never ends: stricter than needed, and nothing can fool it.
fn too_deep(text: &str) -> Option<usize> {
    let mut brackets = 0_usize;
    let mut choices = 0_usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b'i' if bytes.get(at + 1) == Some(&b'f') => choices += 1,
            _ => {}
        }
        if NESTING_MAX < brackets || NESTING_MAX < choices {
            return Some(at);
        }
    }
    None
}

type Parsed = Result<Syntax, Mistake>;

/// A node of the tree, unless it stands on too many others.
fn node(form: Form, at: Range<usize>) -> Parsed {
    let syntax = Syntax::new(form, at);
    if DEPTH_MAX < syntax.depth {
        return Err(mistake::too_many_steps(syntax.at, DEPTH_MAX));
    }
    Ok(syntax)
}

/// Where a pair stands, without the white space that the grammar may count to its end.
fn at(pair: &Pair<'_, Rule>) -> Range<usize> {
    let start = pair.as_span().start();
    start..start + pair.as_str().trim_end().len()
}

/// The next pair, which the grammar promises.
fn next<'i>(
    pairs: &mut impl Iterator<Item = Pair<'i, Rule>>,
    of: &Range<usize>,
) -> Result<Pair<'i, Rule>, Mistake> {
    pairs.next().ok_or_else(|| mistake::impossible(of.clone()))
}

/// The tree of a pair. Most rules of the grammar only pass on to the next tighter one, and brackets
/// to the loosest: those are followed without a call, so that nesting costs little stack.
fn tree(pair: Pair<'_, Rule>) -> Parsed {
    let mut pair = pair;
    loop {
        let here = at(&pair);
        let mut inner = pair.clone().into_inner();
        match (pair.as_rule(), inner.next(), inner.next()) {
            (rule, Some(only), None) if passes_on(rule) => pair = only,
            (Rule::or_expr, ..) => return joined(pair, Form::Any),
            (Rule::and_expr, ..) => return joined(pair, Form::All),
            (Rule::not_expr, ..) => return prefixed(pair, Rule::negation, Form::Not),
            (Rule::cmp_expr, ..) => return comparison(pair),
            (Rule::chain, ..) => return chain(pair),
            (Rule::sum | Rule::product, ..) => return calculation(pair),
            (Rule::unary, ..) => return prefixed(pair, Rule::minus, Form::Negate),
            (Rule::postfix, ..) => return operand::postfix(pair),
            (Rule::if_expr, ..) => return choice(pair),
            _ => return operand::leaf(pair, here),
        }
    }
}

const fn passes_on(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::expr
            | Rule::or_expr
            | Rule::and_expr
            | Rule::not_expr
            | Rule::cmp_expr
            | Rule::chain
            | Rule::sum
            | Rule::product
            | Rule::unary
            | Rule::postfix
            | Rule::primary
            | Rule::literal
    )
}

/// The trees of all pairs of a rule.
fn trees(pairs: Pairs<'_, Rule>, rule: Rule) -> Result<Vec<Syntax>, Mistake> {
    let mut parts = Vec::new();
    for pair in pairs {
        if pair.as_rule() == rule {
            parts.push(tree(pair)?);
        }
    }
    Ok(parts)
}

fn choice(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut parts = trees(pair.into_inner(), Rule::expr)?.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(when), Some(then), Some(otherwise)) => {
            let (when, then) = (Box::new(when), Box::new(then));
            let otherwise = Box::new(otherwise);
            node(
                Form::Choice {
                    when,
                    then,
                    otherwise,
                },
                here,
            )
        }
        _ => Err(mistake::impossible(here)),
    }
}

/// The parts between `and` or `or`.
fn joined(pair: Pair<'_, Rule>, join: fn(Vec<Syntax>) -> Form) -> Parsed {
    let here = at(&pair);
    let part = if pair.as_rule() == Rule::or_expr {
        Rule::and_expr
    } else {
        Rule::not_expr
    };
    node(join(trees(pair.into_inner(), part)?), here)
}

/// An operand behind prefix operators. Two of them undo each other except that the operand must
/// still be of their kind, so three are one.
fn prefixed(pair: Pair<'_, Rule>, prefix: Rule, apply: fn(Box<Syntax>) -> Form) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner().peekable();
    let mut prefixes = 0_usize;
    while inner.next_if(|part| part.as_rule() == prefix).is_some() {
        prefixes += 1;
    }
    let mut syntax = tree(next(&mut inner, &here)?)?;
    let applied = if 2 < prefixes {
        2 - prefixes % 2
    } else {
        prefixes
    };
    for _ in 0..applied {
        syntax = node(apply(Box::new(syntax)), here.clone())?;
    }
    Ok(syntax)
}

fn comparison(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let left = tree(next(&mut inner, &here)?)?;
    let Some(tail) = inner.next() else {
        return Ok(left);
    };
    let tail_at = at(&tail);
    let mut parts = tail.into_inner();
    let operator = next(&mut parts, &tail_at)?;
    let right = next(&mut parts, &tail_at)?;
    if let Some(second) = inner.next() {
        let all = left.at.start..at(&second).end;
        let compared = operator.as_rule() == Rule::cmp_op;
        let middle = compared.then(|| (at(&right).end, right.as_str().trim_end()));
        return Err(mistake::chained(all, middle));
    }
    let negated = operator.as_str().contains("not") || operator.as_str() == "!~";
    let sense = if negated {
        Sense::Negated
    } else {
        Sense::Plain
    };
    let left = Box::new(left);
    let form = match operator.as_rule() {
        Rule::is_op => {
            let kind = KindWord {
                word: right.as_str().to_owned(),
                at: at(&right),
            };
            Form::Is {
                value: left,
                kind,
                sense,
            }
        }
        Rule::in_op => Form::In {
            item: left,
            list: Box::new(tree(right)?),
            sense,
        },
        Rule::glob_op => Form::Glob {
            value: left,
            glob: Box::new(tree(right)?),
            sense,
        },
        _ => {
            let comparison = match operator.as_str() {
                "==" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                "<=" => Comparison::LessOrEqual,
                ">=" => Comparison::GreaterOrEqual,
                "<" => Comparison::Less,
                _ => Comparison::Greater,
            };
            Form::Compare(comparison, left, Box::new(tree(right)?))
        }
    };
    node(form, here)
}

fn chain(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let mut left = tree(next(&mut inner, &here)?)?;
    for step in inner {
        let step_at = at(&step);
        let step = next(&mut step.into_inner(), &step_at)?;
        let so_far = left.at.start..at(&step).end;
        let rule = step.as_rule();
        let mut parts = step
            .into_inner()
            .filter(|part| part.as_rule() != Rule::kw_catch);
        let first = next(&mut parts, &step_at)?;
        let form = if rule == Rule::pipe {
            let call = operand::call(&first, parts.next())?;
            Form::Call(Call {
                piped: Some(Box::new(left)),
                ..call
            })
        } else {
            let fallback = match rule {
                Rule::or_null => Fallback::MissingOrNull,
                Rule::or_missing => Fallback::Missing,
                _ => Fallback::Error,
            };
            Form::Fallback(fallback, Box::new(left), Box::new(tree(first)?))
        };
        left = node(form, so_far)?;
    }
    Ok(left)
}

fn calculation(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let mut left = tree(next(&mut inner, &here)?)?;
    while let Some(operator) = inner.next() {
        let arithmetic = match operator.as_str() {
            "+" => Arithmetic::Add,
            "-" => Arithmetic::Subtract,
            "*" => Arithmetic::Multiply,
            "/" => Arithmetic::Divide,
            _ => Arithmetic::Remainder,
        };
        let right = tree(next(&mut inner, &here)?)?;
        let so_far = left.at.start..right.at.end;
        let form = Form::Arithmetic(arithmetic, Box::new(left), Box::new(right));
        left = node(form, so_far)?;
    }
    Ok(left)
}
