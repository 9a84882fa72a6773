//! Random calls of version 1.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

use crate::lossless::ingredients::Request;
use crate::lossless::ingredients::attributes;
use crate::lossless::ingredients::device;
use crate::lossless::ingredients::members;
use crate::lossless::ingredients::merged;
use crate::lossless::ingredients::metadata;
use crate::lossless::ingredients::moment;
use crate::lossless::ingredients::object;
use crate::lossless::ingredients::payload;
use crate::lossless::ingredients::person_id;
use crate::lossless::ingredients::post;
use crate::lossless::ingredients::relations;
use crate::lossless::ingredients::relative;
use crate::lossless::ingredients::scalar;
use crate::lossless::ingredients::value;
use crate::lossless::ingredients::word;

pub(super) fn identify() -> BoxedStrategy<Request> {
    let related = (
        prop::sample::select(vec!["add_relationships", "delete_relationships"]),
        relations(object()),
    )
        .prop_map(|(action, list)| json!({"action": action, "relationships": list}));
    (
        attributes(),
        option::of(moment()),
        option::of(scalar()),
        option::of(person_id()),
        option::of(related),
    )
        .prop_map(|(attributes, at, update, anonymous, related)| {
            let extra = members([
                ("_timestamp", at),
                ("_update", update),
                ("anonymous_id", anonymous),
                ("cio_relationships", related),
            ]);
            let body = merged(&attributes, &extra);
            Request {
                method: "PUT",
                path: "/api/v1/customers/u-1".to_owned(),
                body,
            }
        })
        .boxed()
}

pub(super) fn event() -> BoxedStrategy<Request> {
    let paths = vec!["/api/v1/customers/u-1/events", "/api/v1/events"];
    let kinds = vec!["page", "screen", "popup"];
    let name = prop_oneof![
        "[a-z]{1,6}",
        Just(" spaced ".to_owned()),
        Just("https://a.example/b".to_owned())
    ];
    (
        prop::sample::select(paths),
        name,
        option::of(prop::sample::select(kinds)),
        (
            option::of(payload()),
            option::of(moment()),
            option::of(scalar()),
            option::of(person_id()),
            option::of(value()),
        ),
    )
        .prop_map(|(path, name, kind, (data, at, id, anonymous, note))| {
            let body = members([
                ("name", Some(name.into())),
                ("type", kind.map(Json::from)),
                ("data", data),
                ("timestamp", at),
                ("id", id),
                ("anonymous_id", anonymous),
                ("note", note),
            ]);
            post(path, body)
        })
        .boxed()
}

pub(super) fn device_of_a_person() -> BoxedStrategy<Request> {
    (device("id"), option::of(scalar()))
        .prop_map(|(device, id)| Request {
            method: "PUT",
            path: "/api/v1/customers/u-1/devices".to_owned(),
            body: members([("device", Some(device)), ("id", id)]),
        })
        .boxed()
}

pub(super) fn message() -> BoxedStrategy<Request> {
    let parts = || {
        (
            word(),
            option::of(moment()),
            option::of(metadata()),
            option::of(scalar()),
            option::of(value()),
        )
    };
    prop_oneof![
        parts().prop_map(|(id, at, metadata, recipient, note)| post(
            "/api/v1/metrics",
            members([
                ("delivery_id", Some(id.into())),
                ("metric", Some("clicked".into())),
                ("timestamp", at),
                ("metadata", metadata),
                ("recipient", recipient.clone()),
                ("reason", recipient.clone()),
                ("href", recipient),
                ("note", note),
            ])
        )),
        parts().prop_map(|(id, at, _, device, note)| post(
            "/push/events",
            members([
                ("delivery_id", Some(id.into())),
                ("event", Some("opened".into())),
                ("timestamp", at),
                ("device_id", device),
                ("note", note),
            ])
        )),
        parts().prop_map(|(id, at, metadata, locale, note)| post(
            "/api/v1/cio_deliveries/events",
            members([
                ("type", Some("in_app".into())),
                (
                    "payload",
                    Some(members([
                        ("delivery_id", Some(id.into())),
                        ("event", Some("opened".into())),
                        ("timestamp", at),
                        ("metadata", metadata),
                        ("note", note),
                    ]))
                ),
                ("locale", locale),
            ])
        )),
        option::of(value()).prop_map(|note| post(
            "/unsubscribe/dlv-1",
            members([("unsubscribe", Some(true.into())), ("note", note)])
        )),
    ]
    .boxed()
}

pub(super) fn others() -> BoxedStrategy<Request> {
    let segments = vec![
        "add_customers",
        "remove_customers?id_type=email",
        "add_customers?id_type=cio_id",
    ];
    prop_oneof![
        (relative(), relative(), option::of(value())).prop_map(|(one, two, note)| post(
            "/api/v1/merge_customers",
            members([
                ("primary", Some(one)),
                ("secondary", Some(two)),
                ("note", note)
            ]),
        )),
        (
            prop::sample::select(segments),
            vec(person_id(), 1..4),
            option::of(value())
        )
            .prop_map(|(path, ids, note)| post(
                format!("/api/v1/segments/12/{path}"),
                members([("ids", Some(ids.into())), ("note", note)]),
            )),
        (word(), word(), option::of(scalar()), option::of(value())).prop_map(
            |(email, name, title, note)| post(
                "/api/v1/forms/f-1/submit",
                members([
                    (
                        "data",
                        Some(members([
                            ("email", Some(email.into())),
                            ("name", Some(name.into())),
                            ("form_name", title)
                        ]))
                    ),
                    ("note", note),
                ]),
            )
        ),
    ]
    .boxed()
}
