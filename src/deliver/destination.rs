//! A destination as the engine runs it: what `route` knows of it, its lanes, and how it is delivered to.

use std::sync::Arc;

use crate::config::settings::BatchSettings;
use crate::config::settings::DeliverySettings;
use crate::deliver::sink::Sink;
use crate::event::delivery::Frame;
use crate::event::delivery::Judge;
use crate::event::delivery::Translate;

/// Everything it takes to deliver to one destination under one revision of the plan.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The key in routing.yaml; checkpoints and dead letters carry it.
    pub id: Arc<str>,
    /// Names what the destination is made of: as long as it is equal, nothing about the destination
    /// has changed and a reload leaves it alone. Stands in its dead letters.
    pub revision: Arc<str>,
    /// Its endpoints, in the order that [`crate::event::delivery::LaneId`] counts.
    pub lanes: Vec<Lane>,
    /// Order, pace, retries, start.
    pub delivery: DeliverySettings,
    /// Record → items.
    pub translate: Arc<dyn Translate>,
    /// Items → request.
    pub frame: Arc<dyn Frame>,
    /// Answer → outcomes.
    pub judge: Arc<dyn Judge>,
}

/// One endpoint of a destination.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its name in the definition.
    pub name: Arc<str>,
    /// How items are gathered; overrides of the destination are in it.
    pub batch: BatchSettings,
    /// What moves its batches.
    pub sink: Arc<dyn Sink>,
}
