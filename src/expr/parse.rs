//! Text to syntax tree. Every way to mistype an expression gets words and, where it can, a fix.

use std::ops::Range;

use pest::Parser as _;
use pest::iterators::Pair;
use pest::iterators::Pairs;

use crate::expr::grammar::Grammar;
use crate::expr::grammar::Rule;
use crate::expr::mistake;
use crate::expr::mistake::Mistake;
use crate::expr::syntax::Argument;
use crate::expr::syntax::ArgumentValue;
use crate::expr::syntax::Arithmetic;
use crate::expr::syntax::Call;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
use crate::expr::syntax::Form;
use crate::expr::syntax::Piece;
use crate::expr::syntax::Syntax;

/// Longest expression in bytes: twenty times the longest one anybody needs.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Deepest nesting of brackets; looked at before parsing, so that no text can exhaust the stack.
pub const NESTING_MAX: usize = 64;

/// Parses the text of an expression.
pub(super) fn parse(text: &str) -> Result<Syntax, Mistake> {
    if TEXT_BYTES_MAX < text.len() {
        return Err(mistake::too_large(text, TEXT_BYTES_MAX));
    }
    if let Some(at) = too_deep(text) {
        return Err(mistake::too_deep(at, NESTING_MAX));
    }
    let mut pairs =
        Grammar::parse(Rule::program, text).map_err(|error| mistake::of(text, &error))?;
    let program = pairs.next().map(Pair::into_inner);
    let expr = program.and_then(|mut inner| inner.next());
    expr.map_or_else(|| Err(mistake::impossible(0..text.len())), expression)
}

/// The byte at which brackets are nested too deep, if they are. Counts brackets inside texts too,
/// which is stricter and cannot be fooled.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    // A prefix operator nests without a bracket.
    let mut prefixes = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        prefixes = match byte {
            b'-' => prefixes + 1,
            b' ' => prefixes,
            _ => 0,
        };
        if NESTING_MAX < depth || NESTING_MAX < prefixes {
            return Some(at);
        }
    }
    None
}

type Parsed = Result<Syntax, Mistake>;

fn at(pair: &Pair<'_, Rule>) -> Range<usize> {
    let span = pair.as_span();
    span.start()..span.end()
}

/// The next pair, which the grammar promises.
fn next<'i>(pairs: &mut Pairs<'i, Rule>, of: &Range<usize>) -> Result<Pair<'i, Rule>, Mistake> {
    pairs.next().ok_or_else(|| mistake::impossible(of.clone()))
}

fn expression(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let first = next(&mut inner, &here)?;
    match first.as_rule() {
        Rule::if_expr => choice(first),
        _ => disjunction(first),
    }
}

fn choice(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut parts = pair
        .into_inner()
        .filter(|part| part.as_rule() == Rule::expr);
    let mut part = || {
        let part = parts
            .next()
            .ok_or_else(|| mistake::impossible(here.clone()))?;
        expression(part).map(Box::new)
    };
    let (when, then, otherwise) = (part()?, part()?, part()?);
    Ok(Syntax {
        form: Form::Choice {
            when,
            then,
            otherwise,
        },
        at: here,
    })
}

fn disjunction(pair: Pair<'_, Rule>) -> Parsed {
    joined(pair, Rule::and_expr, conjunction, Form::Any)
}

fn conjunction(pair: Pair<'_, Rule>) -> Parsed {
    joined(pair, Rule::not_expr, negated, Form::All)
}

fn joined(
    pair: Pair<'_, Rule>,
    part: Rule,
    parse: fn(Pair<'_, Rule>) -> Parsed,
    join: fn(Vec<Syntax>) -> Form,
) -> Parsed {
    let here = at(&pair);
    let parts = pair
        .into_inner()
        .filter(|inner| inner.as_rule() == part)
        .map(parse);
    let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => Ok(only),
        (_, Some(last)) => {
            parts.push(last);
            Ok(Syntax {
                form: join(parts),
                at: here,
            })
        }
        (_, None) => Err(mistake::impossible(here)),
    }
}

fn negated(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut nots = 0;
    for inner in pair.into_inner() {
        if inner.as_rule() == Rule::negation {
            nots += 1;
            continue;
        }
        let mut syntax = comparison(inner)?;
        for _ in 0..nots {
            syntax = Syntax {
                form: Form::Not(Box::new(syntax)),
                at: here.clone(),
            };
        }
        return Ok(syntax);
    }
    Err(mistake::impossible(here))
}

fn comparison(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let left = chain(next(&mut inner, &here)?)?;
    let Some(tail) = inner.next() else {
        return Ok(left);
    };
    if let Some(second) = inner.next() {
        return Err(mistake::chained(
            left.at.start..at(&second).end,
            at(&second),
        ));
    }
    let tail_at = at(&tail);
    let mut tail = tail.into_inner();
    let operator = next(&mut tail, &tail_at)?;
    let right = next(&mut tail, &tail_at)?;
    let negated = operator.as_str().contains("not") || operator.as_str() == "!~";
    let left = Box::new(left);
    let form = match operator.as_rule() {
        Rule::is_op => Form::Is {
            value: left,
            kind: right.as_str().to_owned(),
            negated,
        },
        Rule::in_op => Form::In {
            item: left,
            list: Box::new(chain(right)?),
            negated,
        },
        Rule::glob_op => Form::Glob {
            value: left,
            glob: Box::new(chain(right)?),
            negated,
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
            Form::Compare(comparison, left, Box::new(chain(right)?))
        }
    };
    Ok(Syntax { form, at: here })
}

fn chain(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let mut left = sum(next(&mut inner, &here)?)?;
    for step in inner {
        let step_at = at(&step);
        let step = next(&mut step.into_inner(), &step_at)?;
        let so_far = left.at.start..step_at.end;
        let rule = step.as_rule();
        let mut parts = step.into_inner();
        let form = if rule == Rule::pipe {
            let function = next(&mut parts, &step_at)?;
            let piped = Argument {
                name: None,
                piped: true,
                at: left.at.clone(),
                value: ArgumentValue::Value(left),
            };
            Form::Call(call(&function, parts.next(), vec![piped])?)
        } else {
            let fallback = match rule {
                Rule::or_null => Fallback::MissingOrNull,
                Rule::or_missing => Fallback::Missing,
                _ => Fallback::Error,
            };
            let mut operands = parts.filter(|part| part.as_rule() == Rule::sum);
            let right = sum(next_of(&mut operands, &step_at)?)?;
            Form::Fallback(fallback, Box::new(left), Box::new(right))
        };
        left = Syntax { form, at: so_far };
    }
    Ok(left)
}

fn next_of<'i>(
    pairs: &mut impl Iterator<Item = Pair<'i, Rule>>,
    of: &Range<usize>,
) -> Result<Pair<'i, Rule>, Mistake> {
    pairs.next().ok_or_else(|| mistake::impossible(of.clone()))
}

fn sum(pair: Pair<'_, Rule>) -> Parsed {
    calculation(pair, product)
}

fn product(pair: Pair<'_, Rule>) -> Parsed {
    calculation(pair, unary)
}

fn calculation(pair: Pair<'_, Rule>, operand: fn(Pair<'_, Rule>) -> Parsed) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let mut left = operand(next(&mut inner, &here)?)?;
    while let Some(operator) = inner.next() {
        let arithmetic = match operator.as_str() {
            "+" => Arithmetic::Add,
            "-" => Arithmetic::Subtract,
            "*" => Arithmetic::Multiply,
            "/" => Arithmetic::Divide,
            _ => Arithmetic::Remainder,
        };
        let right = operand(next(&mut inner, &here)?)?;
        let so_far = left.at.start..right.at.end;
        let form = Form::Arithmetic(arithmetic, Box::new(left), Box::new(right));
        left = Syntax { form, at: so_far };
    }
    Ok(left)
}

fn unary(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut minuses = 0;
    for inner in pair.into_inner() {
        if inner.as_rule() == Rule::minus {
            minuses += 1;
            continue;
        }
        let mut syntax = postfix(inner)?;
        for _ in 0..minuses {
            syntax = Syntax {
                form: Form::Negate(Box::new(syntax)),
                at: here.clone(),
            };
        }
        return Ok(syntax);
    }
    Err(mistake::impossible(here))
}

fn postfix(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let mut syntax = primary(next(&mut inner, &here)?)?;
    for step in inner {
        let step_at = at(&step);
        let so_far = syntax.at.start..step_at.end;
        let rule = step.as_rule();
        let part = next(&mut step.into_inner(), &step_at)?;
        let form = match rule {
            Rule::member => Form::Member(Box::new(syntax), part.as_str().to_owned()),
            _ => Form::Index(Box::new(syntax), Box::new(expression(part)?)),
        };
        syntax = Syntax { form, at: so_far };
    }
    Ok(syntax)
}

fn primary(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let inner = next(&mut pair.into_inner(), &here)?;
    let text = inner.as_str();
    let form = match inner.as_rule() {
        Rule::expr => return expression(inner),
        Rule::literal => literal(&inner, &here)?,
        Rule::text => return interpolated(inner),
        Rule::raw_text => {
            let body = text
                .strip_prefix('\'')
                .and_then(|text| text.strip_suffix('\''));
            Form::Text(body.unwrap_or(text).replace("''", "'"))
        }
        Rule::regex => {
            let body = text
                .strip_prefix("r\"")
                .and_then(|text| text.strip_suffix('"'));
            Form::Regex(body.unwrap_or(text).replace("\\\"", "\""))
        }
        Rule::list => Form::List(
            inner
                .into_inner()
                .map(expression)
                .collect::<Result<_, _>>()?,
        ),
        Rule::path => Form::Path(text.to_owned()),
        Rule::call => {
            let mut parts = inner.into_inner();
            let function = next(&mut parts, &here)?;
            Form::Call(call(&function, parts.next(), Vec::new())?)
        }
        _ => Form::Name(text.to_owned()),
    };
    Ok(Syntax { form, at: here })
}

fn literal(pair: &Pair<'_, Rule>, here: &Range<usize>) -> Result<Form, Mistake> {
    let inner = next(&mut pair.clone().into_inner(), here)?;
    Ok(match inner.as_rule() {
        Rule::number => Form::Number(inner.as_str().replace('_', "")),
        Rule::boolean => Form::Bool(inner.as_str() == "true"),
        Rule::null => Form::Null,
        _ => Form::Missing,
    })
}

fn interpolated(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut pieces = Vec::new();
    for part in pair.into_inner() {
        let part_at = at(&part);
        if part.as_rule() == Rule::chunk {
            pieces.push(Piece::Plain(unescaped(part.as_str(), part_at.start)?));
        } else {
            let hole = next(&mut part.into_inner(), &part_at)?;
            let inner = next(&mut hole.into_inner(), &part_at)?;
            pieces.push(Piece::Hole(expression(inner)?));
        }
    }
    let form = match (pieces.len(), pieces.pop()) {
        (_, None) => Form::Text(String::new()),
        (1, Some(Piece::Plain(text))) => Form::Text(text),
        (_, Some(last)) => {
            pieces.push(last);
            Form::Interpolation(pieces)
        }
    };
    Ok(Syntax { form, at: here })
}

fn unescaped(chunk: &str, start: usize) -> Result<String, Mistake> {
    let mut text = String::with_capacity(chunk.len());
    let mut chars = chunk.char_indices();
    while let Some((at, char)) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        match chars.next() {
            Some((_, 'n')) => text.push('\n'),
            Some((_, 'r')) => text.push('\r'),
            Some((_, 't')) => text.push('\t'),
            Some((_, char @ ('"' | '\\' | '{' | '}' | '/'))) => text.push(char),
            Some((_, 'u')) => {
                let digits: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                let scalar = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                match scalar {
                    Some(scalar) if digits.len() == 4 => text.push(scalar),
                    _ => return Err(mistake::escape(start + at..start + at + 2 + digits.len())),
                }
            }
            other => {
                let width = other.map_or(1, |(_, char)| 1 + char.len_utf8());
                return Err(mistake::escape(start + at..start + at + width));
            }
        }
    }
    Ok(text)
}

fn call(
    function: &Pair<'_, Rule>,
    args: Option<Pair<'_, Rule>>,
    mut arguments: Vec<Argument>,
) -> Result<Call, Mistake> {
    let name_at = at(function);
    let arguments_at = args.as_ref().map_or(name_at.end..name_at.end, at);
    for arg in args.into_iter().flat_map(Pair::into_inner) {
        arguments.push(argument(arg)?);
    }
    Ok(Call {
        name: function.as_str().to_owned(),
        name_at,
        arguments,
        arguments_at,
    })
}

fn argument(pair: Pair<'_, Rule>) -> Result<Argument, Mistake> {
    let here = at(&pair);
    let inner = next(&mut pair.into_inner(), &here)?;
    let rule = inner.as_rule();
    if rule == Rule::expr {
        let value = ArgumentValue::Value(expression(inner)?);
        return Ok(Argument {
            name: None,
            piped: false,
            value,
            at: here,
        });
    }
    let mut parts = inner.into_inner();
    let name = next(&mut parts, &here)?;
    let value = expression(next(&mut parts, &here)?)?;
    Ok(if rule == Rule::lambda {
        let parameter = name.as_str().to_owned();
        Argument {
            name: None,
            piped: false,
            value: ArgumentValue::Lambda {
                parameter,
                body: value,
            },
            at: here,
        }
    } else {
        let named = Some((name.as_str().to_owned(), at(&name)));
        Argument {
            name: named,
            piped: false,
            value: ArgumentValue::Value(value),
            at: here,
        }
    })
}
