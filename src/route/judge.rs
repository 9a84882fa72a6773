//! Answers → outcomes: the lane's own response rules, then what HTTP means everywhere.

use std::time::Duration;

use http::HeaderMap;
use http::StatusCode;
use http::header;

use crate::clock::Timestamp;
use crate::config::settings::Meaning;
use crate::config::settings::ResponseRule;
use crate::config::settings::Rest;
use crate::config::settings::RetryAfter;
use crate::event::delivery::Answer;
use crate::event::delivery::Batch;
use crate::event::delivery::Judge;
use crate::event::delivery::Judgement;
use crate::event::delivery::Outcome;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::expr::Program;
use crate::expr::Scope;
use crate::expr::scope::Budget;
use crate::expr::template::OnError;
use crate::route::plan::DestinationPlan;
use crate::route::plan::LaneTarget;
use crate::route::secret::Secrets;
use crate::route::settings::settings_value;
use crate::route::translate::holds;
use crate::route::translate::int;
use crate::route::translate::scope;
use crate::value::Arena;
use crate::value::Number;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;
use crate::value::write;

/// Bytes of an answer that are kept in a reason: enough to read what was wrong.
pub const REASON_BYTES_MAX: usize = 2 * 1024;

impl Judge for DestinationPlan {
    fn judge(&self, batch: &Batch<'_>, answer: &Answer<'_>) -> Judgement {
        let Some(LaneTarget::Http(lane)) = self
            .lanes
            .get(usize::from(batch.lane.0))
            .map(|lane| &lane.target)
        else {
            return Judgement::All(Outcome::Delivered);
        };
        let arena = Arena::new();
        let budget = Budget::new(0);
        let body = parse(answer.body, ParseLimits::default(), &arena).unwrap_or(Value::Missing);
        let variables = [
            settings_value(&self.settings, &arena),
            int(answer.status.as_u16().into()),
        ];
        let judging = Judging {
            scope: scope(body, &variables, &arena, &budget),
            answer,
            secrets: &self.secrets,
            items: batch.bodies.len(),
        };
        let rule = lane.responses.iter().find(|rule| judging.applies(rule));
        rule.map_or_else(
            || usual(answer, &self.secrets),
            |rule| judging.meaning(&rule.meaning),
        )
    }
}

/// What an answer means when nothing more is known about the destination.
pub(super) fn usual(answer: &Answer<'_>, secrets: &Secrets) -> Judgement {
    let reason = |class| reason(class, answer, secrets);
    let retry = |class| {
        let after = retry_after(answer.headers, answer.now);
        Judgement::All(Outcome::Retry {
            after,
            reason: reason(class),
        })
    };
    match answer.status.as_u16() {
        200..=299 => Judgement::All(Outcome::Delivered),
        401 | 403 => Judgement::Pause(reason(ReasonClass::Unauthorized)),
        408 => retry(ReasonClass::Timeout),
        413 => Judgement::Split(reason(ReasonClass::TooLarge)),
        425 | 429 => retry(ReasonClass::Throttled),
        // Not implemented, version not supported: asking again changes nothing.
        501 | 505 => Judgement::All(Outcome::Reject(reason(ReasonClass::Refused))),
        500..=599 => retry(ReasonClass::Unavailable),
        // A redirect is not followed: it would carry events and credentials to another place.
        _ => Judgement::All(Outcome::Reject(reason(ReasonClass::Refused))),
    }
}

/// The reason an answer gives: its status and the start of its body, secrets masked.
pub(super) fn reason(class: ReasonClass, answer: &Answer<'_>, secrets: &Secrets) -> Reason {
    let text = String::from_utf8_lossy(answer.body);
    Reason {
        class,
        status: Some(answer.status.as_u16()),
        text: cut(&secrets.mask(&text)).to_owned(),
    }
}

/// The start of a text, at most [`REASON_BYTES_MAX`] bytes, whole characters.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(REASON_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let due = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    let wait = due.as_millisecond().saturating_sub(now.as_millis());
    Some(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
}

/// An answer being judged by a lane's own rules.
struct Judging<'a> {
    scope: Scope<'a>,
    answer: &'a Answer<'a>,
    secrets: &'a Secrets,
    items: usize,
}

impl Judging<'_> {
    /// A condition that fails does not hold: the answer is then judged as usual.
    fn applies(&self, rule: &ResponseRule) -> bool {
        let status = self.answer.status.as_u16();
        rule.statuses
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&status))
            && holds(rule.when.as_ref(), &self.scope).unwrap_or(false)
    }

    fn meaning(&self, meaning: &Meaning) -> Judgement {
        match meaning {
            Meaning::Delivered => Judgement::All(Outcome::Delivered),
            Meaning::Reject(None) => Judgement::All(Outcome::Reject(self.refused())),
            Meaning::Reject(Some(template)) => {
                let mut text = Vec::new();
                let written = template.write(&self.scope, OnError::OmitField, &mut text);
                let reason = match written {
                    Ok(true) => self.refused_for(&String::from_utf8_lossy(&text)),
                    Ok(false) | Err(_) => self.refused(),
                };
                Judgement::All(Outcome::Reject(reason))
            }
            Meaning::RejectEach {
                each,
                index,
                reason,
                rest,
            } => self.each((each, index, reason.as_ref()), *rest),
            Meaning::Retry(after) => {
                let header = retry_after(self.answer.headers, self.answer.now);
                let after = match after {
                    RetryAfter::Header => header,
                    RetryAfter::Fixed(fixed) => Some(header.unwrap_or_default().max(*fixed)),
                };
                let class = if self.answer.status == StatusCode::TOO_MANY_REQUESTS {
                    ReasonClass::Throttled
                } else {
                    ReasonClass::Unavailable
                };
                let reason = reason(class, self.answer, self.secrets);
                Judgement::All(Outcome::Retry { after, reason })
            }
            Meaning::Split => {
                // Halves also find the one bad item of a batch that was refused as a whole.
                let class = match self.answer.status {
                    StatusCode::PAYLOAD_TOO_LARGE => ReasonClass::TooLarge,
                    _ => ReasonClass::Refused,
                };
                Judgement::Split(reason(class, self.answer, self.secrets))
            }
            Meaning::Pause => {
                Judgement::Pause(reason(ReasonClass::Unauthorized, self.answer, self.secrets))
            }
        }
    }

    fn each(
        &self,
        (each, index, reason): (&Program, &Program, Option<&Program>),
        rest: Rest,
    ) -> Judgement {
        let of_rest = match rest {
            Rest::Delivered => Outcome::Delivered,
            Rest::Retry => Outcome::Retry {
                after: None,
                reason: self.refused(),
            },
        };
        let mut outcomes = vec![of_rest; self.items];
        let mut known = 0;
        let refusals = each.eval(&self.scope).unwrap_or_default();
        for (number, refusal) in refusals.items().enumerate() {
            let scope = Scope {
                item: refusal,
                index: int(number),
                ..self.scope
            };
            let at = index.eval(&scope).ok().and_then(Value::as_number);
            let at = at
                .and_then(Number::as_int)
                .and_then(|at| usize::try_from(at).ok());
            if let Some(outcome) = at.and_then(|at| outcomes.get_mut(at)) {
                let mut why = Vec::new();
                write(
                    reason.map_or(refusal, |reason| reason.eval(&scope).unwrap_or(refusal)),
                    &mut why,
                );
                *outcome = Outcome::Reject(self.refused_for(&String::from_utf8_lossy(&why)));
                known += 1;
            }
        }
        if known == 0 {
            // A refusal that names no item of ours says nothing about which one was bad.
            return Judgement::Split(reason_of(self));
        }
        Judgement::Each(outcomes)
    }

    fn refused(&self) -> Reason {
        reason(ReasonClass::Refused, self.answer, self.secrets)
    }

    fn refused_for(&self, text: &str) -> Reason {
        Reason {
            text: cut(&self.secrets.mask(text.trim_matches('"'))).to_owned(),
            ..self.refused()
        }
    }
}

fn reason_of(judging: &Judging<'_>) -> Reason {
    Reason {
        class: ReasonClass::Refused,
        ..judging.refused()
    }
}
