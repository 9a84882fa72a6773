//! The tree of an expression as written. Every node knows its bytes of the text.

use std::ops::Range;

/// A node and where it stands in the text of the expression.
#[derive(Clone, Debug)]
pub(super) struct Syntax {
    pub(super) form: Form,
    pub(super) at: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    Missing,
    Null,
    Bool(bool),
    /// The digits, without underscores.
    Number(String),
    /// A text without holes, unescaped.
    Text(String),
    /// A text with holes.
    Interpolation(Vec<Piece>),
    /// The pattern between `r"` and `"`.
    Regex(String),
    List(Vec<Syntax>),
    /// RFC 9535 text.
    Path(String),
    Name(String),
    Member(Box<Syntax>, String),
    Index(Box<Syntax>, Box<Syntax>),
    Call(Call),
    Negate(Box<Syntax>),
    Not(Box<Syntax>),
    All(Vec<Syntax>),
    Any(Vec<Syntax>),
    Arithmetic(Arithmetic, Box<Syntax>, Box<Syntax>),
    Compare(Comparison, Box<Syntax>, Box<Syntax>),
    /// `x in list`, `x not in list`.
    In {
        item: Box<Syntax>,
        list: Box<Syntax>,
        negated: bool,
    },
    /// `x is kind`, `x is not kind`.
    Is {
        value: Box<Syntax>,
        kind: String,
        negated: bool,
    },
    /// `x ~ glob`, `x !~ glob`.
    Glob {
        value: Box<Syntax>,
        glob: Box<Syntax>,
        negated: bool,
    },
    /// `x ?? y`, `x ?! y`, `x catch y`.
    Fallback(Fallback, Box<Syntax>, Box<Syntax>),
    Choice {
        when: Box<Syntax>,
        then: Box<Syntax>,
        otherwise: Box<Syntax>,
    },
}

/// A stretch of an interpolated text.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Plain(String),
    Hole(Syntax),
}

/// A function call; a pipe's left side stands first among the arguments.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) name_at: Range<usize>,
    pub(super) arguments: Vec<Argument>,
    /// The parentheses, or the end of the name.
    pub(super) arguments_at: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Argument {
    /// The name of `name=value`.
    pub(super) name: Option<(String, Range<usize>)>,
    /// Whether it is the left side of a pipe.
    pub(super) piped: bool,
    pub(super) value: ArgumentValue,
    pub(super) at: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum ArgumentValue {
    Value(Syntax),
    Lambda { parameter: String, body: Syntax },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    /// `??`: missing or null.
    MissingOrNull,
    /// `?!`: missing.
    Missing,
    /// `catch`: an error.
    Error,
}
