//! The mistakes that naive implementations of the inbound API make, each by what a client would see.

use crate::inbound_fixture::Inbound;
use crate::inbound_fixture::Outcome;

fn send(method: &str, target: &str, body: &str) -> Outcome {
    Inbound::new(method, target, body).send()
}

/// Sends a request and says its status and the bodies of the calls it became.
fn calls(method: &str, target: &str, body: &str) -> (u16, Vec<String>) {
    let outcome = send(method, target, body);
    let bodies = outcome
        .calls
        .iter()
        .map(|call| String::from_utf8(call.body.to_vec()).unwrap());
    (outcome.status(), bodies.collect())
}

#[test]
fn url_safe_base64_credentials_are_good() {
    for authorization in [
        "Basic c2l0ZX5-fjprZXk_Pz8-Pj4=",
        "Basic c2l0ZX5+fjprZXk/Pz8+Pj4=",
    ] {
        let authorization = Some(authorization);
        let request = Inbound {
            authorization,
            ..Inbound::new("PUT", "/api/v1/customers/5", "{}")
        };
        assert_eq!(request.send().status(), 200);
    }
}

#[test]
fn a_suppression_needs_no_content_type_and_no_body() {
    for content_type in [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("text/plain"),
    ] {
        for word in ["suppress", "unsuppress"] {
            let target = format!("/api/v1/customers/5/{word}");
            let request = Inbound {
                content_type,
                ..Inbound::new("POST", &target, "")
            };
            assert_eq!(request.send().status(), 200, "{word} {content_type:?}");
        }
    }
}

#[test]
fn identify_needs_no_body() {
    for body in ["", "null", "{}"] {
        assert_eq!(
            calls("PUT", "/api/v1/customers/5", body),
            (200, vec!["{}".to_owned()])
        );
    }
}

#[test]
fn event_data_may_be_null_or_an_empty_list() {
    for body in [r#"{"data":null,"name":"x"}"#, r#"{"name":"x","data":[]}"#] {
        let expected = (200, vec![body.to_owned()]);
        assert_eq!(calls("POST", "/api/v1/customers/5/events", body), expected);
    }
}

#[test]
fn a_device_may_have_a_string_for_a_time_and_null_for_attributes() {
    let body =
        r#"{"device":{"id":"t","platform":"ios","last_used":"1514764800","attributes":null}}"#;
    assert_eq!(
        send("PUT", "/api/v1/customers/5/devices", body).status(),
        200
    );
}

#[test]
fn success_is_200_with_an_empty_object_and_a_newline() {
    let outcome = send("POST", "/api/v1/events", r#"{"name":"x"}"#);
    assert_eq!((outcome.status(), outcome.text()), (200, "{}\n"));
    assert_eq!(
        outcome.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let form = send(
        "POST",
        "/api/v1/forms/f/submit",
        r#"{"data":{"email":"a@b"}}"#,
    );
    assert_eq!(
        (form.status(), form.text(), form.header("content-type")),
        (204, "", None)
    );
}

#[test]
fn v1_errors_have_the_envelopes_of_v1() {
    let event = send("POST", "/api/v1/events", "{}");
    assert_eq!(
        event.text(),
        "{\"meta\":{\"errors\":[\"name is required\"]}}\n"
    );
    let merge = send(
        "POST",
        "/api/v1/merge_customers",
        r#"{"primary":{"id":1},"secondary":{}}"#,
    );
    assert_eq!(
        merge.text(),
        "{\"meta\":{\"error\":\"secondary must have exactly one of id, email, cio_id; it has none\"}}\n"
    );
    let entity = send("POST", "/api/v2/entity", r#"{"type":"person"}"#);
    assert_eq!(
        entity.text(),
        "{\"errors\":[{\"reason\":\"required\",\"field\":\"action\",\"message\":\"action is required\"}]}\n"
    );
}

#[test]
fn a_path_is_split_before_it_is_decoded_and_a_plus_is_a_plus() {
    for (raw, id) in [("a%2Fb", "a/b"), ("a+b@example.com", "a+b@example.com")] {
        let outcome = send(
            "POST",
            &format!("/api/v1/customers/{raw}/events"),
            r#"{"name":"x"}"#,
        );
        assert_eq!(outcome.calls[0].params.id.as_deref(), Some(id));
    }
}

#[test]
fn the_undocumented_endpoints_are_there() {
    let push = r#"{"delivery_id":"d","event":"opened"}"#;
    let in_app =
        r#"{"type":"in_app","payload":{"delivery_id":"d","event":"opened","timestamp":1.5}}"#;
    assert_eq!(send("POST", "/push/events", push).status(), 200);
    assert_eq!(send("POST", "/api/v1/push/events", push).status(), 200);
    assert_eq!(
        send("POST", "/api/v1/cio_deliveries/events", in_app).status(),
        200
    );
    assert_eq!(send("GET", "/auth", "").status(), 200);
}

#[test]
fn credentials_are_neither_demanded_nor_refused_where_none_are_needed() {
    let body = r#"{"unsubscribe":true}"#;
    let with = Inbound::new("POST", "/unsubscribe/RPIL", body);
    assert_eq!(with.send().status(), 200);
    // Without a default source there is nobody to take it: not the phone's fault, so not 401.
    assert_eq!(
        Inbound {
            authorization: None,
            ..with
        }
        .send()
        .status(),
        400
    );
}

#[test]
fn the_region_is_our_own_address() {
    let region = send("GET", "/api/v1/accounts/region", "");
    assert_eq!(
        region.text(),
        "{\"url\":\"https://gateway.example.com\",\"region\":\"us\",\"environment_id\":1}\n"
    );
}

#[test]
fn an_unknown_event_type_is_an_event() {
    let outcome = send("POST", "/api/v1/events", r#"{"name":"x","type":"video"}"#);
    assert_eq!(outcome.calls[0].operation.name(), "person.event");
}

#[test]
fn identifiers_may_be_numbers() {
    for (method, target, body) in [
        ("PUT", "/api/v1/customers/5", r#"{"id":5}"#),
        (
            "POST",
            "/api/v1/merge_customers",
            r#"{"primary":{"id":1},"secondary":{"id":2}}"#,
        ),
        (
            "POST",
            "/api/v2/entity",
            r#"{"type":"person","action":"delete","identifiers":{"id":1}}"#,
        ),
    ] {
        assert_eq!(
            calls(method, target, body),
            (200, vec![body.to_owned()]),
            "{target}"
        );
    }
}

#[test]
fn relationships_are_an_object_in_v1_and_a_list_in_v2() {
    let list = r#"[{"identifiers":{"object_type_id":"1","object_id":"a"}}]"#;
    let object = format!(r#"{{"action":"add_relationships","relationships":{list}}}"#);
    let v1 = |value: &str| {
        send(
            "PUT",
            "/api/v1/customers/5",
            &format!(r#"{{"cio_relationships":{value}}}"#),
        )
        .status()
    };
    let v2 = |value: &str| {
        let head = r#""type":"person","action":"identify","identifiers":{"id":1}"#;
        let body = format!(r#"{{{head},"cio_relationships":{value}}}"#);
        send("POST", "/api/v2/entity", &body).status()
    };
    assert_eq!((v1(&object), v1(list)), (200, 400));
    assert_eq!((v2(list), v2(&object)), (200, 400));
}

#[test]
fn a_device_token_is_id_in_v1_and_token_in_v2() {
    let v1 = |key: &str| {
        let body = format!(r#"{{"device":{{"{key}":"t","platform":"ios"}}}}"#);
        send("PUT", "/api/v1/customers/5/devices", &body).status()
    };
    let v2 = |key: &str| {
        let head = r#""type":"person","action":"add_device","identifiers":{"id":1}"#;
        let body = format!(r#"{{{head},"device":{{"{key}":"t","platform":"ios"}}}}"#);
        send("POST", "/api/v2/entity", &body).status()
    };
    assert_eq!((v1("id"), v1("token")), (200, 400));
    assert_eq!((v2("token"), v2("id")), (200, 400));
}

#[test]
fn one_bad_item_does_not_fail_a_batch() {
    let good = r#"{"type":"person","action":"delete","identifiers":{"id":1}}"#;
    let outcome = send(
        "POST",
        "/api/v2/batch",
        &format!(r#"{{"batch":[{{}},{good}]}}"#),
    );
    assert_eq!((outcome.status(), outcome.calls.len()), (207, 1));
    assert_eq!(
        outcome.text(),
        "{\"errors\":[{\"batch_index\":0,\"reason\":\"required\",\"field\":\"type\",\
         \"message\":\"type is required\"}]}\n"
    );
    let none = send("POST", "/api/v2/batch", r#"{"batch":[{}]}"#);
    assert_eq!((none.status(), none.text()), (400, outcome.text()));
}

#[test]
fn only_bad_credentials_are_401() {
    let cases = [
        ("/api/v1/customers/5", None, 401),
        (
            "/api/v1/customers/5",
            Some("Basic c2l0ZS1pZDp3cm9uZw=="),
            401,
        ),
        ("/api/v1/nowhere", None, 404),
        ("/api/v1/events", None, 405),
        ("/api/v1/customers/", None, 400),
    ];
    for (target, authorization, status) in cases {
        let outcome = Inbound {
            authorization,
            ..Inbound::new("PUT", target, "{}")
        }
        .send();
        assert_eq!(outcome.status(), status, "{target}");
        assert_eq!(outcome.header("www-authenticate"), None);
    }
}

#[test]
fn a_slash_too_many_is_tolerated_and_nothing_is_redirected() {
    for target in [
        "//customers/5",
        "/customers/5",
        "/api/v1//customers/5",
        "//api/v1/customers/5",
        "/api/v1/customers/5/",
    ] {
        let outcome = send("PUT", target, "{}");
        assert_eq!(
            (outcome.status(), outcome.header("location")),
            (200, None),
            "{target}"
        );
        assert_eq!(outcome.calls[0].params.id.as_deref(), Some("5"), "{target}");
    }
}

#[test]
fn a_dotted_key_is_one_key() {
    let body = r#"{"cio_subscription_preferences.topics.topic_1":false}"#;
    assert_eq!(
        calls("PUT", "/api/v1/customers/5", body),
        (200, vec![body.to_owned()])
    );
}

#[test]
fn a_timestamp_may_have_a_fraction() {
    let body = r#"{"name":"x","timestamp":1613063089.25}"#;
    assert_eq!(
        calls("POST", "/api/v1/events", body),
        (200, vec![body.to_owned()])
    );
}

#[test]
fn browsers_are_let_in_from_any_page() {
    let preflight = send("OPTIONS", "/api/v1/cio_deliveries/events", "");
    assert_eq!((preflight.status(), preflight.text()), (204, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        Some("GET, PUT, POST, DELETE")
    );
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("authorization, content-type")
    );
    for (method, target) in [("PUT", "/api/v1/customers/5"), ("PUT", "/nowhere")] {
        let outcome = send(method, target, "{}");
        assert_eq!(
            outcome.header("access-control-allow-origin"),
            Some("*"),
            "{target}"
        );
    }
}
