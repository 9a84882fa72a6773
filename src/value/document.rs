//! A parsed document and the nodes of it: reading JSON in place.

use std::borrow::Cow;
use std::fmt;
use std::slice;

use crate::value::Arena;
use crate::value::Entry;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;

/// One value or key of a document. A container's slot is followed by those of its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// First byte of the value's text; for a string the opening quote.
    pub(super) start: u32,
    /// One past its last byte.
    pub(super) end: u32,
    /// Index of the slot behind the value's whole subtree.
    pub(super) next: u32,
    /// Items of a list, members of an object.
    pub(super) len: u32,
    /// What it is; never `Missing`.
    pub(super) kind: Kind,
    /// A string: has escapes. A container: has white space between its tokens.
    pub(super) flagged: bool,
}

/// A text and its tape.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) slots: &'a [Slot],
}

/// A value inside a document. Two words; reading it never copies the text.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document<'a>,
    // Invariant: an index of `document.slots`.
    index: u32,
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}

impl<'a> Node<'a> {
    pub(super) const fn root(document: &'a Document<'a>) -> Self {
        Self { document, index: 0 }
    }

    fn slot(self) -> Slot {
        const NULL: Slot = Slot {
            start: 0,
            end: 0,
            next: 0,
            len: 0,
            kind: Kind::Null,
            flagged: false,
        };
        self.document
            .slots
            .get(self.index as usize)
            .copied()
            .unwrap_or(NULL)
    }

    /// What it is; never missing.
    pub fn kind(self) -> Kind {
        self.slot().kind
    }

    /// The text exactly as it arrived.
    pub fn raw(self) -> &'a str {
        let slot = self.slot();
        self.document
            .text
            .get(slot.start as usize..slot.end as usize)
            .unwrap_or("")
    }

    /// Where the text starts in the document, in bytes.
    pub fn offset(self) -> usize {
        self.slot().start as usize
    }

    /// Whether [`Node::raw`] of a list or object holds white space between tokens.
    pub fn is_spaced(self) -> bool {
        let slot = self.slot();
        slot.flagged && matches!(slot.kind, Kind::List | Kind::Object)
    }

    /// How many items or members.
    pub fn len(self) -> usize {
        self.slot().len as usize
    }

    /// Whether there are no items or members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The member of an object, by its unescaped key.
    pub fn get(self, key: &str) -> Option<Self> {
        if self.kind() != Kind::Object {
            return None;
        }
        let Document { text, slots } = *self.document;
        let mut index = self.index;
        for _ in 0..self.len() {
            let [name, value] = slots.get(index as usize + 1..index as usize + 3)? else {
                return None;
            };
            let inner = name.start as usize + 1..name.end as usize - 1;
            // Most keys differ in length already and need not be looked at.
            let found = if name.flagged {
                let name = Self {
                    document: self.document,
                    index: index + 1,
                };
                name.text_is(key)
            } else {
                inner.len() == key.len() && text.as_bytes().get(inner) == Some(key.as_bytes())
            };
            if found {
                return Some(Self {
                    document: self.document,
                    index: index + 2,
                });
            }
            index = value.next - 1;
        }
        None
    }

    pub(super) fn items(self) -> Items<'a> {
        Items(ItemsOf::Parsed {
            next: Self {
                index: self.index + 1,
                ..self
            },
            left: self.len(),
        })
    }

    pub(super) fn entries(self, arena: &'a Arena) -> Entries<'a> {
        let next = Self {
            index: self.index + 1,
            ..self
        };
        Entries(EntriesOf::Parsed {
            next,
            left: self.len(),
            arena,
        })
    }

    /// The text of a string between its quotes, escapes as written; `None` for other kinds.
    fn inner(self) -> Option<(&'a str, bool)> {
        let slot = self.slot();
        if slot.kind != Kind::Text {
            return None;
        }
        let inner = self
            .document
            .text
            .get(slot.start as usize + 1..slot.end as usize - 1)?;
        Some((inner, slot.flagged))
    }

    pub(super) fn text(self, arena: &'a Arena) -> Option<&'a str> {
        let (inner, escaped) = self.inner()?;
        if !escaped {
            return Some(inner);
        }
        Some(unescaped(inner, arena))
    }

    pub(super) fn to_text(self) -> Option<Cow<'a, str>> {
        let (inner, escaped) = self.inner()?;
        if !escaped {
            return Some(Cow::Borrowed(inner));
        }
        let mut text = String::with_capacity(inner.len());
        unescape(inner, |char| text.push(char));
        Some(Cow::Owned(text))
    }

    /// Whether this is a string that reads `text` when unescaped.
    pub fn text_is(self, text: &str) -> bool {
        match self.inner() {
            Some((inner, false)) => inner == text,
            Some((inner, true)) => {
                let mut wanted = text.chars();
                let mut same = true;
                unescape(inner, |char| same = same && wanted.next() == Some(char));
                same && wanted.next().is_none()
            }
            None => false,
        }
    }

    pub(super) fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    pub(super) fn as_number(self) -> Option<Number> {
        matches!(self.kind(), Kind::Int | Kind::Float)
            .then(|| Number::parse(self.raw()))
            .flatten()
    }
}

/// The text that the inside of a valid JSON string stands for.
pub(super) fn unescaped<'a>(inner: &str, arena: &'a Arena) -> &'a str {
    let mut text = arena.string();
    unescape(inner, |char| text.push(char));
    text.into_bump_str()
}

/// Calls `push` for every character of a valid JSON string's inside. A lone surrogate escape has no
/// character and becomes U+FFFD; copied raw it stays as it was.
fn unescape(inner: &str, mut push: impl FnMut(char)) {
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            push(char);
            continue;
        }
        match chars.next() {
            Some('b') => push('\u{8}'),
            Some('f') => push('\u{c}'),
            Some('n') => push('\n'),
            Some('r') => push('\r'),
            Some('t') => push('\t'),
            Some('u') => {
                let first = hex4(&mut chars);
                if !(0xd800..0xdc00).contains(&first) {
                    push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                    continue;
                }
                let mut ahead = chars.clone();
                let second = match (ahead.next(), ahead.next()) {
                    (Some('\\'), Some('u')) => hex4(&mut ahead),
                    _ => 0,
                };
                if (0xdc00..0xe000).contains(&second) {
                    chars = ahead;
                    let scalar = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    push(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
                } else {
                    push(char::REPLACEMENT_CHARACTER);
                }
            }
            Some(other) => push(other),
            None => {}
        }
    }
}

fn hex4(chars: &mut std::str::Chars<'_>) -> u32 {
    (0..4).fold(0, |sum, _| {
        sum * 16 + chars.next().and_then(|char| char.to_digit(16)).unwrap_or(0)
    })
}

/// The items of a list, read or built.
#[derive(Clone, Debug)]
pub struct Items<'a>(ItemsOf<'a>);

#[derive(Clone, Debug)]
enum ItemsOf<'a> {
    Built(slice::Iter<'a, Value<'a>>),
    Parsed { next: Node<'a>, left: usize },
}

impl<'a> Items<'a> {
    pub(super) fn built(items: &'a [Value<'a>]) -> Self {
        Self(ItemsOf::Built(items.iter()))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match &mut self.0 {
            ItemsOf::Built(items) => items.next().copied(),
            ItemsOf::Parsed { next, left } => {
                *left = left.checked_sub(1)?;
                let item = *next;
                next.index = item.slot().next;
                Some(Value::Json(item))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            ItemsOf::Built(items) => items.len(),
            ItemsOf::Parsed { left, .. } => *left,
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// The members of an object, read or built, in order.
#[derive(Clone, Debug)]
pub struct Entries<'a>(EntriesOf<'a>);

#[derive(Clone, Debug)]
enum EntriesOf<'a> {
    Built(slice::Iter<'a, Entry<'a>>),
    Parsed {
        next: Node<'a>,
        left: usize,
        arena: &'a Arena,
    },
}

impl<'a> Entries<'a> {
    pub(super) fn built(entries: &'a [Entry<'a>]) -> Self {
        Self(EntriesOf::Built(entries.iter()))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        match &mut self.0 {
            EntriesOf::Built(entries) => entries.next().copied(),
            EntriesOf::Parsed { next, left, arena } => {
                *left = left.checked_sub(1)?;
                let key = next.text(arena).unwrap_or("");
                let value = Node {
                    index: next.index + 1,
                    ..*next
                };
                next.index = value.slot().next;
                Some((key, Value::Json(value)))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            EntriesOf::Built(entries) => entries.len(),
            EntriesOf::Parsed { left, .. } => *left,
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Entries<'_> {}
