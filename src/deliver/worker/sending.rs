//! Batches on their way: framed, sent, judged under the plan they were framed under.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::deliver::courier::Dispatch;
use crate::deliver::courier::FlightId;
use crate::deliver::courier::Input;
use crate::deliver::courier::delivery::Parcel;
use crate::deliver::destination::Destination;
use crate::deliver::sink::Sent;
use crate::deliver::sink::SinkError;
use crate::deliver::worker::Done;
use crate::deliver::worker::Job;
use crate::deliver::worker::Worker;
use crate::event::delivery::Answer;
use crate::event::delivery::Batch;
use crate::event::delivery::FramingError;
use crate::event::delivery::Judgement;
use crate::event::delivery::Outcome;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;

/// How much longer than the timeout a sink may take that does not keep it itself.
const GRACE: Duration = Duration::from_secs(1);

/// A batch that was sent.
#[derive(Debug)]
pub(super) struct Aloft {
    plan: Arc<Destination>,
    dispatch: Dispatch,
}

/// A batch that came back.
#[derive(Debug)]
pub(super) struct Landed {
    flight: FlightId,
    result: Result<Sent, Reason>,
}

impl Landed {
    /// The job that sent it is gone.
    pub(super) fn died(flight: FlightId) -> Self {
        let reason = Reason::new(ReasonClass::Unavailable, "sending failed inside Trackway");
        Self {
            flight,
            result: Err(reason),
        }
    }
}

impl Worker {
    pub(super) fn send(&mut self, dispatch: Dispatch) {
        let aloft = Aloft {
            plan: self.plan.clone(),
            dispatch,
        };
        let flight = aloft.dispatch.flight;
        let now = self.stores.clock.now();
        let framed = aloft.with_batch(now, |batch| aloft.plan.frame.frame(batch));
        let lane = aloft.plan.lanes.get(usize::from(aloft.dispatch.lane.0));
        let (outgoing, sink) = match (framed, lane) {
            (Ok(outgoing), Some(lane)) => (outgoing, lane.sink.clone()),
            (Ok(_), None) => {
                let reason = Reason::new(ReasonClass::Mapping, "the destination has no such lane");
                return self.judged(flight, Judgement::All(Outcome::Reject(reason)));
            }
            (Err(FramingError::Invalid(reason)), _) => {
                // One bad item spoils a batch: halves find it.
                return self.judged(flight, Judgement::Split(reason));
            }
            (Err(error), _) => {
                let reason = Reason::new(ReasonClass::Unauthorized, error.to_string());
                return self.judged(flight, Judgement::Pause(reason));
            }
        };
        let timeout = aloft.plan.delivery.timeout;
        let clock = self.stores.clock.clone();
        self.flights.insert(flight, aloft);
        self.run_waiting(Job::Send(flight), async move {
            let result = tokio::select! {
                sent = sink.send(outgoing) => sent.map_err(|SinkError { class, text }| Reason::new(class, text)),
                () = clock.sleep(timeout.saturating_add(GRACE)) => {
                    let text = format!("no answer within {}s", timeout.as_secs_f64());
                    Err(Reason::new(ReasonClass::Timeout, text))
                }
            };
            Done::Landed(Landed { flight, result })
        });
    }

    pub(super) fn land(&mut self, landed: Landed) {
        let Landed { flight, result } = landed;
        let Some(aloft) = self.flights.remove(&flight) else {
            return;
        };
        let now = self.stores.clock.now();
        let judgement = match result {
            Ok(Sent::Written) => Judgement::All(Outcome::Delivered),
            Ok(Sent::Answer {
                status,
                headers,
                body,
            }) => {
                let answer = Answer {
                    status,
                    headers: &headers,
                    body: &body,
                    now,
                };
                aloft.with_batch(now, |batch| aloft.plan.judge.judge(batch, &answer))
            }
            Err(reason) => Judgement::All(Outcome::Retry {
                after: None,
                reason,
            }),
        };
        self.judged(flight, judgement);
    }

    fn judged(&mut self, flight: FlightId, judgement: Judgement) {
        self.step(Input::Judged { flight, judgement });
    }
}

impl Aloft {
    fn with_batch<T>(&self, now: Timestamp, use_it: impl FnOnce(&Batch<'_>) -> T) -> T {
        let parcels = &self.dispatch.parcels;
        let bodies: Vec<_> = parcels.iter().map(Parcel::body).collect();
        let message_ids: Vec<_> = parcels.iter().map(Parcel::message_id).collect();
        use_it(&Batch {
            lane: self.dispatch.lane,
            bodies: &bodies,
            message_ids: &message_ids,
            attempt: self.dispatch.attempt,
            now,
        })
    }
}
