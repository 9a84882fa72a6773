//! The tree a YAML file is read into: typed data, each piece with its place.

use crate::text::Excerpt;
use crate::text::Span;

/// One value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// All of it; of a block mapping or list, from the first key or item to the end of the last.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) data: Data,
    /// Whether the environment had a part in it.
    pub(crate) provenance: Provenance,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// `null`, `~`, or nothing behind the colon.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as JSON text: as written where that is valid JSON.
    Number(String),
    /// Text, quoted or not.
    Text(Excerpt),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file; keys are distinct.
    Map(Vec<Entry>),
}

/// A member of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The key. `1:` and `"1":` are the same key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) key_span: Span,
    /// What it is set to.
    pub(crate) value: Node,
}

/// Where the content of a scalar comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// The file.
    #[default]
    Written,
    /// The environment, in whole or in part: text that may stand for another type.
    Environment,
    /// A variable that cannot be used, of which enough has been said: the text is a placeholder.
    Unset,
}

impl Node {
    /// A node as written.
    pub(crate) fn new(span: Span, data: Data) -> Self {
        Self {
            span,
            data,
            provenance: Provenance::Written,
        }
    }

    /// The text, if it is text.
    pub(crate) fn text(&self) -> Option<&Excerpt> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entry of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The keys, if this is a mapping.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match &self.data {
            Data::Map(entries) => entries.iter().map(|entry| entry.key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// The entries, if this is a mapping.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        match self.data {
            Data::Map(entries) => entries,
            _ => Vec::new(),
        }
    }

    /// A place short enough to underline: of a mapping its first key, of anything else all of it.
    pub(crate) fn head(&self) -> Span {
        match &self.data {
            Data::Map(entries) => entries.first().map_or(self.span, |entry| entry.key_span),
            Data::List(items) => items.first().map_or(self.span, Self::head),
            _ => self.span,
        }
    }

    /// What it is, in words a message can use.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "true or false",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
        }
    }
}
