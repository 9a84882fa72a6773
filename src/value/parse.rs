//! JSON text to a tape of nodes: one validating pass, no recursion, no copy.
//!
//! Stricter than RFC 8259 in one point: an object that names a key twice is refused, because a
//! destination might read the other one than the rules did.

use std::fmt;

use bumpalo::collections::Vec as BumpVec;

use crate::value::Arena;
use crate::value::Kind;
use crate::value::Value;
use crate::value::document::Document;
use crate::value::document::Node;
use crate::value::document::Slot;
use crate::value::document::unescaped;

/// Bounds on what is accepted.
#[derive(Clone, Copy, Debug)]
pub struct ParseLimits {
    /// How deep lists and objects may be nested.
    pub depth_max: u32,
    /// How many values and keys a document may have.
    pub nodes_max: u32,
}

impl Default for ParseLimits {
    /// 64 levels, more than any SDK sends and little enough to be harmless to every destination;
    /// 1,000,000 nodes, which a body within the size limits cannot reach by being useful.
    fn default() -> Self {
        Self {
            depth_max: 64,
            nodes_max: 1_000_000,
        }
    }
}

/// Why a text is not acceptable JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// The byte at which it was noticed.
    pub offset: usize,
}

/// What is wrong with a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// Not valid UTF-8.
    Utf8,
    /// Ends too early; also the error of an empty text.
    End,
    /// A character that cannot stand there.
    Unexpected(char),
    /// A number with a leading zero, a bare minus, a missing digit …
    Number,
    /// A control character inside a string.
    Control,
    /// An unknown escape, or `\u` without four hex digits.
    Escape,
    /// More text behind the value.
    Trailing,
    /// A key that stands twice in one object.
    DuplicateKey(String),
    /// Nested deeper than the limit, which is given.
    TooDeep(u32),
    /// More nodes than the limit, which is given.
    TooLarge(u32),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            JsonErrorKind::Utf8 => write!(f, "not valid UTF-8"),
            JsonErrorKind::End => write!(f, "unexpected end"),
            JsonErrorKind::Unexpected(char) => write!(f, "unexpected {char:?}"),
            JsonErrorKind::Number => write!(f, "malformed number"),
            JsonErrorKind::Control => write!(f, "control character in a string"),
            JsonErrorKind::Escape => write!(f, "unknown escape"),
            JsonErrorKind::Trailing => write!(f, "text behind the end of the value"),
            JsonErrorKind::DuplicateKey(key) => write!(f, "key {key:?} stands twice"),
            JsonErrorKind::TooDeep(max) => write!(f, "nested deeper than {max} levels"),
            JsonErrorKind::TooLarge(max) => write!(f, "more than {max} values"),
        }?;
        write!(f, " at byte {}", self.offset)
    }
}

impl std::error::Error for JsonError {}

/// Parses one JSON text into `arena`.
///
/// # Errors
///
/// Any deviation from RFC 8259, a duplicate key, or a limit.
pub fn parse<'a>(
    bytes: &'a [u8],
    limits: ParseLimits,
    arena: &'a Arena,
) -> Result<Value<'a>, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError {
        kind: JsonErrorKind::Utf8,
        offset: error.valid_up_to(),
    })?;
    if u32::try_from(text.len()).is_err() {
        return Err(JsonError {
            kind: JsonErrorKind::TooLarge(limits.nodes_max),
            offset: 0,
        });
    }
    let mut parser = Parser {
        text,
        bytes,
        at: 0,
        limits,
        arena,
        // A value and its key come to about one slot for ten bytes of text.
        slots: arena.vec_with_capacity(text.len() / 10 + 8),
        open: arena.vec_with_capacity(8),
    };
    parser.document()?;
    let document = arena.place(Document {
        text,
        slots: parser.slots.into_bump_slice(),
    });
    Ok(Value::Json(Node::root(document)))
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: ParseLimits,
    arena: &'a Arena,
    slots: BumpVec<'a, Slot>,
    // The slots of the containers that are not closed yet, outermost first.
    open: BumpVec<'a, u32>,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), JsonError> {
        self.space();
        let mut expect_value = true;
        loop {
            if expect_value && !self.value()? {
                // An opened container: its first token decides what follows.
                expect_value = self.first_in_container()?;
                if expect_value {
                    continue;
                }
            }
            // A value has ended: close what closes, or go on behind a comma.
            loop {
                let Some(container) = self.open.last().copied() else {
                    self.space();
                    return match self.peek() {
                        None => Ok(()),
                        Some(_) => Err(self.error(JsonErrorKind::Trailing)),
                    };
                };
                self.space_in(container);
                let is_object = self.kind_of(container) == Kind::Object;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.space_in(container);
                        if is_object {
                            self.key(container)?;
                        }
                        self.count(container);
                        expect_value = true;
                        break;
                    }
                    Some(b'}') if is_object => self.close(container)?,
                    Some(b']') if !is_object => self.close(container)?,
                    _ => return Err(self.unexpected()),
                }
            }
        }
    }

    /// Reads a scalar whole, or opens a container; says whether the value is complete.
    fn value(&mut self) -> Result<bool, JsonError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let escaped = self.string()?;
                self.push_text(start, escaped)?;
            }
            Some(b'{') => return self.opened(Kind::Object),
            Some(b'[') => return self.opened(Kind::List),
            Some(b'-' | b'0'..=b'9') => {
                let kind = self.number()?;
                self.push(start, kind)?;
            }
            Some(b't') => self.word("true", Kind::Bool)?,
            Some(b'f') => self.word("false", Kind::Bool)?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(self.unexpected()),
        }
        Ok(true)
    }

    fn opened(&mut self, kind: Kind) -> Result<bool, JsonError> {
        if (self.limits.depth_max as usize) <= self.open.len() {
            return Err(self.error(JsonErrorKind::TooDeep(self.limits.depth_max)));
        }
        self.open.push(narrow(self.slots.len()));
        self.at += 1;
        self.push(self.at - 1, kind)?;
        Ok(false)
    }

    /// Behind an opening bracket: says whether a value follows; if not, the container is closed.
    fn first_in_container(&mut self) -> Result<bool, JsonError> {
        let Some(container) = self.open.last().copied() else {
            return Ok(false);
        };
        self.space_in(container);
        let is_object = self.kind_of(container) == Kind::Object;
        match self.peek() {
            Some(b'}') if is_object => self.close(container).map(|()| false),
            Some(b']') if !is_object => self.close(container).map(|()| false),
            _ => {
                if is_object {
                    self.key(container)?;
                }
                self.count(container);
                Ok(true)
            }
        }
    }

    fn key(&mut self, container: u32) -> Result<(), JsonError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let escaped = self.string()?;
        self.push_text(start, escaped)?;
        self.space_in(container);
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.space_in(container);
        Ok(())
    }

    fn close(&mut self, container: u32) -> Result<(), JsonError> {
        self.at += 1;
        self.open.pop();
        let (end, next) = (narrow(self.at), narrow(self.slots.len()));
        let Some(slot) = self.slots.get_mut(container as usize) else {
            return Ok(());
        };
        slot.end = end;
        slot.next = next;
        let (is_object, spaced, len) = (slot.kind == Kind::Object, slot.flagged, slot.len);
        if spaced && let Some(outer) = self.open.last().copied() {
            self.flag(outer);
        }
        if is_object && 1 < len {
            self.refuse_duplicates(container)
        } else {
            Ok(())
        }
    }

    fn refuse_duplicates(&self, container: u32) -> Result<(), JsonError> {
        let mut keys = self.arena.vec::<(&str, u32)>();
        let mut index = container as usize + 1;
        while let (Some(key), Some(value)) = (self.slots.get(index), self.slots.get(index + 1)) {
            let inner = self
                .text
                .get(key.start as usize + 1..key.end as usize - 1)
                .unwrap_or("");
            let text = if key.flagged {
                unescaped(inner, self.arena)
            } else {
                inner
            };
            keys.push((text, key.start));
            index = value.next as usize;
        }
        let duplicate = find_duplicate(&mut keys);
        match duplicate {
            None => Ok(()),
            Some((key, start)) => Err(JsonError {
                kind: JsonErrorKind::DuplicateKey(key.to_owned()),
                offset: start as usize,
            }),
        }
    }

    /// Reads a string from its opening quote; says whether it has escapes.
    fn string(&mut self) -> Result<bool, JsonError> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or(&[]);
            let plain = rest.iter().take_while(|byte| is_plain(**byte)).count();
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.error(JsonErrorKind::Control)),
                None => return Err(self.error(JsonErrorKind::End)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let (kind, digits) = (
            self.bytes.get(self.at + 1),
            self.bytes.get(self.at + 2..self.at + 6),
        );
        self.at += match (kind, digits) {
            (Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), _) => 2,
            (Some(b'u'), Some(digits)) if digits.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return Err(self.error(JsonErrorKind::Escape)),
        };
        Ok(())
    }

    fn number(&mut self) -> Result<Kind, JsonError> {
        let start = self.at;
        let mut kind = Kind::Int;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits();
        let leading_zero = self.bytes.get(self.at - whole) == Some(&b'0') && 1 < whole;
        let mut valid = 0 < whole && !leading_zero;
        if self.peek() == Some(b'.') {
            kind = Kind::Float;
            self.at += 1;
            valid &= 0 < self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            kind = Kind::Float;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            valid &= 0 < self.digits();
        }
        if valid {
            return Ok(kind);
        }
        Err(JsonError {
            kind: JsonErrorKind::Number,
            offset: start,
        })
    }

    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), JsonError> {
        let start = self.at;
        if self
            .bytes
            .get(start..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            self.at += word.len();
            return self.push(start, kind);
        }
        Err(self.unexpected())
    }

    #[expect(
        clippy::fn_params_excessive_bools,
        reason = "what the scan of the text has found"
    )]
    fn push_text(&mut self, start: usize, escaped: bool) -> Result<(), JsonError> {
        self.push(start, Kind::Text)?;
        if escaped && let Some(slot) = self.slots.last_mut() {
            slot.flagged = true;
        }
        Ok(())
    }

    fn push(&mut self, start: usize, kind: Kind) -> Result<(), JsonError> {
        let index = narrow(self.slots.len());
        if self.limits.nodes_max <= index {
            return Err(self.error(JsonErrorKind::TooLarge(self.limits.nodes_max)));
        }
        let (start, end) = (narrow(start), narrow(self.at));
        self.slots.push(Slot {
            start,
            end,
            next: index + 1,
            len: 0,
            kind,
            flagged: false,
        });
        Ok(())
    }

    fn kind_of(&self, container: u32) -> Kind {
        self.slots
            .get(container as usize)
            .map_or(Kind::Null, |slot| slot.kind)
    }

    fn count(&mut self, container: u32) {
        if let Some(slot) = self.slots.get_mut(container as usize) {
            slot.len += 1;
        }
    }

    fn flag(&mut self, container: u32) {
        if let Some(slot) = self.slots.get_mut(container as usize) {
            slot.flagged = true;
        }
    }

    fn space_in(&mut self, container: u32) {
        if self.space() {
            self.flag(container);
        }
    }

    /// Skips white space; says whether there was any.
    fn space(&mut self) -> bool {
        let start = self.at;
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
        start < self.at
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError {
            kind,
            offset: self.at,
        }
    }

    fn unexpected(&self) -> JsonError {
        let char = self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next());
        self.error(char.map_or(JsonErrorKind::End, JsonErrorKind::Unexpected))
    }
}

/// Bytes a string may hold as they are.
const fn is_plain(byte: u8) -> bool {
    byte != b'"' && byte != b'\\' && 0x20 <= byte
}

fn find_duplicate<'k>(keys: &mut [(&'k str, u32)]) -> Option<(&'k str, u32)> {
    // Up to here comparing each pair is cheaper than sorting.
    const FEW: usize = 12;
    if keys.len() <= FEW {
        for (n, (key, start)) in keys.iter().enumerate() {
            if keys.iter().take(n).any(|(earlier, _)| earlier == key) {
                return Some((key, *start));
            }
        }
        return None;
    }
    keys.sort_unstable();
    let pairs = keys.iter().zip(keys.iter().skip(1));
    pairs.filter(|(a, b)| a.0 == b.0).map(|(_, b)| *b).next()
}

/// The length of the text was checked to fit, and nothing counted here is larger.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
