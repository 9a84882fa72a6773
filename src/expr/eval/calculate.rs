//! Arithmetic and comparison.

use std::cmp::Ordering;

use crate::diagnostic::Code;
use crate::expr::eval::Machine;
use crate::expr::eval::NUMBER;
use crate::expr::eval::Outcome;
use crate::expr::eval::described;
use crate::expr::eval::is_absent;
use crate::expr::program::Id;
use crate::expr::scope::EvalError;
use crate::expr::syntax::Arithmetic;
use crate::expr::syntax::Comparison;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

/// What an operand of arithmetic comes to.
enum Operand<'a> {
    Number(Number),
    /// Missing or null, which is the result then.
    Absent(Value<'a>),
}

impl<'a> Machine<'_, 'a> {
    fn number(&self, id: Id, what: &str) -> Result<Operand<'a>, EvalError> {
        let value = self.eval(id)?;
        match value.as_number() {
            Some(number) => Ok(Operand::Number(number)),
            None if is_absent(value) => Ok(Operand::Absent(value)),
            None if NUMBER.has(value.kind()) => {
                let message = format!(
                    "{} is too large to compute with",
                    crate::expr::builtins::shown(value)
                );
                Err(self.error(id, Code::ArithmeticFailed, message))
            }
            None => Err(self.wrong_kind(id, what, NUMBER, value)),
        }
    }

    fn result(&self, id: Id, number: Option<Number>) -> Outcome<'a> {
        let overflow = || self.error(id, Code::ArithmeticFailed, "the result is out of range");
        number.map(Value::Number).ok_or_else(overflow)
    }

    pub(super) fn negate(&self, id: Id, value: Id) -> Outcome<'a> {
        let number = match self.number(value, "`-`")? {
            Operand::Number(number) => number,
            Operand::Absent(absent) => return Ok(absent),
        };
        let negated = match number.as_int() {
            Some(int) => Number::int(-int),
            None => Number::float(-number.as_f64()),
        };
        self.result(id, negated)
    }

    pub(super) fn arithmetic(
        &self,
        id: Id,
        operator: Arithmetic,
        (left, right): (Id, Id),
    ) -> Outcome<'a> {
        let what = match operator {
            Arithmetic::Add => "`+`",
            Arithmetic::Subtract => "`-`",
            Arithmetic::Multiply => "`*`",
            Arithmetic::Divide => "`/`",
            Arithmetic::Remainder => "`%`",
        };
        let left = match self.number(left, what)? {
            Operand::Number(number) => number,
            Operand::Absent(absent) => return Ok(absent),
        };
        let right = match self.number(right, what)? {
            Operand::Number(number) => number,
            Operand::Absent(absent) => return Ok(absent),
        };
        let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder);
        if divides && right.as_f64() == 0.0 {
            return Err(self.error(id, Code::ArithmeticFailed, "division by zero"));
        }
        let result = match (left.as_int(), right.as_int()) {
            (Some(left), Some(right)) => whole(operator, (left, right)),
            _ => floats(operator, (left.as_f64(), right.as_f64())),
        };
        self.result(id, result)
    }

    pub(super) fn compare(
        &self,
        id: Id,
        comparison: Comparison,
        (left, right): (Id, Id),
    ) -> Result<bool, EvalError> {
        let (left, right) = (self.eval(left)?, self.eval(right)?);
        let wanted: fn(Ordering) -> bool = match comparison {
            Comparison::Equal | Comparison::NotEqual => {
                self.spend_reading(id, left)?;
                let wanted = comparison == Comparison::Equal;
                return Ok(order::equal(left, right) == wanted);
            }
            Comparison::Less => Ordering::is_lt,
            Comparison::LessOrEqual => Ordering::is_le,
            Comparison::Greater => Ordering::is_gt,
            Comparison::GreaterOrEqual => Ordering::is_ge,
        };
        if is_absent(left) || is_absent(right) {
            return Ok(false);
        }
        order::order(left, right).map(wanted).ok_or_else(|| {
            let symbol = comparison.symbol();
            let (left, right) = (described(left), described(right));
            let message = format!("`{symbol}` finds no order: {left}, {right}");
            self.error(id, Code::WrongKindAtRunTime, message)
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what does not divide evenly is rounded anyway"
)]
fn whole(operator: Arithmetic, (left, right): (i128, i128)) -> Option<Number> {
    // Operands fit 65 bits, so no result overflows 128.
    match operator {
        Arithmetic::Add => Number::int(left + right),
        Arithmetic::Subtract => Number::int(left - right),
        Arithmetic::Multiply => Number::int(left.checked_mul(right)?),
        Arithmetic::Remainder => Number::int(left % right),
        // A whole result stays exact.
        Arithmetic::Divide if left % right == 0 => Number::int(left / right),
        Arithmetic::Divide => floats(operator, (left as f64, right as f64)),
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
