//! Version 1: one body, one call. What each endpoint insists on, and nothing more.

use crate::event::Operation;
use crate::ingest::rejection::Fault;
use crate::ingest::shape;
use crate::ingest::shape::MERGE_KEYS;
use crate::ingest::shape::allow_object;
use crate::ingest::shape::is_nothing;
use crate::ingest::shape::require_id;
use crate::ingest::shape::require_object;
use crate::ingest::shape::require_one_of;
use crate::ingest::shape::require_text;
use crate::ingest::shape::require_word;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Value;

/// Most ids of one segment call: the vendor's limit.
const SEGMENT_IDS_MAX: usize = 1000;
/// What can happen to a message, over all channels: the channel is not in the call.
const METRICS: &[&str] = &[
    "bounced",
    "clicked",
    "converted",
    "deferred",
    "delivered",
    "dropped",
    "opened",
    "spammed",
];
/// What can happen to a push message.
pub(super) const PUSH_EVENTS: &[&str] = &["opened", "converted", "delivered", "clicked"];
/// What can happen to an in-app message.
const IN_APP_EVENTS: &[&str] = &["opened", "clicked", "converted"];
/// Keys of form data that the vendor ignores, whatever they hold.
const FORM_KEYS_IGNORED: &[&str] = &[
    "form_id",
    "form_name",
    "form_type",
    "form_url",
    "form_url_param",
];

/// Sets attributes: any object will do.
pub(super) fn identify(body: Value<'_>) -> Result<Operation, Fault> {
    check_relationships(body.get("cio_relationships"))?;
    Ok(Operation::PersonIdentify)
}

/// An event of a person, or of nobody in particular: without `anonymous_id` it is an invitation.
pub(super) fn event(body: Value<'_>) -> Result<Operation, Fault> {
    require_text(body.get("name"), "name")?;
    allow_object(body.get("data"), "data")?;
    // Any other type is an event, as the vendor has it.
    Ok(match body.get("type").to_text().as_deref() {
        Some("page") => Operation::PersonPage,
        Some("screen") => Operation::PersonScreen,
        _ => Operation::PersonEvent,
    })
}

/// A device. What a client puts beside the known keys stays where it is.
pub(super) fn add_device(body: Value<'_>) -> Result<Operation, Fault> {
    let device = body.get("device");
    require_object(device, "device")?;
    require_text(device.get("id"), "device.id")?;
    require_text(device.get("platform"), "device.platform")?;
    allow_object(device.get("attributes"), "device.attributes")?;
    Ok(Operation::PersonAddDevice)
}

/// Two persons, each by one identifier.
pub(super) fn merge(body: Value<'_>) -> Result<Operation, Fault> {
    require_one_of(body.get("primary"), "primary", MERGE_KEYS)?;
    require_one_of(body.get("secondary"), "secondary", MERGE_KEYS)?;
    Ok(Operation::PersonMerge)
}

/// Persons of a segment; `operation` says whether they enter or leave.
pub(super) fn segment(body: Value<'_>, operation: Operation) -> Result<Operation, Fault> {
    let ids = body.get("ids");
    match ids.kind() {
        Kind::List => {}
        Kind::Missing | Kind::Null => return Err(shape::missing("ids")),
        _ => return Err(shape::wrong_kind("ids", "a list", ids)),
    }
    if ids.is_empty() {
        return Err(Fault::required("ids", "ids must have at least one entry"));
    }
    if SEGMENT_IDS_MAX < ids.len() {
        return Err(Fault::too_large(
            "ids",
            format_args!(
                "ids has at most {SEGMENT_IDS_MAX} entries, this one has {}",
                ids.len()
            ),
        ));
    }
    for (index, id) in ids.items().enumerate() {
        if !matches!(id.kind(), Kind::Text | Kind::Int | Kind::Float) {
            return Err(shape::wrong_kind(format!("ids[{index}]"), "a string", id));
        }
    }
    Ok(operation)
}

/// A submitted form: strings, and an identifier among them.
pub(super) fn form(body: Value<'_>, arena: &Arena) -> Result<Operation, Fault> {
    let data = body.get("data");
    require_object(data, "data")?;
    for (key, value) in data.entries(arena) {
        if value.kind() != Kind::Text && !FORM_KEYS_IGNORED.contains(&key) {
            return Err(shape::wrong_kind(format!("data.{key}"), "a string", value));
        }
    }
    let id = require_id(data.get("id"), "data.id");
    let email = require_id(data.get("email"), "data.email");
    if id.is_err() && email.is_err() {
        return Err(Fault::required("data", "data must have an id or an email"));
    }
    Ok(Operation::FormSubmit)
}

/// Something happened to a message.
pub(super) fn metrics(body: Value<'_>) -> Result<Operation, Fault> {
    check_delivery_id(body.get("delivery_id"), "delivery_id")?;
    require_word(body.get("metric"), "metric", METRICS)?;
    Ok(Operation::MetricsReport)
}

/// Something happened to a push message.
pub(super) fn push(body: Value<'_>) -> Result<Operation, Fault> {
    check_delivery_id(body.get("delivery_id"), "delivery_id")?;
    require_word(body.get("event"), "event", PUSH_EVENTS)?;
    Ok(Operation::PushEvent)
}

/// Something happened to an in-app message.
pub(super) fn in_app(body: Value<'_>) -> Result<Operation, Fault> {
    require_word(body.get("type"), "type", &["in_app"])?;
    let payload = body.get("payload");
    require_object(payload, "payload")?;
    check_delivery_id(payload.get("delivery_id"), "payload.delivery_id")?;
    require_word(payload.get("event"), "payload.event", IN_APP_EVENTS)?;
    Ok(Operation::InAppEvent)
}

/// A recipient unsubscribes, or takes that back.
pub(super) fn unsubscribe(body: Value<'_>) -> Result<Operation, Fault> {
    let value = body.get("unsubscribe");
    match value.kind() {
        Kind::Bool => Ok(Operation::DeliveryUnsubscribe),
        Kind::Missing | Kind::Null => Err(shape::missing("unsubscribe")),
        _ => Err(shape::wrong_kind("unsubscribe", "true or false", value)),
    }
}

/// The relationships of v1 are one object with an action; v2 has a list. An unread relationship
/// would be lost without a trace, so the wrong one of the two is refused.
fn check_relationships(value: Value<'_>) -> Result<(), Fault> {
    if is_nothing(value) {
        return Ok(());
    }
    require_object(value, "cio_relationships")?;
    require_word(
        value.get("action"),
        "cio_relationships.action",
        &["add_relationships", "delete_relationships"],
    )?;
    match value.get("relationships") {
        list if list.kind() == Kind::List => Ok(()),
        other => Err(shape::wrong_kind(
            "cio_relationships.relationships",
            "a list",
            other,
        )),
    }
}

/// An empty delivery id is answered in the vendor's words, which its mobile SDKs' tests expect.
fn check_delivery_id(value: Value<'_>, field: &'static str) -> Result<(), Fault> {
    match value.to_text() {
        Some(text) if text.trim().is_empty() => {
            Err(Fault::required(field, "malformed delivery id: ."))
        }
        _ => require_text(value, field),
    }
}
