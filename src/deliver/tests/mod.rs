//! The engine on a real disk, with a clock that tests move and destinations that tests play.

mod bounds;
mod delivering;
mod power;
mod restarting;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::StatusCode;
use ulid::Ulid;

use crate::clock::Clock;
use crate::clock::Timestamp;
use crate::config::settings::BatchOverride;
use crate::config::settings::BatchSettings;
use crate::config::settings::DeliverySettings;
use crate::config::settings::OnFull;
use crate::config::settings::Ordering;
use crate::config::settings::Start;
use crate::config::settings::StorageSettings;
use crate::deliver::Engine;
use crate::deliver::dead_letter::DeadLetter;
use crate::deliver::destination::Destination;
use crate::deliver::destination::Lane;
use crate::deliver::journal::Position;
use crate::deliver::sink::Sending;
use crate::deliver::sink::Sent;
use crate::deliver::sink::Sink;
use crate::deliver::sink::SinkError;
use crate::deliver::status::DestinationStatus;
use crate::event::Api;
use crate::event::Call;
use crate::event::Operation;
use crate::event::Params;
use crate::event::Receipt;
use crate::event::Record;
use crate::event::delivery::Answer;
use crate::event::delivery::Batch;
use crate::event::delivery::Frame;
use crate::event::delivery::FramingError;
use crate::event::delivery::Item;
use crate::event::delivery::Judge;
use crate::event::delivery::Judgement;
use crate::event::delivery::LaneId;
use crate::event::delivery::OrderKey;
use crate::event::delivery::Outcome;
use crate::event::delivery::Outgoing;
use crate::event::delivery::Part;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::event::delivery::Rendered;
use crate::event::delivery::Translate;
use crate::event::delivery::Verdict;
use crate::value::Arena;

/// A gateway's data directory, its clock, and the engine that is open on it.
struct Fixture {
    dir: tempfile::TempDir,
    settings: StorageSettings,
    clock: Clock,
    engine: Engine,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut StorageSettings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = StorageSettings {
            dir: dir.path().to_owned(),
            bytes_max: 64 << 20,
            retain: Duration::from_secs(7 * 24 * 3600),
            ttl: None,
            free_bytes_min: 0,
            on_full: OnFull::Reject,
            segment_bytes: 1 << 20,
        };
        change(&mut settings);
        let clock = Clock::manual(Timestamp::from_millis(1_767_323_045_678));
        let engine = Engine::open(&settings, clock.clone()).await.unwrap();
        Self {
            dir,
            settings,
            clock,
            engine,
        }
    }

    /// Ends as SIGTERM does, and starts again.
    async fn restart(self) -> Self {
        self.engine.drain(Duration::ZERO).await;
        self.crash().await
    }

    /// Ends as SIGKILL does, and starts again.
    async fn crash(self) -> Self {
        let Self {
            dir,
            settings,
            clock,
            engine,
        } = self;
        drop(engine);
        let engine = loop {
            // Blocking reads of the old one may take a moment to end.
            match Engine::open(&settings, clock.clone()).await {
                Ok(engine) => break engine,
                Err(crate::deliver::OpenError::Locked) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        };
        Self {
            dir,
            settings,
            clock,
            engine,
        }
    }

    async fn run(&self, destinations: &[&Played]) {
        let destinations = destinations
            .iter()
            .map(|played| played.destination())
            .collect();
        self.engine.reconcile(destinations).await.unwrap();
    }

    /// A person does something.
    async fn append(&self, person: &str, body: &str) -> Position {
        self.try_append(person, body).await.unwrap()
    }

    async fn try_append(
        &self,
        person: &str,
        body: &str,
    ) -> Result<Position, crate::deliver::AppendError> {
        let (receipt, call) = request(self.clock.now(), person, body);
        self.engine.append(&receipt, &[call]).await
    }

    /// Lets time pass, and everything happen, until something is true.
    async fn until(&self, what: &str, is_true: impl Fn() -> bool) {
        let waiting = async {
            while !is_true() {
                self.clock.advance(Duration::from_millis(10));
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(
            waited.is_ok(),
            "not in time: {what}; {:#?}",
            self.engine.status()
        );
    }

    fn status(&self, id: &str) -> DestinationStatus {
        let statuses = self.engine.status().destinations;
        statuses
            .into_iter()
            .find(|status| &*status.id == id)
            .unwrap()
    }

    /// Waits until a destination has nothing left to do.
    async fn until_settled(&self, id: &str) {
        self.until("settled", || {
            self.status(id).watermark == self.engine.status().end
        })
        .await;
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.engine.dead_letters(Position(0)).await.unwrap().0
    }
}

/// A request with one call: a person does something.
fn request(accepted_at: Timestamp, person: &str, body: &str) -> (Receipt, Call) {
    let receipt = Receipt {
        id: Ulid(7),
        accepted_at,
        source: "web".into(),
        site_id: None,
        method: http::Method::POST,
        target: "/".to_owned(),
        content_type: None,
    };
    let params = Params {
        id: Some(person.to_owned()),
        ..Params::default()
    };
    let call = Call {
        operation: Operation::PersonEvent,
        api: Api::V1,
        item: None,
        params,
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    (receipt, call)
}

/// What a played destination does with one request.
#[derive(Clone, Debug)]
enum Act {
    Answer(u16),
    AnswerLater(u16, u64),
    Refuse(ReasonClass),
    Hang,
    Panic,
}

/// A destination whose answers a test decides, and what it got.
#[derive(Clone, Debug)]
struct Played {
    id: Arc<str>,
    revision: Arc<str>,
    delivery: DeliverySettings,
    batch: BatchSettings,
    stage: Arc<Stage>,
    plan: Plan,
}

#[derive(Debug)]
struct Stage {
    /// Bodies as they came, one string for each request, items separated by `|`.
    requests: Mutex<Vec<String>>,
    act: Mutex<fn(&str, usize) -> Act>,
}

/// Rules as simple as they can be: the body is sent as it is, behind a prefix.
#[derive(Clone, Debug, Default)]
struct Plan {
    prefix: &'static str,
    is_secret_gone: bool,
}

impl Played {
    fn new(id: &str) -> Self {
        let stage = Stage {
            requests: Mutex::new(Vec::new()),
            act: Mutex::new(|_, _| Act::Answer(200)),
        };
        Self {
            id: id.into(),
            revision: "1".into(),
            delivery: DeliverySettings {
                ordering: Ordering::PerPerson,
                concurrency: 4,
                rate: None,
                timeout: Duration::from_secs(30),
                retry: [1, 2, 4].map(Duration::from_secs).to_vec(),
                batch: BatchOverride::default(),
                allow_private: false,
                start: Start::Latest,
                renamed_from: None,
            },
            batch: BatchSettings {
                items: 1,
                bytes: 1 << 20,
                wait: Duration::ZERO,
            },
            stage: Arc::new(stage),
            plan: Plan::default(),
        }
    }

    /// From now on requests are answered like this, by their body and how many came before.
    fn acts(&self, act: fn(&str, usize) -> Act) {
        *self.stage.act.lock().unwrap() = act;
    }

    fn requests(&self) -> Vec<String> {
        self.stage.requests.lock().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.requests().len()
    }

    fn destination(&self) -> Destination {
        let plan = Arc::new(self.plan.clone());
        Destination {
            id: self.id.clone(),
            revision: self.revision.clone(),
            lanes: vec![Lane {
                name: "events".into(),
                batch: self.batch,
                sink: self.stage.clone(),
            }],
            delivery: self.delivery.clone(),
            translate: plan.clone(),
            frame: plan.clone(),
            judge: plan,
        }
    }
}

impl Sink for Stage {
    fn send(&self, outgoing: Outgoing) -> Sending<'_> {
        let Outgoing::Http(request) = outgoing else {
            panic!("plans make requests")
        };
        let body = String::from_utf8(request.into_body().to_vec()).unwrap();
        let act = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(body.clone());
            (self.act.lock().unwrap())(&body, requests.len() - 1)
        };
        let answer = |status, headers| Sent::Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::new(),
        };
        Box::pin(async move {
            match act {
                Act::Answer(status) => Ok(answer(status, HeaderMap::new())),
                Act::AnswerLater(status, after) => {
                    let headers = [(http::header::RETRY_AFTER, after.into())]
                        .into_iter()
                        .collect();
                    Ok(answer(status, headers))
                }
                Act::Refuse(class) => Err(SinkError {
                    class,
                    text: "refused".to_owned(),
                }),
                Act::Hang => std::future::pending().await,
                Act::Panic => panic!("the sink has a bug"),
            }
        })
    }
}

impl Translate for Plan {
    fn translate(&self, record: &Record<'_>, _: &mut Arena, rendered: &mut Rendered) {
        rendered.clear();
        let part = Part::default();
        match record.body {
            b"drop" => rendered
                .verdicts
                .push((part, Verdict::Dropped("unwanted".into()))),
            b"unrouted" => rendered.verdicts.push((part, Verdict::Unrouted)),
            b"fail" => {
                let reason = Reason::new(ReasonClass::Mapping, "routing.yaml:7");
                rendered.verdicts.push((part, Verdict::Failed(reason)));
            }
            body => {
                let person = record.params.id.unwrap_or_default();
                rendered.text.extend_from_slice(b"m1");
                rendered.text.extend_from_slice(self.prefix.as_bytes());
                rendered.text.extend_from_slice(body);
                let end = u32::try_from(rendered.text.len()).unwrap();
                let key = OrderKey(u64::from(crc32c::crc32c(person.as_bytes())));
                rendered.items.push(Item {
                    part,
                    lane: LaneId(0),
                    keys: [Some(key), None],
                    message_id: 0..2,
                    body: 2..end,
                });
            }
        }
    }
}

impl Frame for Plan {
    fn frame(&self, batch: &Batch<'_>) -> Result<Outgoing, FramingError> {
        if self.is_secret_gone {
            let (setting, cause) = ("token".to_owned(), "no such file".to_owned());
            return Err(FramingError::SecretUnavailable { setting, cause });
        }
        if batch.bodies.contains(&&b"unframeable"[..]) {
            let reason = Reason::new(ReasonClass::Mapping, "not a header");
            return Err(FramingError::Invalid(reason));
        }
        let request = http::Request::new(batch.bodies.join(&b'|').into());
        Ok(Outgoing::Http(request))
    }
}

impl Judge for Plan {
    fn judge(&self, _: &Batch<'_>, answer: &Answer<'_>) -> Judgement {
        let reason = |class| Reason {
            class,
            status: Some(answer.status.as_u16()),
            text: "as answered".to_owned(),
        };
        let after = answer.headers.get(http::header::RETRY_AFTER);
        let after =
            after.map(|after| Duration::from_secs(after.to_str().unwrap().parse().unwrap()));
        match answer.status.as_u16() {
            200..300 => Judgement::All(Outcome::Delivered),
            401 => Judgement::Pause(reason(ReasonClass::Unauthorized)),
            413 => Judgement::Split(reason(ReasonClass::TooLarge)),
            429 => {
                let reason = reason(ReasonClass::Throttled);
                Judgement::All(Outcome::Retry { after, reason })
            }
            400..500 => Judgement::All(Outcome::Reject(reason(ReasonClass::Refused))),
            _ => {
                let reason = reason(ReasonClass::Unavailable);
                Judgement::All(Outcome::Retry { after, reason })
            }
        }
    }
}

fn sorted(requests: Vec<String>) -> BTreeSet<String> {
    requests.into_iter().collect()
}
