//! The data the language computes with: JSON as it arrived, and what was built from it.
//!
//! A body is validated once into a flat tape ([`parse()`]) and from then on read in place. Every
//! [`Value`] is a small `Copy` handle into one [`Arena`], which lives for one call and is reset, so
//! a gateway that has warmed up evaluates without touching the heap. What no rule touched is written
//! out byte for byte: `99.50` stays `99.50`, a 20-digit id keeps its digits, keys keep their order.

mod arena;
mod document;
mod number;
pub mod order;
mod parse;
mod write;

pub use arena::Arena;
pub use document::Entries;
pub use document::Items;
pub use document::Node;
pub use number::Number;
pub use parse::JsonError;
pub use parse::JsonErrorKind;
pub use parse::ParseLimits;
pub use parse::parse;
pub use write::write;
pub use write::write_text;

use std::borrow::Cow;

use crate::clock::Timestamp;

/// A member of an object that was built: its key and its value.
pub type Entry<'a> = (&'a str, Value<'a>);

/// One value, or the fact that there is none.
///
/// Missing, null and error are three things: missing and null are values, an error is the `Err` of
/// whoever computes.
#[derive(Clone, Copy, Debug, Default)]
pub enum Value<'a> {
    /// Nothing is there. Writing it omits the key.
    #[default]
    Missing,
    /// JSON `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that was computed.
    Number(Number),
    /// A moment. Writes as RFC 3339 text with milliseconds.
    Time(Timestamp),
    /// Text that was computed or unescaped.
    Text(&'a str),
    /// A list that was built. Holds no `Missing`.
    List(&'a [Self]),
    /// An object that was built: keys are distinct, no value is `Missing`.
    Object(&'a [Entry<'a>]),
    /// A node of a parsed document, untouched.
    Json(Node<'a>),
    /// A secret setting, by number. Whoever sends puts the text in; nothing else can read it.
    Secret(u16),
}

/// What a value is. `Int` and `Float` together are the language's `number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing there.
    Missing,
    /// JSON `null`.
    Null,
    /// A boolean.
    Bool,
    /// A number written or computed without fraction and exponent.
    Int,
    /// Any other number.
    Float,
    /// A moment; only computed, never read from JSON.
    Time,
    /// A string.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// The word the language and its messages use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "number",
            Self::Time => "timestamp",
            Self::Text => "string",
            Self::List => "list",
            Self::Object => "object",
        }
    }
}

impl<'a> Value<'a> {
    /// What it is. A secret counts as text.
    pub fn kind(self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(Number::Float(_)) => Kind::Float,
            Self::Number(Number::Int(_) | Number::UInt(_)) => Kind::Int,
            Self::Time(_) => Kind::Time,
            Self::Text(_) | Self::Secret(_) => Kind::Text,
            Self::List(_) => Kind::List,
            Self::Object(_) => Kind::Object,
            Self::Json(node) => node.kind(),
        }
    }

    /// Whether nothing is there.
    pub const fn is_missing(self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Whether it is JSON `null`, read or built.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The member of an object; missing when there is none or this is no object.
    #[must_use]
    pub fn get(self, key: &str) -> Self {
        match self {
            Self::Object(entries) => entries
                .iter()
                .find(|(name, _)| *name == key)
                .map_or(Self::Missing, |(_, value)| *value),
            Self::Json(node) => node.get(key).map_or(Self::Missing, Self::Json),
            _ => Self::Missing,
        }
    }

    /// The item of a list; a negative index counts from the end. Missing when there is none.
    #[must_use]
    pub fn at(self, index: i64) -> Self {
        let index = match usize::try_from(index) {
            Ok(index) => Some(index),
            Err(_) => usize::try_from(index.unsigned_abs())
                .ok()
                .and_then(|back| self.len().checked_sub(back)),
        };
        let Some(index) = index else {
            return Self::Missing;
        };
        match self {
            Self::List(items) => items.get(index).copied().unwrap_or_default(),
            Self::Json(node) if node.kind() == Kind::List => {
                node.items().nth(index).unwrap_or_default()
            }
            _ => Self::Missing,
        }
    }

    /// How many items or members a list or an object has; 0 for everything else.
    pub fn len(self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Object(entries) => entries.len(),
            Self::Json(node) => node.len(),
            _ => 0,
        }
    }

    /// Whether it has no items and no members; true for scalars.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The items of a list in order; none for everything else.
    pub fn items(self) -> Items<'a> {
        match self {
            Self::List(items) => Items::built(items),
            Self::Json(node) if node.kind() == Kind::List => node.items(),
            _ => Items::built(&[]),
        }
    }

    /// The members of an object in order; none for everything else.
    ///
    /// A key with an escape is unescaped into `arena`.
    pub fn entries(self, arena: &'a Arena) -> Entries<'a> {
        match self {
            Self::Object(entries) => Entries::built(entries),
            Self::Json(node) if node.kind() == Kind::Object => node.entries(arena),
            _ => Entries::built(&[]),
        }
    }

    /// The text of a string, unescaped; `None` for everything else, secrets included.
    pub fn as_text(self, arena: &'a Arena) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Json(node) => node.text(arena),
            _ => None,
        }
    }

    /// Like [`Value::as_text`] where there is no arena: an escaped string is unescaped on the heap.
    pub fn to_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Json(node) => node.to_text(),
            _ => None,
        }
    }

    /// The boolean, or `None`.
    pub fn as_bool(self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(truth),
            Self::Json(node) => node.as_bool(),
            _ => None,
        }
    }

    /// The moment, or `None`. Text that reads like one is text.
    pub const fn as_time(self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(time),
            _ => None,
        }
    }

    /// The number, or `None`. One that fits neither `i64` nor `u64` becomes the nearest `f64`.
    pub fn as_number(self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number),
            Self::Json(node) => node.as_number(),
            _ => None,
        }
    }
}
