//! The limit on requests in a stretch of time.

use std::collections::VecDeque;

use crate::clock::Tick;
use crate::config::settings::Rate;

/// Remembers the requests of the last stretch, so that no stretch, wherever it begins, sees more than
/// the limit. Holds at most as many moments as the limit allows requests.
#[derive(Debug, Default)]
pub(super) struct Pace {
    rate: Option<Rate>,
    sent: VecDeque<Tick>,
}

impl Pace {
    pub(super) fn set(&mut self, rate: Option<Rate>) {
        self.rate = rate;
        if rate.is_none() {
            self.sent.clear();
        }
    }

    /// When the next request may be made: now, or later.
    pub(super) fn free_at(&self, now: Tick) -> Tick {
        let Some(rate) = self.rate else { return now };
        let limit = rate.requests.max(1) as usize;
        let Some(place) = self.sent.len().checked_sub(limit) else {
            return now;
        };
        self.sent
            .get(place)
            .map_or(now, |oldest| oldest.after(rate.per).max(now))
    }

    pub(super) fn count(&mut self, now: Tick) {
        let Some(rate) = self.rate else { return };
        while self
            .sent
            .front()
            .is_some_and(|sent| sent.after(rate.per) <= now)
        {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_stretch_sees_more_than_the_limit() {
        let per = Duration::from_secs(1);
        let mut pace = Pace::default();
        pace.set(Some(Rate { requests: 3, per }));
        let mut sent = Vec::new();
        let mut now = Tick::default();
        for step in 0..2000 {
            now = now.after(Duration::from_millis(7 + step % 5));
            if pace.free_at(now) <= now {
                pace.count(now);
                sent.push(now);
            }
        }
        assert!(
            sent.windows(4).all(|four| per <= four[3].since(four[0])),
            "{sent:?}"
        );
        assert!(30 < sent.len());
    }

    #[test]
    fn a_limit_that_was_lowered_holds_at_once() {
        let per = Duration::from_secs(1);
        let mut pace = Pace::default();
        pace.set(Some(Rate { requests: 9, per }));
        let at = |ms| Tick::new(Duration::from_millis(ms));
        (0..6).for_each(|n| pace.count(at(n)));
        pace.set(Some(Rate { requests: 2, per }));
        assert_eq!(pace.free_at(at(10)), at(1004));
    }
}
