//! Where events go, as configured, and how they are delivered.

use std::sync::Arc;
use std::time::Duration;

use crate::config::settings::Definition;
use crate::config::settings::SecretSource;
use crate::expr::template::OnError;
use crate::text::Span;

/// Where events go: one destination as configured.
#[derive(Clone, Debug)]
pub struct DestinationSettings {
    /// The key in the file.
    pub id: Arc<str>,
    /// What it is.
    pub definition: Arc<Definition>,
    /// The values of the definition's settings, in its order.
    pub values: Vec<SettingValue>,
    /// How it is delivered.
    pub delivery: DeliverySettings,
    /// What a failing rule or mapping means for it.
    pub on_error: OnError,
    /// Where the destination is defined.
    pub span: Span,
}

/// How deliveries to one destination are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettings {
    /// Whose order is kept.
    pub ordering: Ordering,
    /// Requests in flight at once.
    pub concurrency: u32,
    /// Requests in a stretch of time, if limited.
    pub rate: Option<Rate>,
    /// How long one request may take, connect to last byte.
    pub timeout: Duration,
    /// Waits between tries, each drawn with full jitter; after the last one the event is given up.
    pub retry: Vec<Duration>,
    /// Batch limits that replace those of the definition's lanes.
    pub batch: BatchOverride,
    /// Whether the address may be loopback, private or link-local.
    pub allow_private: bool,
    /// Where a destination without a checkpoint starts.
    pub start: Start,
    /// The destination whose checkpoint it inherits.
    pub renamed_from: Option<Arc<str>>,
}

impl Default for DeliverySettings {
    /// Order per person, because a profile that is older than the last update is a bug somebody
    /// else has to find. Eight requests at once, 15 seconds each, suit every vendor's limits. The
    /// waits between tries come to three days: a weekend without anybody looking. Private addresses
    /// are refused, because a vendor's DNS must not be able to reach into our network.
    fn default() -> Self {
        const SCHEDULE: [u64; 10] = [
            5, 30, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 86_400, 86_400,
        ];
        Self {
            ordering: Ordering::PerPerson,
            concurrency: 8,
            rate: None,
            timeout: Duration::from_secs(15),
            retry: SCHEDULE.map(Duration::from_secs).to_vec(),
            batch: BatchOverride::default(),
            allow_private: false,
            start: Start::Latest,
            renamed_from: None,
        }
    }
}

/// So many requests in such a stretch of time, `100/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub requests: u32,
    /// In which stretch.
    pub per: Duration,
}

/// Whose order is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    /// Per source and person.
    PerPerson,
    /// Nobody's: the most throughput.
    None,
}

/// Where a destination without a checkpoint starts reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the next call.
    Latest,
    /// With the oldest call still kept.
    Earliest,
}

/// Batch limits written at a destination; what is absent stays as the lane has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchOverride {
    /// Most items in a batch.
    pub items: Option<u32>,
    /// Most bytes of a batch's items.
    pub bytes: Option<u64>,
    /// How long a batch waits to fill.
    pub wait: Option<Duration>,
}

/// The value of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// Not given, and there is no default.
    Missing,
    /// As JSON text.
    Json(String),
    /// A secret.
    Secret(SecretSource),
}
