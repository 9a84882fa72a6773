//! The compiled form of an expression: nodes in one arena, their places beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use crate::clock::Timestamp;
use crate::expr::builtins::Builtin;
use crate::expr::glob::Globs;
use crate::expr::path::Query;
use crate::expr::path::Step;
use crate::expr::path::Subject;
use crate::expr::scope::Kinds;
use crate::expr::scope::Table;
use crate::expr::syntax::Arithmetic;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
use crate::expr::syntax::Sense;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;

/// A node, by its place in the arena. Children stand before their parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// What a node does.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Constant(Constant),
    Interpolation(Box<[Part]>),
    List(Box<[Id]>),
    Index,
    Variable(u16),
    /// The parameter of the lambda that many levels out.
    Parameter(u16),
    /// A singular JSONPath from `$` or `@`.
    Path(Subject, Box<[Step]>),
    /// What is read below another value.
    Below(Id, Box<[Step]>),
    /// A JSONPath that can give several values.
    Query(Box<Query>),
    /// An item or member by a computed index.
    At(Id, Id),
    Negate(Id),
    Not(Id),
    All(Box<[Id]>),
    Any(Box<[Id]>),
    Arithmetic(Arithmetic, Id, Id),
    Compare(Comparison, Id, Id),
    In {
        item: Id,
        list: Id,
        sense: Sense,
    },
    /// `in` with a list that is written out.
    Among {
        item: Id,
        constants: Box<Constants>,
        sense: Sense,
    },
    Is {
        value: Id,
        kinds: Kinds,
        sense: Sense,
    },
    Glob {
        value: Id,
        globs: Box<Globs>,
        sense: Sense,
    },
    Fallback(Fallback, Id, Id),
    Choice {
        when: Id,
        then: Id,
        otherwise: Id,
    },
    Call(Box<CallNode>),
}

/// A value known when the expression is compiled.
#[derive(Clone, Debug)]
pub(super) enum Constant {
    Missing,
    Null,
    Bool(bool),
    Number(Number),
    Time(Timestamp),
    Text(Box<str>),
}

impl Constant {
    /// The constant of a value, if it is no list, object or secret.
    pub(super) fn of(value: Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Missing => Self::Missing,
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => Self::Number(number),
            Value::Time(time) => Self::Time(time),
            Value::Text(text) => Self::Text(text.into()),
            Value::Json(node) => match (node.kind(), value.to_text()) {
                (_, Some(text)) => Self::Text(text.into()),
                (Kind::Null, _) => Self::Null,
                (Kind::Bool, _) => Self::Bool(value.as_bool()?),
                // Digits that are only passed on stay as they are written.
                _ => return None,
            },
            Value::List(_) | Value::Object(_) | Value::Secret(_) => return None,
        })
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Missing => Value::Missing,
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => Value::Number(*number),
            Self::Time(time) => Value::Time(*time),
            Self::Text(text) => Value::Text(text),
        }
    }
}

/// The items of a list that is written out, made for looking one up.
#[derive(Clone, Debug)]
pub(super) struct Constants {
    /// Sorted.
    pub(super) texts: Box<[Box<str>]>,
    pub(super) others: Box<[Constant]>,
}

impl Constants {
    pub(super) fn new(constants: Vec<Constant>) -> Self {
        let (mut texts, mut others) = (Vec::new(), Vec::new());
        for constant in constants {
            match constant {
                Constant::Text(text) => texts.push(text),
                // A list holds nothing that is missing.
                Constant::Missing => {}
                other => others.push(other),
            }
        }
        texts.sort_unstable();
        Self {
            texts: texts.into(),
            others: others.into(),
        }
    }

    pub(super) fn has_text(&self, text: &str) -> bool {
        self.texts
            .binary_search_by(|known| (**known).cmp(text))
            .is_ok()
    }
}

/// A stretch of an interpolation.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Plain(Box<str>),
    Hole(Id),
}

#[derive(Clone, Debug)]
pub(super) struct CallNode {
    pub(super) builtin: &'static Builtin,
    /// In the order of the parameters, as [`crate::expr::builtins::Call`] wants them.
    pub(super) arguments: Box<[Given]>,
    /// Which of them a lifted function looks at first.
    pub(super) subject: Option<u16>,
    pub(super) extra: Extra,
}

/// An argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// `None`: left out, or handed over beside the values.
    pub(super) id: Option<Id>,
    /// What it must be when the call runs; everything, if that was settled before.
    pub(super) must_be: Kinds,
    /// Whether null counts as left out.
    pub(super) optional: bool,
}

/// What a literal argument was compiled to.
#[derive(Clone, Debug)]
pub(super) enum Extra {
    None,
    Regex(Regex),
    /// The tables there are, and which of them.
    Table(Arc<BTreeMap<String, Table>>, Box<str>),
    Lambda(Id),
}
