//! What random calls are made of.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

/// A path and a body that the gateway accepts.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Json,
}

pub(super) fn word() -> impl Strategy<Value = String> {
    "[a-z]{1,6}"
}

pub(super) fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        "[ a-zA-Zäø\"\\\\\n]{0,8}".prop_map(Json::from),
    ]
}

pub(super) fn value() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(2, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            vec((word(), inner), 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

pub(super) fn attributes() -> impl Strategy<Value = Json> {
    let name = prop_oneof![
        4 => "a_[a-z]{1,4}",
        1 => prop::sample::select(vec![
            "url", "email", "timestamp", "id", "type", "token", "objectTypeId", "object_type_id",
            "relationshipAttributes", "actionType", "activityType", "identifiers", "name",
            "cio_subscription_preferences.topics.topic_7",
        ])
        .prop_map(str::to_owned),
    ];
    vec((name, value()), 0..4).prop_map(|members| members.into_iter().collect())
}

pub(super) fn payload() -> impl Strategy<Value = Json> {
    prop_oneof![6 => attributes(), 1 => Just(Json::Null), 1 => Just(json!([]))]
}

pub(super) fn moment() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => (0_i64..253_402_300_800).prop_map(Json::from),
        1 => (0_u32..4_000_000).prop_map(|seconds| json!(f64::from(seconds) + 0.25)),
        1 => prop::sample::select(vec![
            json!(null), json!("yesterday"), json!(-5), json!(1_700_000_000_123_i64),
            json!("1700000000"), json!({"at": 1}), json!(true),
        ]),
    ]
}

pub(super) fn person_id() -> impl Strategy<Value = Json> {
    prop_oneof![3 => word().prop_map(Json::from), 1 => (1_u32..9_999).prop_map(Json::from)]
}

pub(super) fn person() -> impl Strategy<Value = Json> {
    (
        prop::sample::select(vec!["id", "email", "phone", "cio_id", "anonymous_id"]),
        person_id(),
    )
        .prop_map(|(kind, id)| json!({ kind: id }))
}

pub(super) fn relative() -> impl Strategy<Value = Json> {
    (
        prop::sample::select(vec!["id", "email", "cio_id"]),
        person_id(),
    )
        .prop_map(|(kind, id)| json!({ kind: id }))
}

pub(super) fn object() -> impl Strategy<Value = Json> {
    prop_oneof![
        (
            prop::sample::select(vec![json!("1"), json!("12"), json!(3)]),
            person_id()
        )
            .prop_map(|(kind, id)| json!({"object_type_id": kind, "object_id": id})),
        word().prop_map(|id| json!({"cio_object_id": id})),
    ]
}

pub(super) fn relations(to: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    let entry =
        (to, option::of(attributes()), option::of(scalar())).prop_map(|(to, attributes, note)| {
            members([
                ("identifiers", Some(to)),
                ("relationship_attributes", attributes),
                ("note", note),
            ])
        });
    vec(entry, 0..4).prop_map(Json::from)
}

pub(super) fn metadata() -> impl Strategy<Value = Json> {
    (scalar(), option::of(scalar()), option::of(value())).prop_map(|(name, value, note)| {
        members([
            ("action_name", Some(name)),
            ("action_value", value),
            ("note", note),
        ])
    })
}

pub(super) fn device(token: &'static str) -> impl Strategy<Value = Json> {
    let platforms = vec!["ios", "android", "iOS"];
    (
        word(),
        prop::sample::select(platforms),
        option::of(moment()),
        option::of(payload()),
        option::of(scalar()),
    )
        .prop_map(move |(id, platform, used, attributes, note)| {
            members([
                (token, Some(id.into())),
                ("platform", Some(platform.into())),
                ("last_used", used),
                ("attributes", attributes),
                ("note", note),
            ])
        })
}

pub(super) fn members<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let given = members
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    given.collect()
}

pub(super) fn post(path: impl Into<String>, body: Json) -> Request {
    Request {
        method: "POST",
        path: path.into(),
        body,
    }
}

pub(super) fn merged(one: &Json, two: &Json) -> Json {
    let both = [one, two].into_iter().filter_map(Json::as_object).flatten();
    both.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
