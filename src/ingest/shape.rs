//! The shapes that calls of both versions share: what must be there, and what it may look like.
//!
//! As tolerant as the SDKs need: identifiers may be numbers, and what may be absent may also be
//! `null` or, where PHP would write an empty map, `[]`. The vendor's limits on names, attribute
//! values and attribute counts are those of its storage and are left to it.

use std::borrow::Cow;
use std::fmt;

use crate::ingest::path::check_id_length;
use crate::ingest::rejection::Fault;
use crate::value::Kind;
use crate::value::Value;

/// What identifies a person in v1 and in a merge.
pub(super) const MERGE_KEYS: &[&str] = &["id", "email", "cio_id"];
/// What identifies a person in v2; `anonymous_id` is Segment's.
pub(super) const PERSON_KEYS: &[&str] = &["id", "email", "phone", "cio_id", "anonymous_id"];

/// Whether a key says nothing: absent or `null`.
pub(super) fn is_nothing(value: Value<'_>) -> bool {
    matches!(value.kind(), Kind::Missing | Kind::Null)
}

/// A string that is not blank.
pub(super) fn require_text(value: Value<'_>, field: &'static str) -> Result<(), Fault> {
    match value.to_text() {
        Some(text) if text.trim().is_empty() => Err(empty(field)),
        Some(_) => Ok(()),
        None if is_nothing(value) => Err(missing(field)),
        None => Err(wrong_kind(field, "a string", value)),
    }
}

/// A string that is one of `words`.
pub(super) fn require_word(
    value: Value<'_>,
    field: &'static str,
    words: &[&str],
) -> Result<(), Fault> {
    require_text(value, field)?;
    match value.to_text() {
        Some(text) if !words.contains(&&*text) => Err(Fault::invalid(
            field,
            format_args!("{field} must be one of {}, not {text:?}", words.join(", ")),
        )),
        _ => Ok(()),
    }
}

/// An identifier: a string that is not blank and not too long, or a number.
pub(super) fn require_id(
    value: Value<'_>,
    field: impl Into<Cow<'static, str>>,
) -> Result<(), Fault> {
    let field = field.into();
    match (value.kind(), value.to_text()) {
        (Kind::Int | Kind::Float, _) => Ok(()),
        (_, Some(text)) if text.trim().is_empty() => Err(empty(field)),
        (_, Some(text)) => check_id_length(field, &text),
        (Kind::Missing | Kind::Null, _) => Err(missing(field)),
        _ => Err(wrong_kind(field, "a string or a number", value)),
    }
}

/// An object that is there.
pub(super) fn require_object(value: Value<'_>, field: &'static str) -> Result<(), Fault> {
    match value.kind() {
        Kind::Object => Ok(()),
        Kind::Missing | Kind::Null => Err(missing(field)),
        _ => Err(wrong_kind(field, "an object", value)),
    }
}

/// An object, or nothing: absent, `null`, or the empty list that PHP writes for an empty map.
pub(super) fn allow_object(value: Value<'_>, field: &'static str) -> Result<(), Fault> {
    match value.kind() {
        Kind::Object | Kind::Missing | Kind::Null => Ok(()),
        Kind::List if value.is_empty() => Ok(()),
        _ => Err(wrong_kind(field, "an object", value)),
    }
}

/// An object that names exactly one of `keys`, with an identifier. Other keys do not count.
pub(super) fn require_one_of(
    value: Value<'_>,
    field: impl Into<Cow<'static, str>>,
    keys: &[&str],
) -> Result<(), Fault> {
    let field = field.into();
    let names = keys.join(", ");
    match value.kind() {
        Kind::Object => {}
        Kind::Missing | Kind::Null => {
            let message = format!("{field} is required: an object with exactly one of {names}");
            return Err(Fault::required(field, message));
        }
        _ => {
            return Err(wrong_kind(
                field,
                format_args!("an object with one of {names}"),
                value,
            ));
        }
    }
    let mut given = keys.iter().filter(|key| !is_nothing(value.get(key)));
    match (given.next(), given.next()) {
        (Some(key), None) => require_id(value.get(key), format!("{field}.{key}")),
        (None, _) => {
            let message = format!("{field} must have exactly one of {names}; it has none");
            Err(Fault::required(field, message))
        }
        (Some(first), Some(second)) => {
            let message =
                format!("{field} must have exactly one of {names}; it has {first} and {second}");
            Err(Fault::invalid(field, message))
        }
    }
}

/// What identifies an object: its type and its id, or the vendor's own id of it.
pub(super) fn require_object_ids(
    value: Value<'_>,
    field: impl Into<Cow<'static, str>>,
) -> Result<(), Fault> {
    const WANTED: &str = "an object with object_type_id and object_id, or with cio_object_id";
    let field = field.into();
    match value.kind() {
        Kind::Object => {}
        Kind::Missing | Kind::Null => {
            let message = format!("{field} is required: {WANTED}");
            return Err(Fault::required(field, message));
        }
        _ => return Err(wrong_kind(field, WANTED, value)),
    }
    let own = ["object_type_id", "object_id"];
    let has_own = own.iter().any(|key| !is_nothing(value.get(key)));
    match (has_own, is_nothing(value.get("cio_object_id"))) {
        (false, true) => {
            let message = format!("{field} must be {WANTED}");
            Err(Fault::required(field, message))
        }
        (true, false) => {
            let message = format!("{field} must be {WANTED}, not all of them");
            Err(Fault::invalid(field, message))
        }
        (false, false) => require_id(value.get("cio_object_id"), format!("{field}.cio_object_id")),
        (true, true) => own
            .iter()
            .try_for_each(|key| require_id(value.get(key), format!("{field}.{key}"))),
    }
}

/// The fault of a field that must be there.
pub(super) fn missing(field: impl Into<Cow<'static, str>>) -> Fault {
    let field = field.into();
    let message = format!("{field} is required");
    Fault::required(field, message)
}

fn empty(field: impl Into<Cow<'static, str>>) -> Fault {
    let field = field.into();
    let message = format!("{field} must not be empty");
    Fault::required(field, message)
}

/// The fault of a field that is something else than `wanted`.
pub(super) fn wrong_kind(
    field: impl Into<Cow<'static, str>>,
    wanted: impl fmt::Display,
    value: Value<'_>,
) -> Fault {
    let field = field.into();
    let message = format!("{field} must be {wanted}, not {}", value.kind().word());
    Fault::invalid(field, message)
}
