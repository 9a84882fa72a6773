//! What an expression can see: the names at compile time, the values at run time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::BitOr;
use std::sync::Arc;

use crate::diagnostic::Code;
use crate::text::Span;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Value;

/// A set of kinds: what a value can be, as far as is known at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kinds(u16);

impl Kinds {
    /// No kind at all: the expression always fails.
    pub const NONE: Self = Self(0);
    /// Whatever is not known.
    pub const ANY: Self = Self(0x1ff);
    /// Anything that is there.
    pub const PRESENT: Self = Self(0x1fe);

    /// The set of one kind.
    pub const fn of(kind: Kind) -> Self {
        Self(1 << kind as u16)
    }

    /// Whether `kind` is in the set.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & Self::of(kind).0 != 0
    }

    /// What is in one of them or in both; `|` where constants are made.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one only.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The kinds in words, `a string or a list`.
    pub fn words(self) -> String {
        const WORDS: [(Kinds, &str); 8] = [
            (Kinds::of(Kind::Object), "an object"),
            (Kinds::of(Kind::List), "a list"),
            (Kinds::of(Kind::Text), "a string"),
            (Kinds::of(Kind::Time), "a timestamp"),
            (Kinds::of(Kind::Float), "a number"),
            (Kinds::of(Kind::Int), "an int"),
            (Kinds::of(Kind::Bool), "a bool"),
            (Kinds::of(Kind::Null), "null"),
        ];
        if self == Self::ANY {
            return "anything".to_owned();
        }
        let number = Self::of(Kind::Int).or(Self::of(Kind::Float));
        let both = self.and(number) == number;
        let mut words: Vec<&str> = WORDS
            .iter()
            .filter(|(kinds, word)| !(self.and(*kinds).is_none() || both && *word == "an int"))
            .map(|(_, word)| *word)
            .collect();
        if self.has(Kind::Missing) {
            words.push("missing");
        }
        match words.split_last() {
            None => "nothing".to_owned(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
        }
    }
}

impl BitOr for Kinds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A name an expression can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name, lower case.
    pub name: String,
    /// What it can be.
    pub kinds: Kinds,
    /// What it is, one line; shown in messages and editors.
    pub about: String,
}

/// The names of one place of a configuration. The run-time [`Scope`] gives the values of
/// [`Vocabulary::variables`] in the same order.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The variables; those of `let:` are appended as they are declared.
    pub variables: Vec<Variable>,
    /// What `$` is, for messages: "the body of the call", "the event". `None`: there is no `$` here.
    pub root: Option<String>,
    /// What `@` is; `None`: there is no `@` and no `index` here.
    pub item: Option<String>,
    /// The tables `lookup` can name.
    pub tables: Arc<BTreeMap<String, Table>>,
    /// The members of variables that have no others; `settings.regoin` is found by it.
    pub members: BTreeMap<String, Vec<String>>,
    /// Setting names whose values are secrets: `settings.NAME` is only allowed as a whole value.
    pub secrets: Vec<String>,
}

/// A lookup table: keys compare as strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The rows: key, and the value as JSON text.
    pub rows: BTreeMap<String, String>,
}

/// The values an expression sees, and what it may spend.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `$`.
    pub root: Value<'a>,
    /// `@`.
    pub item: Value<'a>,
    /// `index`: the number of the item, from 0.
    pub index: Value<'a>,
    /// The variables, in the order of the vocabulary.
    pub variables: &'a [Value<'a>],
    /// Where results are built.
    pub arena: &'a Arena,
    /// What is shared by all evaluations for one call.
    pub budget: &'a Budget,
}

/// What the evaluations for one call may spend, and what they count together.
#[derive(Debug)]
pub struct Budget {
    /// Steps left: one for each node, one for each 64 bytes produced.
    pub fuel: Cell<u64>,
    /// How many times `uuid()` was called; part of what makes each one different.
    pub uuids: Cell<u32>,
    /// What makes the ids of this call different from those of others: the record's ULID and item.
    pub seed: u128,
}

impl Budget {
    /// One million steps, about a tenth of a second: far beyond every mapping, short of harm.
    pub const FUEL: u64 = 1_000_000;

    /// A full budget.
    pub fn new(seed: u128) -> Self {
        Self {
            fuel: Cell::new(Self::FUEL),
            uuids: Cell::new(0),
            seed,
        }
    }
}

/// Why an evaluation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// `TW06nn`.
    pub code: Code,
    /// The smallest part of the text that failed.
    pub span: Span,
    /// What went wrong, with the value in it.
    pub message: String,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}
