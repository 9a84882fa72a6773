//! Running a program: a walk over the arena's nodes, each charged to the budget.

use std::cmp::Ordering;

use crate::diagnostic::Code;
use crate::expr::builtins::Call;
use crate::expr::builtins::CallError;
use crate::expr::builtins::Cx;
use crate::expr::program::CallNode;
use crate::expr::program::Extra;
use crate::expr::program::Id;
use crate::expr::program::KindTest;
use crate::expr::program::Node;
use crate::expr::program::Part;
use crate::expr::program::Subject;
use crate::expr::query::OutOfFuel;
use crate::expr::query::Run;
use crate::expr::query::follow;
use crate::expr::scope::EvalError;
use crate::expr::scope::Scope;
use crate::expr::syntax::Arithmetic;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
use crate::text::Span;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

/// Longest text an interpolation makes, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

type Outcome<'a> = Result<Value<'a>, EvalError>;

/// A program being run.
#[derive(Clone, Copy)]
pub(super) struct Machine<'s, 'a> {
    pub(super) nodes: &'s [Node],
    pub(super) spans: &'s [Span],
    /// Where the whole expression stands.
    pub(super) whole: Span,
    pub(super) scope: &'s Scope<'a>,
    pub(super) item: Value<'a>,
    pub(super) index: Value<'a>,
    /// The parameters of the lambdas around, outermost first.
    pub(super) parameters: [Value<'a>; 3],
    pub(super) depth: usize,
}

impl<'a> Machine<'_, 'a> {
    #[expect(clippy::too_many_lines, reason = "one arm for each node")]
    pub(super) fn eval(&self, id: Id) -> Outcome<'a> {
        let fuel = &self.scope.budget.fuel;
        match fuel.get().checked_sub(1) {
            Some(left) => fuel.set(left),
            None => return Err(self.out_of_fuel(id)),
        }
        let Some(node) = self.nodes.get(id.0 as usize) else {
            return Ok(Value::Missing);
        };
        Ok(match node {
            Node::Missing => Value::Missing,
            Node::Null => Value::Null,
            Node::Bool(truth) => Value::Bool(*truth),
            Node::Number(number) => Value::Number(*number),
            Node::Text(text) => Value::Text(self.scope.arena.text(text)),
            Node::Interpolation(parts) => return self.interpolation(id, parts),
            Node::List(items) => {
                let mut list = self.scope.arena.vec_with_capacity(items.len());
                for item in items {
                    let value = self.eval(*item)?;
                    if !value.is_missing() {
                        list.push(value);
                    }
                }
                Value::List(list.into_bump_slice())
            }
            Node::Root => self.scope.root,
            Node::Item => self.item,
            Node::Index => self.index,
            Node::Variable(place) => self
                .scope
                .variables
                .get(usize::from(*place))
                .copied()
                .unwrap_or_default(),
            Node::Parameter(place) => self
                .parameters
                .get(usize::from(*place))
                .copied()
                .unwrap_or_default(),
            Node::Members(below, names) => {
                let below = self.eval(*below)?;
                names.iter().fold(below, |value, name| value.get(name))
            }
            Node::Path(subject, steps) => follow(self.subject(*subject), steps),
            Node::Nodelist(steps) => self.scope.arena.list([follow(self.scope.root, steps)]),
            Node::Query(query) => {
                let run = Run {
                    scope: self.scope,
                    item: self.item,
                };
                let found = run.query(query).map_err(|OutOfFuel| self.out_of_fuel(id))?;
                Value::List(found.into_bump_slice())
            }
            Node::At(value, index) => return self.at(id, *value, *index),
            Node::Negate(value) => return self.negate(id, *value),
            Node::Not(value) => Value::Bool(!self.holds(*value)?),
            Node::All(parts) => {
                for part in parts {
                    if !self.holds(*part)? {
                        return Ok(Value::Bool(false));
                    }
                }
                Value::Bool(true)
            }
            Node::Any(parts) => {
                for part in parts {
                    if self.holds(*part)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Value::Bool(false)
            }
            Node::Arithmetic(operator, left, right) => {
                return self.arithmetic(id, *operator, (*left, *right));
            }
            Node::Compare(comparison, left, right) => {
                return self.compare(id, *comparison, (*left, *right));
            }
            Node::In(item, list, negated) => return self.contains(*item, *list, *negated),
            Node::Is(value, test, negated) => {
                let kind = self.eval(*value)?.kind();
                let is = match test {
                    KindTest::One(wanted) => kind == *wanted,
                    KindTest::Number => matches!(kind, Kind::Int | Kind::Float),
                };
                Value::Bool(is != *negated)
            }
            Node::Glob(value, globs, negated) => {
                let value = self.eval(*value)?;
                let matched = match value.kind() {
                    Kind::Missing | Kind::Null => false,
                    Kind::Text => {
                        let text = value.as_text(self.scope.arena).unwrap_or("");
                        globs.is_match(text)
                    }
                    kind => {
                        let message = format!("`~` needs a string, this is {}", kind.word());
                        return Err(self.error(id, Code::WrongKindAtRunTime, message));
                    }
                };
                Value::Bool(matched != *negated)
            }
            Node::Fallback(fallback, left, right) => {
                let left = self.eval(*left);
                let falls = match (fallback, &left) {
                    (Fallback::MissingOrNull, Ok(value)) => {
                        matches!(value.kind(), Kind::Missing | Kind::Null)
                    }
                    (Fallback::Missing, Ok(value)) => value.is_missing(),
                    // Running out of fuel is nothing a mapping can recover from.
                    (Fallback::Error, Err(error)) => error.code != Code::OutOfFuel,
                    _ => false,
                };
                return if falls { self.eval(*right) } else { left };
            }
            Node::Choice(when, then, otherwise) => {
                return self.eval(if self.holds(*when)? {
                    *then
                } else {
                    *otherwise
                });
            }
            Node::Call(call) => return self.call(id, call),
        })
    }

    fn subject(&self, subject: Subject) -> Value<'a> {
        match subject {
            Subject::Root => self.scope.root,
            Subject::Item => self.item,
        }
    }

    fn span(&self, id: Id) -> Span {
        self.spans.get(id.0 as usize).copied().unwrap_or(self.whole)
    }

    fn error(&self, id: Id, code: Code, message: impl Into<String>) -> EvalError {
        EvalError {
            code,
            span: self.span(id),
            message: message.into(),
        }
    }

    fn out_of_fuel(&self, id: Id) -> EvalError {
        self.error(id, OutOfFuel::CODE, "the evaluation takes too many steps")
    }

    /// A condition inside an expression: absent is false, anything but a boolean is an error.
    fn holds(&self, id: Id) -> Result<bool, EvalError> {
        let value = self.eval(id)?;
        match value.kind() {
            Kind::Bool => Ok(value.as_bool() == Some(true)),
            Kind::Missing | Kind::Null => Ok(false),
            kind => {
                let message = format!("a condition needs a bool, this is {}", kind.word());
                Err(self.error(id, Code::WrongKindAtRunTime, message))
            }
        }
    }

    fn interpolation(&self, id: Id, parts: &[Part]) -> Outcome<'a> {
        let mut text = self.scope.arena.string();
        for part in parts {
            match part {
                Part::Plain(plain) => text.push_str(plain),
                Part::Hole(hole) => {
                    let value = self.eval(*hole)?;
                    match (value, value.kind()) {
                        (_, Kind::Missing | Kind::Null) => return Ok(Value::Missing),
                        (_, Kind::Text) if !matches!(value, Value::Secret(_)) => {
                            text.push_str(value.as_text(self.scope.arena).unwrap_or(""));
                        }
                        (Value::Json(node), Kind::Bool | Kind::Int | Kind::Float) => {
                            text.push_str(node.raw());
                        }
                        (Value::Bool(true), _) => text.push_str("true"),
                        (Value::Bool(false), _) => text.push_str("false"),
                        (Value::Number(number), _) => {
                            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{number}"));
                        }
                        (Value::Time(time), _) => {
                            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{time}"));
                        }
                        (_, kind) => {
                            let message = format!("a text cannot hold a {}", kind.word());
                            return Err(self.error(*hole, Code::WrongKindAtRunTime, message));
                        }
                    }
                }
            }
            if TEXT_BYTES_MAX < text.len() {
                let message = format!("the text is longer than {TEXT_BYTES_MAX} bytes");
                return Err(self.error(id, Code::OutputTooLarge, message));
            }
        }
        Ok(Value::Text(text.into_bump_str()))
    }

    fn at(&self, id: Id, value: Id, index: Id) -> Outcome<'a> {
        let (value, index) = (self.eval(value)?, self.eval(index)?);
        match index.kind() {
            Kind::Missing | Kind::Null => Ok(Value::Missing),
            Kind::Text => Ok(value.get(index.as_text(self.scope.arena).unwrap_or(""))),
            Kind::Int => {
                let index = index.as_number().and_then(Number::as_int);
                Ok(index
                    .and_then(|index| i64::try_from(index).ok())
                    .map_or(Value::Missing, |index| value.at(index)))
            }
            kind => {
                let message = format!("an index needs an int or a string, this is {}", kind.word());
                Err(self.error(id, Code::WrongKindAtRunTime, message))
            }
        }
    }

    /// The number of an operand; `Ok(Err(value))` is what is absent and passes through.
    fn number(&self, id: Id) -> Result<Result<Number, Value<'a>>, EvalError> {
        let value = self.eval(id)?;
        match value.kind() {
            Kind::Missing | Kind::Null => Ok(Err(value)),
            Kind::Int | Kind::Float => value.as_number().map(Ok).ok_or_else(|| {
                self.error(
                    id,
                    Code::ArithmeticFailed,
                    "the number is too large to compute with",
                )
            }),
            kind => {
                let message = format!("arithmetic needs numbers, this is {}", kind.word());
                Err(self.error(id, Code::WrongKindAtRunTime, message))
            }
        }
    }

    fn negate(&self, id: Id, value: Id) -> Outcome<'a> {
        let number = match self.number(value)? {
            Ok(number) => number,
            Err(absent) => return Ok(absent),
        };
        let negated = match number.as_int() {
            Some(int) => Number::int(-int),
            None => Number::float(-number.as_f64()),
        };
        negated.map(Value::Number).ok_or_else(|| self.overflow(id))
    }

    fn overflow(&self, id: Id) -> EvalError {
        self.error(id, Code::ArithmeticFailed, "the result is out of range")
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a division that is not whole is a float"
    )]
    fn arithmetic(&self, id: Id, operator: Arithmetic, (left, right): (Id, Id)) -> Outcome<'a> {
        let left = match self.number(left)? {
            Ok(number) => number,
            Err(absent) => return Ok(absent),
        };
        let right = match self.number(right)? {
            Ok(number) => number,
            Err(absent) => return Ok(absent),
        };
        let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder);
        if divides && right.as_f64() == 0.0 {
            return Err(self.error(id, Code::ArithmeticFailed, "division by zero"));
        }
        let result = match (left.as_int(), right.as_int()) {
            (Some(left), Some(right)) => match operator {
                Arithmetic::Add => Number::int(left + right),
                Arithmetic::Subtract => Number::int(left - right),
                Arithmetic::Multiply => Number::int(left * right),
                Arithmetic::Remainder => Number::int(left % right),
                // A whole result stays whole.
                Arithmetic::Divide if left % right == 0 => Number::int(left / right),
                Arithmetic::Divide => floats(operator, (left as f64, right as f64)),
            },
            _ => floats(operator, (left.as_f64(), right.as_f64())),
        };
        result.map(Value::Number).ok_or_else(|| self.overflow(id))
    }

    fn compare(&self, id: Id, comparison: Comparison, (left, right): (Id, Id)) -> Outcome<'a> {
        let (left, right) = (self.eval(left)?, self.eval(right)?);
        let wanted: fn(Ordering) -> bool = match comparison {
            Comparison::Equal => return Ok(Value::Bool(order::equal(left, right))),
            Comparison::NotEqual => return Ok(Value::Bool(!order::equal(left, right))),
            Comparison::Less => Ordering::is_lt,
            Comparison::LessOrEqual => Ordering::is_le,
            Comparison::Greater => Ordering::is_gt,
            Comparison::GreaterOrEqual => Ordering::is_ge,
        };
        let absent = |value: Value<'_>| matches!(value.kind(), Kind::Missing | Kind::Null);
        if absent(left) || absent(right) {
            return Ok(Value::Bool(false));
        }
        if let Some(ordering) = order::order(left, right) {
            Ok(Value::Bool(wanted(ordering)))
        } else {
            let (left, right) = (left.kind().word(), right.kind().word());
            let message = format!("{left} and {right} have no order");
            Err(self.error(id, Code::WrongKindAtRunTime, message))
        }
    }

    #[expect(clippy::fn_params_excessive_bools, reason = "a flag of the node")]
    fn contains(&self, item: Id, list: Id, negated: bool) -> Outcome<'a> {
        let item = self.eval(item)?;
        // The usual list is written out and needs not be built.
        let found = if let Some(Node::List(items)) = self.nodes.get(list.0 as usize) {
            let mut found = false;
            for candidate in items {
                found = found || order::equal(item, self.eval(*candidate)?);
            }
            found
        } else {
            let list = self.eval(list)?;
            list.items().any(|candidate| order::equal(item, candidate))
        };
        Ok(Value::Bool(found != negated))
    }

    fn call(&self, id: Id, call: &CallNode) -> Outcome<'a> {
        let mut arguments = self.scope.arena.vec_with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(argument.map_or(Ok(Value::Missing), |argument| self.eval(argument))?);
        }
        let builtin = call.builtin;
        if builtin.lifted
            && let Some(subject) = builtin.subject().and_then(|place| arguments.get(place))
            && matches!(subject.kind(), Kind::Missing | Kind::Null)
        {
            return Ok(*subject);
        }
        for (place, argument) in call.arguments.iter().enumerate() {
            if let (Some(argument), Some(value)) = (argument, arguments.get(place)) {
                self.check(*argument, call, place, *value)?;
            }
        }
        let cx = Cx::new(self.scope.arena, self.scope.budget);
        let result = match (builtin.call, &call.extra) {
            (Call::Plain(run), _) => run(&cx, &arguments),
            (Call::Regex(run), Extra::Regex(regex)) => run(&cx, &arguments, regex),
            (Call::Table(run), Extra::Table(table)) => run(&cx, &arguments, table),
            (Call::Lambda(run), Extra::Lambda(body)) => {
                let mut apply = |item: Value<'a>, index: usize| self.apply(*body, item, index);
                run(&cx, &arguments, &mut apply)
            }
            _ => Ok(Value::Missing),
        };
        result.map_err(|error| match error {
            // The author of the rule wrote this message, not the function.
            CallError::Own {
                code: Code::Raised,
                message,
            } => self.error(id, Code::Raised, message),
            CallError::Own { code, message } => {
                self.error(id, code, format!("`{}` {message}", builtin.name))
            }
            CallError::Inner(error) => error,
        })
    }

    fn check(
        &self,
        id: Id,
        call: &CallNode,
        place: usize,
        value: Value<'a>,
    ) -> Result<(), EvalError> {
        use crate::expr::builtins::Accepts;
        use crate::expr::builtins::Presence;
        let parameters = call.builtin.parameters;
        let Some(parameter) = parameters.get(place).or_else(|| parameters.last()) else {
            return Ok(());
        };
        let Accepts::Kinds(kinds) = parameter.accepts else {
            return Ok(());
        };
        let kind = value.kind();
        let absent = matches!(kind, Kind::Missing | Kind::Null);
        let optional = parameter.presence == Presence::Optional;
        if kinds.has(kind) || absent && optional {
            return Ok(());
        }
        let message = format!(
            "`{}` needs {}, this is {}",
            call.builtin.name,
            kinds.words(),
            kind.word()
        );
        Err(self.error(id, Code::WrongKindAtRunTime, message))
    }

    fn apply(&self, body: Id, item: Value<'a>, index: usize) -> Outcome<'a> {
        let mut inner = *self;
        if let Some(parameter) = inner.parameters.get_mut(self.depth) {
            *parameter = item;
        }
        inner.depth += 1;
        inner.item = item;
        inner.index = Value::Number(Number::Int(i64::try_from(index).unwrap_or(i64::MAX)));
        inner.eval(body)
    }
}

fn floats(operator: Arithmetic, (left, right): (f64, f64)) -> Option<Number> {
    Number::float(match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    })
}
