//! Reading arguments: from the slice a call is handed to what its function computes with.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::TextOut;
use crate::expr::builtins::moment;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;

/// The argument of the parameter with that number; missing if it was left out.
pub(super) fn argument<'a>(args: &[Value<'a>], n: usize) -> Value<'a> {
    args.get(n).copied().unwrap_or_default()
}

/// An optional argument; `None` if it was left out or is null.
pub(super) fn given<'a>(args: &[Value<'a>], n: usize) -> Option<Value<'a>> {
    let value = argument(args, n);
    (!value.is_missing() && !value.is_null()).then_some(value)
}

/// The arguments from a number on: those of a repeated parameter.
pub(super) fn rest<'s, 'a>(args: &'s [Value<'a>], n: usize) -> &'s [Value<'a>] {
    args.get(n..).unwrap_or_default()
}

impl<'a> Cx<'a, '_> {
    /// The text of a string, charged for.
    pub(super) fn text_of(&self, value: Value<'a>) -> Result<&'a str, CallError> {
        self.read(value)?.ok_or_else(|| wanted("a string", value))
    }

    /// The text of a value if it is a string, charged for: every function may go through all of it.
    pub(super) fn read(&self, value: Value<'a>) -> Result<Option<&'a str>, CallError> {
        let text = value.as_text(self.arena);
        self.spend_bytes(text.map_or(0, str::len))?;
        Ok(text)
    }

    /// The text of an argument.
    pub(super) fn text_at(&self, args: &[Value<'a>], n: usize) -> Result<&'a str, CallError> {
        self.text_of(argument(args, n))
    }

    /// The text of an optional argument.
    pub(super) fn text_or(
        &self,
        args: &[Value<'a>],
        n: usize,
        default: &'static str,
    ) -> Result<&'a str, CallError> {
        match given(args, n) {
            Some(value) => self.text_of(value),
            None => Ok(default),
        }
    }

    /// The moment of an argument: a timestamp, or text in RFC 3339.
    pub(super) fn moment_at(&self, args: &[Value<'a>], n: usize) -> Result<Timestamp, CallError> {
        let value = argument(args, n);
        let time = match value.as_time() {
            Some(time) => moment::at(time.as_millis()),
            None => moment::rfc_3339(self.text_of(value)?),
        };
        time.ok_or_else(|| unreadable("a timestamp such as 2026-01-02T03:04:05Z", value))
    }

    /// The text that stands for a scalar: of a string its own, of a number its digits as they
    /// arrived, of a moment RFC 3339.
    pub(super) fn scalar(&self, value: Value<'a>) -> Result<&'a str, CallError> {
        if let Some(text) = self.read(value)? {
            return Ok(text);
        }
        let mut out = self.text();
        out.push_scalar(value)?;
        out.finish()
    }
}

impl<'a> TextOut<'a, '_> {
    /// Appends the text that stands for a scalar, see [`Cx::scalar`].
    pub(super) fn push_scalar(&mut self, value: Value<'a>) -> Result<(), CallError> {
        match (value, value.kind()) {
            (Value::Json(node), Kind::Bool | Kind::Int | Kind::Float) => self.push_str(node.raw()),
            (Value::Bool(truth), _) => self.push_str(if truth { "true" } else { "false" }),
            (Value::Number(number), _) => self.print(number),
            (Value::Time(time), _) => self.print(time),
            _ => {
                let text = value
                    .to_text()
                    .ok_or_else(|| wanted("a string, a number, a bool or a timestamp", value))?;
                self.push_str(&text)
            }
        }
    }
}

/// A whole number. One beyond `i64` becomes the nearest there is: every limit is closer.
pub(super) fn int_at(args: &[Value<'_>], n: usize) -> Result<i64, CallError> {
    let value = argument(args, n);
    match value.as_number() {
        Some(Number::Int(int)) => Ok(int),
        Some(number) if value.kind() == Kind::Int && number.as_f64() < 0.0 => Ok(i64::MIN),
        Some(_) if value.kind() == Kind::Int => Ok(i64::MAX),
        _ => Err(wanted("a whole number", value)),
    }
}

/// A whole number, if it was given.
pub(super) fn optional_int_at(args: &[Value<'_>], n: usize) -> Result<Option<i64>, CallError> {
    given(args, n).map(|_| int_at(args, n)).transpose()
}

/// How many: a whole number that is not negative.
pub(super) fn count_at(args: &[Value<'_>], n: usize) -> Result<usize, CallError> {
    let int = int_at(args, n)?;
    usize::try_from(int)
        .map_err(|_| CallError::arithmetic(format!("needs a count from 0, this is {int}")))
}

/// A number to compute with.
pub(super) fn number_of(value: Value<'_>) -> Result<Number, CallError> {
    value.as_number().ok_or_else(|| match value.kind() {
        Kind::Int | Kind::Float => CallError::arithmetic(format!(
            "cannot compute with {}, it is too large",
            shown(value)
        )),
        _ => wanted("a number", value),
    })
}

/// The places from `start` to `end` in something of that length: negative ones count from its end,
/// and what lies outside is cut off.
pub(super) fn bounds(length: usize, start: i64, end: Option<i64>) -> (usize, usize) {
    let place = |at: i64| match usize::try_from(at) {
        Ok(at) => at.min(length),
        Err(_) => length.saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let start = place(start);
    (start, end.map_or(length, place).max(start))
}

/// The error for a value of a kind that does not fit.
pub(super) fn wanted(what: &str, value: Value<'_>) -> CallError {
    let kind = value.kind();
    CallError::kind(match kind {
        Kind::Missing | Kind::Null => format!("needs {what}, this is {}", kind.word()),
        Kind::List | Kind::Object => format!("needs {what}, this is {}", shown(value)),
        Kind::Int => format!("needs {what}, {} is an int", shown(value)),
        _ => format!("needs {what}, {} is a {}", shown(value), kind.word()),
    })
}

/// The error for a value that has the right kind and does not read as what is wanted.
pub(super) fn unreadable(what: &str, value: Value<'_>) -> CallError {
    CallError::conversion(format!("cannot read {} as {what}", shown(value)))
}

/// A value in a message: a scalar as JSON, cut when it is long, or the word for its kind.
pub(in crate::expr) fn shown(value: Value<'_>) -> String {
    const CHARACTERS_MAX: usize = 60;
    let text = match (value, value.kind()) {
        (Value::Secret(_), _) => return "a secret".to_owned(),
        (_, Kind::List) => return "a list".to_owned(),
        (_, Kind::Object) => return "an object".to_owned(),
        (Value::Json(node), _) => Cow::Borrowed(node.raw()),
        (Value::Text(text), _) => {
            let start: String = text.chars().take(CHARACTERS_MAX).collect();
            Cow::Owned(format!("{start:?}"))
        }
        _ => {
            let mut json = Vec::new();
            crate::value::write(value, &mut json);
            Cow::Owned(String::from_utf8_lossy(&json).into_owned())
        }
    };
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}
