//! Whether the destination as a whole works.
//!
//! When it does not, nothing is sent but one probe at a time: the log is the queue, and no event
//! pays for it with its attempts. Any answer but "try later" to a probe closes the breaker.

use std::time::Duration;

use crate::clock::Tick;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;

/// Requests that fail one after the other, none succeeding between them, before the destination is
/// taken to be down. Low, because being wrong costs one probe.
const FAILURES_MAX: u32 = 5;
/// The first wait; doubles with each probe that fails.
const HOLD_MIN: Duration = Duration::from_millis(500);
/// The longest wait: what came back is noticed within five seconds.
const HOLD_MAX: Duration = Duration::from_secs(5);
/// The longest wait where our credentials are refused: asking more often may lock the account, and
/// a change of the configuration probes at once.
const HOLD_UNAUTHORIZED_MAX: Duration = Duration::from_secs(60);
/// The longest wait a destination can ask for.
pub(super) const AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a request is to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// One of many.
    Usual,
    /// The one that finds out whether the destination works again.
    Probe,
}

/// The state of the destination as far as requests have shown.
#[derive(Debug)]
pub(super) enum Breaker {
    /// It works.
    Closed {
        /// Requests that failed since one succeeded.
        failures: u32,
    },
    /// It does not; the next probe may go at `until`.
    Open {
        until: Tick,
        /// Waits so far.
        holds: u32,
        reason: Reason,
    },
    /// A probe is under way.
    Probing { holds: u32, reason: Reason },
}

impl Breaker {
    pub(super) fn closed() -> Self {
        Self::Closed { failures: 0 }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// When a request may be made; `None` while a probe is under way.
    pub(super) fn free_at(&self, now: Tick) -> Option<Tick> {
        match self {
            Self::Closed { .. } => Some(now),
            Self::Open { until, .. } => Some(*until),
            Self::Probing { .. } => None,
        }
    }

    /// A request is about to go out.
    pub(super) fn sending(&mut self) -> Role {
        let Self::Open { holds, reason, .. } = self else {
            return Role::Usual;
        };
        *self = Self::Probing {
            holds: *holds,
            reason: reason.clone(),
        };
        Role::Probe
    }

    /// A request was answered, by whatever says that the destination works.
    pub(super) fn succeeded(&mut self, role: Role) {
        match self {
            // Of a request made before it failed: tells nothing about now.
            Self::Open { .. } | Self::Probing { .. } if role == Role::Usual => {}
            _ => *self = Self::closed(),
        }
    }

    /// A request failed as a whole. Returns whether the failure may be the event's own and counts.
    pub(super) fn failed(
        &mut self,
        failure: Failure<'_>,
        role: Role,
        rng: &mut fastrand::Rng,
    ) -> bool {
        let Failure {
            now,
            after,
            pause,
            reason,
        } = failure;
        match self {
            Self::Closed { failures } => {
                *failures += 1;
                let throttled = reason.class == ReasonClass::Throttled;
                if pause || throttled || FAILURES_MAX <= *failures {
                    *self = Self::open(failure, 0, rng);
                }
                true
            }
            Self::Open { until, .. } => {
                *until = (*until).max(now.after(after.unwrap_or_default().min(AFTER_MAX)));
                false
            }
            Self::Probing { holds, .. } => {
                if role == Role::Probe {
                    *self = Self::open(failure, holds.saturating_add(1), rng);
                }
                false
            }
        }
    }

    /// Everything may be different now: probe at once.
    pub(super) fn retry_now(&mut self, now: Tick) {
        if let Self::Open { until, holds, .. } = self {
            *until = (*until).min(now);
            *holds = 0;
        }
    }

    fn open(failure: Failure<'_>, holds: u32, rng: &mut fastrand::Rng) -> Self {
        let longest = match failure.reason.class {
            ReasonClass::Unauthorized => HOLD_UNAUTHORIZED_MAX,
            _ => HOLD_MAX,
        };
        let hold = HOLD_MIN.saturating_mul(1 << holds.min(16)).min(longest);
        // Between half and all of it: spread, and never at once.
        let hold = hold.mul_f64(0.5 + rng.f64() / 2.0);
        let hold = hold.max(failure.after.unwrap_or_default().min(AFTER_MAX));
        Self::Open {
            until: failure.now.after(hold),
            holds,
            reason: failure.reason.clone(),
        }
    }
}

/// How a request failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure<'a> {
    pub(super) now: Tick,
    /// What the destination asked for.
    pub(super) after: Option<Duration>,
    /// The destination refuses us: one such answer is enough.
    pub(super) pause: bool,
    pub(super) reason: &'a Reason,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: &Reason, now: Tick, after: Option<Duration>) -> Failure<'_> {
        Failure {
            now,
            after,
            pause: false,
            reason,
        }
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_with_a_probe() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut breaker = Breaker::closed();
        let down = Reason::new(ReasonClass::Unavailable, "503");
        let now = Tick::default();
        for _ in 1..FAILURES_MAX {
            assert!(breaker.failed(failure(&down, now, None), Role::Usual, &mut rng));
        }
        breaker.succeeded(Role::Usual);
        for _ in 0..FAILURES_MAX {
            assert!(breaker.is_closed());
            assert!(breaker.failed(failure(&down, now, None), Role::Usual, &mut rng));
        }
        let until = breaker.free_at(now).unwrap();
        assert!(now.after(HOLD_MIN / 2) <= until && until <= now.after(HOLD_MIN));
        assert!(
            !breaker.failed(failure(&down, now, None), Role::Usual, &mut rng),
            "counts for nobody"
        );
        assert_eq!(breaker.sending(), Role::Probe);
        assert_eq!(breaker.free_at(until), None);
        breaker.succeeded(Role::Usual);
        assert!(!breaker.is_closed(), "an older request closed it");
        breaker.succeeded(Role::Probe);
        assert!(breaker.is_closed());
    }

    #[test]
    fn waits_as_long_as_asked_and_no_longer_than_a_day() {
        let mut rng = fastrand::Rng::with_seed(1);
        let slower = Reason::new(ReasonClass::Throttled, "429");
        let now = Tick::default();
        for (asked, waits) in [(7, 7), (u64::MAX, 24 * 60 * 60)] {
            let mut breaker = Breaker::closed();
            let after = Some(Duration::from_secs(asked));
            breaker.failed(failure(&slower, now, after), Role::Usual, &mut rng);
            assert_eq!(
                breaker.free_at(now),
                Some(now.after(Duration::from_secs(waits)))
            );
        }
    }

    #[test]
    fn probes_at_least_every_five_seconds() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut breaker = Breaker::closed();
        let down = Reason::new(ReasonClass::Network, "refused");
        let mut now = Tick::default();
        for _ in 0..100 {
            breaker.failed(failure(&down, now, None), Role::Probe, &mut rng);
            let until = breaker.free_at(now).unwrap();
            assert!(until.since(now) <= HOLD_MAX);
            now = until;
            breaker.sending();
        }
    }
}
