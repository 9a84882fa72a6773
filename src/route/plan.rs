//! The compiled configuration: immutable, shared, one revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::settings::ConnectionSettings;
use crate::config::settings::DestinationSettings;
use crate::config::settings::EventKind;
use crate::config::settings::ForEach;
use crate::config::settings::LaneSettings;
use crate::config::settings::Settings;
use crate::event::Operation;
use crate::expr::Program;
use crate::expr::Template;
use crate::expr::template::OnError;
use crate::route::forward::Forward;
use crate::route::frame::HttpLane;
use crate::route::secret::Secrets;
use crate::text::Span;

/// A configuration, ready to route.
#[derive(Debug)]
pub struct Plan {
    /// What it was built from.
    pub settings: Arc<Settings>,
    /// Translation.
    pub translator: Arc<Translator>,
    /// The destinations, in the order of the settings.
    pub destinations: Vec<Arc<DestinationPlan>>,
    /// The sources that are forwarded as they came.
    pub forwards: Vec<Arc<Forward>>,
}

impl Plan {
    /// The destination of a name.
    pub fn destination(&self, id: &str) -> Option<&Arc<DestinationPlan>> {
        self.destinations
            .iter()
            .find(|destination| &*destination.settings.id == id)
    }
}

/// Call → events, for all destinations.
#[derive(Debug)]
pub struct Translator {
    /// Names computed once for a call.
    pub(super) lets: Vec<Program>,
    /// The rules, first match wins.
    pub(super) rules: Vec<Rule>,
    /// For each operation the rules that can match it, in order.
    pub(super) by_operation: BTreeMap<Operation, Vec<usize>>,
}

/// A translation rule with the envelope merged into its events.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) sources: Vec<Arc<str>>,
    pub(super) when: Option<Program>,
    pub(super) emit: Vec<Emit>,
    pub(super) on_error: OnError,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) struct Emit {
    pub(super) kind: EventKind,
    pub(super) when: Option<Program>,
    pub(super) for_each: Option<ForEach>,
    /// The whole event: `type`, the envelope, and what the rule adds.
    pub(super) event: Template,
}

/// One destination: which events reach it, and what it makes of them.
#[derive(Debug)]
pub struct DestinationPlan {
    /// What it was built from.
    pub settings: DestinationSettings,
    /// Its lanes, in the order of the definition.
    pub lanes: Vec<LanePlan>,
    pub(super) translator: Arc<Translator>,
    /// For each source the connections to this destination, in order. The first match wins.
    pub(super) connections: BTreeMap<Arc<str>, Vec<Arc<ConnectionSettings>>>,
    pub(super) secrets: Secrets,
}

/// A lane, ready to frame.
#[derive(Debug)]
pub struct LanePlan {
    /// What it was built from.
    pub settings: LaneSettings,
    /// Where its batches go.
    pub target: LaneTarget,
}

/// Where the batches of a lane go.
#[derive(Debug)]
pub enum LaneTarget {
    /// HTTP requests.
    Http(Box<HttpLane>),
    /// Lines of a file.
    File(std::path::PathBuf),
    /// Lines on standard output.
    Stdout,
}
