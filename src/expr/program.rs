//! The compiled form of an expression: nodes in one arena, their places beside them.

use std::sync::Arc;

use globset::GlobSet;
use regex::Regex;

use crate::expr::builtins::Builtin;
use crate::expr::query::Query;
use crate::expr::scope::Table;
use crate::expr::syntax::Arithmetic;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
use crate::value::Kind;
use crate::value::Number;

/// A node, by its place in the arena. Children stand before their parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// What a node does.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Missing,
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    Interpolation(Box<[Part]>),
    List(Box<[Id]>),
    Root,
    Item,
    Index,
    Variable(u16),
    /// The parameter of the lambda that many levels out.
    Parameter(u16),
    /// `a.b.c` below a node: one value or missing.
    Members(Id, Box<[Arc<str>]>),
    /// A JSONPath that can give several values.
    Query(Box<Query>),
    /// A singular JSONPath from `$` as a list of none or one.
    Nodelist(Box<[Step]>),
    /// A singular JSONPath from `$` or `@`.
    Path(Subject, Box<[Step]>),
    At(Id, Id),
    Negate(Id),
    Not(Id),
    All(Box<[Id]>),
    Any(Box<[Id]>),
    Arithmetic(Arithmetic, Id, Id),
    Compare(Comparison, Id, Id),
    In(Id, Id, bool),
    Is(Id, KindTest, bool),
    Glob(Id, Arc<GlobSet>, bool),
    Fallback(Fallback, Id, Id),
    Choice(Id, Id, Id),
    Call(Box<CallNode>),
}

/// A stretch of an interpolation.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Plain(Arc<str>),
    Hole(Id),
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Root,
    Item,
}

/// One step of a singular path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(Arc<str>),
    At(i64),
}

/// `is KIND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KindTest {
    One(Kind),
    /// `is number`: whole or not.
    Number,
}

#[derive(Clone, Debug)]
pub(super) struct CallNode {
    pub(super) builtin: &'static Builtin,
    /// In the order of the parameters; a left-out one is `None`.
    pub(super) arguments: Box<[Option<Id>]>,
    pub(super) extra: Extra,
}

/// What a literal argument was compiled to.
#[derive(Clone, Debug)]
pub(super) enum Extra {
    None,
    Regex(Arc<Regex>),
    Table(Arc<Table>),
    Lambda(Id),
}
