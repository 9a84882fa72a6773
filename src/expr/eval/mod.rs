//! Running a program: a walk over the arena's nodes, each charged to the budget.

mod calculate;
mod call;

use crate::diagnostic::Code;
use crate::expr::glob::Globs;
use crate::expr::path::OutOfFuel;
use crate::expr::path::Run;
use crate::expr::path::Step;
use crate::expr::path::Subject;
use crate::expr::program::Constants;
use crate::expr::program::Id;
use crate::expr::program::Node;
use crate::expr::program::Part;
use crate::expr::scope::EvalError;
use crate::expr::scope::Kinds;
use crate::expr::scope::Scope;
use crate::expr::syntax::Fallback;
use crate::text::Span;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

/// Longest text an interpolation makes, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// How many bytes are read or written for one step of fuel.
const STEP_BYTES: usize = 64;

type Outcome<'a> = Result<Value<'a>, EvalError>;

/// A program being run.
#[derive(Clone, Copy)]
pub(super) struct Machine<'s, 'a> {
    nodes: &'a [Node],
    spans: &'s [Span],
    /// The whole expression, for a node without a place of its own.
    whole: Span,
    scope: &'s Scope<'a>,
    /// The innermost lambda that is being applied.
    lambda: Option<&'s Applied<'s, 'a>>,
}

/// A lambda that is being applied to an item.
#[derive(Clone, Copy)]
struct Applied<'s, 'a> {
    item: Value<'a>,
    index: Value<'a>,
    outer: Option<&'s Self>,
}

impl<'s, 'a> Machine<'s, 'a> {
    pub(super) fn new(
        nodes: &'a [Node],
        spans: &'s [Span],
        whole: Span,
        scope: &'s Scope<'a>,
    ) -> Self {
        Self {
            nodes,
            spans,
            whole,
            scope,
            lambda: None,
        }
    }

    pub(super) fn eval(&self, id: Id) -> Outcome<'a> {
        self.spend(id, 1)?;
        let Some(node) = self.nodes.get(id.0 as usize) else {
            return Ok(Value::Missing);
        };
        match node {
            Node::Constant(constant) => Ok(constant.value()),
            Node::Path(Subject::Root, steps) => self.follow(id, self.scope.root, steps),
            Node::Path(Subject::Item, steps) => self.follow(id, self.item(), steps),
            Node::Variable(place) => {
                let variables = self.scope.variables;
                Ok(variables
                    .get(usize::from(*place))
                    .copied()
                    .unwrap_or_default())
            }
            Node::Parameter(levels) => Ok(self.parameter(*levels)),
            Node::Index => Ok(self.lambda.map_or(self.scope.index, |lambda| lambda.index)),
            Node::Below(below, steps) => self.follow(id, self.eval(*below)?, steps),
            Node::Query(query) => match self.run().query(query) {
                Ok(found) => Ok(Value::List(found.into_bump_slice())),
                Err(OutOfFuel) => Err(self.out_of_fuel(id)),
            },
            Node::At(value, index) => self.at(*value, *index),
            Node::Interpolation(parts) => self.interpolation(id, parts),
            Node::List(items) => self.list(items),
            Node::Negate(value) => self.negate(id, *value),
            Node::Arithmetic(operator, left, right) => {
                self.arithmetic(id, *operator, (*left, *right))
            }
            Node::Fallback(fallback, left, right) => self.fallback(*fallback, *left, *right),
            Node::Choice {
                when,
                then,
                otherwise,
            } => self.eval(if self.holds(*when)? {
                *then
            } else {
                *otherwise
            }),
            Node::Call(call) => self.call(id, call),
            question => self.answer(id, question).map(Value::Bool),
        }
    }

    /// What is true or false, never missing.
    fn answer(&self, id: Id, question: &Node) -> Result<bool, EvalError> {
        match question {
            Node::Not(value) => self.holds(*value).map(|holds| !holds),
            Node::All(parts) => self.all(parts),
            Node::Any(parts) => self.any(parts),
            Node::Compare(comparison, left, right) => {
                self.compare(id, *comparison, (*left, *right))
            }
            Node::In { item, list, sense } => Ok(self.is_in(*item, *list)? != sense.is_negated()),
            Node::Among {
                item,
                constants,
                sense,
            } => Ok(self.is_among(*item, constants)? != sense.is_negated()),
            Node::Is {
                value,
                kinds,
                sense,
            } => Ok(kinds.has(self.eval(*value)?.kind()) != sense.is_negated()),
            Node::Glob {
                value,
                globs,
                sense,
            } => Ok(self.is_match(id, *value, globs)? != sense.is_negated()),
            // Everything else gives a value.
            _ => Ok(false),
        }
    }

    fn is_match(&self, id: Id, value: Id, globs: &Globs) -> Result<bool, EvalError> {
        let value = self.eval(value)?;
        match self.text(value) {
            Some(text) => {
                self.spend(id, text.len() / STEP_BYTES)?;
                Ok(globs.is_match(text))
            }
            None if is_absent(value) => Ok(false),
            None => Err(self.wrong_kind(id, "`~`", TEXT, value)),
        }
    }

    fn follow(&self, id: Id, from: Value<'a>, steps: &[Step]) -> Outcome<'a> {
        self.run()
            .follow(from, steps)
            .map_err(|OutOfFuel| self.out_of_fuel(id))
    }

    fn run(&self) -> Run<'s, 'a> {
        Run {
            scope: self.scope,
            item: self.item(),
        }
    }

    fn item(&self) -> Value<'a> {
        self.lambda.map_or(self.scope.item, |lambda| lambda.item)
    }

    /// The parameter of the lambda that many levels out.
    fn parameter(&self, levels: u16) -> Value<'a> {
        let mut lambda = self.lambda;
        for _ in 0..levels {
            lambda = lambda.and_then(|lambda| lambda.outer);
        }
        lambda.map_or(Value::Missing, |lambda| lambda.item)
    }

    fn spend(&self, id: Id, steps: usize) -> Result<(), EvalError> {
        let fuel = &self.scope.budget.fuel;
        if let Some(left) = fuel.get().checked_sub(steps as u64) {
            fuel.set(left);
            return Ok(());
        }
        fuel.set(0);
        Err(self.out_of_fuel(id))
    }

    /// Charges for looking at all of a value.
    fn spend_reading(&self, id: Id, value: Value<'_>) -> Result<(), EvalError> {
        let size = match value {
            Value::Json(node) => node.raw().len() / STEP_BYTES,
            Value::Text(text) => text.len() / STEP_BYTES,
            Value::List(_) | Value::Object(_) => value.len(),
            _ => return Ok(()),
        };
        if size == 0 {
            Ok(())
        } else {
            self.spend(id, size)
        }
    }

    fn text(&self, value: Value<'a>) -> Option<&'a str> {
        value.as_text(self.scope.arena)
    }

    #[cold]
    fn error(&self, id: Id, code: Code, message: impl Into<String>) -> EvalError {
        let span = self.spans.get(id.0 as usize).copied().unwrap_or(self.whole);
        EvalError {
            code,
            span,
            message: message.into(),
        }
    }

    #[cold]
    fn out_of_fuel(&self, id: Id) -> EvalError {
        self.error(id, OutOfFuel::CODE, OutOfFuel::MESSAGE)
    }

    #[cold]
    fn wrong_kind(&self, id: Id, what: &str, wanted: Kinds, value: Value<'_>) -> EvalError {
        let message = format!("{what} needs {}, {}", wanted.words(), described(value));
        self.error(id, Code::WrongKindAtRunTime, message)
    }

    /// A condition inside an expression: absent is false, anything but a bool is an error.
    fn holds(&self, id: Id) -> Result<bool, EvalError> {
        let value = self.eval(id)?;
        match value.as_bool() {
            Some(truth) => Ok(truth),
            None if is_absent(value) => Ok(false),
            None => Err(self.wrong_kind(id, "a condition", BOOL, value)),
        }
    }

    fn all(&self, conditions: &[Id]) -> Result<bool, EvalError> {
        for condition in conditions {
            if !self.holds(*condition)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any(&self, conditions: &[Id]) -> Result<bool, EvalError> {
        for condition in conditions {
            if self.holds(*condition)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn list(&self, items: &[Id]) -> Outcome<'a> {
        let mut list = self.scope.arena.vec_with_capacity(items.len());
        for item in items {
            let value = self.eval(*item)?;
            if !value.is_missing() {
                list.push(value);
            }
        }
        Ok(Value::List(list.into_bump_slice()))
    }

    fn interpolation(&self, id: Id, parts: &[Part]) -> Outcome<'a> {
        let mut text = self.scope.arena.string();
        for part in parts {
            match part {
                Part::Plain(plain) => text.push_str(plain),
                Part::Hole(hole) => {
                    let value = self.eval(*hole)?;
                    if is_absent(value) {
                        return Ok(Value::Missing);
                    }
                    self.push_scalar(*hole, value, &mut text)?;
                }
            }
            if TEXT_BYTES_MAX < text.len() {
                let message = format!("the text is longer than {TEXT_BYTES_MAX} bytes");
                return Err(self.error(id, Code::OutputTooLarge, message));
            }
        }
        self.spend(id, text.len() / STEP_BYTES)?;
        Ok(Value::Text(text.into_bump_str()))
    }

    fn push_scalar(
        &self,
        id: Id,
        value: Value<'a>,
        text: &mut bumpalo::collections::String<'a>,
    ) -> Result<(), EvalError> {
        use std::fmt::Write as _;
        let written = match (value, value.kind()) {
            (Value::Text(piece), _) => text.write_str(piece),
            (Value::Json(_), Kind::Text) => text.write_str(self.text(value).unwrap_or("")),
            (Value::Json(node), Kind::Bool | Kind::Int | Kind::Float) => text.write_str(node.raw()),
            (Value::Bool(truth), _) => text.write_str(if truth { "true" } else { "false" }),
            (Value::Number(number), _) => write!(text, "{number}"),
            (Value::Time(time), _) => write!(text, "{time}"),
            _ => {
                let scalar = TEXT.or(NUMBER).or(BOOL).or(Kinds::of(Kind::Time));
                return Err(self.wrong_kind(id, "a text", scalar, value));
            }
        };
        // Writing to a string cannot fail.
        written.map_err(|_| self.error(id, Code::OutputTooLarge, "the text is too long"))
    }

    fn at(&self, value: Id, index: Id) -> Outcome<'a> {
        let (value, at) = (self.eval(value)?, self.eval(index)?);
        if let Some(name) = self.text(at) {
            return Ok(value.get(name));
        }
        match at.as_number().and_then(Number::as_int) {
            Some(int) => Ok(i64::try_from(int).map_or(Value::Missing, |int| value.at(int))),
            None if is_absent(at) => Ok(Value::Missing),
            None => Err(self.wrong_kind(index, "an index", TEXT.or(Kinds::of(Kind::Int)), at)),
        }
    }

    fn is_in(&self, item: Id, list: Id) -> Result<bool, EvalError> {
        let (item, items) = (self.eval(item)?, self.eval(list)?);
        if items.kind() != Kind::List && !is_absent(items) {
            return Err(self.wrong_kind(list, "`in`", Kinds::of(Kind::List), items));
        }
        self.spend_reading(list, items)?;
        Ok(items.items().any(|candidate| order::equal(item, candidate)))
    }

    fn is_among(&self, item: Id, constants: &Constants) -> Result<bool, EvalError> {
        let value = self.eval(item)?;
        if let Some(text) = self.text(value) {
            return Ok(constants.has_text(text));
        }
        Ok(constants
            .others
            .iter()
            .any(|constant| order::equal(value, constant.value())))
    }

    fn fallback(&self, fallback: Fallback, left: Id, right: Id) -> Outcome<'a> {
        let left = self.eval(left);
        let falls = match (fallback, &left) {
            (Fallback::MissingOrNull, Ok(value)) => is_absent(*value),
            (Fallback::Missing, Ok(value)) => value.is_missing(),
            // Running out of fuel is nothing a mapping can recover from.
            (Fallback::Error, Err(error)) => error.code != Code::OutOfFuel,
            _ => false,
        };
        if falls { self.eval(right) } else { left }
    }
}

const TEXT: Kinds = Kinds::of(Kind::Text);
const BOOL: Kinds = Kinds::of(Kind::Bool);
const NUMBER: Kinds = Kinds::of(Kind::Int).or(Kinds::of(Kind::Float));

fn is_absent(value: Value<'_>) -> bool {
    matches!(value.kind(), Kind::Missing | Kind::Null)
}

/// `"abc" is a string`, cut when it is long.
#[cold]
pub(super) fn described(value: Value<'_>) -> String {
    let kind = Kinds::of(value.kind()).words();
    if is_absent(value) {
        return format!("this is {kind}");
    }
    format!("{} is {kind}", crate::expr::builtins::shown(value))
}
