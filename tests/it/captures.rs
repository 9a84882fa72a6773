//! What real SDKs sent to a recorder, replayed: status and calls are as reviewed.
//!
//! `tests/captures/README.md` says what the lines are.

use std::collections::BTreeMap;

use serde::Deserialize;
use trackway::event::Call;

use crate::inbound_fixture::Inbound;

const REQUESTS: &str = include_str!("../captures/requests.jsonl");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Captured {
    clients: BTreeMap<String, u32>,
    method: String,
    target: String,
    content_type: Option<String>,
    authorization: Option<String>,
    #[serde(default)]
    body: String,
    status: u16,
    #[serde(default)]
    calls: Vec<Expected>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    op: String,
    item: Option<u16>,
    #[serde(default)]
    params: BTreeMap<String, String>,
    body: Option<String>,
}

impl Expected {
    /// What a call is, in the terms of a line; a body equal to the request's is not written there.
    fn of(call: &Call, request_body: &str) -> Self {
        let params = &call.params;
        let named = [
            ("id", &params.id),
            ("device_id", &params.device_id),
            ("segment_id", &params.segment_id),
            ("id_type", &params.id_type),
            ("form_id", &params.form_id),
            ("delivery_id", &params.delivery_id),
        ];
        let body = std::str::from_utf8(&call.body).unwrap();
        Self {
            op: call.operation.name().to_owned(),
            item: call.item,
            params: named
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
                .collect(),
            body: (body != request_body).then(|| body.to_owned()),
        }
    }
}

fn captured() -> impl Iterator<Item = (usize, Captured)> {
    (1..).zip(REQUESTS.lines()).map(|(line, text)| {
        (
            line,
            serde_json::from_str(text).unwrap_or_else(|error| panic!("line {line}: {error}")),
        )
    })
}

#[test]
fn every_captured_request_gets_the_reviewed_answer() {
    for (line, captured) in captured() {
        let outcome = Inbound {
            method: &captured.method,
            target: &captured.target,
            authorization: captured.authorization.as_deref(),
            content_type: captured.content_type.as_deref(),
            body: &captured.body,
        }
        .send();
        let at = format!("line {line}: {} {}", captured.method, captured.target);
        assert_eq!(
            outcome.status(),
            captured.status,
            "{at}: {}",
            outcome.text()
        );
        let calls: Vec<_> = outcome
            .calls
            .iter()
            .map(|call| Expected::of(call, &captured.body))
            .collect();
        assert_eq!(calls, captured.calls, "{at}");
        let text = outcome.text();
        let is_json = serde_json::from_str::<serde_json::Value>(text).is_ok();
        assert!(text.is_empty() || is_json, "{at}: {text}");
    }
}

#[test]
fn no_captured_request_was_lost() {
    let mut per_client = BTreeMap::new();
    for (_, captured) in captured() {
        for (client, count) in captured.clients {
            *per_client.entry(client).or_insert(0) += count;
        }
    }
    assert_eq!(per_client.values().sum::<u32>(), 447, "{per_client:?}");
    assert_eq!(per_client.len(), 9, "{per_client:?}");
}
