//! The sinks of destinations, kept across reloads: an unchanged destination keeps its connections.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::settings::DeliverySettings;
use crate::deliver::sink::ClientTls;
use crate::deliver::sink::FileSink;
use crate::deliver::sink::HttpOptions;
use crate::deliver::sink::HttpSink;
use crate::deliver::sink::Sink;
use crate::deliver::sink::StdoutSink;
use crate::route::plan::LaneTarget;

/// What makes two destinations share a sink across a reload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Http {
        destination: Arc<str>,
        timeout_ms: u128,
        connections: usize,
        allow_private: bool,
    },
    File(PathBuf),
    Stdout,
}

/// Every sink in use.
#[derive(Debug)]
pub(super) struct Sinks {
    clock: Clock,
    tls: ClientTls,
    kept: BTreeMap<Key, Arc<dyn Sink>>,
    used: BTreeMap<Key, Arc<dyn Sink>>,
}

impl Sinks {
    /// No sinks yet. The machine's certificate authorities are read once, here.
    pub(super) fn new(clock: Clock) -> Self {
        let tls = ClientTls::from_system();
        Self {
            clock,
            tls,
            kept: BTreeMap::new(),
            used: BTreeMap::new(),
        }
    }

    /// The sink of a lane of `destination`, the one in use if nothing about it has changed.
    pub(super) fn sink(
        &mut self,
        destination: &Arc<str>,
        target: SinkTarget<'_>,
        delivery: &DeliverySettings,
    ) -> Arc<dyn Sink> {
        let connections = usize::try_from(delivery.concurrency).unwrap_or(usize::MAX);
        let key = match target {
            SinkTarget::Http => Key::Http {
                destination: destination.clone(),
                timeout_ms: delivery.timeout.as_millis(),
                connections,
                allow_private: delivery.allow_private,
            },
            SinkTarget::File(path) => Key::File(path.clone()),
            SinkTarget::Stdout => Key::Stdout,
        };
        let kept = self.used.get(&key).or_else(|| self.kept.get(&key)).cloned();
        let sink = kept.unwrap_or_else(|| match &key {
            Key::Http { .. } => {
                let options = HttpOptions {
                    timeout: delivery.timeout,
                    connections,
                    allow_private: delivery.allow_private,
                    ..HttpOptions::default()
                };
                Arc::new(HttpSink::new(options, self.tls.clone(), self.clock.clone()))
            }
            Key::File(path) => Arc::new(FileSink::new(path.clone())),
            Key::Stdout => Arc::new(StdoutSink),
        });
        self.used.insert(key, sink.clone());
        sink
    }

    /// Forgets the sinks nobody asked for since the last call.
    pub(super) fn forget_unused(&mut self) {
        self.kept = std::mem::take(&mut self.used);
    }
}

/// What a sink moves batches to.
#[derive(Clone, Copy, Debug)]
pub(super) enum SinkTarget<'a> {
    /// HTTP requests.
    Http,
    /// A file.
    File(&'a PathBuf),
    /// Standard output.
    Stdout,
}

impl<'a> From<&'a LaneTarget> for SinkTarget<'a> {
    fn from(target: &'a LaneTarget) -> Self {
        match target {
            LaneTarget::Http(_) => Self::Http,
            LaneTarget::File(path) => Self::File(path),
            LaneTarget::Stdout => Self::Stdout,
        }
    }
}
