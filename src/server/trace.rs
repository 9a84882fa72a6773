//! One request through the whole configuration, every step told; nothing is stored, nothing leaves.

use std::sync::Arc;

use serde_json::Value as Json;
use serde_json::json;

use crate::clock::Timestamp;
use crate::config::settings::CaseRequest;
use crate::config::settings::ConnectionSettings;
use crate::event::Item;
use crate::event::Record;
use crate::event::delivery::Part;
use crate::event::delivery::Rendered;
use crate::event::delivery::Verdict;
use crate::event::record::StoredRequest;
use crate::expr::EvalError;
use crate::route::Plan;
use crate::route::Witness;
use crate::route::secret::masked;
use crate::server::cases::accept;
use crate::server::cases::describe;
use crate::server::expectation::text;
use crate::server::respond;
use crate::value::Arena;
use crate::value::Value;

/// What happened, as data: the JSON that `trackway trace --format json` prints.
pub fn trace(plan: &Plan, request: &CaseRequest, now: Timestamp) -> Json {
    let source = plan
        .settings
        .sources
        .iter()
        .find(|source| source.id == request.source);
    let title = source.map(crate::config::settings::SourceSettings::title);
    let bytes = match accept(plan, request, now) {
        Ok(bytes) => bytes,
        Err(rejection) => {
            return json!({
                "source": {"id": &*request.source, "title": title},
                "refused": {
                    "status": respond::status(&rejection.cause).as_u16(),
                    "reason": rejection.cause.to_string(),
                },
                "calls": [],
            });
        }
    };
    let mut calls = Vec::new();
    if let Ok(stored) = StoredRequest::decode(&bytes) {
        calls.extend(stored.records().flatten().map(|record| call(plan, &record)));
    }
    json!({"source": {"id": &*request.source, "title": title}, "refused": null, "calls": calls})
}

fn call(plan: &Plan, record: &Record<'_>) -> Json {
    let (mut arena, mut rendered) = (Arena::new(), Rendered::default());
    let mut translation = Steps::default();
    if let Some(verdict) = plan.events(record, &mut arena, &mut translation) {
        translation.verdict(Part::default(), &verdict);
    }
    let destinations: Vec<_> = plan
        .destinations
        .iter()
        .map(|destination| {
            let mut steps = Steps::default();
            destination.render(record, &mut arena, &mut rendered, &mut steps);
            json!({
                "destination": &*destination.settings.id,
                "connections": steps.connections,
                "mapped": steps.mapped,
                "sent": steps.items,
                "not_sent": steps.verdicts,
            })
        })
        .collect();
    let forward = plan
        .forwards
        .iter()
        .find(|it| *it.source.id == *record.request.source);
    json!({
        "operation": record.operation.name(),
        "api": record.api.name(),
        "item": record.item,
        "body": json_of(record.body),
        "rules": translation.rules,
        "events": translation.events,
        "failed": translation.verdicts,
        "destinations": destinations,
        "forward": forward.map(|forward| forward.settings.url.to_string()),
    })
}

#[derive(Debug, Default)]
struct Steps {
    rules: Vec<Json>,
    events: Vec<Json>,
    connections: Vec<Json>,
    mapped: Vec<Json>,
    items: Vec<Json>,
    verdicts: Vec<Json>,
}

impl Witness for Steps {
    fn rule(&mut self, name: &str, matched: Result<bool, &EvalError>) {
        self.rules
            .push(json!({"rule": name, "matched": matched_json(matched)}));
    }

    fn event(&mut self, _part: Part, event: Value<'_>) {
        self.events.push(json_of(text(event).as_bytes()));
    }

    fn connection(
        &mut self,
        part: Part,
        connection: &ConnectionSettings,
        matched: Result<bool, &EvalError>,
    ) {
        let name: &Arc<str> = &connection.name;
        self.connections.push(json!({
            "event": part.event,
            "connection": &**name,
            "matched": matched_json(matched),
        }));
    }

    fn mapped(&mut self, part: Part, event: Value<'_>) {
        self.mapped
            .push(json!({"event": part.event, "to": json_of(text(event).as_bytes())}));
    }

    fn item(&mut self, item: &Item, body: &[u8]) {
        self.items.push(json!({
            "event": item.part.event,
            "lane": item.lane.0,
            "body": json_of(&masked(body)),
        }));
    }

    fn verdict(&mut self, part: Part, verdict: &Verdict) {
        self.verdicts
            .push(json!({"event": part.event, "why": describe(verdict)}));
    }
}

fn matched_json(matched: Result<bool, &EvalError>) -> Json {
    match matched {
        Ok(matched) => Json::Bool(matched),
        Err(error) => json!({"error": error.code.to_string(), "message": error.message}),
    }
}

/// JSON as data. What does not fit `serde_json`, such as `1e400`, is shown as its text.
fn json_of(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Json::String(String::from_utf8_lossy(bytes).into_owned()))
}
