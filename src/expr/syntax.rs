//! The tree of an expression as written. Every node knows its bytes of the text.

use std::ops::Range;

/// A node and where it stands in the text of the expression.
#[derive(Clone, Debug)]
pub(super) struct Syntax {
    pub(super) form: Form,
    pub(super) at: Range<usize>,
    /// How many nodes stand one below another, this one included.
    pub(super) depth: usize,
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
        sense: Sense,
    },
    /// `x is kind`, `x is not kind`.
    Is {
        value: Box<Syntax>,
        kind: KindWord,
        sense: Sense,
    },
    /// `x ~ glob`, `x !~ glob`.
    Glob {
        value: Box<Syntax>,
        glob: Box<Syntax>,
        sense: Sense,
    },
    /// `x ?? y`, `x ?! y`, `x catch y`.
    Fallback(Fallback, Box<Syntax>, Box<Syntax>),
    Choice {
        when: Box<Syntax>,
        then: Box<Syntax>,
        otherwise: Box<Syntax>,
    },
}

/// Whether an operator asks for something or for its opposite: `in` or `not in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Plain,
    Negated,
}

impl Sense {
    pub(super) fn is_negated(self) -> bool {
        self == Self::Negated
    }
}

/// The word behind `is`.
#[derive(Clone, Debug)]
pub(super) struct KindWord {
    pub(super) word: String,
    pub(super) at: Range<usize>,
}

/// A stretch of an interpolated text.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Plain(String),
    Hole(Syntax),
}

/// A function call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) name_at: Range<usize>,
    /// What a pipe feeds in; it takes the place of the function's subject.
    pub(super) piped: Option<Box<Syntax>>,
    /// What stands in parentheses.
    pub(super) arguments: Vec<Argument>,
    /// The parentheses, or the end of the name.
    pub(super) arguments_at: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Argument {
    /// The name of `name=value`.
    pub(super) name: Option<(String, Range<usize>)>,
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

impl Arithmetic {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
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

impl Comparison {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
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

impl Syntax {
    pub(super) fn new(form: Form, at: Range<usize>) -> Self {
        let depth = 1 + form.depth_below();
        Self { form, at, depth }
    }
}

impl Form {
    fn depth_below(&self) -> usize {
        let deepest = |parts: &[Syntax]| parts.iter().map(|part| part.depth).max().unwrap_or(0);
        match self {
            Self::Missing
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Regex(_)
            | Self::Path(_)
            | Self::Name(_) => 0,
            Self::Interpolation(pieces) => {
                let holes = pieces.iter().filter_map(|piece| match piece {
                    Piece::Plain(_) => None,
                    Piece::Hole(hole) => Some(hole.depth),
                });
                holes.max().unwrap_or(0)
            }
            Self::List(parts) | Self::All(parts) | Self::Any(parts) => deepest(parts),
            Self::Member(below, _)
            | Self::Negate(below)
            | Self::Not(below)
            | Self::Is { value: below, .. } => below.depth,
            Self::Index(left, right)
            | Self::Arithmetic(_, left, right)
            | Self::Compare(_, left, right)
            | Self::Fallback(_, left, right)
            | Self::In {
                item: left,
                list: right,
                ..
            }
            | Self::Glob {
                value: left,
                glob: right,
                ..
            } => left.depth.max(right.depth),
            Self::Choice {
                when,
                then,
                otherwise,
            } => when.depth.max(then.depth).max(otherwise.depth),
            Self::Call(call) => {
                let arguments = call.arguments.iter().map(|argument| match &argument.value {
                    ArgumentValue::Value(value) => value.depth,
                    ArgumentValue::Lambda { body, .. } => body.depth,
                });
                arguments
                    .chain(call.piped.iter().map(|piped| piped.depth))
                    .max()
                    .unwrap_or(0)
            }
        }
    }
}
