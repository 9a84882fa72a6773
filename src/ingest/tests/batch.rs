//! Version 2: what each type and action needs, and batches item by item.

use crate::event::Api;
use crate::event::Operation;
use crate::ingest::Success;
use crate::ingest::entity::ITEMS_MAX;
use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Envelope;
use crate::ingest::tests::call;
use crate::ingest::tests::request;

const TO_OBJECT: &str =
    r#""cio_relationships":[{"identifiers":{"object_type_id":1,"object_id":"a"}}]"#;
const TO_PERSONS: &str =
    r#""cio_relationships":[{"identifiers":{"email":"a@b"}},{"identifiers":{"id":7}}]"#;

/// Each entity of `cases`, an action with what it brings, is accepted as the operation.
fn check_accepted(head: &str, cases: &[(&str, &str, Operation)]) {
    for (action, rest, operation) in cases {
        let body = format!(r#"{{{head},"action":"{action}"{rest}}}"#);
        let call =
            call("POST", "/api/v2/entity", &body).unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(
            (call.operation, call.api, call.item),
            (*operation, Api::V2, None),
            "{body}"
        );
        assert_eq!(call.body, body);
    }
}

#[test]
fn every_action_of_a_person_is_accepted() {
    let (to_object, no_relation) = (format!(",{TO_OBJECT}"), r#","cio_relationships":[]"#);
    check_accepted(
        r#""type":"person","identifiers":{"id":"42"}"#,
        &[
            (
                "identify",
                r#","attributes":{"a":1}"#,
                Operation::PersonIdentify,
            ),
            (
                "identify",
                r#","attributes":null,"cio_relationships":null"#,
                Operation::PersonIdentify,
            ),
            ("identify", &to_object, Operation::PersonIdentify),
            ("delete", "", Operation::PersonDelete),
            (
                "event",
                r#","name":"x","attributes":[]"#,
                Operation::PersonEvent,
            ),
            ("page", r#","name":"x""#, Operation::PersonPage),
            ("screen", r#","name":"x""#, Operation::PersonScreen),
            (
                "add_relationships",
                &to_object,
                Operation::PersonAddRelationships,
            ),
            (
                "add_relationships",
                no_relation,
                Operation::PersonAddRelationships,
            ),
            (
                "delete_relationships",
                &to_object,
                Operation::PersonDeleteRelationships,
            ),
            (
                "add_device",
                r#","device":{"token":"t","platform":"iOS"}"#,
                Operation::PersonAddDevice,
            ),
            (
                "delete_device",
                r#","device":{"token":"t"}"#,
                Operation::PersonDeleteDevice,
            ),
            ("suppress", "", Operation::PersonSuppress),
            ("unsuppress", "", Operation::PersonUnsuppress),
            (
                "viewed_content",
                r#","name":"viewed_content""#,
                Operation::PersonViewedContent,
            ),
            ("clicked_content", "", Operation::PersonClickedContent),
        ],
    );
    check_accepted(
        r#""type":"person","primary":{"id":1},"secondary":{"cio_id":"c"}"#,
        &[("merge", "", Operation::PersonMerge)],
    );
}

#[test]
fn every_action_of_an_object_and_of_a_delivery_is_accepted() {
    let to_persons = format!(",{TO_PERSONS}");
    let anonymous = r#","cio_relationships":[{"identifiers":{"anonymous_id":"x"}}]"#;
    let cases = [
        (
            "identify",
            r#","attributes":{"a":1}"#,
            Operation::ObjectIdentify,
        ),
        ("identify", &to_persons, Operation::ObjectIdentify),
        (
            "identify_anonymous",
            r#","anonymous_id":"x""#,
            Operation::ObjectIdentifyAnonymous,
        ),
        (
            "identify_anonymous",
            anonymous,
            Operation::ObjectIdentifyAnonymous,
        ),
        ("delete", "", Operation::ObjectDelete),
        ("event", r#","name":"renewed""#, Operation::ObjectEvent),
        (
            "add_relationships",
            &to_persons,
            Operation::ObjectAddRelationships,
        ),
        (
            "delete_relationships",
            &to_persons,
            Operation::ObjectDeleteRelationships,
        ),
    ];
    let ids = r#"{"object_type_id":"1","object_id":"acme"}"#;
    check_accepted(&format!(r#""type":"object","identifiers":{ids}"#), &cases);
    check_accepted(
        r#""type":"object","identifiers":{"cio_object_id":"ob"}"#,
        &cases,
    );
    let opened = r#","name":"opened","attributes":{"device_token":"t"}"#;
    check_accepted(
        r#""type":"delivery","identifiers":{"id":"RPIL"}"#,
        &[("event", opened, Operation::DeliveryEvent)],
    );
}

#[test]
fn a_person_is_named_once() {
    for (identifiers, expected) in [
        (r#"{"id":123}"#, Ok(())),
        (r#"{"email":"a@b"}"#, Ok(())),
        (r#"{"phone":"+14155552671"}"#, Ok(())),
        (r#"{"cio_id":"a3"}"#, Ok(())),
        (r#"{"anonymous_id":"x"}"#, Ok(())),
        (r#"{"id":"1","email":null}"#, Ok(())),
        (r#"{"id":"1","email":"a@b"}"#, Err("it has id and email")),
        ("{}", Err("it has none")),
        (r#"{"id":" "}"#, Err("identifiers.id must not be empty")),
        (
            "null",
            Err("identifiers is required: an object with exactly one of id, email, phone"),
        ),
        (r#""1""#, Err("identifiers must be an object")),
    ] {
        let body = format!(r#"{{"type":"person","action":"delete","identifiers":{identifiers}}}"#);
        let found = call("POST", "/api/v2/entity", &body).map(|_| ());
        match (found, expected) {
            (Ok(()), Ok(())) => {}
            (Err(found), Err(expected)) if found.contains(expected) => {}
            (found, _) => panic!("{body}: {found:?}"),
        }
    }
}

/// Entities that are refused, and what the client is told.
const REFUSED: &[(&str, &str)] = &[
    ("{}", "type is required"),
    (
        r#"{"type":"people"}"#,
        r#"type must be one of person, object, delivery, not "people""#,
    ),
    (r#"{"type":"person"}"#, "action is required"),
    (
        r#"{"type":"delivery","action":"identify"}"#,
        r#"a delivery has no action "identify"; it has event"#,
    ),
    (
        r#"{"type":"person","action":"event","identifiers":{"id":1},"attributes":{"name":"x"}}"#,
        "name is required beside attributes, not inside them",
    ),
    (
        r#"{"type":"person","action":"event","identifiers":{"id":1},"name":"x","attributes":3}"#,
        "attributes must be an object, not int",
    ),
    (
        r#"{"type":"person","action":"add_device","identifiers":{"id":1},"device":{"id":"t","platform":"ios"}}"#,
        "device.token is required; device.id is what v1 calls it",
    ),
    (
        r#"{"type":"person","action":"add_device","identifiers":{"id":1},"device":{"token":"t"}}"#,
        "device.platform is required",
    ),
    (
        r#"{"type":"person","action":"add_relationships","identifiers":{"id":1}}"#,
        "cio_relationships is required",
    ),
    (
        r#"{"type":"person","action":"identify","identifiers":{"id":1},"cio_relationships":{"action":"add_relationships"}}"#,
        "cio_relationships is a list in v2; the object with an action is v1's",
    ),
    (
        r#"{"type":"person","action":"add_relationships","identifiers":{"id":1},"cio_relationships":[{"identifiers":{"id":2}}]}"#,
        "cio_relationships[0].identifiers must be an object with object_type_id and object_id, \
         or with cio_object_id",
    ),
    (
        r#"{"type":"object","action":"delete","identifiers":{"object_id":"a"}}"#,
        "identifiers.object_type_id is required",
    ),
    (
        r#"{"type":"object","action":"delete","identifiers":{"object_id":"a","cio_object_id":"b"}}"#,
        "identifiers must be an object with object_type_id and object_id, \
         or with cio_object_id, not all of them",
    ),
    (
        r#"{"type":"object","action":"identify_anonymous","identifiers":{"cio_object_id":"o"}}"#,
        "anonymous_id is required, at the top level or in cio_relationships[].identifiers",
    ),
    (
        r#"{"type":"delivery","action":"event","identifiers":{"id":"d"},"name":"opened"}"#,
        "attributes is required",
    ),
    (
        r#"{"type":"person","action":"merge","primary":{"id":1}}"#,
        "secondary is required: an object with exactly one of id, email, cio_id",
    ),
];

#[test]
fn a_refused_entity_is_told_what_to_send() {
    for (body, message) in REFUSED.iter().copied() {
        let rejection = request("POST", "/api/v2/entity", body).unwrap_err();
        assert_eq!(rejection.envelope, Envelope::V2, "{body}");
        assert_eq!(rejection.cause.to_string(), message, "{body}");
    }
    let unknown = call(
        "POST",
        "/api/v2/entity",
        r#"{"type":"person","action":"idenfity"}"#,
    );
    assert!(
        unknown
            .unwrap_err()
            .starts_with(r#"a person has no action "idenfity"; it has identify, delete"#)
    );
}

#[test]
fn a_batch_keeps_what_is_good_and_names_what_is_not() {
    let good = r#"{"type":"person","action":"delete","identifiers":{"id":"1"}}"#;
    let body = format!(r#"{{"batch":[ {good} ,{{"type":"person"}},7,{good}]}}"#);
    let decoded = request("POST", "/api/v2/batch", &body).unwrap();
    assert_eq!(decoded.success, Success::Partial);
    let items: Vec<_> = decoded
        .calls
        .iter()
        .map(|call| (call.item, &*call.body))
        .collect();
    assert_eq!(
        items,
        [(Some(0), good.as_bytes()), (Some(3), good.as_bytes())]
    );
    let refused: Vec<_> = decoded
        .refused
        .iter()
        .map(|item| (item.index, &*item.fault.message))
        .collect();
    assert_eq!(
        refused,
        [
            (1, "action is required"),
            (2, "item must be an object, not int")
        ]
    );
}

#[test]
fn a_batch_of_which_nothing_is_good_is_400() {
    let rejection = request("POST", "/api/v2/batch", r#"{"batch":[{},{}]}"#).unwrap_err();
    let Cause::NothingAccepted(refused) = rejection.cause else {
        panic!("{rejection:?}")
    };
    assert_eq!(
        refused.iter().map(|item| item.index).collect::<Vec<_>>(),
        [0, 1]
    );
    for (body, message) in [
        ("", "batch is required"),
        (r#"{"batch":[]}"#, "batch must have at least one item"),
        (r#"{"batch":{}}"#, "batch must be a list, not object"),
        (
            r#"[{"type":"person"}]"#,
            "the body must be a JSON object, not list",
        ),
    ] {
        let cause = request("POST", "/api/v2/batch", body).unwrap_err().cause;
        assert!(matches!(cause, Cause::Malformed(_)), "{body}");
        assert_eq!(cause.to_string(), message, "{body}");
    }
}

#[test]
fn an_item_of_exactly_32_kib_is_taken() {
    let item = |len: usize| {
        let head = r#"{"type":"person","action":"delete","identifiers":{"id":1},"x":""#;
        format!("{head}{}\"}}", "x".repeat(len - head.len() - 2))
    };
    let fits = item(32 << 10);
    assert_eq!(fits.len(), 32 << 10);
    let body = format!(r#"{{"batch":[{fits},{}]}}"#, item((32 << 10) + 1));
    let decoded = request("POST", "/api/v2/batch", &body).unwrap();
    assert_eq!(
        (decoded.calls.len(), decoded.calls[0].body.len()),
        (1, 32 << 10)
    );
    assert_eq!(
        decoded.refused[0].fault.message,
        "an item has at most 32768 bytes, this one has 32769"
    );
}

#[test]
fn a_batch_has_at_most_10_000_items() {
    let batch = |count: usize| format!(r#"{{"batch":[{}]}}"#, vec!["0"; count].join(","));
    let cause = |count| {
        request("POST", "/api/v2/batch", &batch(count))
            .unwrap_err()
            .cause
    };
    assert!(matches!(cause(ITEMS_MAX), Cause::NothingAccepted(_)));
    assert_eq!(
        cause(ITEMS_MAX + 1).to_string(),
        "a batch has at most 10000 items, this one has 10001"
    );
}
