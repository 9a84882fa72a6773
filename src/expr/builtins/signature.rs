//! What is known about a function before it runs: its page of the reference, as data.

use crate::expr::builtins::Call;
use crate::expr::scope::Kinds;
use crate::value::Kind;

/// One function.
#[derive(Debug)]
pub struct Builtin {
    /// The name.
    pub name: &'static str,
    /// Which page of the reference it is on.
    pub family: Family,
    /// What it returns: a sentence, or a few.
    pub summary: &'static str,
    /// Its parameters; the first that takes a value is what a pipe feeds in, see
    /// [`Builtin::subject`].
    pub parameters: &'static [Parameter],
    /// What it can return for arguments that are there, `Missing` included if that can happen. A
    /// lifted function also passes missing and null through.
    pub returns: Kinds,
    /// Whether a subject that is missing or null is passed through unchanged, unseen by `call`.
    pub lifted: bool,
    /// When it fails, completing "Fails if"; `None` if it never does for arguments of the right
    /// kinds. Every function that reads or builds in proportion to its input can also run out of
    /// fuel or of room.
    pub fails: Option<&'static str>,
    /// Examples: an expression and its result as JSON, or `missing`, or `error`. They are about
    /// [`examples::SUBJECT`](super::examples::SUBJECT).
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

impl Family {
    /// Every page, in the order of the reference.
    pub const ALL: &[Self] = &[
        Self::Text,
        Self::Number,
        Self::Time,
        Self::List,
        Self::Object,
        Self::Hash,
        Self::Encoding,
        Self::General,
    ];

    /// The heading of the page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Numbers",
            Self::Time => "Time",
            Self::List => "Lists",
            Self::Object => "Objects",
            Self::Hash => "Digests and ids",
            Self::Encoding => "Encodings",
            Self::General => "Kinds, tables and the rest",
        }
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
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
    /// at run time otherwise. Missing is accepted only if it is in the set or the parameter is
    /// optional. Where the only number kind is `Int`, a whole number is wanted.
    Kinds(Kinds),
    /// A text literal that is one of these words; anything else is an error at compile time.
    Word(&'static [&'static str]),
    /// A text literal, looked at when the expression is compiled.
    Literal(LiteralUse),
    /// A lambda `x => …`.
    Lambda,
}

impl Accepts {
    /// Whether a value of that kind is accepted.
    pub const fn has(self, kind: Kind) -> bool {
        match self {
            Self::Kinds(kinds) => kinds.has(kind),
            Self::Word(_) | Self::Literal(_) | Self::Lambda => false,
        }
    }
}

/// What a literal parameter is compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralUse {
    /// A regular expression `r"…"`.
    Regex,
    /// The name of a table of the configuration.
    Table,
    /// A format for moments, checked by [`check_time_format`](super::check_time_format).
    TimeFormat,
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
    /// As often as wanted, or not at all.
    AnyNumber,
}

// The sets of kinds that signatures are written with.
pub(super) const BOOL: Kinds = Kinds::of(Kind::Bool);
pub(super) const INT: Kinds = Kinds::of(Kind::Int);
pub(super) const NUMBER: Kinds = Kinds::of(Kind::Int).or(Kinds::of(Kind::Float));
pub(super) const TEXT: Kinds = Kinds::of(Kind::Text);
pub(super) const TIME: Kinds = Kinds::of(Kind::Time);
pub(super) const LIST: Kinds = Kinds::of(Kind::List);
pub(super) const OBJECT: Kinds = Kinds::of(Kind::Object);
pub(super) const ABSENT: Kinds = Kinds::of(Kind::Missing).or(Kinds::of(Kind::Null));
pub(super) const MISSING: Kinds = Kinds::of(Kind::Missing);
/// A moment: a timestamp, or text in RFC 3339 as events carry it.
pub(super) const MOMENT: Kinds = TIME.or(TEXT);

impl Builtin {
    /// The number of the parameter that a pipe feeds and that lifting looks at: the first, but the
    /// second of `lookup("plans", key)`. `None` if no parameter takes a value.
    pub fn subject(&self) -> Option<usize> {
        self.parameters
            .iter()
            .position(|parameter| matches!(parameter.accepts, Accepts::Kinds(_)))
    }

    /// The start of a row of a table: a lifted function without parameters that gives text.
    pub(super) const fn new(family: Family, name: &'static str, call: Call) -> Self {
        Self {
            name,
            family,
            summary: "",
            parameters: &[],
            returns: TEXT,
            lifted: true,
            fails: None,
            examples: &[],
            call,
        }
    }

    /// Says what it returns, in words.
    pub(super) const fn about(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Sets the parameters.
    pub(super) const fn takes(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    /// Sets what it can return.
    pub(super) const fn gives(self, returns: Kinds) -> Self {
        Self { returns, ..self }
    }

    /// Lets `call` see a subject that is missing or null.
    pub(super) const fn sees_missing(self) -> Self {
        Self {
            lifted: false,
            ..self
        }
    }

    /// Passes missing and null through, where a row's start says otherwise.
    pub(super) const fn lifts(self) -> Self {
        Self {
            lifted: true,
            ..self
        }
    }

    /// Says when it fails.
    pub(super) const fn fails_if(self, fails: &'static str) -> Self {
        Self {
            fails: Some(fails),
            ..self
        }
    }

    /// Says that it does not fail, where a row's start says otherwise.
    pub(super) const fn never_fails(self) -> Self {
        Self {
            fails: None,
            ..self
        }
    }

    /// Sets the examples.
    pub(super) const fn shows(self, examples: &'static [(&'static str, &'static str)]) -> Self {
        Self { examples, ..self }
    }
}

impl Parameter {
    /// A parameter that must be given.
    pub(super) const fn new(name: &'static str, accepts: Kinds) -> Self {
        Self {
            name,
            accepts: Accepts::Kinds(accepts),
            presence: Presence::Required,
        }
    }

    /// A lambda.
    pub(super) const fn lambda(name: &'static str) -> Self {
        Self {
            name,
            accepts: Accepts::Lambda,
            presence: Presence::Required,
        }
    }

    /// A literal.
    pub(super) const fn literal(name: &'static str, literal: LiteralUse) -> Self {
        Self {
            name,
            accepts: Accepts::Literal(literal),
            presence: Presence::Required,
        }
    }

    /// One of some words; may be left out.
    pub(super) const fn word(name: &'static str, words: &'static [&'static str]) -> Self {
        Self {
            name,
            accepts: Accepts::Word(words),
            presence: Presence::Optional,
        }
    }

    /// The same with another presence.
    pub(super) const fn given(self, presence: Presence) -> Self {
        Self { presence, ..self }
    }

    /// The same, but it may be left out.
    pub(super) const fn optional(self) -> Self {
        self.given(Presence::Optional)
    }
}
