//! The operators' port: health, numbers, the active configuration, reload. Loopback by default.
//!
//! | request | answer |
//! |---|---|
//! | `GET /livez` | 200 while the process runs |
//! | `GET /readyz` | 200 while calls are accepted, 503 with the reason otherwise |
//! | `GET /metrics` | Prometheus text |
//! | `GET /-/config` | the active, the previous and the last refused configuration |
//! | `GET /-/status` | the journal and every destination |
//! | `POST /-/reload` | 200 live or unchanged, 409 some of it takes a restart, 422 refused |

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::Value;
use serde_json::json;

use crate::deliver::status::Activity;
use crate::deliver::status::DestinationStatus;
use crate::server::gateway::Gateway;
use crate::server::live::Past;
use crate::server::live::Rejected;
use crate::server::reload::Outcome;
use crate::server::reload::Trigger;

/// Answers one request of an operator.
pub async fn handle(
    gateway: Arc<Gateway>,
    trigger: Trigger,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/livez") => text(StatusCode::OK, "ok\n"),
        (&Method::GET, "/readyz") => ready(&gateway),
        (&Method::GET, "/metrics") => metrics(&gateway),
        (&Method::GET, "/-/config") => answer(StatusCode::OK, &configuration(&gateway)),
        (&Method::GET, "/-/status") => answer(StatusCode::OK, &status(&gateway)),
        (&Method::POST, "/-/reload") => reloaded(trigger.look().await),
        (_, "/livez" | "/readyz" | "/metrics" | "/-/config" | "/-/status" | "/-/reload") => text(
            StatusCode::METHOD_NOT_ALLOWED,
            "this path does not take that method\n",
        ),
        _ => text(StatusCode::NOT_FOUND, "no such path\n"),
    }
}

fn ready(gateway: &Gateway) -> Response<Full<Bytes>> {
    match gateway.engine().status().refusing {
        None => text(StatusCode::OK, "ready\n"),
        Some(reason) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            &format!("not ready: {reason}\n"),
        ),
    }
}

fn metrics(gateway: &Gateway) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::OK, &gateway.metrics().exposition());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn configuration(gateway: &Gateway) -> Value {
    let live = gateway.live();
    let active = live.active();
    let settings = &active.plan.settings;
    json!({
        "active": {
            "revision": active.number,
            "hash": active.hash.short(),
            "since": active.since.to_string(),
            "sources": settings.sources.iter().map(|it| json!({"id": &*it.id, "title": it.title()})).collect::<Vec<_>>(),
            "connections": settings.connections.iter().map(|it| &*it.name).collect::<Vec<_>>(),
            "destinations": settings.destinations.iter().map(|it| json!({"id": &*it.id, "type": it.definition.name})).collect::<Vec<_>>(),
        },
        "previous": live.previous().as_ref().map(past),
        "rejected": live.rejected().as_ref().map(rejected),
        "needs_restart": live.needs_restart(),
    })
}

fn past(past: &Past) -> Value {
    json!({"revision": past.number, "hash": past.hash.short(), "since": past.since.to_string()})
}

fn rejected(rejected: &Rejected) -> Value {
    json!({
        "hash": rejected.hash.short(),
        "at": rejected.at.to_string(),
        "text": rejected.text,
        "diagnostics": findings(&rejected.json),
    })
}

fn findings(lines: &[String]) -> Vec<Value> {
    lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn status(gateway: &Gateway) -> Value {
    let status = gateway.engine().status();
    json!({
        "journal": {
            "start": status.start.0,
            "end": status.end.0,
            "bytes": status.journal_bytes,
            "refusing": status.refusing,
        },
        "destinations": status.destinations.iter().map(destination).collect::<Vec<_>>(),
    })
}

fn destination(status: &DestinationStatus) -> Value {
    let (activity, until) = match &status.activity {
        Activity::Delivering => ("delivering", None),
        Activity::Paused { until, .. } => ("paused", Some(until.to_string())),
        Activity::Draining => ("draining", None),
        Activity::Stopped => ("stopped", None),
    };
    let tally = &status.tally;
    let sum = |counts: &std::collections::BTreeMap<_, u64>| counts.values().sum::<u64>();
    json!({
        "id": &*status.id,
        "revision": &*status.revision,
        "activity": activity,
        "paused_until": until,
        "watermark": status.watermark.0,
        "behind": status.behind,
        "pending": status.pending,
        "parked": status.parked,
        "in_flight": status.in_flight,
        "oldest": status.oldest.map(|oldest| oldest.to_string()),
        "delivered": tally.delivered,
        "unrouted": tally.unrouted,
        "dropped": tally.dropped.values().sum::<u64>(),
        "dead": sum(&tally.dead),
        "retried": sum(&tally.retried),
        "last_failure": status.last_failure.as_ref().map(|(at, reason)| {
            json!({"at": at.to_string(), "reason": reason.to_string()})
        }),
    })
}

fn reloaded(outcome: Option<Outcome>) -> Response<Full<Bytes>> {
    match outcome {
        None => text(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping\n"),
        Some(Outcome::Unchanged(hash)) => answer(
            StatusCode::OK,
            &json!({"result": "unchanged", "hash": hash.short()}),
        ),
        Some(Outcome::Applied(hash)) => answer(
            StatusCode::OK,
            &json!({"result": "applied", "hash": hash.short()}),
        ),
        Some(Outcome::NeedsRestart(hash, settings)) => answer(
            StatusCode::CONFLICT,
            &json!({"result": "needs_restart", "hash": hash.short(), "settings": settings}),
        ),
        Some(Outcome::Refused(refusal)) => answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!({
                "result": "refused",
                "hash": refusal.hash.short(),
                "text": refusal.text,
                "diagnostics": findings(&refusal.json),
            }),
        ),
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = text(status, &format!("{body:#}\n"));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
