//! The members of an object: those that are written out, and what spreads copy between them.

use crate::expr::EvalError;
use crate::expr::Scope;
use crate::expr::template::Key;
use crate::expr::template::Member;
use crate::expr::template::OnError;
use crate::expr::template::STEP_BYTES;
use crate::expr::template::SpreadKeys;
use crate::expr::template::Template;
use crate::expr::template::leaf;
use crate::expr::template::spend;
use crate::expr::template::wrong_kind;
use crate::value::Kind;
use crate::value::Value;

/// What a member is made of.
pub(super) enum Content<'a> {
    Field(&'a Key, &'a Template),
    /// A member of an object that is spread; `json` is all of it as it arrived, key included.
    Copied {
        key: &'a str,
        value: Value<'a>,
        json: Option<&'a str>,
    },
}

/// Calls `visit` for every member in order: fields, and what the spreads copy. A key that stands as
/// a field is never copied; of two spread objects with one key the later is.
pub(super) fn for_members<'a>(
    members: &'a [Member],
    scope: &Scope<'a>,
    on_error: OnError,
    mut visit: impl FnMut(Content<'a>) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    for member in members {
        let (objects, keys) = match member {
            Member::Field { key, value, .. } => {
                visit(Content::Field(key, value))?;
                continue;
            }
            Member::Spread { objects, keys } => (objects, keys),
        };
        let mut spread = scope.arena.vec_with_capacity(objects.len());
        for program in objects {
            let object = leaf(program, scope, on_error)?;
            if !matches!(object.kind(), Kind::Object | Kind::Missing | Kind::Null) {
                return Err(wrong_kind(program, "`=spread` needs an object", object));
            }
            spend(
                scope,
                object.len() + bytes(object) / STEP_BYTES,
                program.place(),
            )?;
            spread.push(object);
        }
        let fields = Fields::of(members);
        for (at, object) in spread.iter().enumerate() {
            let later = spread.get(at + 1..).unwrap_or(&[]);
            let mut raw = RawMembers::of(*object);
            for (key, value) in object.entries(scope.arena) {
                let json = raw.as_mut().and_then(|raw| raw.next(value));
                let replaced = later.iter().any(|object| !object.get(key).is_missing());
                if keys.copies(key) && !replaced && !fields.has(key) {
                    visit(Content::Copied { key, value, json })?;
                }
            }
        }
    }
    Ok(())
}

fn bytes(value: Value<'_>) -> usize {
    if let Value::Json(node) = value {
        node.raw().len()
    } else {
        0
    }
}

/// The keys that are written out, asked for each key that is spread.
struct Fields<'a> {
    members: &'a [Member],
    /// A bit for each length that one has: most keys are turned away by it.
    lengths: u64,
}

impl<'a> Fields<'a> {
    fn of(members: &'a [Member]) -> Self {
        let length = |member: &Member| match member {
            Member::Field { key, .. } => 1 << (key.len() % 64),
            Member::Spread { .. } => 0,
        };
        let lengths = members
            .iter()
            .map(length)
            .fold(0, |all, length| all | length);
        Self { members, lengths }
    }

    fn has(&self, wanted: &str) -> bool {
        let is = |member: &Member| matches!(member, Member::Field { key, .. } if key == wanted);
        self.lengths & 1 << (wanted.len() % 64) != 0 && self.members.iter().any(is)
    }
}

/// The text of an object's members, one after the other, if nothing but commas stands between.
struct RawMembers<'a> {
    json: &'a str,
    /// Where the object starts in its document, and how far its members were read.
    offset: usize,
    at: usize,
}

impl<'a> RawMembers<'a> {
    fn of(object: Value<'a>) -> Option<Self> {
        match object {
            Value::Json(node) if !node.is_spaced() => Some(Self {
                json: node.raw(),
                offset: node.offset(),
                at: 0,
            }),
            _ => None,
        }
    }

    /// The next member, which has that value.
    fn next(&mut self, value: Value<'a>) -> Option<&'a str> {
        let Value::Json(value) = value else {
            return None;
        };
        // Behind the brace or the comma.
        let start = self.at + 1;
        self.at = value.offset() - self.offset + value.raw().len();
        self.json.get(start..self.at)
    }
}

impl SpreadKeys {
    fn copies(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Except(keys) => !keys.iter().any(|except| except == key),
            Self::Only(keys) => keys.iter().any(|only| only == key),
        }
    }
}
