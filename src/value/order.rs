//! Equality and ordering across kinds.
//!
//! | left, right | equal | ordered |
//! |---|---|---|
//! | missing or null with anything | only with itself | no |
//! | two numbers | by value, `1 == 1.0` | by value |
//! | two strings | by Unicode scalars | by Unicode scalars |
//! | two timestamps | by moment | by moment |
//! | two bools, lists, objects | by content; an object's order does not matter | no |
//! | different kinds | no | no |

use std::cmp::Ordering;

use crate::value::Kind;
use crate::value::Value;

/// Whether two values are equal. Total: never an error.
pub fn equal(left: Value<'_>, right: Value<'_>) -> bool {
    // What nearly every condition asks, answered without looking at kinds.
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        return left == right;
    }
    match (left.kind(), right.kind()) {
        (Kind::Int | Kind::Float, Kind::Int | Kind::Float) => equal_numbers(left, right),
        (a, b) if a != b => false,
        (Kind::Missing | Kind::Null, _) => true,
        (Kind::Bool, _) => left.as_bool() == right.as_bool(),
        (Kind::Time, _) => left.as_time() == right.as_time(),
        (Kind::Text, _) => match (left, right) {
            (Value::Secret(a), Value::Secret(b)) => a == b,
            _ => equal_texts(left, right),
        },
        (Kind::List, _) => {
            left.len() == right.len()
                && left
                    .items()
                    .zip(right.items())
                    .all(|(left, right)| equal(left, right))
        }
        (Kind::Object, _) => equal_objects(left, right),
        (Kind::Int | Kind::Float, _) => false,
    }
}

/// How two numbers or two strings compare; `None` for every other pair.
pub fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
        return Some(left.order(right));
    }
    if let (Some(left), Some(right)) = (left.as_time(), right.as_time()) {
        return Some(left.cmp(&right));
    }
    Some(left.to_text()?.cmp(&right.to_text()?))
}

fn equal_numbers(left: Value<'_>, right: Value<'_>) -> bool {
    // Beyond f64 and for ids longer than u64 the digits decide, never a rounded value.
    if let (Value::Json(left), Value::Json(right)) = (left, right)
        && left.raw() == right.raw()
    {
        return true;
    }
    let longer_than_exact = |value: Value<'_>| match value {
        Value::Json(node) => node.kind() == Kind::Int && 19 < node.raw().len(),
        _ => false,
    };
    match (left.as_number(), right.as_number()) {
        (Some(a), Some(b)) => {
            let rounded = a.as_int().is_none() && longer_than_exact(left)
                || b.as_int().is_none() && longer_than_exact(right);
            !rounded && a.order(b) == Ordering::Equal
        }
        _ => false,
    }
}

fn equal_texts(left: Value<'_>, right: Value<'_>) -> bool {
    match (left, right) {
        (Value::Json(node), Value::Text(text)) | (Value::Text(text), Value::Json(node)) => {
            node.text_is(text)
        }
        _ => match (left.to_text(), right.to_text()) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        },
    }
}

fn equal_objects(left: Value<'_>, right: Value<'_>) -> bool {
    let arena = crate::value::Arena::new();
    left.len() == right.len()
        && match left {
            Value::Object(entries) => entries
                .iter()
                .all(|(key, value)| equal(*value, right.get(key))),
            Value::Json(node) => node
                .entries(&arena)
                .all(|(key, value)| equal(value, right.get(key))),
            _ => false,
        }
}
