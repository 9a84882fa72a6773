//! Power cuts at any operation of the disk, again and again: what was accepted arrives or is a dead
//! letter.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;
use crate::clock::Timestamp;
use crate::config::settings::OnFull;
use crate::config::settings::StorageSettings;
use crate::deliver::Engine;
use crate::deliver::journal::Position;
use crate::deliver::storage::simulated::Operation;
use crate::deliver::storage::simulated::SimulatedDisk;
use crate::deliver::tests::Act;
use crate::deliver::tests::Played;
use crate::deliver::tests::request;

const CUTS: u32 = 12;

async fn open(disk: &SimulatedDisk, clock: &Clock) -> Result<Engine, crate::deliver::OpenError> {
    let settings = StorageSettings {
        dir: "simulated".into(),
        bytes_max: 2 << 20,
        retain: Duration::ZERO,
        ttl: None,
        free_bytes_min: 0,
        on_full: OnFull::Reject,
        segment_bytes: 64 << 10,
    };
    let (storage, clock) = (disk.storage(), clock.clone());
    let opened = tokio::task::spawn_blocking(move || Engine::open_in(storage, settings, clock));
    opened.await.unwrap()
}

async fn pass(clock: &Clock, steps: u32) {
    for _ in 0..steps {
        clock.advance(Duration::from_millis(10));
        tokio::task::yield_now().await;
    }
}

async fn cut_and_cut(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let disk = SimulatedDisk::new(seed);
    let clock = Clock::manual(Timestamp::from_millis(0));
    let played = Played::new("crm");
    played.acts(|body, n| {
        Act::Answer(match (body.as_bytes().last(), n % 3) {
            (Some(b'3'), _) => 400,
            (Some(b'5'), 0) => 503,
            _ => 200,
        })
    });
    let mut accepted = BTreeMap::new();
    let mut next = 0;
    for round in 0..=CUTS {
        let Ok(engine) = open(&disk, &clock).await else {
            continue;
        };
        let started = engine.reconcile(vec![played.destination()]).await.is_ok();
        if round < CUTS {
            disk.cut_power_after(rng.u64(0..300));
        }
        for _ in 0..rng.u32(1..40) {
            let body = format!("{} {next}", "x".repeat(rng.usize(0..3000)));
            let (receipt, call) = request(clock.now(), &format!("p{}", next % 7), &body);
            // The first start decides from where on the destination gets anything.
            if engine.append(&receipt, &[call]).await.is_ok() && (started || 0 < round) {
                accepted.insert(body, next);
            }
            next += 1;
            pass(&clock, rng.u32(0..30)).await;
        }
        if round < CUTS {
            pass(&clock, rng.u32(0..300)).await;
            drop(engine);
            disk.cut_power();
            continue;
        }
        let is_settled = || {
            let status = engine.status();
            status.destinations[0].watermark == status.end
        };
        let mut waits = 0;
        while !is_settled() {
            pass(&clock, 1).await;
            waits += 1;
            assert!(waits < 10_000_000, "{:?}", engine.status());
        }
        let mut dead = Vec::new();
        let mut from = Position(0);
        loop {
            let (letters, next) = engine.dead_letters(from).await.unwrap();
            dead.extend(letters.into_iter().map(|letter| letter.call));
            if next == from {
                break;
            }
            from = next;
        }
        let requests = played.requests();
        for (body, n) in &accepted {
            let is_dead = dead.iter().any(|call| call.ends_with(body.as_bytes()));
            let is_over = if body.ends_with('3') {
                is_dead
            } else {
                requests.contains(body)
            };
            assert!(is_over, "seed {seed}: {n} of {next} is lost");
        }
        assert!(10 < accepted.len(), "seed {seed}: too little was accepted");
    }
}

#[tokio::test]
async fn nothing_accepted_is_lost_however_often_the_power_goes() {
    for seed in 0..4 {
        cut_and_cut(seed).await;
    }
}

#[tokio::test]
async fn checkpoints_that_cannot_be_written_stop_nothing_but_the_release() {
    let disk = SimulatedDisk::new(1);
    let clock = Clock::manual(Timestamp::from_millis(0));
    let played = Played::new("crm");
    let engine = open(&disk, &clock).await.unwrap();
    engine.reconcile(vec![played.destination()]).await.unwrap();
    played.acts(|_, _| Act::Answer(401));
    for n in 0..50 {
        let (receipt, call) = request(clock.now(), "anna", &format!("{n} {}", "x".repeat(4000)));
        engine.append(&receipt, &[call]).await.unwrap();
    }
    disk.fail(Operation::Rename, 0, u64::MAX, rustix::io::Errno::IO);
    played.acts(|_, _| Act::Answer(200));
    let delivered = || engine.status().destinations[0].tally.delivered;
    while delivered() < 50 {
        pass(&clock, 1).await;
    }
    pass(&clock, 1000).await;
    assert_eq!(
        engine.status().start,
        Position(0),
        "what no checkpoint on disk has passed"
    );
    disk.heal();
    while engine.status().start == Position(0) {
        pass(&clock, 1).await;
    }
    assert_eq!(delivered(), 50);
}
