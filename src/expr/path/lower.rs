//! From what the parser gives to our own plan, with the rules of RFC 9535 that the parser lacks.

use jsonpath_rust::parser::model::Comparable;
use jsonpath_rust::parser::model::Comparison as PathComparison;
use jsonpath_rust::parser::model::Filter;
use jsonpath_rust::parser::model::FilterAtom;
use jsonpath_rust::parser::model::FnArg;
use jsonpath_rust::parser::model::Literal;
use jsonpath_rust::parser::model::Segment;
use jsonpath_rust::parser::model::Selector;
use jsonpath_rust::parser::model::SingularQuery;
use jsonpath_rust::parser::model::SingularQuerySegment;
use jsonpath_rust::parser::model::Test;
use jsonpath_rust::parser::model::TestFunction;
use jsonpath_rust::parser::parse_json_path;

use crate::diagnostic::Code;
use crate::expr::path::PathError;
use crate::expr::path::Plan;
use crate::expr::path::Step;
use crate::expr::path::Subject;
use crate::expr::path::fault;
use crate::expr::path::query::Condition;
use crate::expr::path::query::Operand;
use crate::expr::path::query::Pattern;
use crate::expr::path::query::Pick;
use crate::expr::path::query::Query;
use crate::expr::path::query::Stage;
use crate::expr::path::regexp;
use crate::expr::path::regexp::Extent;
use crate::expr::syntax::Comparison;
use crate::value::Number;

/// Most segments behind the first that can select several values: no document is deeper.
const STAGES_MAX: usize = 64;

type Lowered<T> = Result<T, PathError>;

/// Compiles the text of a path, `$…` or `@…`.
pub(in crate::expr) fn compile(text: &str, subject: Subject) -> Lowered<Plan> {
    plan(text, subject).map_err(|error| error.within(text))
}

fn plan(text: &str, subject: Subject) -> Lowered<Plan> {
    // The parser knows only `$` as a root; `@` behind it is a filter's business.
    let rooted = match subject {
        Subject::Root => text.to_owned(),
        Subject::Item => format!("${}", text.get(1..).unwrap_or("")),
    };
    if let Some(at) = fault::split_word(text) {
        return Err(PathError::at(text, at));
    }
    let path = parse_json_path(&rooted).map_err(|error| PathError::syntax(text, &error))?;
    Ok(match singular(&path.segments) {
        Some(steps) => Plan::Singular(steps),
        None => Plan::Several(query(subject, &path.segments)?),
    })
}

/// The steps of a path that selects at most one value.
fn singular(segments: &[Segment]) -> Option<Vec<Step>> {
    segments
        .iter()
        .map(|segment| match segment {
            Segment::Selector(Selector::Name(name)) => Some(Step::Member(name.as_str().into())),
            Segment::Selector(Selector::Index(index)) => Some(Step::At(*index)),
            Segment::Selectors(selectors) => match selectors.as_slice() {
                [Selector::Name(name)] => Some(Step::Member(name.as_str().into())),
                [Selector::Index(index)] => Some(Step::At(*index)),
                _ => None,
            },
            _ => None,
        })
        .collect()
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
        Selector::Name(name) => Pick::Member(name.as_str().into()),
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
            FilterAtom::Filter { expr, not: true } => negated(condition(expr)?),
            FilterAtom::Filter { expr, not: false } => condition(expr)?,
            FilterAtom::Test { expr, not: true } => negated(test(expr)?),
            FilterAtom::Test { expr, not: false } => test(expr)?,
            FilterAtom::Comparison(comparison) => compared(comparison)?,
        },
    })
}

fn negated(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn test(test: &Test) -> Lowered<Condition> {
    match test {
        Test::RelQuery(segments) => exists(Subject::Item, segments),
        Test::AbsQuery(query) => exists(Subject::Root, &query.segments),
        Test::Function(function) => match &**function {
            TestFunction::Match(text, pattern) => matches((text, pattern), Extent::Whole),
            TestFunction::Search(text, pattern) => matches((text, pattern), Extent::Part),
            TestFunction::Custom(name, _) => Err(PathError::extension(name)),
            TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => Err(
                PathError::typing("the result of `length`, `count` and `value` must be compared"),
            ),
        },
    }
}

/// Whether a path gives anything; null is something.
fn exists(subject: Subject, segments: &[Segment]) -> Lowered<Condition> {
    Ok(match singular(segments) {
        Some(steps) => Condition::Present(subject, steps.into()),
        None => Condition::Exists(query(subject, segments)?),
    })
}

fn matches((text, pattern): (&FnArg, &FnArg), extent: Extent) -> Lowered<Condition> {
    let text = value_argument(text)?;
    let pattern = match value_argument(pattern)? {
        Operand::Text(pattern) => Pattern::Fixed(regexp::compile(&pattern, extent)),
        other => Pattern::Computed(Box::new(other), extent),
    };
    Ok(Condition::Matches(text, pattern))
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
        Comparable::SingularQuery(query) => Ok(singular_operand(query)),
        Comparable::Function(function) => function_value(function),
    }
}

fn function_value(function: &TestFunction) -> Lowered<Operand> {
    match function {
        TestFunction::Length(argument) => Ok(Operand::Length(Box::new(value_argument(argument)?))),
        TestFunction::Count(argument) => Ok(Operand::Count(nodes_argument(argument)?)),
        TestFunction::Value(argument) => Ok(Operand::Value(nodes_argument(argument)?)),
        TestFunction::Custom(name, _) => Err(PathError::extension(name)),
        TestFunction::Search(..) | TestFunction::Match(..) => Err(PathError::typing(
            "`match` and `search` are conditions, their result is not compared",
        )),
    }
}

fn literal_operand(literal: &Literal) -> Lowered<Operand> {
    Ok(match literal {
        Literal::Int(int) => Operand::Number(Number::Int(*int)),
        Literal::Float(float) => Number::float(*float)
            .map(Operand::Number)
            .ok_or_else(|| PathError::typing("this number is too large"))?,
        Literal::String(text) => Operand::Text(text.as_str().into()),
        Literal::Bool(truth) => Operand::Bool(*truth),
        Literal::Null => Operand::Null,
    })
}

fn singular_operand(query: &SingularQuery) -> Operand {
    let (subject, segments) = match query {
        SingularQuery::Current(segments) => (Subject::Item, segments),
        SingularQuery::Root(segments) => (Subject::Root, segments),
    };
    let steps = segments.iter().map(|segment| match segment {
        SingularQuerySegment::Index(index) => Step::At(*index),
        SingularQuerySegment::Name(name) => Step::Member(name.as_str().into()),
    });
    Operand::Path(subject, steps.collect())
}

/// An argument that must be a value: a literal, a singular path, or a function that gives a value.
fn value_argument(argument: &FnArg) -> Lowered<Operand> {
    let not_a_value = || PathError::typing("a function needs one value, this may be several");
    let value_of = |subject, segments: &[Segment]| {
        let steps = singular(segments).ok_or_else(not_a_value)?;
        Ok(Operand::Path(subject, steps.into()))
    };
    match argument {
        FnArg::Literal(literal) => literal_operand(literal),
        FnArg::Test(test) => match &**test {
            Test::RelQuery(segments) => value_of(Subject::Item, segments),
            Test::AbsQuery(path) => value_of(Subject::Root, &path.segments),
            Test::Function(function) => function_value(function),
        },
        FnArg::Filter(_) => Err(not_a_value()),
    }
}

/// An argument that must be a list of nodes: a path.
fn nodes_argument(argument: &FnArg) -> Lowered<Query> {
    let not_nodes = || PathError::typing("`count` and `value` need a path");
    match argument {
        FnArg::Test(test) => match &**test {
            Test::RelQuery(segments) => query(Subject::Item, segments),
            Test::AbsQuery(path) => query(Subject::Root, &path.segments),
            Test::Function(_) => Err(not_nodes()),
        },
        FnArg::Literal(_) | FnArg::Filter(_) => Err(not_nodes()),
    }
}

fn query(subject: Subject, segments: &[Segment]) -> Lowered<Query> {
    let lead = segments
        .iter()
        .take_while(|segment| singular(std::slice::from_ref(*segment)).is_some())
        .count();
    let (lead, rest) = segments.split_at_checked(lead).unwrap_or((&[], segments));
    if STAGES_MAX < rest.len() {
        let message = format!("a path of more than {STAGES_MAX} segments");
        return Err(PathError {
            code: Code::ExpressionTooLarge,
            ..PathError::typing(message)
        });
    }
    Ok(Query {
        subject,
        lead: singular(lead).unwrap_or_default().into(),
        stages: rest.iter().map(stage).collect::<Lowered<_>>()?,
    })
}
