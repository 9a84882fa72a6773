//! How a destination, or a source's `forward`, is delivered.

use std::time::Duration;

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::settings::BatchOverride;
use crate::config::settings::DeliverySettings;
use crate::config::settings::Ordering;
use crate::config::settings::Start;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;

/// Most requests at once to one destination: more is an attack.
const CONCURRENCY_MAX: u32 = 1_024;
/// Most waits in a retry schedule.
const RETRIES_MAX: usize = 100;
/// Most items of one batch: no vendor takes more than a few thousand.
pub(super) const BATCH_ITEMS_MAX: u32 = 100_000;

impl Cx<'_> {
    /// The keys of delivery among `fields`; what is not there has its default.
    pub(super) fn delivery(&mut self, fields: &mut Fields<'_>) -> DeliverySettings {
        const ORDERING: [(&str, Ordering); 2] = [
            ("per_person", Ordering::PerPerson),
            ("none", Ordering::None),
        ];
        const START: [(&str, Start); 2] =
            [("latest", Start::Latest), ("earliest", Start::Earliest)];
        let defaults = DeliverySettings::default();
        DeliverySettings {
            ordering: fields
                .take("ordering")
                .and_then(|node| self.word(node, &ORDERING))
                .unwrap_or(defaults.ordering),
            concurrency: fields
                .take("concurrency")
                .and_then(|node| self.count(node, 1..=CONCURRENCY_MAX))
                .unwrap_or(defaults.concurrency),
            rate: fields
                .take("rate")
                .and_then(|node| self.parsed(node, "a rate", crate::config::quantity::rate)),
            timeout: fields
                .take("timeout")
                .and_then(|node| self.positive_duration(node))
                .unwrap_or(defaults.timeout),
            retry: fields
                .take("retry")
                .and_then(|node| self.retry(node))
                .unwrap_or(defaults.retry),
            batch: fields
                .take("batch")
                .map(|node| self.batch(node))
                .unwrap_or_default(),
            allow_private: fields
                .take("allow_private")
                .and_then(|node| self.flag(node))
                .unwrap_or(defaults.allow_private),
            start: fields
                .take("from")
                .and_then(|node| self.word(node, &START))
                .unwrap_or(defaults.start),
            renamed_from: fields
                .take("renamed_from")
                .and_then(|node| self.text(node).map(Into::into)),
        }
    }

    /// `[5s, 30s]` or `{schedule: [5s, 30s]}`; an empty list tries once.
    fn retry(&mut self, node: &Node) -> Option<Vec<Duration>> {
        let schedule = match &node.data {
            Data::Map(_) => {
                let mut fields = Fields::open(node, node.head(), "`retry`", self)?;
                let schedule = fields.require("schedule", self);
                fields.close(self);
                schedule?
            }
            _ => node,
        };
        let Data::List(waits) = &schedule.data else {
            return self.wrong_type(schedule, "a list of durations, as in `[5s, 30s, 5m]`,");
        };
        if RETRIES_MAX < waits.len() {
            let message = format!("at most {RETRIES_MAX} waits can be in a schedule");
            return self.refuse(Code::InvalidValue, schedule.span, message);
        }
        waits.iter().map(|wait| self.duration(wait)).collect()
    }

    fn batch(&mut self, node: &Node) -> BatchOverride {
        let Some(mut fields) = Fields::open(node, node.head(), "`batch`", self) else {
            return BatchOverride::default();
        };
        let batch = self.batch_limits(&mut fields);
        fields.close(self);
        batch
    }

    /// `items`, `bytes` and `wait`.
    pub(super) fn batch_limits(&mut self, fields: &mut Fields<'_>) -> BatchOverride {
        BatchOverride {
            items: fields
                .take("items")
                .and_then(|node| self.count(node, 1..=BATCH_ITEMS_MAX)),
            bytes: fields.take("bytes").and_then(|node| self.bytes(node, 1)),
            wait: fields.take("wait").and_then(|node| self.duration(node)),
        }
    }
}
