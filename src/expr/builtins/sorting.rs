//! One order for values of all kinds, for sorting and for finding equal items without comparing each
//! with each.

use std::cmp::Ordering;

use bumpalo::collections::Vec as BumpVec;

use crate::clock::Timestamp;
use crate::expr::builtins::arguments::number_of;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

/// Which way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    /// The words a parameter takes.
    pub(super) const WORDS: &[&str] = &["ascending", "descending"];

    /// The direction of a word; ascending unless it says otherwise.
    pub(super) fn named(word: &str) -> Self {
        if word == "descending" {
            Self::Descending
        } else {
            Self::Ascending
        }
    }
}

/// What a value is sorted by. Lists and objects have no order among themselves.
#[derive(Clone, Copy, Debug)]
enum Key<'a> {
    Bool(bool),
    Number(Number),
    Time(Timestamp),
    Text(&'a str),
    List,
    Object,
    /// Missing or null: last, whichever the direction.
    Absent,
}

impl<'a> Key<'a> {
    fn of(cx: &Cx<'a, '_>, value: Value<'a>) -> Result<Self, CallError> {
        Ok(match value.kind() {
            Kind::Missing | Kind::Null => Self::Absent,
            Kind::Bool => Self::Bool(value.as_bool() == Some(true)),
            Kind::Int | Kind::Float => Self::Number(number_of(value)?),
            Kind::Time => Self::Time(value.as_time().unwrap_or_default()),
            Kind::Text => Self::Text(cx.text_of(value)?),
            Kind::List => Self::List,
            Kind::Object => Self::Object,
        })
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Number(_) => 1,
            Self::Time(_) => 2,
            Self::Text(_) => 3,
            Self::List => 4,
            Self::Object => 5,
            Self::Absent => 6,
        }
    }

    fn order(self, other: Self, direction: Direction) -> Ordering {
        let order = match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(&right),
            (Self::Number(left), Self::Number(right)) => left.order(right),
            (Self::Time(left), Self::Time(right)) => left.cmp(&right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Absent, _) | (_, Self::Absent) => return self.rank().cmp(&other.rank()),
            _ => self.rank().cmp(&other.rank()),
        };
        match direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        }
    }
}

/// An item with what it is sorted by and where it stood.
#[derive(Clone, Copy, Debug)]
struct Keyed<'a> {
    key: Key<'a>,
    at: usize,
    item: Value<'a>,
}

/// Items to be sorted, stable: of two with equal keys the earlier stays the earlier.
#[derive(Debug)]
pub(super) struct Sorter<'a, 'b> {
    cx: Cx<'a, 'b>,
    items: BumpVec<'a, Keyed<'a>>,
}

impl<'a, 'b> Sorter<'a, 'b> {
    pub(super) fn new(cx: &Cx<'a, 'b>) -> Self {
        Self {
            cx: *cx,
            items: cx.arena.vec(),
        }
    }

    /// Adds the next item and what it is sorted by.
    pub(super) fn push(&mut self, item: Value<'a>, key: Value<'a>) -> Result<(), CallError> {
        let (key, at) = (Key::of(&self.cx, key)?, self.items.len());
        self.items.push(Keyed { key, at, item });
        Ok(())
    }

    fn sort(&mut self, direction: Direction) -> Result<(), CallError> {
        let items = self.items.len() as u64;
        self.cx
            .spend(items.saturating_mul(u64::from(items.checked_ilog2().unwrap_or(0) + 1)))?;
        // Order: the place decides between equal keys, which makes an in-place sort stable.
        self.items.sort_unstable_by(|left, right| {
            left.key
                .order(right.key, direction)
                .then(left.at.cmp(&right.at))
        });
        Ok(())
    }

    /// The items in order.
    pub(super) fn sorted(mut self, direction: Direction) -> Result<Value<'a>, CallError> {
        self.sort(direction)?;
        Ok(self
            .cx
            .arena
            .list(self.items.iter().map(|keyed| keyed.item)))
    }

    /// The items of which no earlier one is equal, in their own order.
    pub(super) fn distinct(mut self) -> Result<Value<'a>, CallError> {
        self.sort(Direction::Ascending)?;
        let mut kept = self.cx.arena.vec::<Keyed<'a>>();
        let mut run = 0;
        for keyed in &self.items {
            let same_run = kept.get(run).is_some_and(|first| {
                first.key.order(keyed.key, Direction::Ascending) == Ordering::Equal
            });
            if !same_run {
                run = kept.len();
            }
            // A run is one item for scalars, but all lists and all objects are in one.
            let candidates = kept.get(run..).unwrap_or_default();
            let cost = candidates
                .iter()
                .map(|other| comparison_cost(other.item, keyed.item));
            self.cx.spend(cost.sum())?;
            if !candidates
                .iter()
                .any(|other| order::equal(other.item, keyed.item))
            {
                kept.push(*keyed);
            }
        }
        kept.sort_unstable_by_key(|keyed| keyed.at);
        Ok(self.cx.arena.list(kept.iter().map(|keyed| keyed.item)))
    }
}

/// What telling whether two values are equal is charged: of two objects each key of one is looked up
/// in the other.
pub(super) fn comparison_cost(left: Value<'_>, right: Value<'_>) -> u64 {
    let (left_len, right_len) = (left.len() as u64, right.len() as u64);
    1 + match (left.kind(), right.kind()) {
        (Kind::Object, Kind::Object) => left_len.saturating_mul(right_len) / 64 + left_len,
        (Kind::List, Kind::List) => left_len.min(right_len),
        _ => 0,
    }
}
