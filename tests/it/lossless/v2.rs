//! Random calls of version 2.

use proptest::option;
use proptest::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

use crate::lossless::ingredients::Request;
use crate::lossless::ingredients::device;
use crate::lossless::ingredients::members;
use crate::lossless::ingredients::merged;
use crate::lossless::ingredients::moment;
use crate::lossless::ingredients::object;
use crate::lossless::ingredients::payload;
use crate::lossless::ingredients::person;
use crate::lossless::ingredients::person_id;
use crate::lossless::ingredients::post;
use crate::lossless::ingredients::relations;
use crate::lossless::ingredients::relative;
use crate::lossless::ingredients::scalar;
use crate::lossless::ingredients::value;
use crate::lossless::ingredients::word;

fn entity(kind: &str, action: &str, identifiers: Option<Json>, rest: &Json) -> Request {
    let head = members([
        ("type", Some(kind.into())),
        ("action", Some(action.into())),
        ("identifiers", identifiers),
    ]);
    post("/api/v2/entity", merged(&head, rest))
}

pub(super) fn about_a_person() -> BoxedStrategy<Request> {
    let inside = (payload(), option::of(scalar()), option::of(person_id())).prop_map(
        |(payload, update, anonymous)| {
            let extra = members([("_update", update), ("anonymous_id", anonymous)]);
            if payload.is_object() {
                merged(&payload, &extra)
            } else {
                payload
            }
        },
    );
    let related = prop_oneof![relations(object())];
    prop_oneof![
        (
            person(),
            option::of(inside),
            option::of(moment()),
            option::of(related),
            option::of(value())
        )
            .prop_map(|(person, attributes, at, related, note)| entity(
                "person",
                "identify",
                Some(person),
                &members([
                    ("attributes", attributes),
                    ("timestamp", at),
                    ("cio_relationships", related),
                    ("note", note),
                ])
            )),
        (
            person(),
            prop::sample::select(vec!["delete", "suppress", "unsuppress"]),
            option::of(moment()),
            option::of(value())
        )
            .prop_map(|(person, action, at, note)| entity(
                "person",
                action,
                Some(person),
                &members([("timestamp", at), ("note", note)])
            )),
    ]
    .boxed()
}

pub(super) fn event() -> BoxedStrategy<Request> {
    let actions = vec![
        "event",
        "page",
        "screen",
        "viewed_content",
        "clicked_content",
    ];
    (
        person(),
        prop::sample::select(actions),
        prop_oneof!["[a-z]{1,6}", Just("https://a.example/b".to_owned())],
        (
            option::of(payload()),
            option::of(moment()),
            option::of(scalar()),
            option::of(value()),
        ),
    )
        .prop_map(|(person, action, name, (attributes, at, id, note))| {
            entity(
                "person",
                action,
                Some(person),
                &members([
                    ("name", Some(name.into())),
                    ("attributes", attributes),
                    ("timestamp", at),
                    ("id", id),
                    ("note", note),
                ]),
            )
        })
        .boxed()
}

pub(super) fn device_of_a_person() -> BoxedStrategy<Request> {
    (
        person(),
        prop::sample::select(vec!["add_device", "delete_device"]),
        device("token"),
        option::of(moment()),
    )
        .prop_map(|(person, action, device, at)| {
            entity(
                "person",
                action,
                Some(person),
                &members([("device", Some(device)), ("timestamp", at)]),
            )
        })
        .boxed()
}

pub(super) fn about_an_object() -> BoxedStrategy<Request> {
    prop_oneof![
        (
            object(),
            option::of(payload()),
            option::of(relations(relative())),
            option::of(moment()),
            option::of(value())
        )
            .prop_map(|(object, attributes, related, at, note)| entity(
                "object",
                "identify",
                Some(object),
                &members([
                    ("attributes", attributes),
                    ("cio_relationships", related),
                    ("timestamp", at),
                    ("note", note),
                ])
            )),
        (object(), option::of(payload()), person_id()).prop_map(
            |(object, attributes, anonymous)| entity(
                "object",
                "identify_anonymous",
                Some(object),
                &members([
                    ("attributes", attributes),
                    ("anonymous_id", Some(anonymous)),
                ])
            )
        ),
        (
            object(),
            option::of(payload()),
            option::of(scalar()),
            option::of(value())
        )
            .prop_map(|(object, attributes, id, note)| entity(
                "object",
                "event",
                Some(object),
                &members([
                    ("name", Some("paid".into())),
                    ("attributes", attributes),
                    ("id", id),
                    ("note", note),
                ])
            )),
        (object(), option::of(value())).prop_map(|(object, note)| entity(
            "object",
            "delete",
            Some(object),
            &members([("note", note)])
        )),
    ]
    .boxed()
}

pub(super) fn others() -> BoxedStrategy<Request> {
    let actions = vec!["add_relationships", "delete_relationships"];
    let some = |list: &Json| list.as_array().is_some_and(|list| !list.is_empty());
    prop_oneof![
        (
            person(),
            prop::sample::select(actions.clone()),
            relations(object()).prop_filter("empty", some),
            option::of(value())
        )
            .prop_map(|(person, action, list, note)| entity(
                "person",
                action,
                Some(person),
                &members([("cio_relationships", Some(list)), ("note", note)])
            )),
        (
            object(),
            prop::sample::select(actions),
            relations(relative()).prop_filter("empty", some),
            option::of(value())
        )
            .prop_map(|(object, action, list, note)| entity(
                "object",
                action,
                Some(object),
                &members([("cio_relationships", Some(list)), ("note", note)])
            )),
        (relative(), relative(), option::of(moment())).prop_map(|(one, two, at)| entity(
            "person",
            "merge",
            None,
            &members([
                ("primary", Some(one)),
                ("secondary", Some(two)),
                ("timestamp", at),
            ])
        )),
        (word(), option::of(moment()), option::of(scalar())).prop_map(|(id, at, note)| entity(
            "delivery",
            "event",
            Some(json!({"id": id})),
            &members([
                ("name", Some("opened".into())),
                ("timestamp", at),
                (
                    "attributes",
                    Some(members([
                        ("device_token", Some("tok".into())),
                        ("note", note)
                    ]))
                ),
            ]),
        )),
    ]
    .boxed()
}
