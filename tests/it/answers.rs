//! What the answers of the built-in destinations mean: the response rules of their definitions.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::StatusCode;
use http::header;
use tempfile::TempDir;
use trackway::clock::Timestamp;
use trackway::event::delivery::Answer;
use trackway::event::delivery::Batch;
use trackway::event::delivery::Judge as _;
use trackway::event::delivery::Judgement;
use trackway::event::delivery::LaneId;
use trackway::event::delivery::Outcome;
use trackway::event::delivery::ReasonClass;
use trackway::route::Plan;
use trackway::server::configuration;
use trackway::server::configuration::Environment;

const ROUTING: &str = "trackway: 1
destinations:
  mixpanel: {type: mixpanel, settings: {project_token: secret://env/TOKEN}}
  pipelines: {type: customerio_pipelines, settings: {write_key: secret://env/KEY, mode: batch}}
";

fn plan() -> Arc<Plan> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("routing.yaml");
    std::fs::write(&path, ROUTING).unwrap();
    let candidate = configuration::read(Path::new(&path), &Environment::offline(Arc::default()));
    candidate.plan().unwrap().clone()
}

/// The meaning of an answer to a batch of three.
fn judged(place: (&str, &str), status: u16, body: &str) -> Judgement {
    let plan = plan();
    let destination = plan.destination(place.0).unwrap();
    let lane = destination
        .lanes
        .iter()
        .position(|lane| lane.settings.name == place.1)
        .unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, "7".parse().unwrap());
    let now = Timestamp::from_millis(0);
    let batch = Batch {
        lane: LaneId(u16::try_from(lane).unwrap()),
        bodies: &[b"{}", b"{}", b"{}"],
        message_ids: &["m-0", "m-1", "m-2"],
        attempt: 1,
        now,
    };
    let answer = Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: &headers,
        body: body.as_bytes(),
        now,
    };
    destination.judge(&batch, &answer)
}

const IMPORT: (&str, &str) = ("mixpanel", "import");
const ENGAGE: (&str, &str) = ("mixpanel", "engage");

#[test]
fn mixpanel_took_what_it_does_not_list() {
    let body = r#"{"code":400,"failed_records":[{"index":1,"field":"properties.time","message":"too old"}]}"#;
    let Judgement::Each(outcomes) = judged(IMPORT, 400, body) else {
        panic!("not item by item")
    };
    assert!(matches!(outcomes[0], Outcome::Delivered));
    assert!(matches!(outcomes[2], Outcome::Delivered));
    let Outcome::Reject(reason) = &outcomes[1] else {
        panic!("taken")
    };
    assert!(reason.text.contains("properties.time, too old"), "{reason}");
}

#[test]
fn mixpanel_refusing_a_batch_without_a_list_is_asked_about_halves() {
    let judgement = judged(IMPORT, 400, r#"{"code":400,"error":"some"}"#);
    assert!(matches!(judgement, Judgement::Split(reason) if reason.class == ReasonClass::Refused));
    let judgement = judged(IMPORT, 413, "");
    assert!(matches!(judgement, Judgement::Split(reason) if reason.class == ReasonClass::TooLarge));
}

#[test]
fn a_profile_update_is_refused_by_a_status_inside_a_200() {
    assert!(matches!(
        judged(ENGAGE, 200, r#"{"status":0,"error":"bad"}"#),
        Judgement::Split(_)
    ));
    let taken = judged(ENGAGE, 200, r#"{"status":1,"error":null}"#);
    assert!(matches!(taken, Judgement::All(Outcome::Delivered)));
}

#[test]
fn a_wrong_key_pauses_and_a_fast_pace_waits_as_long_as_asked() {
    assert!(matches!(judged(IMPORT, 401, ""), Judgement::Pause(_)));
    let Judgement::All(Outcome::Retry { after, .. }) = judged(IMPORT, 429, "") else {
        panic!("not tried again")
    };
    assert_eq!(after, Some(Duration::from_secs(7)));
}

#[test]
fn pipelines_refuses_one_event_for_good_and_a_batch_in_halves() {
    let body = r#"{"meta":{"errors":["bad"]}}"#;
    assert!(matches!(
        judged(("pipelines", "batch"), 400, body),
        Judgement::Split(_)
    ));
    let one = judged(("pipelines", "track"), 400, body);
    assert!(matches!(one, Judgement::All(Outcome::Reject(_))));
}
