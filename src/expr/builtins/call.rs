//! How a function runs: what it is handed, what it may spend, how it fails.

use std::fmt;

use bumpalo::collections::String as BumpString;

use crate::diagnostic::Code;
use crate::expr::scope::Budget;
use crate::expr::scope::EvalError;
use crate::expr::scope::Table;
use crate::value::Arena;
use crate::value::Value;

/// What a call gives.
pub type Outcome<'a> = Result<Value<'a>, CallError>;

/// What runs when a function is called.
///
/// The slice has one entry for each parameter, in their order, and those of a repeated parameter at
/// its end. An optional parameter that is left out is missing; so are the entries of a regular
/// expression, a table and a lambda, which are handed over beside the slice. Words and formats are
/// in it as text. Kinds have been checked.
#[derive(Clone, Copy)]
pub enum Call {
    /// From values to a value.
    Plain(for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>),
    /// With a compiled regular expression.
    Regex(for<'a> fn(&Cx<'a, '_>, &[Value<'a>], &regex::Regex) -> Outcome<'a>),
    /// With a table.
    Table(for<'a> fn(&Cx<'a, '_>, &[Value<'a>], &Table) -> Outcome<'a>),
    /// With a lambda, called for each item.
    Lambda(for<'a> fn(&Cx<'a, '_>, &[Value<'a>], Apply<'_, 'a>) -> Outcome<'a>),
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Regex(_) => "Regex",
            Self::Table(_) => "Table",
            Self::Lambda(_) => "Lambda",
        })
    }
}

/// A lambda, ready to be applied to an item and its index. It charges its own steps.
pub type Apply<'f, 'a> = &'f mut dyn FnMut(Value<'a>, usize) -> Result<Value<'a>, EvalError>;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The function itself; the evaluator adds where the call stands.
    Own {
        /// `TW06nn`.
        code: Code,
        /// What went wrong, with the value in it.
        message: String,
    },
    /// The lambda.
    Inner(EvalError),
}

impl From<EvalError> for CallError {
    fn from(error: EvalError) -> Self {
        Self::Inner(error)
    }
}

impl CallError {
    /// A text or number that cannot be read as what is wanted.
    pub(super) fn conversion(message: impl Into<String>) -> Self {
        Self::Own {
            code: Code::ConversionFailed,
            message: message.into(),
        }
    }

    /// A number that is out of range.
    pub(super) fn arithmetic(message: impl Into<String>) -> Self {
        Self::Own {
            code: Code::ArithmeticFailed,
            message: message.into(),
        }
    }

    /// A value, inside an argument, of a kind that does not fit there.
    pub(super) fn kind(message: impl Into<String>) -> Self {
        Self::Own {
            code: Code::WrongKindAtRunTime,
            message: message.into(),
        }
    }

    /// A result that would be larger than allowed.
    pub(super) fn size(message: impl Into<String>) -> Self {
        Self::Own {
            code: Code::OutputTooLarge,
            message: message.into(),
        }
    }
}

/// What a function can use besides its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Cx<'a, 'b> {
    /// Where results are built.
    pub arena: &'a Arena,
    /// What it may spend.
    pub budget: &'b Budget,
}

impl<'a, 'b> Cx<'a, 'b> {
    /// What calls for one evaluation share.
    pub const fn new(arena: &'a Arena, budget: &'b Budget) -> Self {
        Self { arena, budget }
    }

    /// Charges `steps`.
    ///
    /// # Errors
    ///
    /// When there is less left; then nothing is left.
    pub fn spend(&self, steps: u64) -> Result<(), CallError> {
        let left = self.budget.fuel.get().checked_sub(steps);
        self.budget.fuel.set(left.unwrap_or(0));
        left.map(drop).ok_or_else(|| CallError::Own {
            code: Code::OutOfFuel,
            message: "takes more steps than the evaluation has left".to_owned(),
        })
    }

    /// Charges reading or writing `bytes` bytes: one step for each 64.
    pub(super) fn spend_bytes(&self, bytes: usize) -> Result<(), CallError> {
        self.spend(bytes as u64 / 64)
    }

    /// An empty text to be built.
    pub(super) fn text(&self) -> TextOut<'a, 'b> {
        TextOut {
            cx: *self,
            text: self.arena.string(),
        }
    }
}

/// Text being built in the arena, never longer than [`TextOut::BYTES_MAX`].
#[derive(Debug)]
pub(super) struct TextOut<'a, 'b> {
    cx: Cx<'a, 'b>,
    text: BumpString<'a>,
}

impl<'a> TextOut<'a, '_> {
    /// One mebibyte: twice what a Track API call may carry, and little enough that even a mapping
    /// that doubles a text again and again is stopped before memory matters.
    pub(super) const BYTES_MAX: usize = 1 << 20;

    pub(super) fn too_long() -> CallError {
        CallError::size(format!("gives more than {} bytes of text", Self::BYTES_MAX))
    }

    /// Appends text.
    pub(super) fn push_str(&mut self, text: &str) -> Result<(), CallError> {
        if Self::BYTES_MAX < self.text.len().saturating_add(text.len()) {
            return Err(Self::too_long());
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Appends a character.
    pub(super) fn push(&mut self, char: char) -> Result<(), CallError> {
        self.push_str(char.encode_utf8(&mut [0; 4]))
    }

    /// Appends what a type prints.
    pub(super) fn print(&mut self, what: impl fmt::Display) -> Result<(), CallError> {
        fmt::Write::write_fmt(self, format_args!("{what}")).map_err(|fmt::Error| Self::too_long())
    }

    /// Whether nothing was appended.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text, charged for.
    pub(super) fn finish(self) -> Result<&'a str, CallError> {
        self.cx.spend_bytes(self.text.len())?;
        Ok(self.text.into_bump_str())
    }

    /// The text as a result, charged for.
    pub(super) fn value(self) -> Outcome<'a> {
        self.finish().map(Value::Text)
    }
}

impl fmt::Write for TextOut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|_| fmt::Error)
    }
}
