//! Running a JSONPath: depth first, so that no list is made of what is only passed through.
//!
//! Order is that of RFC 9535: of each value its selections in the order written, descendants before
//! their own descendants. Every value that is looked at costs a step of fuel.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use bumpalo::collections::Vec as BumpVec;
use regex::Regex;

use crate::diagnostic::Code;
use crate::expr::path::Step;
use crate::expr::path::Subject;
use crate::expr::path::regexp;
use crate::expr::path::regexp::Extent;
use crate::expr::scope::Scope;
use crate::expr::syntax::Comparison;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

/// Deepest document a descendant segment walks into; bodies are limited to less.
const DEPTH_MAX: u32 = 256;

/// How many bytes of text are read for one step of fuel.
const STEP_BYTES: usize = 64;

/// How many members are looked at for one step of fuel.
const STEP_ITEMS: usize = 64;

/// Steps of fuel for compiling a regular expression that stands in the data.
const REGEX_STEPS: usize = 10_000;

/// A path of several selections.
#[derive(Clone, Debug)]
pub(in crate::expr) struct Query {
    pub(super) subject: Subject,
    /// What is followed before anything is several.
    pub(super) lead: Box<[Step]>,
    pub(super) stages: Box<[Stage]>,
}

/// A segment.
#[derive(Clone, Debug)]
pub(in crate::expr) enum Stage {
    /// Of the values themselves.
    Children(Vec<Pick>),
    /// Of the values and everything below them.
    Descendants(Vec<Pick>),
}

/// A selector.
#[derive(Clone, Debug)]
pub(in crate::expr) enum Pick {
    Member(Box<str>),
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
pub(in crate::expr) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// A singular path gives something.
    Present(Subject, Box<[Step]>),
    /// Any other path gives something.
    Exists(Query),
    Compare(Comparison, Operand, Operand),
    Matches(Operand, Pattern),
}

/// A side of a comparison, or an argument.
#[derive(Clone, Debug)]
pub(in crate::expr) enum Operand {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    Path(Subject, Box<[Step]>),
    Length(Box<Self>),
    Count(Query),
    Value(Query),
}

/// A regular expression: compiled with the path, or computed from the data.
#[derive(Clone, Debug)]
pub(in crate::expr) enum Pattern {
    Fixed(Option<Regex>),
    Computed(Box<Operand>, Extent),
}

/// What went wrong; the caller knows where.
#[derive(Clone, Copy, Debug)]
pub(in crate::expr) struct OutOfFuel;

impl OutOfFuel {
    pub(in crate::expr) const CODE: Code = Code::OutOfFuel;
    pub(in crate::expr) const MESSAGE: &str = "the evaluation takes too many steps";
}

/// Runs paths in a scope.
#[derive(Clone, Copy)]
pub(in crate::expr) struct Run<'s, 'a> {
    pub(in crate::expr) scope: &'s Scope<'a>,
    /// What `@` is: the current item, and in a filter what is being decided on.
    pub(in crate::expr) item: Value<'a>,
}

/// Whether to go on.
type Walk = Result<ControlFlow<()>, OutOfFuel>;

/// Where what is found goes.
struct Found<'v, 'a> {
    /// All of it, if it is wanted.
    list: Option<&'v mut BumpVec<'a, Value<'a>>>,
    first: Value<'a>,
    count: usize,
    /// How many are enough.
    enough: usize,
}

impl<'a> Found<'_, 'a> {
    /// Wants no list, only up to so many.
    const fn up_to(enough: usize) -> Self {
        Self {
            list: None,
            first: Value::Missing,
            count: 0,
            enough,
        }
    }

    fn push(&mut self, value: Value<'a>) -> ControlFlow<()> {
        if let Some(list) = &mut self.list {
            list.push(value);
        }
        if self.count == 0 {
            self.first = value;
        }
        self.count += 1;
        if self.enough <= self.count {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl<'a> Run<'_, 'a> {
    fn subject(&self, subject: Subject) -> Value<'a> {
        match subject {
            Subject::Root => self.scope.root,
            Subject::Item => self.item,
        }
    }

    /// Follows a singular path.
    pub(in crate::expr) fn follow(
        &self,
        from: Value<'a>,
        steps: &[Step],
    ) -> Result<Value<'a>, OutOfFuel> {
        let mut value = from;
        for step in steps {
            // Members are found by looking at each.
            let len = value.len();
            if STEP_ITEMS <= len {
                self.spend(len / STEP_ITEMS)?;
            }
            value = match step {
                Step::Member(name) => value.get(name),
                Step::At(index) => value.at(*index),
            };
        }
        Ok(value)
    }

    /// Everything a query selects, in order.
    pub(in crate::expr) fn query(
        &self,
        query: &Query,
    ) -> Result<BumpVec<'a, Value<'a>>, OutOfFuel> {
        let mut list = self.scope.arena.vec();
        let found = Found {
            list: Some(&mut list),
            ..Found::up_to(usize::MAX)
        };
        self.walk(query, found)?;
        Ok(list)
    }

    fn walk<'v>(
        &self,
        query: &Query,
        mut found: Found<'v, 'a>,
    ) -> Result<Found<'v, 'a>, OutOfFuel> {
        let from = self.follow(self.subject(query.subject), &query.lead)?;
        if !from.is_missing() {
            let _: ControlFlow<()> = self.stages(from, &query.stages, &mut found)?;
        }
        Ok(found)
    }

    /// Goes on with one value, depth first, which is the order of RFC 9535.
    fn stages(&self, value: Value<'a>, stages: &[Stage], found: &mut Found<'_, 'a>) -> Walk {
        match stages.split_first() {
            None => Ok(found.push(value)),
            Some((Stage::Children(picks), rest)) => self.select(value, (picks, rest), found),
            Some((Stage::Descendants(picks), rest)) => self.descend(value, (picks, rest), 0, found),
        }
    }

    fn descend(
        &self,
        value: Value<'a>,
        (picks, rest): (&[Pick], &[Stage]),
        depth: u32,
        found: &mut Found<'_, 'a>,
    ) -> Walk {
        if self.select(value, (picks, rest), found)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if depth < DEPTH_MAX {
            for child in self.children(value)? {
                if self
                    .descend(child, (picks, rest), depth + 1, found)?
                    .is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The items or the values of the members, paid for.
    fn children(
        &self,
        value: Value<'a>,
    ) -> Result<impl Iterator<Item = Value<'a>> + use<'a>, OutOfFuel> {
        self.spend(1 + value.len())?;
        let members = value.entries(self.scope.arena).map(|(_, value)| value);
        Ok(value.items().chain(members))
    }

    fn select(
        &self,
        value: Value<'a>,
        (picks, rest): (&[Pick], &[Stage]),
        found: &mut Found<'_, 'a>,
    ) -> Walk {
        for pick in picks {
            self.spend(1)?;
            let mut go_on = |value: Value<'a>| match value {
                Value::Missing => Ok(ControlFlow::Continue(())),
                value => self.stages(value, rest, found),
            };
            let flow = match pick {
                Pick::Member(name) => go_on(value.get(name))?,
                Pick::At(index) => go_on(value.at(*index))?,
                Pick::All => visit(self.children(value)?, go_on)?,
                Pick::Slice { start, end, step } => {
                    self.spend(value.len())?;
                    slice(value, (*start, *end, *step), self.scope.arena, go_on)?
                }
                Pick::Where(condition) => visit(self.children(value)?, |child| {
                    if (Run {
                        item: child,
                        ..*self
                    })
                    .holds(condition)?
                    {
                        go_on(child)
                    } else {
                        Ok(ControlFlow::Continue(()))
                    }
                })?,
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
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
            Condition::Present(subject, steps) => {
                Ok(!self.follow(self.subject(*subject), steps)?.is_missing())
            }
            Condition::Exists(query) => Ok(0 < self.walk(query, Found::up_to(1))?.count),
            Condition::Compare(operator, left, right) => {
                let (left, right) = (self.operand(left)?, self.operand(right)?);
                Ok(compare(*operator, left, right))
            }
            Condition::Matches(text, pattern) => {
                let Some(text) = self.operand(text)?.as_text(self.scope.arena) else {
                    return Ok(false);
                };
                self.spend(text.len() / STEP_BYTES)?;
                match pattern {
                    Pattern::Fixed(regex) => {
                        Ok(regex.as_ref().is_some_and(|regex| regex.is_match(text)))
                    }
                    Pattern::Computed(pattern, extent) => {
                        self.spend(REGEX_STEPS)?;
                        let pattern = self.operand(pattern)?.as_text(self.scope.arena);
                        let regex = pattern.and_then(|pattern| regexp::compile(pattern, *extent));
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
            Operand::Path(subject, steps) => self.follow(self.subject(*subject), steps)?,
            Operand::Length(operand) => {
                let value = self.operand(operand)?;
                match value.kind() {
                    Kind::Text => {
                        let text = value.as_text(self.scope.arena).unwrap_or("");
                        self.spend(text.len() / STEP_BYTES)?;
                        count(text.chars().count())
                    }
                    Kind::List | Kind::Object => count(value.len()),
                    _ => Value::Missing,
                }
            }
            Operand::Count(query) => count(self.walk(query, Found::up_to(usize::MAX))?.count),
            Operand::Value(query) => match self.walk(query, Found::up_to(2))? {
                Found {
                    first, count: 1, ..
                } => first,
                _ => Value::Missing,
            },
        })
    }

    pub(in crate::expr) fn spend(&self, steps: usize) -> Result<(), OutOfFuel> {
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

fn visit<'a>(
    values: impl Iterator<Item = Value<'a>>,
    mut go_on: impl FnMut(Value<'a>) -> Walk,
) -> Walk {
    for value in values {
        if go_on(value)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn count(n: usize) -> Value<'static> {
    Value::Number(Number::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// The slice of a list (RFC 9535, 2.3.4.2.2).
fn slice<'a>(
    value: Value<'a>,
    (start, end, step): (Option<i64>, Option<i64>, i64),
    arena: &'a Arena,
    go_on: impl FnMut(Value<'a>) -> Walk,
) -> Walk {
    if value.kind() != Kind::List || step == 0 {
        return Ok(ControlFlow::Continue(()));
    }
    let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let normal = |at: i64| {
        if at < 0 {
            length.saturating_add(at)
        } else {
            at
        }
    };
    let place = |at: i64| usize::try_from(at).unwrap_or(0);
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    if 0 < step {
        let lower = place(start.map_or(0, normal).clamp(0, length));
        let upper = place(end.map_or(length, normal).clamp(0, length));
        let width = upper.saturating_sub(lower);
        return visit(value.items().skip(lower).take(width).step_by(stride), go_on);
    }
    // From the item before `first` down to and with the one at `last`.
    let first = place(
        start
            .map_or(length, |at| normal(at).saturating_add(1))
            .clamp(0, length),
    );
    let last = place(
        end.map_or(0, |at| normal(at).saturating_add(1))
            .clamp(0, length),
    );
    // An item far inside a parsed list is reached by walking, so they are walked once.
    let mut items = arena.vec();
    items.extend(value.items().skip(last).take(first.saturating_sub(last)));
    visit(items.into_iter().rev().step_by(stride), go_on)
}
