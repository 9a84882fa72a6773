//! What survives a stop, a crash and an edit.

use std::time::Duration;

use crate::config::settings::Start;
use crate::deliver::checkpoint::Checkpoints;
use crate::deliver::courier::memory::Pending;
use crate::deliver::storage::DiskStorage;
use crate::deliver::storage::Storage;
use crate::deliver::tests::Act;
use crate::deliver::tests::Fixture;
use crate::deliver::tests::Played;
use crate::deliver::tests::sorted;

#[tokio::test]
async fn a_stop_loses_nothing_and_repeats_nothing() {
    let mut fixture = Fixture::new().await;
    let played = Played::new("crm");
    for round in 0..3 {
        fixture.run(&[&played]).await;
        for n in 0..20 {
            fixture
                .append(&format!("p{n}"), &format!("{round}.{n}"))
                .await;
        }
        fixture = fixture.restart().await;
    }
    fixture.run(&[&played]).await;
    fixture.until_settled("crm").await;
    assert_eq!(played.count(), 60);
    assert_eq!(sorted(played.requests()).len(), 60);
}

#[tokio::test]
async fn a_crash_loses_nothing_and_repeats_what_was_not_checkpointed() {
    let mut fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|body, n| {
        Act::Answer(if body.ends_with('7') && n % 2 == 0 {
            503
        } else {
            200
        })
    });
    for round in 0..6 {
        fixture.run(&[&played]).await;
        let some = played.count() + 5;
        for n in 0..20 {
            fixture
                .append(&format!("p{n}"), &format!("{round}.{n}"))
                .await;
        }
        fixture
            .until("some arrive", || some <= played.count())
            .await;
        fixture = fixture.crash().await;
    }
    fixture.run(&[&played]).await;
    fixture.until_settled("crm").await;
    assert_eq!(sorted(played.requests()).len(), 120);
}

#[tokio::test]
async fn a_retry_keeps_its_place_and_its_time_over_a_crash() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|body, _| match body {
        "a1" => Act::AnswerLater(503, 1_000_000),
        _ => Act::Answer(200),
    });
    fixture.run(&[&played]).await;
    for (person, body) in [("anna", "a1"), ("anna", "a2"), ("ben", "b1")] {
        fixture.append(person, body).await;
    }
    let storage = DiskStorage::open(fixture.dir.path()).unwrap();
    let checkpoints = Checkpoints::new(storage.directory("checkpoint").unwrap());
    fixture
        .until("checkpointed", || {
            let memory = checkpoints.load("crm").unwrap().unwrap().memory;
            let is_parked = |pending: &Pending| pending.history.failures == 1;
            memory.cursor.0 == 3 && memory.pending.len() == 2 && is_parked(&memory.pending[0])
        })
        .await;
    let fixture = fixture.crash().await;
    fixture.run(&[&played]).await;
    fixture.append("carl", "c1").await;
    fixture
        .until("goes on", || played.requests().contains(&"c1".to_owned()))
        .await;
    assert_eq!(sorted(played.requests()).len(), 3);
    assert_eq!(
        played.count(),
        3,
        "a1 came too early: {:?}",
        played.requests()
    );
    played.acts(|_, _| Act::Answer(200));
    fixture.clock.advance(Duration::from_secs(1_100_000));
    fixture.until_settled("crm").await;
    assert_eq!(played.requests()[3..], ["a1", "a2"]);
}

#[tokio::test]
async fn a_dead_letter_is_on_disk_before_the_checkpoint_passes() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    played.acts(|_, _| Act::Answer(400));
    fixture.run(&[&played]).await;
    for n in 0..50 {
        fixture.append(&format!("p{n}"), &n.to_string()).await;
    }
    fixture
        .until("some are refused", || 10 < played.count())
        .await;
    let fixture = fixture.crash().await;
    let letters = fixture.dead_letters().await;
    let storage = DiskStorage::open(fixture.dir.path()).unwrap();
    let checkpoints = Checkpoints::new(storage.directory("checkpoint").unwrap());
    let memory = checkpoints.load("crm").unwrap().unwrap().memory;
    for position in 0..memory.watermark().0 {
        assert!(
            letters
                .iter()
                .any(|letter| letter.id.position.0 == position)
        );
    }
    fixture.run(&[&played]).await;
    fixture.until_settled("crm").await;
    let letters = fixture.dead_letters().await;
    let positions: std::collections::BTreeSet<_> =
        letters.iter().map(|letter| letter.id.position).collect();
    assert_eq!(positions.len(), 50);
}

#[tokio::test]
async fn destinations_start_where_they_are_told_to() {
    let fixture = Fixture::new().await;
    let old = Played::new("old");
    fixture.run(&[&old]).await;
    fixture.append("anna", "1").await;
    fixture.until_settled("old").await;
    let latest = Played::new("latest");
    let mut earliest = Played::new("earliest");
    earliest.delivery.start = Start::Earliest;
    let mut renamed = Played::new("renamed");
    renamed.delivery.renamed_from = Some("old".into());
    renamed.delivery.start = Start::Earliest;
    fixture.run(&[&latest, &earliest, &renamed]).await;
    fixture.append("anna", "2").await;
    for id in ["latest", "earliest", "renamed"] {
        fixture.until_settled(id).await;
    }
    assert_eq!(old.requests(), ["1"]);
    assert_eq!(latest.requests(), ["2"]);
    assert_eq!(earliest.requests(), ["1", "2"]);
    assert_eq!(renamed.requests(), ["2"]);
    fixture.run(&[&old]).await;
    fixture.until_settled("old").await;
    assert_eq!(
        old.requests(),
        ["1", "2"],
        "a removed one that comes back goes on"
    );
}

#[tokio::test]
async fn a_new_destination_gets_what_is_accepted_after_it_even_over_a_crash() {
    let fixture = Fixture::new().await;
    let played = Played::new("crm");
    fixture.append("anna", "before").await;
    fixture.run(&[&played]).await;
    played.acts(|_, _| Act::Hang);
    fixture.append("anna", "after").await;
    let fixture = fixture.crash().await;
    played.acts(|_, _| Act::Answer(200));
    fixture.run(&[&played]).await;
    fixture.until_settled("crm").await;
    assert_eq!(sorted(played.requests()), sorted(vec!["after".to_owned()]));
}

#[tokio::test]
async fn what_is_pending_is_rendered_under_the_new_plan() {
    let fixture = Fixture::new().await;
    let mut played = Played::new("crm");
    let other = Played::new("other");
    played.batch.items = 10;
    played.batch.wait = Duration::from_secs(3600);
    fixture.run(&[&played, &other]).await;
    for n in 0..3 {
        fixture.append("anna", &n.to_string()).await;
    }
    fixture
        .until("waits to fill", || fixture.status("crm").pending == 3)
        .await;
    fixture.until_settled("other").await;
    played.plan.prefix = "new ";
    played.revision = "2".into();
    played.batch.wait = Duration::ZERO;
    let before = fixture.clock.tick();
    fixture.run(&[&played, &other]).await;
    fixture.until_settled("crm").await;
    assert_eq!(played.requests(), ["new 0|new 1|new 2"]);
    assert!(fixture.clock.tick().since(before) < Duration::from_secs(60));
    assert_eq!(
        other.count(),
        3,
        "nothing happens to one that did not change"
    );
    assert_eq!(fixture.status("other").tally.delivered, 3);
}

#[tokio::test]
async fn a_drain_sends_what_waits_and_does_not_wait_for_what_hangs() {
    let fixture = Fixture::new().await;
    let (mut slow, hung) = (Played::new("slow"), Played::new("hung"));
    slow.batch.items = 10;
    slow.batch.wait = Duration::from_secs(3600);
    hung.acts(|_, _| Act::Hang);
    fixture.run(&[&slow, &hung]).await;
    fixture.append("anna", "1").await;
    fixture
        .until("both have it", || {
            fixture.status("slow").pending == 1 && hung.count() == 1
        })
        .await;
    let clock = fixture.clock.clone();
    let draining = fixture.engine.drain(Duration::from_secs(10));
    let passing = async {
        loop {
            clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = draining => {}
        () = passing => {}
    }
    assert_eq!(slow.requests(), ["1"]);
    let fixture = fixture.crash().await;
    hung.acts(|_, _| Act::Answer(200));
    fixture.run(&[&slow, &hung]).await;
    fixture.until_settled("hung").await;
    assert_eq!(hung.requests(), ["1", "1"]);
    assert_eq!(slow.count(), 1);
}
