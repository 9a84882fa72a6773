//! Tests of a configuration: the request goes in where a client's would, what each destination is
//! sent comes out, nothing is stored and nothing leaves.

use std::sync::Arc;

use bytes::Bytes;
use ulid::Ulid;

use crate::config::settings::Case;
use crate::config::settings::CaseRequest;
use crate::config::settings::Definition;
use crate::config::settings::DefinitionCase;
use crate::config::settings::Expected;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::event::Call;
use crate::event::Receipt;
use crate::event::Record;
use crate::event::delivery::Item;
use crate::event::delivery::Part;
use crate::event::delivery::Rendered;
use crate::event::delivery::Verdict;
use crate::event::record;
use crate::event::record::StoredRequest;
use crate::ingest;
use crate::ingest::Endpoint;
use crate::ingest::Rejection;
use crate::route::DestinationPlan;
use crate::route::Plan;
use crate::route::Witness;
use crate::route::secret::masked;
use crate::server::expectation::Difference;
use crate::server::expectation::differences;
use crate::server::respond;
use crate::text::Span;
use crate::value::Arena;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;

/// The id every record of a test is given, so that message ids can be expected.
pub const RECORD_ID: &str = "01HXTRACKWAYGENERATED00000";

/// A test that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// What it claims.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What was not as expected; none if it passed.
    pub failures: Vec<Failure>,
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request was refused.
    Refused {
        /// With this status.
        status: u16,
        /// For this reason.
        reason: String,
    },
    /// The request should have been refused and was taken.
    NotRefused {
        /// The status expected.
        expected: u16,
    },
    /// What a destination is sent, or the events, differ.
    Differs {
        /// The destination, or `events`.
        what: Arc<str>,
        /// The place of the first difference is the one shown first.
        difference: Difference,
        /// Why nothing came, if that is it: the verdicts.
        verdicts: Vec<String>,
    },
}

impl CaseOutcome {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// The failures as findings, so that editors and CI show them where the test stands.
    pub fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        self.failures.iter().map(|failure| {
            let title = format!("test `{}` failed", self.name);
            match failure {
                Failure::Refused { status, reason } => {
                    Diagnostic::error(Code::TestRequestRefused, self.span, title)
                        .here(format!("the request is refused with {status}: {reason}"))
                }
                Failure::NotRefused { expected } => {
                    Diagnostic::error(Code::TestFailed, self.span, title)
                        .here(format!("the request should be refused with {expected}"))
                }
                Failure::Differs {
                    what,
                    difference,
                    verdicts,
                } => {
                    let diagnostic = Diagnostic::error(Code::TestFailed, difference.span, title)
                        .here(format!(
                            "{what} {}: found {}",
                            difference.path, difference.found
                        ))
                        .help(format!("expected {}", difference.expected));
                    match verdicts.first() {
                        Some(verdict) => diagnostic.also(self.span, verdict.clone()),
                        None => diagnostic,
                    }
                }
            }
        })
    }
}

/// Runs a test against a plan.
pub fn run(plan: &Plan, case: &Case) -> CaseOutcome {
    let outcome = |failures| CaseOutcome {
        name: case.name.clone(),
        span: case.span,
        failures,
    };
    let accepted = accept(plan, &case.request, case.now);
    let bytes = match (accepted, case.refused) {
        (Ok(bytes), None) => bytes,
        (Ok(_), Some(expected)) => return outcome(vec![Failure::NotRefused { expected }]),
        (Err(rejection), refused) => {
            let status = respond::status(&rejection.cause).as_u16();
            if refused == Some(status) {
                return outcome(Vec::new());
            }
            let reason = rejection.cause.to_string();
            return outcome(vec![Failure::Refused { status, reason }]);
        }
    };
    let mut failures = Vec::new();
    if let Some(expected) = &case.events {
        let seen = Seen::of(&bytes, |record, arena, _, seen| {
            if let Some(verdict) = plan.events(record, arena, seen) {
                seen.verdict(Part::default(), &verdict);
            }
        });
        seen.compare(&"events".into(), &seen.events, expected, &mut failures);
    }
    for (id, _, expected) in &case.expect {
        let Some(destination) = plan.destination(id) else {
            continue;
        };
        let seen = Seen::of(&bytes, |record, arena, rendered, seen| {
            destination.render(record, arena, rendered, seen);
        });
        seen.compare(id, &seen.items, expected, &mut failures);
    }
    outcome(failures)
}

/// Runs a test of a definition: the event goes in as if a connection had passed it on.
pub fn run_definition(definition: &Arc<Definition>, case: &DefinitionCase) -> CaseOutcome {
    let outcome = |failures| CaseOutcome {
        name: case.name.clone(),
        span: case.span,
        failures,
    };
    let destination = DestinationPlan::for_case(definition, case);
    let mut seen = Seen::default();
    let (mut arena, mut rendered) = (Arena::new(), Rendered::default());
    destination.render_event(case, &mut arena, &mut rendered, &mut seen);
    let mut failures = Vec::new();
    if let Some(reason) = &case.reason {
        let told = seen.verdicts.iter().any(|verdict| match verdict {
            Verdict::Dropped(found) => **found == **reason,
            Verdict::Failed(found) => found.text == *reason,
            Verdict::Unrouted => false,
        });
        if !told {
            let found = seen
                .verdicts
                .first()
                .map_or_else(|| seen.items.join(","), describe);
            let difference = Difference {
                path: "$".to_owned(),
                expected: format!("not sent: {reason}"),
                found,
                span: case.span,
            };
            let what = definition.name.as_str().into();
            failures.push(Failure::Differs {
                what,
                difference,
                verdicts: Vec::new(),
            });
        }
        return outcome(failures);
    }
    for (number, lane) in (0_u16..).zip(&definition.lanes) {
        let expected = case.expect.iter().find(|(name, ..)| *name == lane.name);
        let nothing = Expected::Nothing(case.span);
        let expected = expected.map_or(&nothing, |(.., expected)| expected);
        let sent = seen.of_lane(number);
        seen.compare(&lane.name.as_str().into(), &sent, expected, &mut failures);
    }
    outcome(failures)
}

/// The stored form of a request, if it is accepted.
pub fn accept(
    plan: &Plan,
    request: &CaseRequest,
    now: crate::clock::Timestamp,
) -> Result<Vec<u8>, Rejection> {
    let endpoint = Endpoint::of(&request.method, &request.path)?;
    let limits = ingest::Limits::default().with_v1(plan.settings.server.body_bytes_max);
    let arena = Arena::new();
    let body = Bytes::copy_from_slice(&request.body);
    let decoded = ingest::decode(
        &endpoint,
        request.content_type.as_deref(),
        &body,
        &limits,
        &arena,
    )?;
    let receipt = Receipt {
        id: Ulid::from_string(RECORD_ID).unwrap_or_default(),
        accepted_at: now,
        source: request.source.clone(),
        site_id: None,
        method: request.method.clone(),
        target: request.path.clone(),
        content_type: request.content_type.clone(),
    };
    let mut bytes = Vec::new();
    let calls: Vec<Call> = decoded.calls;
    record::encode(&receipt, &calls, &mut bytes);
    Ok(bytes)
}

/// What a walk over the records of a request showed.
#[derive(Debug, Default)]
struct Seen {
    events: Vec<String>,
    items: Vec<String>,
    lanes: Vec<u16>,
    verdicts: Vec<Verdict>,
}

impl Witness for Seen {
    fn event(&mut self, _part: Part, event: Value<'_>) {
        self.events.push(crate::server::expectation::text(event));
    }

    fn item(&mut self, item: &Item, body: &[u8]) {
        self.items
            .push(String::from_utf8_lossy(&masked(body)).into_owned());
        self.lanes.push(item.lane.0);
    }

    fn verdict(&mut self, _part: Part, verdict: &Verdict) {
        self.verdicts.push(verdict.clone());
    }
}

impl Seen {
    fn of(bytes: &[u8], walk: impl Fn(&Record<'_>, &mut Arena, &mut Rendered, &mut Self)) -> Self {
        let (mut arena, mut rendered) = (Arena::new(), Rendered::default());
        let mut seen = Self::default();
        let Ok(request) = StoredRequest::decode(bytes) else {
            return seen;
        };
        for record in request.records().flatten() {
            walk(&record, &mut arena, &mut rendered, &mut seen);
        }
        seen
    }

    fn of_lane(&self, lane: u16) -> Vec<String> {
        let items = self.items.iter().zip(&self.lanes);
        items
            .filter(|(_, of)| **of == lane)
            .map(|(item, _)| item.clone())
            .collect()
    }

    fn compare(
        &self,
        what: &Arc<str>,
        found: &[String],
        expected: &Expected,
        failures: &mut Vec<Failure>,
    ) {
        let arena = Arena::new();
        let json = format!("[{}]", found.join(","));
        let found = parse(
            json.as_bytes(),
            ParseLimits {
                depth_max: 70,
                ..ParseLimits::default()
            },
            &arena,
        );
        let found = found.unwrap_or_default();
        let verdicts: Vec<_> = self.verdicts.iter().map(describe).collect();
        if let Expected::Error(code, span) = expected {
            let wanted = code.to_string();
            if self.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Failed(reason) if reason.text.starts_with(&wanted))) {
                return;
            }
            let difference = Difference {
                path: "$".to_owned(),
                expected: format!("error {wanted}"),
                found: verdicts.first().cloned().unwrap_or_else(|| json.clone()),
                span: *span,
            };
            failures.push(Failure::Differs {
                what: what.clone(),
                difference,
                verdicts,
            });
            return;
        }
        for difference in differences(expected, found, &arena) {
            let verdicts = verdicts.clone();
            failures.push(Failure::Differs {
                what: what.clone(),
                difference,
                verdicts,
            });
        }
    }
}

/// A verdict in words.
pub fn describe(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Unrouted => "no connection or rule takes the event".to_owned(),
        Verdict::Dropped(reason) => format!("dropped: {reason}"),
        Verdict::Failed(reason) => format!("dead letter: {reason}"),
    }
}
