//! When to try a delivery again.

use std::time::Duration;

use crate::deliver::courier::breaker::AFTER_MAX;

/// The wait of a delivery whose destination was down, where the schedule says nothing.
const WAIT: Duration = Duration::from_secs(5);

/// The waits of one failed request. One draw serves all of its items, so that those of a batch come
/// due together and make a batch again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    after: Duration,
    draw: f64,
    spread: f64,
}

impl Backoff {
    pub(super) fn new(rng: &mut fastrand::Rng) -> Self {
        Self {
            after: Duration::ZERO,
            draw: rng.f64(),
            spread: rng.f64(),
        }
    }

    /// Not before the destination said, if it did.
    pub(super) fn asked(self, after: Option<Duration>) -> Self {
        Self {
            after: after.unwrap_or_default().min(AFTER_MAX),
            ..self
        }
    }

    /// The wait after the failure that was the `failures`-th to count, from 1; `None` after the last
    /// one. Full jitter: anything between nothing and the step of the schedule.
    pub(super) fn counted(self, schedule: &[Duration], failures: u32) -> Option<Duration> {
        let step = schedule.get((failures as usize).checked_sub(1)?)?;
        Some(self.wait(*step))
    }

    /// The wait after a failure that is not the delivery's own.
    pub(super) fn uncounted(self, schedule: &[Duration], failures: u32) -> Duration {
        let step = schedule.get(failures as usize).or_else(|| schedule.last());
        self.wait(step.copied().unwrap_or(WAIT))
    }

    fn wait(self, step: Duration) -> Duration {
        let drawn = step.mul_f64(self.draw);
        // Those who were all told the same moment must not all come at that moment.
        if drawn < self.after {
            self.after + self.after.mul_f64(self.spread / 10.0)
        } else {
            drawn
        }
    }
}

/// The longest wait that does not come from the schedule.
pub(super) fn wait_asked_max() -> Duration {
    AFTER_MAX + AFTER_MAX / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

    #[test]
    fn draws_from_the_whole_step() {
        let mut rng = fastrand::Rng::with_seed(3);
        let waits: Vec<_> = (0..10_000)
            .filter_map(|_| Backoff::new(&mut rng).counted(&SCHEDULE, 2))
            .collect();
        let in_second = |n: u64| waits.iter().filter(|wait| wait.as_secs() == n).count();
        assert!((0..30).all(|second| 230 < in_second(second) && in_second(second) < 430));
    }

    #[test]
    fn gives_up_after_the_last_step() {
        let backoff = Backoff::new(&mut fastrand::Rng::with_seed(3));
        assert!(backoff.counted(&SCHEDULE, 1).is_some());
        assert!(backoff.counted(&SCHEDULE, 2).is_some());
        assert_eq!(backoff.counted(&SCHEDULE, 3), None);
        assert_eq!(backoff.counted(&[], 1), None);
    }

    #[test]
    fn what_the_destination_asks_for_is_a_minimum() {
        let mut rng = fastrand::Rng::with_seed(3);
        let after = Duration::from_secs(20);
        for _ in 0..1000 {
            let backoff = Backoff::new(&mut rng).asked(Some(after));
            let counted = backoff.counted(&SCHEDULE, 1).unwrap();
            assert!(after <= counted && counted <= Duration::from_secs(22));
            assert!(after <= backoff.uncounted(&SCHEDULE, 7));
        }
    }
}
