//! The only reader of time and the only sleeper.
//!
//! Everything else asks a [`Clock`], so that a test can stand still, jump and wait without waiting.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use tokio::sync::Notify;

/// A moment of wall-clock time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch; negative is before it.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `duration` later, stopping at the largest one.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, `2026-01-02T03:04:05.678Z`: the one form events carry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Days to a civil date by 400-year eras that start on 1 March; see H. Hinnant,
        // "chrono-Compatible Low-Level Date Algorithms".
        let shifted = days + 719_468;
        let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        // Most events carry several of these, and the formatter is slow at seven numbers.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let numbers = [
            (0..4, year),
            (5..7, month),
            (8..10, day),
            (11..13, hour),
            (14..16, minute),
            (17..19, second),
            (20..23, millis),
        ];
        for (place, number) in numbers {
            put_digits(text.get_mut(place).unwrap_or_default(), number);
        }
        match std::str::from_utf8(&text) {
            Ok(text) if (0..10_000).contains(&year) => f.write_str(text),
            _ => write!(
                f,
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
            ),
        }
    }
}

/// Writes the last digits of a number over all of `place`.
fn put_digits(place: &mut [u8], mut number: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number.rem_euclid(10)).unwrap_or(0);
        number /= 10;
    }
}

/// A moment of monotonic time: what has passed since the clock was made. Never jumps back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(Duration);

impl Tick {
    /// The tick `since_start` after the clock was made.
    pub const fn new(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// What has passed since the clock was made.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// The tick `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// What lies between `earlier` and this tick; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Gives the time and sleeps; cheap to clone.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    System(Instant),
    Manual(Arc<Manual>),
}

struct Manual {
    now: Mutex<(Timestamp, Tick)>,
    moved: Notify,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::System(_) => "Clock::system",
            Kind::Manual(_) => "Clock::manual",
        })
    }
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one reader of time")]
        Self(Kind::System(Instant::now()))
    }

    /// A clock that shows `now` until [`Clock::advance`] moves it.
    pub fn manual(now: Timestamp) -> Self {
        Self(Kind::Manual(Arc::new(Manual {
            now: Mutex::new((now, Tick::default())),
            moved: Notify::new(),
        })))
    }

    /// Wall-clock time. May jump when the machine's clock is set: never measure with it.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System(_) => {
                #[expect(clippy::disallowed_methods, reason = "this is the one reader of time")]
                let now = SystemTime::now();
                let millis = now
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .map_or(0, |passed| {
                        i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
                    });
                Timestamp(millis)
            }
            Kind::Manual(manual) => manual.read().0,
        }
    }

    /// Monotonic time, for delays and measurements.
    pub fn tick(&self) -> Tick {
        match &self.0 {
            Kind::System(start) => Tick(start.elapsed()),
            Kind::Manual(manual) => manual.read().1,
        }
    }

    /// Waits until [`Clock::tick`] has reached `due`. Dropping the future cancels the wait.
    pub async fn sleep_until(&self, due: Tick) {
        match &self.0 {
            Kind::System(start) => {
                let due = start.checked_add(due.0);
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            }
            Kind::Manual(manual) => loop {
                let moved = manual.moved.notified();
                tokio::pin!(moved);
                // Order: listen before looking, or a move between the two is missed.
                moved.as_mut().enable();
                if due <= manual.read().1 {
                    return;
                }
                moved.await;
            },
        }
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.tick().after(duration)).await;
    }

    /// Moves a manual clock forward and wakes its sleepers; does nothing to the machine's clock.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(manual) = &self.0 {
            {
                let mut now = manual.now.lock().unwrap_or_else(PoisonError::into_inner);
                *now = (now.0.after(by), now.1.after(by));
            }
            manual.moved.notify_waiters();
        }
    }
}

impl Manual {
    fn read(&self) -> (Timestamp, Tick) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_moments_as_rfc_3339() {
        let print = |millis| Timestamp::from_millis(millis).to_string();
        assert_eq!(print(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(print(1_767_323_045_678), "2026-01-02T03:04:05.678Z");
        assert_eq!(print(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(print(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(print(253_402_300_799_999), "9999-12-31T23:59:59.999Z");
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_when_moved() {
        let clock = Clock::manual(Timestamp::from_millis(5));
        let sleeper = clock.sleep(Duration::from_secs(60));
        tokio::pin!(sleeper);
        assert!(futures_poll(sleeper.as_mut()).await.is_none());
        clock.advance(Duration::from_secs(60));
        sleeper.await;
        assert_eq!(clock.now(), Timestamp::from_millis(60_005));
    }

    async fn futures_poll<F: Future<Output = ()> + Unpin>(mut future: F) -> Option<()> {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(cx) {
                std::task::Poll::Ready(()) => Some(()),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
