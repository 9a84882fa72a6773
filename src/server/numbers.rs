//! What the engine counts, shown on `/metrics` under stable names.

use std::sync::Weak;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::EncodeMetric as _;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::deliver::Engine;
use crate::deliver::status::Activity;
use crate::deliver::status::DestinationStatus;
use crate::deliver::status::EngineStatus;

/// Reads the status of an engine when asked; nothing once the engine is gone.
#[derive(Debug)]
pub(super) struct EngineNumbers {
    engine: Weak<Engine>,
}

impl EngineNumbers {
    /// Numbers of `engine`.
    pub(super) const fn new(engine: Weak<Engine>) -> Self {
        Self { engine }
    }
}

impl Collector for EngineNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let Some(engine) = self.engine.upgrade() else {
            return Ok(());
        };
        let status = engine.status();
        gauge(
            &mut encoder,
            ("journal_bytes", "Bytes of journal on disk"),
            status.journal_bytes,
        )?;
        let refusing = u64::from(status.refusing.is_some());
        gauge(
            &mut encoder,
            ("journal_refusing", "1 while nothing is accepted"),
            refusing,
        )?;
        gauges(&mut encoder, &status)?;
        outcomes(&mut encoder, &status)
    }
}

fn gauges(encoder: &mut DescriptorEncoder<'_>, status: &EngineStatus) -> std::fmt::Result {
    type Read = fn(&DestinationStatus) -> u64;
    let gauges: [(&str, &str, Read); 5] = [
        (
            "calls_behind",
            "Calls a destination has not read yet",
            |it| it.behind,
        ),
        ("events_pending", "Events read and not settled", |it| {
            it.pending
        }),
        ("events_parked", "Events waiting for a retry", |it| {
            it.parked
        }),
        ("requests_in_flight", "Requests under way", |it| {
            it.in_flight
        }),
        (
            "destination_paused",
            "1 while the destination fails as a whole",
            |it| u64::from(matches!(it.activity, Activity::Paused { .. })),
        ),
    ];
    for (name, about, read) in gauges {
        let mut family = encoder.encode_descriptor(name, about, None, MetricType::Gauge)?;
        for destination in &status.destinations {
            let labels = [("destination", destination.id.to_string())];
            number(read(destination)).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn outcomes(encoder: &mut DescriptorEncoder<'_>, status: &EngineStatus) -> std::fmt::Result {
    let about = "Events by what became of them";
    let mut family = encoder.encode_descriptor("events", about, None, MetricType::Counter)?;
    for destination in &status.destinations {
        let tally = &destination.tally;
        let simple = [
            ("delivered", tally.delivered),
            ("unrouted", tally.unrouted),
            ("superseded", tally.superseded),
            ("damaged", tally.damaged),
            ("evicted", tally.evicted),
        ];
        let dropped = tally
            .dropped
            .iter()
            .map(|(why, n)| ("dropped", why.to_string(), *n));
        let dead = tally
            .dead
            .iter()
            .map(|(class, n)| ("dead", class.name().to_owned(), *n));
        let retried = tally
            .retried
            .iter()
            .map(|(class, n)| ("retried", class.name().to_owned(), *n));
        let simple = simple
            .into_iter()
            .map(|(outcome, n)| (outcome, String::new(), n));
        for (outcome, reason, count) in simple.chain(dropped).chain(dead).chain(retried) {
            let labels = [
                ("destination", destination.id.to_string()),
                ("outcome", outcome.to_owned()),
                ("reason", reason),
            ];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    (name, about): (&str, &str),
    value: u64,
) -> std::fmt::Result {
    let metric = encoder.encode_descriptor(name, about, None, MetricType::Gauge)?;
    number(value).encode(metric)
}

fn number(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
