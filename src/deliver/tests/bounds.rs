//! What happens at the limits of the data directory.

use std::time::Duration;

use crate::config::settings::OnFull;
use crate::deliver::AppendError;
use crate::deliver::checkpoint::Checkpoints;
use crate::deliver::storage::DiskStorage;
use crate::deliver::storage::Storage;
use crate::deliver::tests::Act;
use crate::deliver::tests::Fixture;
use crate::deliver::tests::Played;
use crate::event::delivery::ReasonClass;

const MIB: u64 = 1 << 20;

/// Some 60 kB that are good for nothing.
fn bulk() -> String {
    "x".repeat(60_000)
}

async fn fill(fixture: &Fixture) -> (usize, AppendError) {
    let mut taken = 0;
    loop {
        match fixture.try_append(&format!("p{taken}"), &bulk()).await {
            Ok(_) => taken += 1,
            Err(error) => return (taken, error),
        }
        assert!(taken < 1000, "no limit");
    }
}

#[tokio::test]
async fn a_journal_full_of_pending_calls_refuses_more_until_they_are_delivered() {
    let fixture = Fixture::with(|settings| settings.bytes_max = 4 * MIB).await;
    let played = Played::new("crm");
    played.acts(|_, _| Act::Answer(503));
    fixture.run(&[&played]).await;
    let (taken, error) = fill(&fixture).await;
    assert!(matches!(error, AppendError::Full { .. }), "{error}");
    assert!((50..70).contains(&taken), "{taken}");
    assert!(fixture.engine.status().refusing.is_some());
    assert!(fixture.engine.status().journal_bytes <= 5 * MIB);
    played.acts(|_, _| Act::Answer(200));
    fixture
        .until("delivered", || {
            fixture.status("crm").tally.delivered == taken as u64
        })
        .await;
    fixture
        .until("accepts", || fixture.engine.status().refusing.is_none())
        .await;
    for _ in 0..200 {
        // What is settled is known to be so once it is in a checkpoint.
        while let Err(error) = fixture.try_append("anna", &bulk()).await {
            assert!(matches!(error, AppendError::Full { .. }), "{error}");
            fixture.clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    }
    fixture.until_settled("crm").await;
    assert_eq!(fixture.status("crm").tally.evicted, 0);
    assert!(fixture.engine.status().journal_bytes <= 5 * MIB);
}

#[tokio::test]
async fn settled_calls_are_kept_until_they_are_old() {
    let fixture = Fixture::with(|settings| settings.retain = Duration::from_secs(3600)).await;
    let played = Played::new("crm");
    fixture.run(&[&played]).await;
    for n in 0..100 {
        fixture.append(&format!("p{n}"), &bulk()).await;
    }
    fixture.until_settled("crm").await;
    assert_eq!(fixture.engine.status().start.0, 0);
    fixture.clock.advance(Duration::from_secs(3700));
    fixture
        .until("freed", || 50 < fixture.engine.status().start.0)
        .await;
}

#[tokio::test]
async fn drop_oldest_gives_up_pending_calls_and_counts_them() {
    let change = |settings: &mut crate::config::settings::StorageSettings| {
        settings.bytes_max = 4 * MIB;
        settings.on_full = OnFull::DropOldest;
    };
    let fixture = Fixture::with(change).await;
    let played = Played::new("crm");
    played.acts(|_, _| Act::Answer(503));
    fixture.run(&[&played]).await;
    for n in 0..200 {
        fixture
            .append(&format!("p{n}"), &format!("{n}{}", bulk()))
            .await;
    }
    played.acts(|_, _| Act::Answer(200));
    fixture.until_settled("crm").await;
    let tally = fixture.status("crm").tally;
    let lost: u64 = tally.dead.values().sum::<u64>() + tally.evicted;
    assert!(0 < lost);
    assert_eq!(tally.delivered + lost, 200, "{tally:?}");
}

#[tokio::test]
async fn what_is_too_old_becomes_a_dead_letter_even_while_the_destination_is_down() {
    let ttl = Some(Duration::from_secs(60));
    let fixture = Fixture::with(|settings| settings.ttl = ttl).await;
    let played = Played::new("crm");
    played.acts(|_, _| Act::Refuse(ReasonClass::Network));
    fixture.run(&[&played]).await;
    for n in 0..500 {
        fixture.append(&format!("p{n}"), &n.to_string()).await;
    }
    fixture.until_settled("crm").await;
    let letters = fixture.dead_letters().await;
    assert_eq!(letters.len(), 500);
    assert!(
        letters
            .iter()
            .all(|letter| letter.reason.class == ReasonClass::Expired)
    );
    assert!(letters.iter().all(|letter| !letter.call.is_empty()));
}

#[tokio::test]
async fn a_disk_that_runs_low_refuses_and_goes_on_delivering() {
    let fixture = Fixture::with(|settings| settings.free_bytes_min = u64::MAX).await;
    let played = Played::new("crm");
    fixture.run(&[&played]).await;
    fixture
        .until("is low", || fixture.engine.status().refusing.is_some())
        .await;
    let error = fixture.try_append("anna", "1").await.unwrap_err();
    assert!(matches!(error, AppendError::Full { retry_after } if Duration::ZERO < retry_after));
}

#[tokio::test]
async fn the_checkpoint_of_a_removed_destination_is_kept_for_a_week() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let mut fixture = Fixture::new().await;
    let (crm, other) = (Played::new("crm"), Played::new("other"));
    fixture.run(&[&crm, &other]).await;
    fixture.append("anna", "1").await;
    fixture.until_settled("crm").await;
    fixture.run(&[&other]).await;
    let storage = DiskStorage::open(fixture.dir.path()).unwrap();
    let checkpoints = Checkpoints::new(storage.directory("checkpoint").unwrap());
    for (days, destinations) in [(6, vec!["crm", "other"]), (8, vec!["other"])] {
        fixture.clock.advance(days * DAY);
        fixture = fixture.restart().await;
        fixture.run(&[&other]).await;
        let is_done = || checkpoints.destinations().unwrap() == destinations;
        fixture.until("forgets", is_done).await;
    }
}
