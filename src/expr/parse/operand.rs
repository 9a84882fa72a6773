//! What operators join: literals, texts, paths, names, calls, and what is read out of them.

use std::ops::Range;

use pest::iterators::Pair;

use crate::expr::grammar::Rule;
use crate::expr::mistake;
use crate::expr::mistake::Mistake;
use crate::expr::parse::Parsed;
use crate::expr::parse::at;
use crate::expr::parse::next;
use crate::expr::parse::node;
use crate::expr::parse::tree;
use crate::expr::parse::trees;
use crate::expr::syntax::Argument;
use crate::expr::syntax::ArgumentValue;
use crate::expr::syntax::Call;
use crate::expr::syntax::Form;
use crate::expr::syntax::Piece;

pub(super) fn postfix(pair: Pair<'_, Rule>) -> Parsed {
    let here = at(&pair);
    let mut inner = pair.into_inner();
    let mut syntax = tree(next(&mut inner, &here)?)?;
    for step in inner {
        let step_at = at(&step);
        let so_far = syntax.at.start..step_at.end;
        let rule = step.as_rule();
        let part = next(&mut step.into_inner(), &step_at)?;
        let form = if rule == Rule::member {
            Form::Member(Box::new(syntax), part.as_str().to_owned())
        } else {
            let index = tree(part)?;
            // The grammar leaves a bracket of a path here that is no selector as it stands.
            if matches!((&syntax.form, &index.form), (Form::Path(_), Form::Text(_))) {
                return Err(mistake::quoted_selector(step_at));
            }
            Form::Index(Box::new(syntax), Box::new(index))
        };
        syntax = node(form, so_far)?;
    }
    Ok(syntax)
}

/// What is no operator. Everything else that the grammar can put there is a name.
pub(super) fn leaf(pair: Pair<'_, Rule>, here: Range<usize>) -> Parsed {
    let text = pair.as_str();
    let form = match pair.as_rule() {
        Rule::number => Form::Number(text.replace('_', "")),
        Rule::boolean => Form::Bool(text == "true"),
        Rule::null => Form::Null,
        Rule::missing => Form::Missing,
        Rule::text => interpolated(pair)?,
        Rule::raw_text => Form::Text(between(text, "'", "'").replace("''", "'")),
        Rule::regex => Form::Regex(between(text, "r\"", "\"").replace("\\\"", "\"")),
        Rule::list => Form::List(trees(pair.into_inner(), Rule::expr)?),
        Rule::path => Form::Path(text.to_owned()),
        Rule::call => {
            let mut parts = pair.into_inner();
            let function = next(&mut parts, &here)?;
            Form::Call(call(&function, parts.next())?)
        }
        _ => Form::Name(text.to_owned()),
    };
    node(form, here)
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> &'t str {
    let inner = text
        .strip_prefix(open)
        .and_then(|text| text.strip_suffix(close));
    inner.unwrap_or(text)
}

fn interpolated(pair: Pair<'_, Rule>) -> Result<Form, Mistake> {
    let mut pieces = Vec::new();
    for part in pair.into_inner() {
        let part_at = at(&part);
        pieces.push(match part.as_rule() {
            Rule::chunk => Piece::Plain(unescaped(part.as_str(), part_at.start)?),
            _ => Piece::Hole(tree(next(&mut part.into_inner(), &part_at)?)?),
        });
    }
    Ok(match pieces.pop() {
        None => Form::Text(String::new()),
        Some(Piece::Plain(text)) if pieces.is_empty() => Form::Text(text),
        Some(last) => {
            pieces.push(last);
            Form::Interpolation(pieces)
        }
    })
}

fn unescaped(chunk: &str, start: usize) -> Result<String, Mistake> {
    let mut text = String::with_capacity(chunk.len());
    let mut chars = chunk.char_indices();
    while let Some((at, char)) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        let from = start + at;
        match chars.next().map_or('\\', |(_, char)| char) {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            char @ ('"' | '\\' | '{' | '}' | '/') => text.push(char),
            'u' => {
                let digits: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                let scalar = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                let scalar = scalar.filter(|_| digits.len() == 4 && !digits.starts_with('+'));
                let end = from + 2 + digits.len();
                text.push(scalar.ok_or_else(|| mistake::escape(from..end))?);
            }
            other => return Err(mistake::escape(from..from + 1 + other.len_utf8())),
        }
    }
    Ok(text)
}

pub(super) fn call(
    function: &Pair<'_, Rule>,
    args: Option<Pair<'_, Rule>>,
) -> Result<Call, Mistake> {
    let name_at = at(function);
    let arguments_at = args.as_ref().map_or(name_at.end..name_at.end, at);
    let mut arguments = Vec::new();
    for arg in args.into_iter().flat_map(Pair::into_inner) {
        arguments.push(argument(arg)?);
    }
    Ok(Call {
        name: function.as_str().trim_end().to_owned(),
        name_at,
        piped: None,
        arguments,
        arguments_at,
    })
}

fn argument(pair: Pair<'_, Rule>) -> Result<Argument, Mistake> {
    let here = at(&pair);
    let inner = next(&mut pair.into_inner(), &here)?;
    let rule = inner.as_rule();
    if rule == Rule::expr {
        let value = ArgumentValue::Value(tree(inner)?);
        return Ok(Argument {
            name: None,
            value,
            at: here,
        });
    }
    let mut parts = inner.into_inner();
    let first = next(&mut parts, &here)?;
    let name = first.as_str().to_owned();
    let value = tree(next(&mut parts, &here)?)?;
    Ok(if rule == Rule::lambda {
        let value = ArgumentValue::Lambda {
            parameter: name,
            body: value,
        };
        Argument {
            name: None,
            value,
            at: here,
        }
    } else {
        let value = ArgumentValue::Value(value);
        Argument {
            name: Some((name, at(&first))),
            value,
            at: here,
        }
    })
}
