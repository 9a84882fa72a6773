//! Thousands of random schedules against the promises of delivery.
//!
//! A schedule feeds a courier records, answers, failures, time, new plans and crashes in random
//! order. After every step the oracle checks what must never be: an event delivered twice without a
//! crash, out of order, or by nobody's plan, bounds exceeded, a wake-up that is due and does nothing.
//! At the end the destination works, and everything must settle. `TRACKWAY_SCHEDULES=200000` runs
//! more, `TRACKWAY_SCHEDULE=17` one.

mod oracle;
mod world;

use std::time::Duration;

use crate::clock::Tick;
use crate::clock::Timestamp;
use crate::config::settings::Ordering;
use crate::deliver::courier::Action;
use crate::deliver::courier::Bounds;
use crate::deliver::courier::Burial;
use crate::deliver::courier::Courier;
use crate::deliver::courier::Dispatch;
use crate::deliver::courier::Input;
use crate::deliver::courier::Moment;
use crate::deliver::courier::memory::Memory;
use crate::deliver::courier::simulation::oracle::Oracle;
use crate::deliver::courier::simulation::world::Nature;
use crate::deliver::courier::simulation::world::World;
use crate::deliver::journal::Position;
use crate::event::delivery::Judgement;
use crate::event::delivery::Outcome;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;

const SCHEDULES: u64 = 20_000;
const BOUNDS: Bounds = Bounds {
    bytes_max: 400,
    deliveries_max: 20,
};

/// How the destination behaves as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Fine,
    Down,
    /// Takes it, and the answer is lost.
    Mute,
    Throttling,
    Unauthorized,
    /// Takes two at most.
    Narrow,
}

struct Simulation {
    world: World,
    rng: fastrand::Rng,
    courier: Courier,
    oracle: Oracle,
    now: Moment,
    plan: u64,
    weather: Weather,
    appended: u64,
    flights: Vec<Dispatch>,
    loads: Vec<Position>,
    burials: Vec<Burial>,
    saved: Memory,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let world = World::new(seed, &mut rng);
        let wall = Timestamp::from_millis(0);
        let now = Moment {
            tick: Tick::default(),
            wall,
        };
        let saved = Memory::default();
        let courier = Courier::resume(&saved, world.terms(), seed, now).with_bounds(BOUNDS);
        Self {
            oracle: Oracle::new(world.clone()),
            world,
            rng,
            courier,
            now,
            plan: 0,
            weather: Weather::Fine,
            appended: 0,
            flights: Vec::new(),
            loads: Vec::new(),
            burials: Vec::new(),
            saved,
        }
    }

    fn run(&mut self) {
        for _ in 0..self.rng.u32(20..250) {
            self.random_move();
        }
        self.weather = Weather::Fine;
        self.appended = self.world.records;
        let mut rounds = 0;
        while !self.is_done() {
            rounds += 1;
            assert!(rounds < 5_000, "does not settle: {:?}", self.courier);
            if !self.progress() {
                self.pass_to_wake();
            }
        }
        self.oracle.finished(self.plan);
        assert_eq!(
            self.courier.memory(self.now),
            Memory::starting_at(self.courier.cursor())
        );
    }

    fn is_done(&self) -> bool {
        self.courier.watermark() == Position(self.world.records)
    }

    fn random_move(&mut self) {
        match self.rng.u32(0..100) {
            0..40 => {
                self.progress();
            }
            40..60 => self.appended = (self.appended + 1).min(self.world.records),
            60..75 => self.pass_up_to(Duration::from_secs(3)),
            75..85 => self.pass_to_wake_if_any(),
            85..88 => self.pass_up_to(Duration::from_secs(400)),
            88..93 => self.weather = self.any_weather(),
            93..97 => self.save(),
            97..98 => self.crash(),
            _ => self.replan(),
        }
    }

    /// Does one of the things that the courier has asked for, if there is one.
    fn progress(&mut self) -> bool {
        let first = self.rng.u32(0..4);
        (0..4).any(|n| match (first + n) % 4 {
            0 => self.feed(),
            1 => self.load(),
            2 => self.answer(),
            _ => self.bury(),
        })
    }

    /// Hands over something that was read, and perhaps more of it before anything is sent.
    fn hand_over(&mut self, input: Input<'_>) {
        self.take_in(input);
        if self.rng.bool() {
            self.step(Input::Wake);
        }
    }

    fn step(&mut self, input: Input<'_>) {
        self.take_in(input);
        let wake = self.courier.wake_at(self.now);
        assert!(
            wake.is_none_or(|wake| self.now.tick < wake),
            "is due and was not done"
        );
    }

    fn take_in(&mut self, input: Input<'_>) {
        let mut actions = Vec::new();
        self.courier.step(input, self.now, &mut actions);
        for action in actions {
            match action {
                Action::Load(position) => self.loads.push(position),
                Action::Bury(burial) => {
                    self.oracle.given_up(burial.id);
                    self.burials.push(burial);
                }
                Action::Send(dispatch) => {
                    self.oracle.sent(&dispatch, self.now);
                    self.flights.push(dispatch);
                }
            }
        }
        assert!(self.flights.len() <= self.world.concurrency as usize);
        Oracle::checks_bounds(&self.courier, BOUNDS);
    }

    fn feed(&mut self) -> bool {
        let position = self.courier.cursor();
        let accepted_at = World::accepted_at(position);
        if self.appended <= position.0 || !self.courier.wants(accepted_at, self.now) {
            return false;
        }
        let rendered = self.world.render(position, self.plan);
        self.hand_over(Input::Record {
            position,
            accepted_at,
            rendered: &rendered,
        });
        true
    }

    fn load(&mut self) -> bool {
        if self.loads.is_empty() {
            return false;
        }
        let position = self.loads.swap_remove(self.rng.usize(0..self.loads.len()));
        let rendered = self.world.render(position, self.plan);
        self.hand_over(Input::Loaded {
            position,
            rendered: Some(&rendered),
        });
        true
    }

    fn bury(&mut self) -> bool {
        if self.burials.is_empty() {
            return false;
        }
        let burial = self
            .burials
            .swap_remove(self.rng.usize(0..self.burials.len()));
        self.oracle.buried(&burial, self.now);
        // Crash: it is on disk, and nobody was told.
        if self.rng.u8(..) < 3 {
            self.crash();
        } else {
            self.step(Input::Buried(&[burial.id]));
        }
        true
    }

    fn answer(&mut self) -> bool {
        if self.flights.is_empty() {
            return false;
        }
        let dispatch = self
            .flights
            .swap_remove(self.rng.usize(0..self.flights.len()));
        let judgement = self.judge(&dispatch);
        self.oracle.judged(&dispatch, &judgement);
        self.step(Input::Judged {
            flight: dispatch.flight,
            judgement,
        });
        true
    }

    fn judge(&mut self, dispatch: &Dispatch) -> Judgement {
        let retry = |class, after| {
            Judgement::All(Outcome::Retry {
                after,
                reason: Reason::new(class, "later"),
            })
        };
        let weather = if self.rng.u8(..) < 8 {
            self.any_weather()
        } else {
            self.weather
        };
        match weather {
            Weather::Down => return retry(ReasonClass::Network, None),
            Weather::Throttling => {
                let after = Duration::from_secs(self.rng.u64(0..100));
                return retry(ReasonClass::Throttled, Some(after));
            }
            Weather::Unauthorized => {
                return Judgement::Pause(Reason::new(ReasonClass::Unauthorized, "401"));
            }
            Weather::Narrow if 2 < dispatch.ids.len() => {
                return Judgement::Split(Reason::new(ReasonClass::TooLarge, "413"));
            }
            _ => {}
        }
        let natures: Vec<_> = dispatch
            .ids
            .iter()
            .map(|id| self.world.nature(*id))
            .collect();
        let stubborn = dispatch.ids.iter().zip(&natures).any(|(id, nature)| {
            matches!(nature, Nature::Stubborn(times) if self.oracle.attempts(*id) <= *times)
        });
        if stubborn {
            return retry(ReasonClass::Unavailable, None);
        }
        self.oracle.taken(dispatch, &natures, self.plan);
        if weather == Weather::Mute {
            return retry(ReasonClass::Timeout, None);
        }
        let outcome = |nature: &Nature| match nature {
            Nature::Bad => Outcome::Reject(Reason::new(ReasonClass::Refused, "400")),
            _ => Outcome::Delivered,
        };
        Judgement::Each(natures.iter().map(outcome).collect())
    }

    fn any_weather(&mut self) -> Weather {
        match self.rng.u32(0..12) {
            0 | 1 => Weather::Down,
            2 => Weather::Mute,
            3 => Weather::Throttling,
            4 => Weather::Unauthorized,
            5 | 6 => Weather::Narrow,
            _ => Weather::Fine,
        }
    }

    fn pass(&mut self, duration: Duration) {
        self.now = Moment {
            tick: self.now.tick.after(duration),
            wall: self.now.wall.after(duration),
        };
        self.step(Input::Wake);
    }

    fn pass_up_to(&mut self, longest: Duration) {
        let share = self.rng.f64();
        self.pass(longest.mul_f64(share));
    }

    fn pass_to_wake(&mut self) {
        let wake = self.courier.wake_at(self.now);
        let wake = wake.unwrap_or_else(|| panic!("is stuck: {:?}", self.courier));
        // The wall clock has milliseconds only.
        self.pass(wake.since(self.now.tick) + Duration::from_millis(1));
    }

    fn pass_to_wake_if_any(&mut self) {
        if self.courier.wake_at(self.now).is_some() {
            self.pass_to_wake();
        }
    }

    fn save(&mut self) {
        self.saved = self.courier.memory(self.now);
        self.oracle.saved();
    }

    fn crash(&mut self) {
        self.flights.clear();
        self.loads.clear();
        self.burials.clear();
        self.oracle.crashed();
        let seed = self.rng.u64(..);
        let terms = self.world.terms();
        self.courier = Courier::resume(&self.saved, terms, seed, self.now).with_bounds(BOUNDS);
        self.step(Input::Wake);
    }

    fn replan(&mut self) {
        self.plan += 1;
        if self.rng.u8(..) < 20 {
            self.world.ordering = match self.world.ordering {
                Ordering::PerPerson => Ordering::None,
                Ordering::None => Ordering::PerPerson,
            };
            self.oracle.reordered();
        }
        self.oracle.replanned(self.plan);
        self.step(Input::Plan(self.world.terms()));
    }
}

#[test]
fn every_schedule_keeps_the_promises() {
    let number = |name| {
        #[expect(
            clippy::disallowed_methods,
            reason = "how many to run is the caller's choice"
        )]
        let value = std::env::var(name).ok()?;
        Some(value.parse::<u64>().unwrap())
    };
    let schedules = match number("TRACKWAY_SCHEDULE") {
        Some(one) => one..one + 1,
        None => 0..number("TRACKWAY_SCHEDULES").unwrap_or(SCHEDULES),
    };
    for seed in schedules {
        let run = std::panic::AssertUnwindSafe(|| Simulation::new(seed).run());
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("failed: TRACKWAY_SCHEDULE={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
