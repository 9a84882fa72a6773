//! Running a JSONPath that can give several values: stage by stage over a list of values.
//!
//! Order is that of RFC 9535: of each value its selections in the order written, descendants before
//! their own descendants. Every value that is looked at costs a step of fuel.

use std::cmp::Ordering;
use std::sync::Arc;

use bumpalo::collections::Vec as BumpVec;
use regex::Regex;

use crate::diagnostic::Code;
use crate::expr::path::i_regexp;
use crate::expr::program::Step;
use crate::expr::program::Subject;
use crate::expr::scope::Scope;
use crate::expr::syntax::Comparison;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

/// Deepest document a descendant segment walks into; bodies are limited to less.
const DEPTH_MAX: u32 = 256;

/// A path of several selections.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) subject: Subject,
    pub(super) stages: Vec<Stage>,
}

/// A segment.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Of the values themselves.
    Children(Vec<Pick>),
    /// Of the values and everything below them.
    Descendants(Vec<Pick>),
}

/// A selector.
#[derive(Clone, Debug)]
pub(super) enum Pick {
    Member(Arc<str>),
    At(i64),
    All,
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Where(Condition),
}

/// A filter.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Exists(Query),
    Compare(Comparison, Operand, Operand),
    Matches(Operand, Pattern),
}

/// A side of a comparison, or an argument.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    Path(Subject, Box<[Step]>),
    Length(Box<Self>),
    Count(Query),
    Value(Query),
}

/// A regular expression: compiled with the path, or computed from the data.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Fixed(Option<Arc<Regex>>),
    Computed { pattern: Box<Operand>, whole: bool },
}

/// What went wrong; the caller knows where.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutOfFuel;

impl OutOfFuel {
    pub(super) const CODE: Code = Code::OutOfFuel;
}

/// Follows a singular path.
pub(super) fn follow<'a>(from: Value<'a>, steps: &[Step]) -> Value<'a> {
    steps.iter().fold(from, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::At(index) => value.at(*index),
    })
}

/// Runs queries in a scope.
#[derive(Clone, Copy)]
pub(super) struct Run<'s, 'a> {
    pub(super) scope: &'s Scope<'a>,
    /// What `@` is in the filter being decided.
    pub(super) item: Value<'a>,
}

type Found<'a> = BumpVec<'a, Value<'a>>;

impl<'a> Run<'_, 'a> {
    fn subject(&self, subject: Subject) -> Value<'a> {
        match subject {
            Subject::Root => self.scope.root,
            Subject::Item => self.item,
        }
    }

    pub(super) fn query(&self, query: &Query) -> Result<Found<'a>, OutOfFuel> {
        let mut values = self.scope.arena.vec();
        let subject = self.subject(query.subject);
        if !subject.is_missing() {
            values.push(subject);
        }
        for stage in &query.stages {
            let mut found = self.scope.arena.vec();
            for value in values {
                match stage {
                    Stage::Children(picks) => self.select(value, picks, &mut found)?,
                    Stage::Descendants(picks) => self.descend(value, picks, &mut found)?,
                }
            }
            values = found;
        }
        Ok(values)
    }

    fn descend(
        &self,
        value: Value<'a>,
        picks: &[Pick],
        found: &mut Found<'a>,
    ) -> Result<(), OutOfFuel> {
        let mut open = self.scope.arena.vec();
        open.push((value, 0));
        while let Some((value, depth)) = open.pop() {
            self.select(value, picks, found)?;
            if DEPTH_MAX <= depth {
                continue;
            }
            let below = open.len();
            let children = value
                .items()
                .chain(value.entries(self.scope.arena).map(|(_, it)| it));
            open.extend(children.map(|child| (child, depth + 1)));
            if let Some(below) = open.get_mut(below..) {
                below.reverse();
            }
        }
        Ok(())
    }

    fn select(
        &self,
        value: Value<'a>,
        picks: &[Pick],
        found: &mut Found<'a>,
    ) -> Result<(), OutOfFuel> {
        for pick in picks {
            self.spend(1)?;
            match pick {
                Pick::Member(name) => keep(value.get(name), found),
                Pick::At(index) => keep(value.at(*index), found),
                Pick::All => {
                    self.spend(value.len())?;
                    found.extend(value.items());
                    found.extend(value.entries(self.scope.arena).map(|(_, value)| value));
                }
                Pick::Slice { start, end, step } => {
                    self.spend(value.len())?;
                    slice(value, (*start, *end, *step), found);
                }
                Pick::Where(condition) => {
                    let entries = value.entries(self.scope.arena).map(|(_, value)| value);
                    for child in value.items().chain(entries) {
                        self.spend(1)?;
                        if (Run {
                            item: child,
                            ..*self
                        })
                        .holds(condition)?
                        {
                            found.push(child);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn holds(&self, condition: &Condition) -> Result<bool, OutOfFuel> {
        self.spend(1)?;
        match condition {
            Condition::All(parts) => {
                for part in parts {
                    if !self.holds(part)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Any(parts) => {
                for part in parts {
                    if self.holds(part)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(part) => Ok(!self.holds(part)?),
            Condition::Exists(query) => Ok(!self.query(query)?.is_empty()),
            Condition::Compare(operator, left, right) => {
                let (left, right) = (self.operand(left)?, self.operand(right)?);
                Ok(compare(*operator, left, right))
            }
            Condition::Matches(text, pattern) => {
                let Some(text) = self.operand(text)?.as_text(self.scope.arena) else {
                    return Ok(false);
                };
                self.spend(text.len() / 64)?;
                match pattern {
                    Pattern::Fixed(regex) => {
                        Ok(regex.as_ref().is_some_and(|regex| regex.is_match(text)))
                    }
                    Pattern::Computed { pattern, whole } => {
                        // Compiling one costs as much as a long evaluation.
                        self.spend(10_000)?;
                        let pattern = self.operand(pattern)?.as_text(self.scope.arena);
                        let regex = pattern.and_then(|pattern| i_regexp(pattern, *whole));
                        Ok(regex.is_some_and(|regex| regex.is_match(text)))
                    }
                }
            }
        }
    }

    fn operand(&self, operand: &Operand) -> Result<Value<'a>, OutOfFuel> {
        Ok(match operand {
            Operand::Null => Value::Null,
            Operand::Bool(truth) => Value::Bool(*truth),
            Operand::Number(number) => Value::Number(*number),
            Operand::Text(text) => Value::Text(self.scope.arena.text(text)),
            Operand::Path(subject, steps) => follow(self.subject(*subject), steps),
            Operand::Length(operand) => {
                let value = self.operand(operand)?;
                match value.kind() {
                    Kind::Text => {
                        let text = value.as_text(self.scope.arena).unwrap_or("");
                        self.spend(text.len() / 64)?;
                        count(text.chars().count())
                    }
                    Kind::List | Kind::Object => count(value.len()),
                    _ => Value::Missing,
                }
            }
            Operand::Count(query) => count(self.query(query)?.len()),
            Operand::Value(query) => match self.query(query)?.as_slice() {
                [only] => *only,
                _ => Value::Missing,
            },
        })
    }

    fn spend(&self, steps: usize) -> Result<(), OutOfFuel> {
        let fuel = &self.scope.budget.fuel;
        let left = fuel.get().checked_sub(steps as u64);
        fuel.set(left.unwrap_or(0));
        left.map(drop).ok_or(OutOfFuel)
    }
}

/// Comparison of RFC 9535, 2.3.5.2.2: nothing equals nothing, and only like kinds have an order.
fn compare(operator: Comparison, left: Value<'_>, right: Value<'_>) -> bool {
    let ordering = || order::order(left, right);
    match operator {
        Comparison::Equal => order::equal(left, right),
        Comparison::NotEqual => !order::equal(left, right),
        Comparison::Less => ordering() == Some(Ordering::Less),
        Comparison::Greater => ordering() == Some(Ordering::Greater),
        Comparison::LessOrEqual => ordering() == Some(Ordering::Less) || order::equal(left, right),
        Comparison::GreaterOrEqual => {
            ordering() == Some(Ordering::Greater) || order::equal(left, right)
        }
    }
}

fn keep<'a>(value: Value<'a>, found: &mut Found<'a>) {
    if !value.is_missing() {
        found.push(value);
    }
}

fn count(n: usize) -> Value<'static> {
    Value::Number(Number::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// The slice of a list (RFC 9535, 2.3.4.2.2).
fn slice<'a>(
    value: Value<'a>,
    (start, end, step): (Option<i64>, Option<i64>, i64),
    found: &mut Found<'a>,
) {
    if value.kind() != Kind::List || step == 0 {
        return;
    }
    let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let normal = |at: i64| {
        if at < 0 {
            length.saturating_add(at)
        } else {
            at
        }
    };
    if 0 < step {
        let lower = start.map_or(0, normal).clamp(0, length);
        let upper = end.map_or(length, normal).clamp(0, length);
        let (Ok(lower), Ok(upper)) = (usize::try_from(lower), usize::try_from(upper)) else {
            return;
        };
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        let width = upper.saturating_sub(lower);
        found.extend(value.items().skip(lower).take(width).step_by(step));
        return;
    }
    let upper = start.map_or(length - 1, normal).clamp(-1, length - 1);
    let lower = end.map_or(-1, normal).clamp(-1, length - 1);
    let mut at = upper;
    while lower < at {
        keep(value.at(at), found);
        at = at.saturating_add(step);
    }
}
