//! Counting: every number the gateway shows on `/metrics`, in one place.
//!
//! Whoever counts on the way of a request holds its counter, looked up once; no lock is taken per
//! call. Names and labels are an interface: dashboards are built on them.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Labels of what is counted for each source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabels {
    /// The source's key in routing.yaml.
    pub source: String,
    /// The operation, `person.event`.
    pub operation: String,
}

/// Labels of refused requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RejectionLabels {
    /// The status that was answered.
    pub status: u16,
    /// Why, one word.
    pub reason: String,
}

/// Labels of reloads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReloadLabels {
    /// `applied`, `rejected` or `unchanged`.
    pub result: String,
}

/// Labels of the active configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ConfigLabels {
    /// The revision's number.
    pub revision: u64,
    /// The first 16 digits of the content's SHA-256.
    pub hash: String,
}

/// All numbers.
pub struct Metrics {
    registry: Mutex<Registry>,
    /// Calls that are durable.
    pub accepted: Family<SourceLabels, Counter>,
    /// Requests that were refused.
    pub rejected: Family<RejectionLabels, Counter>,
    /// Attempts to load a configuration.
    pub reloads: Family<ReloadLabels, Counter>,
    /// 1 if the last attempt to load a configuration was successful.
    pub reload_successful: Gauge,
    /// When a configuration last went live, Unix seconds.
    pub reload_success_seconds: Gauge,
    /// The active configuration; its value is 1.
    pub config: Family<ConfigLabels, Gauge>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("trackway")),
            accepted: Family::default(),
            rejected: Family::default(),
            reloads: Family::default(),
            reload_successful: Gauge::default(),
            reload_success_seconds: Gauge::default(),
            config: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(
            "calls_accepted",
            "Calls that are durable",
            self.accepted.clone(),
        );
        registry.register(
            "requests_rejected",
            "Requests refused",
            self.rejected.clone(),
        );
        registry.register("config_reloads", "Attempts to load", self.reloads.clone());
        registry.register(
            "config_last_reload_successful",
            "1 if the last attempt to load was successful",
            self.reload_successful.clone(),
        );
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "When a configuration last went live",
            self.reload_success_seconds.clone(),
        );
        registry.register(
            "config_info",
            "The active configuration",
            self.config.clone(),
        );
    }

    /// Asks `collector` as well whenever the numbers are shown.
    pub fn collect(&self, collector: Box<dyn Collector>) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(collector);
    }

    /// Everything as `OpenMetrics` text, which Prometheus reads.
    pub fn exposition(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_was_counted_under_its_name_and_labels() {
        let metrics = Metrics::default();
        let labels = SourceLabels {
            source: "web".into(),
            operation: "person.event".into(),
        };
        metrics.accepted.get_or_create(&labels).inc_by(3);
        let text = metrics.exposition();
        let line = "trackway_calls_accepted_total{source=\"web\",operation=\"person.event\"} 3";
        assert!(text.contains(line), "{text}");
    }
}
