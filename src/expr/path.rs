//! JSONPath: parsed by `jsonpath-rust`, checked against RFC 9535, lowered to our own plan.

use std::sync::Arc;

use jsonpath_rust::parser::model::Comparable;
use jsonpath_rust::parser::model::Comparison as PathComparison;
use jsonpath_rust::parser::model::Filter;
use jsonpath_rust::parser::model::FilterAtom;
use jsonpath_rust::parser::model::FnArg;
use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::model::Literal;
use jsonpath_rust::parser::model::Segment;
use jsonpath_rust::parser::model::Selector;
use jsonpath_rust::parser::model::SingularQuery;
use jsonpath_rust::parser::model::SingularQuerySegment;
use jsonpath_rust::parser::model::Test;
use jsonpath_rust::parser::model::TestFunction;
use jsonpath_rust::parser::parse_json_path;
use regex::Regex;

use crate::diagnostic::Code;
use crate::expr::program::Step;
use crate::expr::program::Subject;
use crate::expr::query::Condition;
use crate::expr::query::Operand;
use crate::expr::query::Pattern;
use crate::expr::query::Pick;
use crate::expr::query::Query;
use crate::expr::query::Stage;
use crate::expr::syntax::Comparison;
use crate::value::Number;

/// A compiled path.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// One value or missing.
    Singular(Vec<Step>),
    /// Always a list.
    Several(Query),
}

/// Why a text is no JSONPath; the offset is in the text.
#[derive(Clone, Debug)]
pub(super) struct PathError {
    pub(super) code: Code,
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl PathError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            code: Code::InvalidPath,
            offset: 0,
            message: message.into(),
            help: None,
        }
    }

    fn extension(name: &str) -> Self {
        let message = format!("`{name}` is not a function of RFC 9535");
        let help = "known are length, count, match, search and value".to_owned();
        Self {
            code: Code::NotRfc9535,
            offset: 0,
            message,
            help: Some(help),
        }
    }
}

type Lowered<T> = Result<T, PathError>;

/// Compiles the text of a path, `$…` or `@…`.
pub(super) fn compile(text: &str, subject: Subject) -> Lowered<Plan> {
    // The parser knows only `$` as a root; `@` behind it is a filter's business.
    let rooted = match subject {
        Subject::Root => text.to_owned(),
        Subject::Item => format!("${}", text.get(1..).unwrap_or("")),
    };
    let query = parse_json_path(&rooted).map_err(|_| {
        let message = "not a valid JSONPath";
        PathError {
            help: habit(text),
            ..PathError::new(message)
        }
    })?;
    if let Some(steps) = singular(&query) {
        return Ok(Plan::Singular(steps));
    }
    Ok(Plan::Several(Query {
        subject,
        stages: stages(&query.segments)?,
    }))
}

/// A hint for the paths of other languages.
fn habit(text: &str) -> Option<String> {
    if text.contains("[]") {
        return Some("all items of a list are `[*]`".to_owned());
    }
    if text.contains('[') && !text.contains(['\'', '"', '?', '*', ':']) {
        return Some(
            "a number, a quoted name, `*`, a slice or a filter `?@.x` stands in brackets; \
             to use a computed index put the path in parentheses: `($.list)[i]`"
                .to_owned(),
        );
    }
    None
}

fn singular(query: &JpQuery) -> Option<Vec<Step>> {
    query
        .segments
        .iter()
        .map(|segment| match segment {
            Segment::Selector(Selector::Name(name)) => Some(Step::Member(name_text(name)?.into())),
            Segment::Selector(Selector::Index(index)) => Some(Step::At(*index)),
            Segment::Selectors(selectors) => match selectors.as_slice() {
                [Selector::Name(name)] => Some(Step::Member(name_text(name)?.into())),
                [Selector::Index(index)] => Some(Step::At(*index)),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// The name a selector stands for: the parser hands quoted names over with their quotes.
fn name_text(name: &str) -> Option<String> {
    let quoted = name
        .strip_prefix('\'')
        .and_then(|name| name.strip_suffix('\''))
        .map(|inner| (inner, '\''))
        .or_else(|| {
            let inner = name
                .strip_prefix('"')
                .and_then(|name| name.strip_suffix('"'));
            inner.map(|inner| (inner, '"'))
        });
    match quoted {
        None => Some(name.to_owned()),
        Some((inner, quote)) => unquoted(inner, quote),
    }
}

/// Undoes the escapes of a quoted name or literal (RFC 9535, 2.3.1.2).
fn unquoted(inner: &str, quote: char) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        match chars.next()? {
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' => {
                let first = hex4(&mut chars)?;
                let scalar = if (0xd800..0xdc00).contains(&first) {
                    if (chars.next()?, chars.next()?) != ('\\', 'u') {
                        return None;
                    }
                    let second = hex4(&mut chars)?.checked_sub(0xdc00)?;
                    0x1_0000 + ((first - 0xd800) << 10) + second
                } else {
                    first
                };
                text.push(char::from_u32(scalar)?);
            }
            char if char == quote || matches!(char, '/' | '\\') => text.push(char),
            _ => return None,
        }
    }
    Some(text)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + chars.next()?.to_digit(16)?))
}

fn stages(segments: &[Segment]) -> Lowered<Vec<Stage>> {
    segments.iter().map(stage).collect()
}

fn stage(segment: &Segment) -> Lowered<Stage> {
    match segment {
        Segment::Selector(selector) => Ok(Stage::Children(vec![pick(selector)?])),
        Segment::Selectors(selectors) => Ok(Stage::Children(
            selectors.iter().map(pick).collect::<Lowered<_>>()?,
        )),
        Segment::Descendant(inner) => match stage(inner)? {
            Stage::Children(picks) | Stage::Descendants(picks) => Ok(Stage::Descendants(picks)),
        },
    }
}

fn pick(selector: &Selector) -> Lowered<Pick> {
    Ok(match selector {
        Selector::Name(name) => {
            let name = name_text(name).ok_or_else(|| PathError::new("malformed name"))?;
            Pick::Member(name.into())
        }
        Selector::Wildcard => Pick::All,
        Selector::Index(index) => Pick::At(*index),
        Selector::Slice(start, end, step) => Pick::Slice {
            start: *start,
            end: *end,
            step: step.unwrap_or(1),
        },
        Selector::Filter(filter) => Pick::Where(condition(filter)?),
    })
}

fn condition(filter: &Filter) -> Lowered<Condition> {
    Ok(match filter {
        Filter::Or(parts) => Condition::Any(parts.iter().map(condition).collect::<Lowered<_>>()?),
        Filter::And(parts) => Condition::All(parts.iter().map(condition).collect::<Lowered<_>>()?),
        Filter::Atom(atom) => match atom {
            FilterAtom::Filter { expr, not } => negated(condition(expr)?, *not),
            FilterAtom::Test { expr, not } => negated(test(expr)?, *not),
            FilterAtom::Comparison(comparison) => compared(comparison)?,
        },
    })
}

#[expect(
    clippy::fn_params_excessive_bools,
    reason = "a flag of the parser's tree"
)]
fn negated(condition: Condition, not: bool) -> Condition {
    if not {
        Condition::Not(Box::new(condition))
    } else {
        condition
    }
}

fn test(test: &Test) -> Lowered<Condition> {
    match test {
        Test::RelQuery(segments) => Ok(Condition::Exists(relative(segments)?)),
        Test::AbsQuery(query) => Ok(Condition::Exists(absolute(query)?)),
        Test::Function(function) => match &**function {
            TestFunction::Match(text, pattern) => matches((text, pattern), Whole::Yes),
            TestFunction::Search(text, pattern) => matches((text, pattern), Whole::No),
            TestFunction::Custom(name, _) => Err(PathError::extension(name)),
            TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => Err(
                PathError::new("the result of this function must be compared"),
            ),
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

fn matches((text, pattern): (&FnArg, &FnArg), whole: Whole) -> Lowered<Condition> {
    let text = value_argument(text)?;
    let pattern = match value_argument(pattern)? {
        Operand::Text(pattern) => Pattern::Fixed(i_regexp(&pattern, whole == Whole::Yes)),
        other => Pattern::Computed {
            pattern: Box::new(other),
            whole: whole == Whole::Yes,
        },
    };
    Ok(Condition::Matches(text, pattern))
}

/// An I-Regexp (RFC 9485) as one of the `regex` crate; `None` if it is none, which matches nothing.
#[expect(clippy::fn_params_excessive_bools, reason = "a flag of the pattern")]
pub(super) fn i_regexp(pattern: &str, whole: bool) -> Option<Arc<Regex>> {
    let mut text = String::with_capacity(pattern.len() + 8);
    text.push_str(if whole { r"\A(?:" } else { "(?:" });
    let (mut escaped, mut in_class) = (false, false);
    for char in pattern.chars() {
        match char {
            // A dot is any character but a line end, and here that includes the carriage return.
            '.' if !escaped && !in_class => text.push_str(r"[^\n\r]"),
            _ => text.push(char),
        }
        if escaped {
            escaped = false;
            continue;
        }
        match char {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    text.push_str(if whole { r")\z" } else { ")" });
    Regex::new(&text).ok().map(Arc::new)
}

fn compared(comparison: &PathComparison) -> Lowered<Condition> {
    let operator = match comparison {
        PathComparison::Eq(..) => Comparison::Equal,
        PathComparison::Ne(..) => Comparison::NotEqual,
        PathComparison::Gt(..) => Comparison::Greater,
        PathComparison::Gte(..) => Comparison::GreaterOrEqual,
        PathComparison::Lt(..) => Comparison::Less,
        PathComparison::Lte(..) => Comparison::LessOrEqual,
    };
    let (left, right) = comparison.vals();
    Ok(Condition::Compare(
        operator,
        comparable(left)?,
        comparable(right)?,
    ))
}

fn comparable(comparable: &Comparable) -> Lowered<Operand> {
    match comparable {
        Comparable::Literal(literal) => literal_operand(literal),
        Comparable::SingularQuery(query) => singular_operand(query),
        Comparable::Function(function) => match function {
            TestFunction::Length(argument) => {
                Ok(Operand::Length(Box::new(value_argument(argument)?)))
            }
            TestFunction::Count(argument) => Ok(Operand::Count(nodes_argument(argument)?)),
            TestFunction::Value(argument) => Ok(Operand::Value(nodes_argument(argument)?)),
            TestFunction::Custom(name, _) => Err(PathError::extension(name)),
            TestFunction::Search(..) | TestFunction::Match(..) => Err(PathError::new(
                "match and search are conditions, their result is not compared",
            )),
        },
    }
}

fn literal_operand(literal: &Literal) -> Lowered<Operand> {
    Ok(match literal {
        Literal::Int(int) => Operand::Number(Number::Int(*int)),
        Literal::Float(float) => Number::float(*float)
            .map(Operand::Number)
            .ok_or_else(|| PathError::new("this number is too large"))?,
        Literal::String(text) => Operand::Text(text.as_str().into()),
        Literal::Bool(truth) => Operand::Bool(*truth),
        Literal::Null => Operand::Null,
    })
}

fn singular_operand(query: &SingularQuery) -> Lowered<Operand> {
    let (subject, segments) = match query {
        SingularQuery::Current(segments) => (Subject::Item, segments),
        SingularQuery::Root(segments) => (Subject::Root, segments),
    };
    let steps = segments.iter().map(|segment| match segment {
        SingularQuerySegment::Index(index) => Ok(Step::At(*index)),
        SingularQuerySegment::Name(name) => {
            let name = name_text(name).ok_or_else(|| PathError::new("malformed name"))?;
            Ok(Step::Member(name.into()))
        }
    });
    Ok(Operand::Path(
        subject,
        steps.collect::<Lowered<Vec<_>>>()?.into(),
    ))
}

/// An argument that must be a value: a literal, a singular path, or a function that gives a value.
fn value_argument(argument: &FnArg) -> Lowered<Operand> {
    let not_a_value = || PathError::new("this function needs one value, this may be several");
    match argument {
        FnArg::Literal(literal) => literal_operand(literal),
        FnArg::Test(test) => match &**test {
            Test::RelQuery(segments) => {
                let query = JpQuery::new(segments.clone());
                let steps = singular(&query).ok_or_else(not_a_value)?;
                Ok(Operand::Path(Subject::Item, steps.into()))
            }
            Test::AbsQuery(query) => {
                let steps = singular(query).ok_or_else(not_a_value)?;
                Ok(Operand::Path(Subject::Root, steps.into()))
            }
            Test::Function(function) => comparable(&Comparable::Function((**function).clone())),
        },
        FnArg::Filter(_) => Err(not_a_value()),
    }
}

/// An argument that must be a list of nodes: a path.
fn nodes_argument(argument: &FnArg) -> Lowered<Query> {
    let not_nodes = || PathError::new("this function needs a path");
    match argument {
        FnArg::Test(test) => match &**test {
            Test::RelQuery(segments) => relative(segments),
            Test::AbsQuery(query) => absolute(query),
            Test::Function(_) => Err(not_nodes()),
        },
        FnArg::Literal(_) | FnArg::Filter(_) => Err(not_nodes()),
    }
}

fn relative(segments: &[Segment]) -> Lowered<Query> {
    Ok(Query {
        subject: Subject::Item,
        stages: stages(segments)?,
    })
}

fn absolute(query: &JpQuery) -> Lowered<Query> {
    Ok(Query {
        subject: Subject::Root,
        stages: stages(&query.segments)?,
    })
}
