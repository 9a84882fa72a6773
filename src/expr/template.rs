//! Templates: the structure of an object to build, with expressions at its leaves.
//!
//! `config` makes them from YAML; evaluated, one builds a value in the arena or writes JSON straight
//! to the output.

use crate::expr::EvalError;
use crate::expr::Program;
use crate::expr::Scope;
use crate::text::Span;
use crate::value::Value;

/// What to build.
#[derive(Clone, Debug)]
pub enum Template {
    /// Fixed JSON text, one line.
    Literal(String),
    /// The value of an expression. Missing omits the key or the item it stands for.
    Expression(Program),
    /// An object.
    Object(Vec<Member>),
    /// A list; what is missing is left out.
    List(Vec<Self>),
    /// `=if`, `=then`, `=else`.
    Choice {
        /// The condition.
        when: Program,
        /// Built when it holds.
        then: Box<Self>,
        /// Built when it does not; missing if absent.
        otherwise: Option<Box<Self>>,
    },
    /// `=each`, `=value`: a list with one item for each of another list's. `@` is the item and the
    /// variable `index` its number.
    Each {
        /// The list.
        list: Program,
        /// What is built for each item.
        value: Box<Self>,
    },
}

/// A member of a [`Template::Object`].
#[derive(Clone, Debug)]
pub enum Member {
    /// A key that is written; wins over the same key of every spread.
    Field {
        /// The key.
        key: String,
        /// Where the key stands.
        span: Span,
        /// Its value.
        value: Template,
    },
    /// `=spread`: the members of one or more objects; of two with one key the later wins. Missing
    /// and null spread nothing, any other kind is an error.
    Spread {
        /// The objects.
        objects: Vec<Program>,
        /// Which keys are copied.
        keys: SpreadKeys,
    },
}

/// Which keys a spread copies.
#[derive(Clone, Debug)]
pub enum SpreadKeys {
    /// Every one.
    All,
    /// All but these.
    Except(Vec<String>),
    /// Only these.
    Only(Vec<String>),
}

/// What happens when an expression at a leaf fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The whole fails; the event becomes a dead letter.
    #[default]
    DeadLetter,
    /// The whole fails; the event is dropped and counted.
    Drop,
    /// The field is left out.
    OmitField,
}

impl Template {
    /// Builds the value in the scope's arena. With [`OnError::OmitField`] a failing leaf is missing.
    pub fn build<'a>(&self, scope: &Scope<'a>, on_error: OnError) -> Result<Value<'a>, EvalError> {
        drop((scope, on_error));
        Ok(Value::Missing)
    }

    /// Appends the value to `out` as JSON in one line; says whether there was one. After an error
    /// `out` is as it was before.
    pub fn write(
        &self,
        scope: &Scope<'_>,
        on_error: OnError,
        out: &mut Vec<u8>,
    ) -> Result<bool, EvalError> {
        drop((scope, on_error, out));
        Ok(false)
    }
}
