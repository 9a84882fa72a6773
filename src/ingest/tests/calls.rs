//! What each operation insists on, and what it tolerates because real clients send it.

use bytes::Bytes;
use proptest::prelude::*;

use crate::event::Operation;
use crate::ingest::Endpoint;
use crate::ingest::Limits;
use crate::ingest::decode;
use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Envelope;
use crate::ingest::rejection::Reason;
use crate::ingest::tests::call;
use crate::ingest::tests::request;
use crate::value::Arena;

/// Bodies of one endpoint: accepted as an operation, or refused with a message.
fn check(method: &str, target: &str, cases: &[(&str, Result<Operation, &str>)]) {
    for (body, expected) in cases {
        let found = call(method, target, body).map(|call| call.operation);
        assert_eq!(
            found,
            expected.map_err(ToOwned::to_owned),
            "{method} {target} {body}"
        );
    }
}

#[test]
fn identify_takes_any_object() {
    let identify = Ok(Operation::PersonIdentify);
    check(
        "PUT",
        "/api/v1/customers/5",
        &[
            ("", identify),
            ("null", identify),
            ("[]", identify),
            (
                r#"{"id":5,"cio_id":"f0","a":{"b":[1,null]},"_last":0.5}"#,
                identify,
            ),
            (
                r#"{"cio_subscription_preferences.topics.topic_1":false}"#,
                identify,
            ),
            (r#"{"cio_relationships":null}"#, identify),
            (
                r#"{"cio_relationships":{"action":"add_relationships","relationships":[]}}"#,
                identify,
            ),
            (
                r#"{"cio_relationships":[{"identifiers":{"object_id":"a"}}]}"#,
                Err("cio_relationships must be an object, not list"),
            ),
            (
                r#"{"cio_relationships":{"action":"replace","relationships":[]}}"#,
                Err(concat!(
                    "cio_relationships.action must be one of add_relationships, ",
                    r#"delete_relationships, not "replace""#
                )),
            ),
            (
                r#"{"cio_relationships":{"action":"add_relationships"}}"#,
                Err("cio_relationships.relationships must be a list, not missing"),
            ),
            ("[1]", Err("the body must be a JSON object, not list")),
            (
                r#"{"plan":1,"pl\u0061n":2}"#,
                Err(r#"the body is not acceptable JSON: key "plan" stands twice at byte 10"#),
            ),
        ],
    );
}

#[test]
fn the_body_of_a_call_is_the_text_that_was_sent() {
    let spaced = call("PUT", "/api/v1/customers/5", " {\"total\": 99.50}\n").unwrap();
    assert_eq!(spaced.body, r#"{"total": 99.50}"#);
    let dotted = r#"{"cio_subscription_preferences.topics.topic_1":false}"#;
    assert_eq!(call("PUT", "/customers/5", dotted).unwrap().body, dotted);
}

#[test]
fn accepted_bodies_are_not_copied() {
    let body =
        Bytes::from(r#"{"batch":[{"type":"person","action":"delete","identifiers":{"id":1}}]}"#);
    let endpoint = Endpoint::of(&http::Method::POST, "/api/v2/batch").unwrap();
    let decoded = decode(&endpoint, None, &body, &Limits::default(), &Arena::new()).unwrap();
    let item = &decoded.calls[0].body;
    assert!(body.as_ptr_range().contains(&item.as_ptr()));
}

#[test]
fn a_call_without_a_body_ignores_whatever_is_sent() {
    for (method, target, operation) in [
        ("DELETE", "/api/v1/customers/5", Operation::PersonDelete),
        (
            "DELETE",
            "/api/v1/customers/5/devices/t",
            Operation::PersonDeleteDevice,
        ),
        (
            "POST",
            "/api/v1/customers/5/suppress",
            Operation::PersonSuppress,
        ),
        (
            "POST",
            "/api/v1/customers/5/unsuppress",
            Operation::PersonUnsuppress,
        ),
    ] {
        for body in ["", "{}", "null", "a=b", r#"{"a":1,"a":2}"#] {
            let call = call(method, target, body).unwrap();
            assert_eq!(
                (call.operation, &*call.body),
                (operation, &b"{}"[..]),
                "{target} {body}"
            );
        }
    }
}

#[test]
fn an_event_needs_a_name_and_little_else() {
    for target in ["/api/v1/customers/5/events", "/api/v1/events"] {
        check(
            "POST",
            target,
            &[
                (r#"{"name":"x"}"#, Ok(Operation::PersonEvent)),
                (r#"{"name":"x","data":null}"#, Ok(Operation::PersonEvent)),
                (
                    r#"{"name":"x","data":[],"anonymous_id":7}"#,
                    Ok(Operation::PersonEvent),
                ),
                (
                    r#"{"name":"x","type":"page","data":{}}"#,
                    Ok(Operation::PersonPage),
                ),
                (
                    r#"{"name":"x","type":"screen"}"#,
                    Ok(Operation::PersonScreen),
                ),
                (r#"{"name":"x","type":"video"}"#, Ok(Operation::PersonEvent)),
                (
                    r#"{"name":"x","type":null,"id":5}"#,
                    Ok(Operation::PersonEvent),
                ),
                (
                    r#"{"name":"x","timestamp":1613063089.25}"#,
                    Ok(Operation::PersonEvent),
                ),
                (
                    r#"{"name":"x","timestamp":"yesterday"}"#,
                    Ok(Operation::PersonEvent),
                ),
                ("", Err("name is required")),
                (r#"{"name":null}"#, Err("name is required")),
                (r#"{"name":"  "}"#, Err("name must not be empty")),
                (r#"{"name":5}"#, Err("name must be a string, not int")),
                (
                    r#"{"name":"x","data":[1]}"#,
                    Err("data must be an object, not list"),
                ),
                (
                    r#"{"name":"x","data":"y"}"#,
                    Err("data must be an object, not string"),
                ),
            ],
        );
    }
}

#[test]
fn a_device_needs_id_and_platform() {
    let add = Ok(Operation::PersonAddDevice);
    check(
        "PUT",
        "/api/v1/customers/5/devices",
        &[
            (
                r#"{"device":{"id":"t","platform":"iOS","last_used":"1514764800"}}"#,
                add,
            ),
            (
                r#"{"device":{"id":"t","platform":"ios","attributes":null}}"#,
                add,
            ),
            (
                r#"{"device":{"id":"t","platform":"ios","attributes":[]}}"#,
                add,
            ),
            (
                r#"{"id":1,"device":{"id":"t","platform":"android","extra":true}}"#,
                add,
            ),
            (
                r#"{"device":{"id":"t","platform":"ios","attributes":{"primary":true}}}"#,
                add,
            ),
            ("", Err("device is required")),
            (
                r#"{"device":"t"}"#,
                Err("device must be an object, not string"),
            ),
            (
                r#"{"device":{"platform":"ios"}}"#,
                Err("device.id is required"),
            ),
            (
                r#"{"device":{"token":"t","platform":"ios"}}"#,
                Err("device.id is required"),
            ),
            (
                r#"{"device":{"id":"","platform":"ios"}}"#,
                Err("device.id must not be empty"),
            ),
            (
                r#"{"device":{"id":"t"}}"#,
                Err("device.platform is required"),
            ),
            (
                r#"{"device":{"id":"t","platform":"ios","attributes":7}}"#,
                Err("device.attributes must be an object, not int"),
            ),
        ],
    );
}

#[test]
fn a_merge_needs_exactly_one_identifier_of_each() {
    let merge = Ok(Operation::PersonMerge);
    check(
        "POST",
        "/api/v1/merge_customers",
        &[
            (r#"{"primary":{"email":"a@b"},"secondary":{"id":2}}"#, merge),
            (
                r#"{"primary":{"cio_id":"a3","id":null},"secondary":{"id":"2"}}"#,
                merge,
            ),
            (
                r#"{"secondary":{"id":2}}"#,
                Err("primary is required: an object with exactly one of id, email, cio_id"),
            ),
            (
                r#"{"primary":{"id":1},"secondary":{"phone":"1"}}"#,
                Err("secondary must have exactly one of id, email, cio_id; it has none"),
            ),
            (
                r#"{"primary":{"id":1,"email":"a@b"},"secondary":{"id":2}}"#,
                Err("primary must have exactly one of id, email, cio_id; it has id and email"),
            ),
            (
                r#"{"primary":{"id":""},"secondary":{"id":2}}"#,
                Err("primary.id must not be empty"),
            ),
            (
                r#"{"primary":{"id":true},"secondary":{"id":2}}"#,
                Err("primary.id must be a string or a number, not bool"),
            ),
            (
                r#"{"primary":"1","secondary":"2"}"#,
                Err("primary must be an object with one of id, email, cio_id, not string"),
            ),
        ],
    );
    let long = format!(
        r#"{{"primary":{{"id":"{}"}},"secondary":{{"id":2}}}}"#,
        "x".repeat(151)
    );
    let rejection = request("POST", "/api/v1/merge_customers", &long).unwrap_err();
    assert_eq!(rejection.envelope, Envelope::V1Text);
    assert_eq!(
        rejection.cause.to_string(),
        "an id has at most 150 bytes, this one has 151"
    );
}

#[test]
fn a_segment_takes_1_to_1000_ids() {
    let ids = |count: usize| format!(r#"{{"ids":[{}]}}"#, vec!["\"x\""; count].join(","));
    let add = "/api/v1/segments/7/add_customers";
    assert_eq!(
        call("POST", add, &ids(1)).unwrap().operation,
        Operation::SegmentAdd
    );
    assert_eq!(
        call("POST", add, &ids(1000))
            .unwrap()
            .params
            .segment_id
            .as_deref(),
        Some("7")
    );
    let error = call("POST", add, &ids(1001)).unwrap_err();
    assert_eq!(error, "ids has at most 1000 entries, this one has 1001");
    check(
        "POST",
        "/api/v1/segments/7/remove_customers?id_type=email",
        &[
            (r#"{"ids":["a@b",7]}"#, Ok(Operation::SegmentRemove)),
            ("", Err("ids is required")),
            (r#"{"ids":[]}"#, Err("ids must have at least one entry")),
            (r#"{"ids":"a"}"#, Err("ids must be a list, not string")),
            (
                r#"{"ids":["a",{}]}"#,
                Err("ids[1] must be a string, not object"),
            ),
        ],
    );
}

#[test]
fn a_form_holds_strings_and_an_identifier() {
    check(
        "POST",
        "/api/v1/forms/contact%20us/submit",
        &[
            (
                r#"{"data":{"email":"a@b","first_name":"A"}}"#,
                Ok(Operation::FormSubmit),
            ),
            (
                r#"{"data":{"id":"1","email":"a@b","form_id":7}}"#,
                Ok(Operation::FormSubmit),
            ),
            ("", Err("data is required")),
            (r#"{"data":{}}"#, Err("data must have an id or an email")),
            (
                r#"{"data":{"email":""}}"#,
                Err("data must have an id or an email"),
            ),
            (
                r#"{"data":{"id":1}}"#,
                Err("data.id must be a string, not int"),
            ),
            (
                r#"{"data":{"id":"1","n":null}}"#,
                Err("data.n must be a string, not null"),
            ),
        ],
    );
}

#[test]
fn metrics_name_a_message_and_what_happened() {
    let metric = Err(concat!(
        "metric must be one of bounced, clicked, converted, deferred, delivered, dropped, opened, ",
        r#"spammed, not "sent""#
    ));
    check(
        "POST",
        "/api/v1/metrics",
        &[
            (
                r#"{"delivery_id":"d","metric":"spammed","recipient":7}"#,
                Ok(Operation::MetricsReport),
            ),
            (r#"{"metric":"opened"}"#, Err("delivery_id is required")),
            (r#"{"delivery_id":"d"}"#, Err("metric is required")),
            (r#"{"delivery_id":"d","metric":"sent"}"#, metric),
        ],
    );
    check(
        "POST",
        "/push/events",
        &[
            (
                r#"{"delivery_id":"d","event":"clicked"}"#,
                Ok(Operation::PushEvent),
            ),
            (
                r#"{"delivery_id":"","event":"opened"}"#,
                Err("malformed delivery id: ."),
            ),
            (r#"{"delivery_id":"d"}"#, Err("event is required")),
        ],
    );
    check(
        "POST",
        "/api/v1/cio_deliveries/events",
        &[
            (
                r#"{"type":"in_app","payload":{"delivery_id":"d","event":"opened","timestamp":1.5}}"#,
                Ok(Operation::InAppEvent),
            ),
            (r#"{"type":"in_app"}"#, Err("payload is required")),
            (
                r#"{"type":"in_app","payload":{"event":"opened"}}"#,
                Err("payload.delivery_id is required"),
            ),
            (
                r#"{"type":"push","payload":{}}"#,
                Err(r#"type must be one of in_app, not "push""#),
            ),
        ],
    );
    check(
        "POST",
        "/unsubscribe/RPIL",
        &[
            (
                r#"{"unsubscribe":true}"#,
                Ok(Operation::DeliveryUnsubscribe),
            ),
            (
                r#"{"unsubscribe":false}"#,
                Ok(Operation::DeliveryUnsubscribe),
            ),
            ("", Err("unsubscribe is required")),
            (
                r#"{"unsubscribe":"yes"}"#,
                Err("unsubscribe must be true or false, not string"),
            ),
        ],
    );
}

#[test]
fn a_body_beyond_the_limit_of_its_endpoint_is_too_large() {
    let limits = Limits {
        v1_bytes_max: 20,
        entity_bytes_max: 10,
        ..Limits::default()
    };
    for (method, target, bytes_max) in [
        ("PUT", "/api/v1/customers/5", 20),
        ("DELETE", "/api/v1/customers/5", 20),
        ("POST", "/api/v2/entity", 10),
        ("POST", "/api/v2/batch", 500_000),
    ] {
        let decode_spaces = |count: usize| {
            let endpoint = Endpoint::of(&method.parse().unwrap(), target).unwrap();
            let body = Bytes::from(" ".repeat(count));
            decode(&endpoint, None, &body, &limits, &Arena::new()).map_err(|error| error.cause)
        };
        let too_large = Err(Cause::TooLarge { bytes_max });
        assert_ne!(decode_spaces(bytes_max), too_large, "{target}");
        assert_eq!(decode_spaces(bytes_max + 1), too_large, "{target}");
    }
}

#[test]
fn a_refusal_says_reason_and_field() {
    let cause = request("POST", "/api/v1/events", "{}").unwrap_err().cause;
    let Cause::Malformed(fault) = cause else {
        panic!("{cause:?}")
    };
    assert_eq!((fault.reason, &*fault.field), (Reason::Required, "name"));
}

proptest! {
    #[test]
    fn no_request_panics(
        method in prop::sample::select(vec!["GET", "PUT", "POST", "DELETE"]),
        target in prop::sample::select(vec![
            "/api/v1/customers/5", "/api/v1/customers/5/devices", "/api/v1/customers/5/events",
            "/api/v1/merge_customers", "/api/v1/segments/7/add_customers", "/api/v1/forms/f/submit",
            "/api/v1/metrics", "/push/events", "/api/v1/cio_deliveries/events", "/unsubscribe/d",
            "/api/v2/entity", "/api/v2/batch", "/auth",
        ]),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..100),
            // Near-JSON of the contract's own words reaches further than noise.
            prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "null", "1", "\"type\"", "\"person\"", "\"object\"",
                "\"action\"", "\"identify\"", "\"event\"", "\"name\"", "\"id\"", "\"identifiers\"",
                "\"batch\"", "\"device\"", "\"data\"", "\"cio_relationships\"", "{}", "[]",
            ]), 0..20).prop_map(|words| words.concat().into_bytes()),
        ],
    ) {
        let method = method.parse().unwrap();
        if let Ok(endpoint) = Endpoint::of(&method, target) {
            let body = Bytes::from(body);
            drop(decode(&endpoint, None, &body, &Limits::default(), &Arena::new()));
        }
    }
}
