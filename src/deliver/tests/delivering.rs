//! What destinations get, in which order, and what becomes of what they do not take.

use std::time::Duration;

use crate::deliver::status::Activity;
use crate::deliver::tests::Act;
use crate::deliver::tests::Fixture;
use crate::deliver::tests::Played;
use crate::event::delivery::ReasonClass;
use crate::event::record::StoredRequest;

#[tokio::test]
async fn a_single_event_does_not_wait_for_another() {
    let fixture = Fixture::new().await;
    let (one, other) = (Played::new("one"), Played::new("other"));
    fixture.run(&[&one, &other]).await;
    for n in 0..5 {
        fixture.append("anna", &n.to_string()).await;
        fixture
            .until("delivered", || {
                one.count() == n + 1 && other.count() == n + 1
            })
            .await;
    }
    assert_eq!(one.requests(), ["0", "1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_hanging_destination_costs_the_others_nothing() {
    let fixture = Fixture::new().await;
    let (dead, alive) = (Played::new("dead"), Played::new("alive"));
    dead.acts(|_, _| Act::Hang);
    fixture.run(&[&dead, &alive]).await;
    let before = fixture.clock.tick();
    for n in 0..500 {
        fixture.append(&format!("p{n}"), &n.to_string()).await;
    }
    fixture.until("delivered", || alive.count() == 500).await;
    assert_eq!(fixture.status("alive").tally.retried.len(), 0);
    assert_eq!(dead.count(), 4, "its own concurrency holds it back");
    assert!(
        fixture.clock.tick().since(before) < Duration::from_secs(30),
        "before any timeout"
    );
}

#[tokio::test]
async fn what_fails_is_tried_again_before_later_events_of_the_person() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    // Never more often than the schedule allows.
    played.acts(|body, n| Act::Answer(if body == "a1" && n < 3 { 503 } else { 200 }));
    fixture.run(&[&played]).await;
    for (person, body) in [("anna", "a1"), ("anna", "a2"), ("ben", "b1")] {
        fixture.append(person, body).await;
    }
    fixture.until_settled("crm").await;
    let requests = played.requests();
    let first = |body| requests.iter().position(|request| request == body).unwrap();
    let tried = requests.iter().filter(|request| *request == "a1").count();
    assert!(2 <= tried, "{requests:?}");
    assert!(requests.contains(&"b1".to_owned()));
    assert!(
        requests
            .iter()
            .rposition(|request| request == "a1")
            .unwrap()
            < first("a2")
    );
    assert!(fixture.dead_letters().await.is_empty());
}

#[tokio::test]
async fn what_is_refused_becomes_a_dead_letter_with_its_call() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|_, n| Act::Answer(if n == 0 { 422 } else { 200 }));
    fixture.run(&[&played]).await;
    let position = fixture.append("anna", "no").await;
    fixture.append("anna", "yes").await;
    fixture.until_settled("crm").await;
    assert_eq!(played.requests(), ["no", "yes"]);
    let letters = fixture.dead_letters().await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(
        (&*letter.destination, letter.id.position),
        ("crm", position)
    );
    assert_eq!(
        letter.reason.to_string(),
        "refused (status 422): as answered"
    );
    assert_eq!((letter.history.attempts, &*letter.message_id), (1, "m1"));
    assert!(letter.history.first_try.is_some());
    let request = StoredRequest::decode(&letter.call).unwrap();
    let record = request.records().next().unwrap().unwrap();
    assert_eq!(
        (request.source, record.params.id, record.body),
        ("web", Some("anna"), &b"no"[..])
    );
}

#[tokio::test]
async fn what_fails_too_often_becomes_a_dead_letter() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|body, _| Act::Answer(if body == "bad" { 500 } else { 200 }));
    fixture.run(&[&played]).await;
    fixture.append("anna", "bad").await;
    fixture.append("ben", "good").await;
    fixture.until_settled("crm").await;
    let letters = fixture.dead_letters().await;
    assert_eq!(letters[0].reason.class, ReasonClass::Expired);
    let text = &letters[0].reason.text;
    assert_eq!(
        text,
        "given up after 4 attempts; the last: unavailable (status 500): as answered"
    );
    assert_eq!(fixture.status("crm").tally.dead[&ReasonClass::Expired], 1);
}

#[tokio::test]
async fn verdicts_settle_at_once_and_are_counted() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    fixture.run(&[&played]).await;
    for body in ["drop", "unrouted", "fail", "ok", "drop", "unframeable"] {
        fixture.append("anna", body).await;
    }
    fixture.until_settled("crm").await;
    assert_eq!(played.requests(), ["ok"]);
    let tally = fixture.status("crm").tally;
    assert_eq!(
        (tally.delivered, tally.unrouted, tally.dropped["unwanted"]),
        (1, 1, 2)
    );
    let letters = fixture.dead_letters().await;
    let reasons: Vec<_> = letters
        .iter()
        .map(|letter| letter.reason.to_string())
        .collect();
    assert_eq!(
        reasons,
        ["mapping: routing.yaml:7", "mapping: not a header"]
    );
}

#[tokio::test]
async fn a_dead_destination_is_paused_and_its_events_do_not_pay_for_it() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|_, _| Act::Refuse(ReasonClass::Network));
    fixture.run(&[&played]).await;
    for n in 0..300 {
        fixture.append(&format!("p{n}"), &n.to_string()).await;
    }
    let is_paused = || matches!(fixture.status("crm").activity, Activity::Paused { .. });
    fixture.until("paused", is_paused).await;
    // Longer than the whole schedule of an event.
    let seen = played.count();
    fixture.until("probed", || seen + 20 < played.count()).await;
    assert!(is_paused());
    played.acts(|_, _| Act::Answer(200));
    fixture.until_settled("crm").await;
    assert_eq!(fixture.status("crm").tally.delivered, 300);
    assert!(fixture.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_destination_that_asks_for_time_gets_it() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|_, n| {
        if n == 0 {
            Act::AnswerLater(429, 50)
        } else {
            Act::Answer(200)
        }
    });
    fixture.run(&[&played]).await;
    let before = fixture.clock.tick();
    fixture.append("anna", "1").await;
    fixture.until_settled("crm").await;
    assert_eq!(played.count(), 2);
    assert!(Duration::from_secs(50) <= fixture.clock.tick().since(before));
}

#[tokio::test]
async fn a_missing_secret_and_a_refused_key_pause() {
    let fixture = Fixture::new().await;
    let mut played = Played::new("crm");
    played.plan.is_secret_gone = true;
    fixture.run(&[&played]).await;
    fixture.append("anna", "1").await;
    let is_paused = || matches!(fixture.status("crm").activity, Activity::Paused { .. });
    fixture.until("paused", is_paused).await;
    assert_eq!(played.count(), 0, "nothing is sent without it");
    played.plan.is_secret_gone = false;
    played.revision = "2".into();
    played.acts(|_, n| Act::Answer(if n < 2 { 401 } else { 200 }));
    fixture.run(&[&played]).await;
    fixture.until_settled("crm").await;
    assert_eq!(played.requests(), ["1", "1", "1"]);
    assert!(fixture.dead_letters().await.is_empty());
}

#[tokio::test]
async fn batches_are_filled_split_and_keep_their_order() {
    let fixture = Fixture::new().await;
    let mut played = Played::new("crm");
    played.batch.items = 4;
    played.batch.wait = Duration::from_secs(3600);
    played.acts(|body, _| match body {
        "bad" => Act::Answer(413),
        body if body.contains("bad") => Act::Answer(413),
        _ => Act::Answer(200),
    });
    fixture.run(&[&played]).await;
    for body in ["1", "2", "bad", "4", "5"] {
        fixture.append("anna", body).await;
    }
    fixture.until_settled("crm").await;
    let requests = played.requests();
    assert_eq!(requests[0], "1|2|bad|4");
    assert_eq!(requests[1], "1|2");
    let last: Vec<_> = requests[2..]
        .iter()
        .filter(|body| !body.contains("bad"))
        .collect();
    assert_eq!(last, ["4|5"]);
    assert_eq!(
        fixture.dead_letters().await[0].reason.class,
        ReasonClass::TooLarge
    );
}

#[tokio::test]
async fn what_hangs_or_panics_inside_a_sink_is_tried_again() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|_, n| match n {
        0 => Act::Panic,
        1 => Act::Hang,
        _ => Act::Answer(200),
    });
    fixture.run(&[&played]).await;
    fixture.append("anna", "1").await;
    fixture.until_settled("crm").await;
    let tally = fixture.status("crm").tally;
    assert_eq!((tally.delivered, played.count()), (1, 3));
    assert_eq!(tally.retried[&ReasonClass::Timeout], 1);
}
