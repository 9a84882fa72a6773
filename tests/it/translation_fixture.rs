//! The built-in translation, ready to be given requests.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use trackway::clock::Timestamp;
use trackway::config::settings::CaseRequest;
use trackway::event::delivery::Part;
use trackway::event::record::StoredRequest;
use trackway::route::Plan;
use trackway::route::Witness;
use trackway::server::cases;
use trackway::server::configuration;
use trackway::server::configuration::Environment;
use trackway::value::Arena;
use trackway::value::Value;
use trackway::value::write;

/// A plan without rules of its own.
pub(crate) struct Translation(Arc<Plan>);

#[derive(Default)]
struct Events(Vec<Json>);

impl Witness for Events {
    fn event(&mut self, _: Part, event: Value<'_>) {
        let mut json = Vec::new();
        write(event, &mut json);
        self.0.push(serde_json::from_slice(&json).unwrap());
    }
}

impl Translation {
    /// The translation that the binary embeds.
    pub(crate) fn built_in() -> Self {
        let path = Path::new("tests/cases/translation/batch.yaml");
        let candidate = configuration::read(path, &Environment::offline(Arc::default()));
        Self(candidate.plan().unwrap().clone())
    }

    /// The events that a request of source `web` becomes, or why it is refused.
    pub(crate) fn events(
        &self,
        method: &str,
        path: &str,
        body: &Json,
    ) -> Result<Vec<Json>, String> {
        let request = CaseRequest {
            source: "web".into(),
            method: method.parse().unwrap(),
            path: path.to_owned(),
            content_type: None,
            body: body.to_string().into_bytes(),
        };
        let now = Timestamp::from_millis(1_767_323_045_678);
        let bytes = cases::accept(&self.0, &request, now)
            .map_err(|rejection| rejection.cause.to_string())?;
        let mut events = Events::default();
        let mut arena = Arena::new();
        for record in StoredRequest::decode(&bytes).unwrap().records() {
            let verdict = self.0.events(&record.unwrap(), &mut arena, &mut events);
            if let Some(verdict) = verdict {
                return Err(cases::describe(&verdict));
            }
        }
        Ok(events.0)
    }
}
