//! Version 2: entities alone and in batches, by type and action.
//!
//! In a batch each item stands for itself: those that are refused are answered with their index,
//! the others are accepted.

use bytes::Bytes;

use crate::event::Operation;
use crate::ingest::body::Body;
use crate::ingest::body::Limits;
use crate::ingest::rejection::Fault;
use crate::ingest::rejection::ItemRefusal;
use crate::ingest::shape;
use crate::ingest::shape::MERGE_KEYS;
use crate::ingest::shape::PERSON_KEYS;
use crate::ingest::shape::allow_object;
use crate::ingest::shape::is_nothing;
use crate::ingest::shape::require_id;
use crate::ingest::shape::require_object;
use crate::ingest::shape::require_object_ids;
use crate::ingest::shape::require_one_of;
use crate::ingest::shape::require_text;
use crate::ingest::shape::require_word;
use crate::ingest::track::PUSH_EVENTS;
use crate::value::Kind;
use crate::value::Value;

/// Most items of a batch: more than there is room for in 500,000 bytes when each is a call.
pub(super) const ITEMS_MAX: usize = 10_000;

type Actions = &'static [(&'static str, Operation)];

const PERSON: Actions = &[
    ("identify", Operation::PersonIdentify),
    ("delete", Operation::PersonDelete),
    ("event", Operation::PersonEvent),
    ("page", Operation::PersonPage),
    ("screen", Operation::PersonScreen),
    ("add_relationships", Operation::PersonAddRelationships),
    ("delete_relationships", Operation::PersonDeleteRelationships),
    ("add_device", Operation::PersonAddDevice),
    ("delete_device", Operation::PersonDeleteDevice),
    ("merge", Operation::PersonMerge),
    ("suppress", Operation::PersonSuppress),
    ("unsuppress", Operation::PersonUnsuppress),
    ("viewed_content", Operation::PersonViewedContent),
    ("clicked_content", Operation::PersonClickedContent),
];
const OBJECT: Actions = &[
    ("identify", Operation::ObjectIdentify),
    ("identify_anonymous", Operation::ObjectIdentifyAnonymous),
    ("delete", Operation::ObjectDelete),
    ("add_relationships", Operation::ObjectAddRelationships),
    ("delete_relationships", Operation::ObjectDeleteRelationships),
    ("event", Operation::ObjectEvent),
];
const DELIVERY: Actions = &[("event", Operation::DeliveryEvent)];

/// The accepted items of a batch with their places and texts, and the refused ones.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) accepted: Vec<(u16, Operation, Bytes)>,
    pub(super) refused: Vec<ItemRefusal>,
}

/// Takes a batch apart.
pub(super) fn batch(body: &Body<'_>, limits: &Limits) -> Result<Items, Fault> {
    let batch = body.value.get("batch");
    match batch.kind() {
        Kind::List if batch.is_empty() => {
            return Err(Fault::required(
                "batch",
                "batch must have at least one item",
            ));
        }
        Kind::List => {}
        Kind::Missing | Kind::Null => return Err(shape::missing("batch")),
        _ => return Err(shape::wrong_kind("batch", "a list", batch)),
    }
    if ITEMS_MAX < batch.len() {
        return Err(Fault::too_large(
            "batch",
            format_args!(
                "a batch has at most {ITEMS_MAX} items, this one has {}",
                batch.len()
            ),
        ));
    }
    let mut items = Items::default();
    for (index, value) in (0_u16..).zip(batch.items()) {
        match item(value, body, limits) {
            Ok((operation, text)) => items.accepted.push((index, operation, text)),
            Err(fault) => items.refused.push(ItemRefusal { index, fault }),
        }
    }
    Ok(items)
}

fn item(value: Value<'_>, body: &Body<'_>, limits: &Limits) -> Result<(Operation, Bytes), Fault> {
    let Value::Json(node) = value else {
        return Err(shape::missing("item"));
    };
    if value.kind() != Kind::Object {
        return Err(shape::wrong_kind("item", "an object", value));
    }
    let (len, len_max) = (node.raw().len(), limits.item_bytes_max);
    if len_max < len {
        return Err(Fault::too_large(
            "item",
            format_args!("an item has at most {len_max} bytes, this one has {len}"),
        ));
    }
    Ok((operation(value)?, body.text_of(node)))
}

/// Checks one entity and says what it asks for.
pub(super) fn operation(entity: Value<'_>) -> Result<Operation, Fault> {
    require_word(
        entity.get("type"),
        "type",
        &["person", "object", "delivery"],
    )?;
    let operation = match entity.get("type").to_text().as_deref() {
        Some("object") => action(entity, "an object", OBJECT)?,
        Some("delivery") => action(entity, "a delivery", DELIVERY)?,
        _ => action(entity, "a person", PERSON)?,
    };
    check_identifiers(entity, operation)?;
    check_content(entity, operation)?;
    allow_object(entity.get("attributes"), "attributes")?;
    Ok(operation)
}

fn action(entity: Value<'_>, whose: &str, actions: Actions) -> Result<Operation, Fault> {
    require_text(entity.get("action"), "action")?;
    let wanted = entity.get("action").to_text().unwrap_or_default();
    let found = actions.iter().find(|(name, _)| *name == wanted);
    found.map(|(_, operation)| *operation).ok_or_else(|| {
        let names: Vec<_> = actions.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        Fault::invalid(
            "action",
            format_args!("{whose} has no action {wanted:?}; it has {names}"),
        )
    })
}

fn check_identifiers(entity: Value<'_>, operation: Operation) -> Result<(), Fault> {
    let identifiers = entity.get("identifiers");
    match operation {
        Operation::PersonMerge => {
            require_one_of(entity.get("primary"), "primary", MERGE_KEYS)?;
            require_one_of(entity.get("secondary"), "secondary", MERGE_KEYS)
        }
        Operation::DeliveryEvent => {
            require_object(identifiers, "identifiers")?;
            require_text(identifiers.get("id"), "identifiers.id")
        }
        _ if is_about_object(operation) => require_object_ids(identifiers, "identifiers"),
        _ => require_one_of(identifiers, "identifiers", PERSON_KEYS),
    }
}

/// What an action needs besides the identifiers.
fn check_content(entity: Value<'_>, operation: Operation) -> Result<(), Fault> {
    match operation {
        Operation::PersonEvent
        | Operation::PersonPage
        | Operation::PersonScreen
        | Operation::ObjectEvent => check_name(entity),
        Operation::PersonAddDevice => {
            check_device(entity.get("device"))?;
            require_text(entity.get("device").get("platform"), "device.platform")
        }
        Operation::PersonDeleteDevice => check_device(entity.get("device")),
        Operation::PersonIdentify | Operation::ObjectIdentify
            if is_nothing(entity.get("cio_relationships")) =>
        {
            Ok(())
        }
        Operation::PersonIdentify
        | Operation::PersonAddRelationships
        | Operation::PersonDeleteRelationships
        | Operation::ObjectIdentify
        | Operation::ObjectAddRelationships
        | Operation::ObjectDeleteRelationships => {
            check_relationships(entity.get("cio_relationships"), operation)
        }
        Operation::ObjectIdentifyAnonymous => check_anonymous(entity),
        Operation::DeliveryEvent => {
            require_word(entity.get("name"), "name", PUSH_EVENTS)?;
            require_object(entity.get("attributes"), "attributes")?;
            require_text(
                entity.get("attributes").get("device_token"),
                "attributes.device_token",
            )
        }
        _ => Ok(()),
    }
}

fn check_name(entity: Value<'_>) -> Result<(), Fault> {
    let misplaced = entity.get("attributes").get("name").kind() == Kind::Text;
    if misplaced && is_nothing(entity.get("name")) {
        // async-customerio's old `send_entity` puts it there.
        return Err(Fault::required(
            "name",
            "name is required beside attributes, not inside them",
        ));
    }
    require_text(entity.get("name"), "name")
}

fn check_device(device: Value<'_>) -> Result<(), Fault> {
    require_object(device, "device")?;
    if is_nothing(device.get("token")) && device.get("id").kind() == Kind::Text {
        return Err(Fault::required(
            "device.token",
            "device.token is required; device.id is what v1 calls it",
        ));
    }
    require_text(device.get("token"), "device.token")?;
    allow_object(device.get("attributes"), "device.attributes")
}

/// A person is related to objects, an object to persons.
fn check_relationships(list: Value<'_>, operation: Operation) -> Result<(), Fault> {
    match list.kind() {
        Kind::List => {}
        Kind::Missing | Kind::Null => return Err(shape::missing("cio_relationships")),
        Kind::Object => {
            return Err(Fault::invalid(
                "cio_relationships",
                "cio_relationships is a list in v2; the object with an action is v1's",
            ));
        }
        _ => return Err(shape::wrong_kind("cio_relationships", "a list", list)),
    }
    for (index, entry) in list.items().enumerate() {
        let field = format!("cio_relationships[{index}].identifiers");
        if is_about_object(operation) {
            require_one_of(entry.get("identifiers"), field, PERSON_KEYS)?;
        } else {
            require_object_ids(entry.get("identifiers"), field)?;
        }
    }
    Ok(())
}

/// The anonymous id stands at the top level or, as Segment sends it, in a relationship.
fn check_anonymous(entity: Value<'_>) -> Result<(), Fault> {
    if !is_nothing(entity.get("anonymous_id")) {
        return require_id(entity.get("anonymous_id"), "anonymous_id");
    }
    let list = entity.get("cio_relationships");
    let mut ids = list
        .items()
        .map(|entry| entry.get("identifiers").get("anonymous_id"));
    if ids.any(|id| require_id(id, "anonymous_id").is_ok()) {
        return Ok(());
    }
    Err(Fault::required(
        "anonymous_id",
        "anonymous_id is required, at the top level or in cio_relationships[].identifiers",
    ))
}

const fn is_about_object(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ObjectIdentify
            | Operation::ObjectIdentifyAnonymous
            | Operation::ObjectDelete
            | Operation::ObjectAddRelationships
            | Operation::ObjectDeleteRelationships
            | Operation::ObjectEvent
    )
}
