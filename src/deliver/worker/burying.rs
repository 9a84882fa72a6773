//! Dead letters: written with the call they came from, told to the courier when they are on disk.

use std::sync::Arc;

use crate::deliver::courier::Burial;
use crate::deliver::courier::Input;
use crate::deliver::courier::delivery::DeliveryId;
use crate::deliver::dead_letter::DeadLetter;
use crate::deliver::dead_letter::call_of;
use crate::deliver::journal::AppendError;
use crate::deliver::stores::Stores;
use crate::deliver::worker::Done;
use crate::deliver::worker::Job;
use crate::deliver::worker::Single;
use crate::deliver::worker::Worker;
use crate::deliver::worker::fetching::Fetched;
use crate::deliver::worker::fetching::fetch;
use crate::event::record::StoredRequest;

/// Dead letters written at once.
const BURIALS_AT_ONCE: usize = 256;

/// What became of some dead letters.
#[derive(Debug)]
pub(super) struct Buried {
    done: Vec<DeliveryId>,
    failed: Vec<Burial>,
    error: Option<String>,
}

impl Worker {
    pub(super) fn start_bury(&mut self) {
        if self.burials.is_empty() || !self.singles.insert(Single::Bury) {
            return;
        }
        let rest = self
            .burials
            .split_off(self.burials.len().min(BURIALS_AT_ONCE));
        let burials = std::mem::replace(&mut self.burials, rest);
        let (destination, revision) = (self.plan.id.clone(), self.plan.revision.clone());
        let job = Job::Bury(burials.clone());
        let burying = Burying {
            stores: self.stores.clone(),
            destination,
            revision,
        };
        self.run_waiting(
            job,
            async move { Done::Buried(burying.bury(burials).await) },
        );
    }

    pub(super) fn take_buried(&mut self, buried: Buried) {
        self.singles.remove(&Single::Bury);
        if let Some(error) = buried.error {
            tracing::error!(
                destination = &*self.plan.id,
                error,
                "cannot write dead letters"
            );
            self.rest();
        }
        self.burials.extend(buried.failed);
        self.step(Input::Buried(&buried.done));
    }
}

/// What goes into every dead letter of a destination.
#[derive(Debug)]
struct Burying {
    stores: Arc<Stores>,
    destination: Arc<str>,
    revision: Arc<str>,
}

impl Burying {
    async fn bury(self, burials: Vec<Burial>) -> Buried {
        let positions = burials.iter().map(|burial| burial.id.position).collect();
        let stores = self.stores.clone();
        let records = tokio::task::spawn_blocking(move || fetch(&stores.journal, positions)).await;
        let records = records.unwrap_or_default();
        let mut buried = Buried {
            done: Vec::new(),
            failed: Vec::new(),
            error: None,
        };
        let mut written = Vec::new();
        for burial in burials {
            let place =
                records.binary_search_by_key(&burial.id.position, |(position, _)| *position);
            let fetched = place.ok().and_then(|place| records.get(place));
            let call = match fetched.map_or(&Fetched::Unread, |(_, fetched)| fetched) {
                Fetched::Found(payload, ordinal) => call_in(payload, *ordinal),
                // It is a dead letter all the same, with the reason and without the call.
                Fetched::Gone => Vec::new(),
                Fetched::Unread => {
                    buried.failed.push(burial);
                    buried.error = Some("the journal cannot be read".to_owned());
                    continue;
                }
            };
            // Queued here, awaited below: one sync for all of them.
            let appended = self.stores.dead_letters.append(&self.letter(&burial, call));
            written.push((burial, appended));
        }
        for (burial, appended) in written {
            match appended.await {
                Ok(_) => buried.done.push(burial.id),
                Err(AppendError::TooLarge { .. }) => {
                    // The call does not fit: the reason alone does.
                    let letter = self.letter(&burial, Vec::new());
                    match self.stores.dead_letters.append(&letter).await {
                        Ok(_) => buried.done.push(burial.id),
                        Err(error) => buried.fail(burial, &error),
                    }
                }
                Err(error) => buried.fail(burial, &error),
            }
        }
        buried
    }

    fn letter(&self, burial: &Burial, call: Vec<u8>) -> DeadLetter {
        DeadLetter {
            destination: self.destination.clone(),
            id: burial.id,
            message_id: burial.message_id.clone().unwrap_or_default(),
            reason: burial.reason.clone(),
            history: burial.history,
            revision: self.revision.clone(),
            written_at: self.stores.clock.now(),
            call,
        }
    }
}

impl Buried {
    fn fail(&mut self, burial: Burial, error: &AppendError) {
        self.error = Some(error.to_string());
        self.failed.push(burial);
    }
}

fn call_in(payload: &[u8], ordinal: u32) -> Vec<u8> {
    let record = StoredRequest::decode(payload)
        .ok()
        .and_then(|request| request.records().nth(ordinal as usize))
        .and_then(Result::ok);
    record.map_or_else(Vec::new, |record| call_of(&record))
}
