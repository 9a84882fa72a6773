//! The functions of the language, each defined once as data: the checker, the reference page,
//! `trackway explain fn NAME` and the tests are made from this table.

use std::cell::Cell;

use crate::expr::Kinds;
use crate::expr::scope::Budget;
use crate::expr::scope::Table;
use crate::value::Arena;
use crate::value::Value;

/// One function.
#[derive(Debug)]
pub struct Builtin {
    /// The name.
    pub name: &'static str,
    /// Which page of the reference it is on.
    pub family: Family,
    /// What it returns, one sentence.
    pub summary: &'static str,
    /// Its parameters; the first is what a pipe feeds in.
    pub parameters: &'static [Parameter],
    /// What it can return for arguments that are there. A lifted function also passes missing and
    /// null through.
    pub returns: Kinds,
    /// Whether missing or null as first argument is passed through unchanged, unseen by `call`.
    pub lifted: bool,
    /// When it fails; `None` if it never does for arguments of the right kinds.
    pub fails: Option<&'static str>,
    /// Examples: an expression and its result as JSON, or `missing`, or `error`.
    pub examples: &'static [(&'static str, &'static str)],
    /// What runs.
    pub call: Call,
}

/// The pages of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Text.
    Text,
    /// Numbers.
    Number,
    /// Moments.
    Time,
    /// Lists.
    List,
    /// Objects.
    Object,
    /// Digests and ids.
    Hash,
    /// Encodings: JSON, base64, URL.
    Encoding,
    /// Kinds, tables and the rest.
    General,
}

/// One parameter.
#[derive(Debug)]
pub struct Parameter {
    /// The name, usable as `name=value`.
    pub name: &'static str,
    /// What it may be.
    pub accepts: Accepts,
    /// Whether it may be left out, given as missing; or repeated (the last one only).
    pub presence: Presence,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// A value of one of these kinds; another kind is an error at compile time when it is known and
    /// at run time otherwise.
    Kinds(Kinds),
    /// A text literal, looked at when the expression is compiled: a regular expression `r"…"`, a
    /// table's name, a format.
    Literal(LiteralUse),
    /// A lambda `x => …`.
    Lambda,
}

/// What a literal parameter is compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralUse {
    /// A regular expression.
    Regex,
    /// The name of a table of the configuration.
    Table,
}

/// Whether a parameter must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Exactly once.
    Required,
    /// Once or not at all; then the function sees missing.
    Optional,
    /// As often as wanted, at least once.
    Repeated,
}

/// What runs when a function is called.
#[derive(Clone, Copy)]
pub enum Call {
    /// From values to a value.
    Plain(for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Result<Value<'a>, String>),
    /// With a compiled regular expression as the literal argument.
    Regex(for<'a> fn(&Cx<'a, '_>, &[Value<'a>], &regex::Regex) -> Result<Value<'a>, String>),
    /// With a table as the literal argument.
    Table(for<'a> fn(&Cx<'a, '_>, &[Value<'a>], &Table) -> Result<Value<'a>, String>),
    /// With a lambda, called for each item.
    Lambda(for<'a> fn(&Cx<'a, '_>, &[Value<'a>], Apply<'_, 'a>) -> Result<Value<'a>, CallError>),
}

/// A lambda, ready to be applied to an item and its index.
pub type Apply<'f, 'a> =
    &'f mut dyn FnMut(Value<'a>, usize) -> Result<Value<'a>, crate::expr::EvalError>;

/// Why a call with a lambda failed.
#[derive(Debug)]
pub enum CallError {
    /// The function itself.
    Own(String),
    /// The lambda.
    Inner(crate::expr::EvalError),
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Regex(_) => "Regex",
            Self::Table(_) => "Table",
            Self::Lambda(_) => "Lambda",
        })
    }
}

/// What a function can use besides its arguments.
#[derive(Debug)]
pub struct Cx<'a, 'b> {
    /// Where results are built.
    pub arena: &'a Arena,
    /// What it may spend; a function that loops over text or items charges it through [`Cx::spend`].
    pub budget: &'b Budget,
    /// The function's own counter of bytes produced, see [`Cx::spend`].
    pub produced: Cell<u64>,
}
