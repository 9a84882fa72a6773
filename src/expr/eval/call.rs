//! Calling functions: arguments in their places, what is absent passed through, kinds checked.

use crate::diagnostic::Code;
use crate::expr::builtins::Call;
use crate::expr::builtins::CallError;
use crate::expr::builtins::Cx;
use crate::expr::eval::Applied;
use crate::expr::eval::Machine;
use crate::expr::eval::Outcome;
use crate::expr::eval::is_absent;
use crate::expr::program::CallNode;
use crate::expr::program::Extra;
use crate::expr::program::Given;
use crate::expr::program::Id;
use crate::expr::scope::Kinds;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;

impl<'a> Machine<'_, 'a> {
    pub(super) fn call(&self, id: Id, call: &'a CallNode) -> Outcome<'a> {
        let subject = call.subject.map(usize::from);
        let mut first = Value::Missing;
        if let Some(given) = subject.and_then(|place| call.arguments.get(place)) {
            first = given.id.map_or(Ok(Value::Missing), |id| self.eval(id))?;
            if is_absent(first) {
                return Ok(first);
            }
        }
        let mut arguments = self.scope.arena.vec_with_capacity(call.arguments.len());
        for (place, given) in call.arguments.iter().enumerate() {
            let value = match given.id {
                None => Value::Missing,
                Some(_) if subject == Some(place) => first,
                Some(id) => self.eval(id)?,
            };
            arguments.push(self.checked(call, *given, value)?);
        }
        let cx = Cx::new(self.scope.arena, self.scope.budget);
        let result = match (call.builtin.call, &call.extra) {
            (Call::Plain(run), _) => run(&cx, &arguments),
            (Call::Regex(run), Extra::Regex(regex)) => run(&cx, &arguments, regex),
            (Call::Table(run), Extra::Table(tables, name)) => match tables.get(&**name) {
                Some(table) => run(&cx, &arguments, table),
                None => Ok(Value::Missing),
            },
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
                self.error(id, code, format!("`{}` {message}", call.builtin.name))
            }
            CallError::Inner(error) => error,
        })
    }

    /// The argument as the function expects it, if it can be.
    fn checked(&self, call: &CallNode, given: Given, value: Value<'a>) -> Outcome<'a> {
        if given.must_be == Kinds::ANY && !given.optional {
            return Ok(value);
        }
        let kind = value.kind();
        if given.optional && is_absent(value) {
            return Ok(if given.must_be.has(kind) {
                value
            } else {
                Value::Missing
            });
        }
        if given.must_be.has(kind) {
            return Ok(value);
        }
        // `2.0` is whole enough for what takes an int.
        if kind == Kind::Float
            && given.must_be.has(Kind::Int)
            && let Some(int) = value.as_number().and_then(whole)
        {
            return Ok(Value::Number(Number::Int(int)));
        }
        let what = format!("`{}`", call.builtin.name);
        let id = given.id.unwrap_or(Id(u32::MAX));
        Err(self.wrong_kind(id, &what, given.must_be, value))
    }

    fn apply(&self, body: Id, item: Value<'a>, index: usize) -> Outcome<'a> {
        let index = Value::Number(Number::Int(i64::try_from(index).unwrap_or(i64::MAX)));
        let applied = Applied {
            item,
            index,
            outer: self.lambda,
        };
        let inner = Machine {
            lambda: Some(&applied),
            ..*self
        };
        inner.eval(body)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn whole(number: Number) -> Option<i64> {
    // Beyond it a float is not one whole number but many.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64();
    (float.fract() == 0.0 && float.abs() < EXACT_MAX).then_some(float as i64)
}
