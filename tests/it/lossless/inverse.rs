//! The translation backwards, written by hand: from the events of a call to the call's body.

use serde_json::Map;
use serde_json::Value as Json;
use serde_json::json;

type Members = Map<String, Json>;

/// The body of the call that became `events`.
pub(super) fn rebuilt(events: &[Json]) -> Json {
    let first = &events[0];
    let trackway = &first["context"]["trackway"];
    let op = trackway["op"].as_str().unwrap();
    let mut body = rest(first);
    if trackway["api"] == "v2" {
        head(op, trackway, &mut body);
        if trackway["last_used"].is_null() {
            put_time("timestamp", first, &mut body);
        }
    }
    match op {
        "person.identify" => identify(events, &mut body),
        "person.event" | "person.page" | "person.screen" => acted(first, &mut body),
        "person.viewed_content" | "person.clicked_content" => content(first, &mut body),
        "person.add_device" | "person.delete_device" => device(first, &mut body),
        "person.merge" => {
            put("primary", trackway["primary"].clone(), &mut body);
            put("secondary", trackway["secondary"].clone(), &mut body);
        }
        "person.add_relationships" | "person.delete_relationships" => {
            put("cio_relationships", relations(events, "rel"), &mut body);
        }
        _ if op.starts_with("object.") => object(op, events, &mut body),
        "form.submit" => form(events, &mut body),
        "segment.add" | "segment.remove" => segment(events, &mut body),
        "delivery.unsubscribe" | "person.delete" | "person.suppress" | "person.unsuppress" => {}
        _ => message(op, first, &mut body),
    }
    Json::Object(body)
}

fn rest(event: &Json) -> Members {
    let mut rest = event["context"]["trackway"]["rest"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    rest.remove("no_attributes");
    rest
}

/// What was kept as it came wins.
fn put(key: &str, value: Json, body: &mut Members) {
    if !value.is_null() && !body.contains_key(key) {
        body.insert(key.to_owned(), value);
    }
}

fn head(op: &str, trackway: &Json, body: &mut Members) {
    let (kind, action) = op.split_once('.').unwrap();
    put("type", kind.into(), body);
    put("action", action.into(), body);
    let identifiers = if kind == "object" {
        &trackway["obj"]
    } else {
        &trackway["id"]
    };
    put("identifiers", identifiers.clone(), body);
}

fn put_time(key: &str, event: &Json, body: &mut Members) {
    let Some(text) = event["originalTimestamp"].as_str() else {
        return;
    };
    let since = text.parse::<jiff::Timestamp>().unwrap().as_duration();
    let seconds = match since.subsec_nanos() {
        0 => json!(since.as_secs()),
        _ => json!(since.as_secs_f64()),
    };
    put(key, seconds, body);
}

fn no_payload(event: &Json) -> bool {
    let trackway = &event["context"]["trackway"];
    trackway["rest"]["no_attributes"] == true || trackway["no_attributes"] == true
}

/// The payload, unless there was none or it was kept as it came.
fn put_payload(key: &str, payload: Members, event: &Json, body: &mut Members) {
    if !no_payload(event) {
        put(key, Json::Object(payload), body);
    }
}

fn members(value: &Json) -> Members {
    value.as_object().cloned().unwrap_or_default()
}

fn relations(events: &[Json], identifiers: &str) -> Json {
    let entry = |event: &Json| {
        let trackway = &event["context"]["trackway"];
        let mut entry = members(&trackway["rel_rest"]);
        put("identifiers", trackway[identifiers].clone(), &mut entry);
        put(
            "relationship_attributes",
            event["traits"]["relationshipAttributes"].clone(),
            &mut entry,
        );
        Json::Object(entry)
    };
    events.iter().map(entry).collect()
}

fn identify(events: &[Json], body: &mut Members) {
    let (first, related) = (&events[0], &events[1..]);
    let trackway = &first["context"]["trackway"];
    let anonymous = first["anonymousId"].clone();
    if trackway["api"] == "v1" {
        for (key, value) in members(&first["traits"]) {
            body.entry(key).or_insert(value);
        }
        put("anonymous_id", anonymous, body);
        put_time("_timestamp", first, body);
        if let Some(action) = trackway["rel_v1"].as_object() {
            let mut both = action.clone();
            both.insert("relationships".to_owned(), relations(related, "rel"));
            put("cio_relationships", Json::Object(both), body);
        }
        return;
    }
    let mut attributes = members(&first["traits"]);
    for key in ["_update", "anonymous_id"] {
        if let Some(value) = body.remove(key) {
            attributes.insert(key.to_owned(), value);
        }
    }
    if trackway["id"]["anonymous_id"].is_null() {
        put("anonymous_id", anonymous, &mut attributes);
    }
    put_payload("attributes", attributes, first, body);
    if !related.is_empty() {
        put("cio_relationships", relations(related, "rel"), body);
    }
}

fn acted(event: &Json, body: &mut Members) {
    let trackway = &event["context"]["trackway"];
    let kind = event["type"].as_str().unwrap();
    put(
        "name",
        event[if kind == "track" { "event" } else { "name" }].clone(),
        body,
    );
    if trackway["client_id"] == true {
        put("id", event["messageId"].clone(), body);
    }
    let mut properties = members(&event["properties"]);
    if !trackway["added"].is_null() {
        properties.remove("url");
    }
    if trackway["api"] == "v1" {
        if kind != "track" {
            put("type", kind.into(), body);
        }
        if trackway["placeholder"].is_null() {
            put("anonymous_id", event["anonymousId"].clone(), body);
        }
        put_time("timestamp", event, body);
        put_payload("data", properties, event, body);
    } else {
        put_payload("attributes", properties, event, body);
    }
}

fn content(event: &Json, body: &mut Members) {
    let trackway = &event["context"]["trackway"];
    if trackway["client_id"] == true {
        put("id", event["messageId"].clone(), body);
    }
    let mut attributes = members(&event["properties"]);
    attributes.remove("actionType");
    attributes.remove("activityType");
    attributes.extend(members(&trackway["clash"]));
    put_payload("attributes", attributes, event, body);
}

fn device(event: &Json, body: &mut Members) {
    let trackway = &event["context"]["trackway"];
    let mut device = members(&body.remove("device").unwrap_or_default());
    let token = if trackway["api"] == "v1" {
        "id"
    } else {
        "token"
    };
    put(
        token,
        event["context"]["device"]["token"].clone(),
        &mut device,
    );
    put(
        "platform",
        event["context"]["device"]["type"].clone(),
        &mut device,
    );
    if trackway["last_used"] == true {
        put_time("last_used", event, &mut device);
    }
    put("attributes", event["properties"].clone(), &mut device);
    body.insert("device".to_owned(), Json::Object(device));
}

fn object(op: &str, events: &[Json], body: &mut Members) {
    let first = &events[0];
    let trackway = &first["context"]["trackway"];
    match op {
        "object.delete" => {}
        "object.event" => {
            put("name", first["event"].clone(), body);
            if trackway["client_id"] == true {
                put("id", first["messageId"].clone(), body);
            }
            put_payload("attributes", members(&first["properties"]), first, body);
        }
        "object.identify" | "object.identify_anonymous" => {
            let mut attributes = members(&first["traits"]);
            attributes.remove("objectTypeId");
            attributes.extend(members(&trackway["clash"]));
            put_payload("attributes", attributes, first, body);
            put("anonymous_id", first["anonymousId"].clone(), body);
            if 1 < events.len() {
                put("cio_relationships", relations(&events[1..], "id"), body);
            }
        }
        _ => put("cio_relationships", relations(events, "id"), body),
    }
}

fn form(events: &[Json], body: &mut Members) {
    let mut data = members(&events[0]["traits"]);
    let mut about = members(&events[1]["properties"]);
    about.remove("formId");
    data.append(&mut about);
    put("data", Json::Object(data), body);
}

fn segment(events: &[Json], body: &mut Members) {
    let id = |event: &Json| {
        let trackway = &event["context"]["trackway"];
        let kinds = members(&trackway["id"]);
        let given = trackway["rest"].get("id").or_else(|| kinds.values().next());
        given.unwrap_or_else(|| &event["userId"]).clone()
    };
    body.remove("id");
    put("ids", events.iter().map(id).collect(), body);
}

fn message(op: &str, event: &Json, body: &mut Members) {
    let properties = &event["properties"];
    let value = |key: &str| properties.get(key).cloned();
    let names: &[(&str, &str)] = match op {
        "metrics.report" => &[
            ("delivery_id", "deliveryId"),
            ("metric", "metric"),
            ("recipient", "recipient"),
            ("reason", "reason"),
            ("href", "href"),
        ],
        "push.event" => &[
            ("delivery_id", "deliveryId"),
            ("event", "metric"),
            ("device_id", "recipient"),
        ],
        "in_app.event" => &[("delivery_id", "deliveryId"), ("event", "metric")],
        _ => &[("name", "metric")],
    };
    let mut inner = members(&body.remove("payload").unwrap_or_default());
    let target = if op == "in_app.event" {
        &mut inner
    } else {
        &mut *body
    };
    for (key, from) in names {
        if let Some(value) = value(from) {
            target.entry(*key).or_insert(value);
        }
    }
    put_time("timestamp", event, target);
    let mut metadata = members(&target.remove("metadata").unwrap_or_default());
    for (key, from) in [
        ("action_name", "actionName"),
        ("action_value", "actionValue"),
    ] {
        if let Some(value) = value(from) {
            metadata.insert(key.to_owned(), value);
        }
    }
    if !metadata.is_empty() {
        target.insert("metadata".to_owned(), Json::Object(metadata));
    }
    if op == "in_app.event" {
        put("type", "in_app".into(), body);
        body.insert("payload".to_owned(), Json::Object(inner));
    } else if op == "delivery.event" {
        body.insert("identifiers".to_owned(), json!({"id": value("deliveryId")}));
        let mut attributes = members(&body.remove("attributes").unwrap_or_default());
        attributes.insert(
            "device_token".to_owned(),
            value("recipient").unwrap_or_default(),
        );
        body.insert("attributes".to_owned(), Json::Object(attributes));
    }
}
