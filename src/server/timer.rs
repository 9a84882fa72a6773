//! hyper's timer, read off the [`Clock`]: a test that moves the clock moves hyper's timeouts.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;
use std::time::Instant;

use hyper::rt::Sleep;
use hyper::rt::Timer;

use crate::clock::Clock;
use crate::clock::Tick;

/// A [`Clock`] for hyper.
#[derive(Clone, Debug)]
pub(super) struct ClockTimer {
    clock: Clock,
    /// The instant that stands for tick zero. hyper wants instants and only ever compares those that
    /// this timer gave it.
    start: Instant,
}

impl ClockTimer {
    pub(super) fn new(clock: Clock) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary origin, not a reading of time"
        )]
        let start = Instant::now();
        Self { clock, start }
    }

    fn sleep_until_tick(&self, due: Tick) -> Pin<Box<dyn Sleep>> {
        let clock = self.clock.clone();
        Box::pin(ClockSleep(Box::pin(
            async move { clock.sleep_until(due).await },
        )))
    }
}

impl Timer for ClockTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until_tick(self.clock.tick().after(duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep_until_tick(Tick::new(deadline.saturating_duration_since(self.start)))
    }

    fn now(&self) -> Instant {
        let passed = self.clock.tick().since_start();
        self.start.checked_add(passed).unwrap_or(self.start)
    }
}

struct ClockSleep(Pin<Box<dyn Future<Output = ()> + Send + Sync>>);

impl Future for ClockSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl Sleep for ClockSleep {}
