//! [`Circuit`]: the circuit breaker as a pure machine. It is told the time and what became of calls, and answers who may
//! call.
//!
//! ```text
//!            too many failures                     the pause is over
//!  Closed ─────────────────────▶ Open { until } ─────────────────────▶ HalfOpen { probes out, successes }
//!    ▲                             ▲                                      │         │
//!    │                             └───────── a probe failed ─────────────┘         │
//!    └──────────────────────── as many probes succeeded as there are ───────────────┘
//! ```
//! Invariants:
//! - `breaker.probes`: half open, probes out + successes is at most `probes`; a probe that is given up (cancelled, a
//!   loser, dropped) may be made anew.
//! - `breaker.generation`: a call counts for the state it was let in by. One that ends after that state was left says
//!   nothing any more.
//! - `breaker.neutral`: what was given up counts neither as a success nor as a failure.
//!
//! Source: M. Nygard, "Release It!", 2007, chapter "Stability Patterns".
//!
//! Not here: what counts as a failure, where the time comes from (`breaker`), how failures are counted (`window`).
use super::window::{Window, Windowed};
use core::time::Duration;
use types::Time;

/// When a breaker opens, and how it closes again.
///
/// ```
/// use asupersync_combinator::breaker::{Trip, Window};
/// use core::time::Duration;
/// // Half of at least 20 calls within 10 s failed: pause for 5 s, then see whether 3 calls succeed.
/// let trip = Trip::at_percent(50, 20, Window::Within(Duration::from_secs(10)))
///     .pause(Duration::from_secs(5))
///     .probes(3);
/// # let _ = trip;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trip {
    pub(super) percent: u32,
    pub(super) least_calls: u32,
    pub(super) window: Window,
    pause: Duration,
    probes: u32,
}

impl Trip {
    /// Opens when at least `percent` per cent of the calls in `window` failed, once there are `least_calls` of them. With
    /// a pause of 30 s and one probe, unless said otherwise.
    ///
    /// # Panics
    /// If `percent` is not between 1 and 100, if `least_calls` is 0 or more than the window holds, or if the window is
    /// empty.
    #[must_use]
    #[track_caller]
    pub const fn at_percent(percent: u32, least_calls: u32, window: Window) -> Trip {
        assert!(percent >= 1 && percent <= 100, "a share of failures is between 1 and 100 per cent");
        assert!(least_calls > 0, "no calls have no share of failures");
        match window {
            Window::Calls(calls) => {
                assert!(least_calls <= calls, "the window never holds that many calls");
                assert!(calls <= Window::MOST_CALLS, "the window is too wide");
            }
            Window::Within(span) => assert!(!span.is_zero(), "a window of no length holds no calls"),
        }
        Trip { percent, least_calls, window, pause: Duration::from_secs(30), probes: 1 }
    }

    /// Opens when the last `failures` calls all failed.
    ///
    /// # Panics
    /// If `failures` is 0 or more than [`Window::MOST_CALLS`].
    #[must_use]
    #[track_caller]
    pub const fn after_failures(failures: u32) -> Trip {
        Trip::at_percent(100, failures, Window::Calls(failures))
    }

    /// How long an open breaker lets nobody call.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Trip {
        self.pause = pause;
        self
    }

    /// How many calls at most try it out afterwards; when so many have succeeded the breaker closes.
    ///
    /// # Panics
    /// If `probes` is 0: it would never close.
    #[must_use]
    #[track_caller]
    pub const fn probes(mut self, probes: u32) -> Trip {
        assert!(probes > 0, "a breaker without probes would never close");
        self.probes = probes;
        self
    }
}

/// Whether calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// All are.
    Closed,
    /// None are.
    Open {
        /// Until when.
        until: Time,
    },
    /// A few are, to try it out.
    HalfOpen {
        /// How many of them are under way.
        out: u32,
        /// How many succeeded.
        succeeded: u32,
    },
}

/// Nobody may call now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refused {
    /// When it is worth asking again; `None` if that depends on probes that are under way.
    pub until: Option<Time>,
}

/// A call that was let in, to be settled once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    generation: u64,
    /// Whether it tries the other side out.
    pub probe: bool,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// It succeeded.
    Well,
    /// It failed.
    Badly,
    /// Nobody can say: it was cancelled, lost a race, was dropped.
    GivenUp,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Circuit {
    trip: Trip,
    state: State,
    seen: Windowed,
    /// Goes up whenever the state changes.
    generation: u64,
}

impl Circuit {
    /// Closed, with nothing seen.
    #[must_use]
    pub fn new(trip: Trip) -> Circuit {
        Circuit { trip, state: State::Closed, seen: Windowed::new(trip.window), generation: 0 }
    }

    /// The state at `now`.
    #[must_use]
    pub fn state(&self, now: Time) -> State {
        match self.state {
            State::Open { until } if until <= now => State::HalfOpen { out: 0, succeeded: 0 },
            state => state,
        }
    }

    /// Lets a call in, or not.
    ///
    /// # Errors
    /// The breaker is open, or half open with all its probes under way.
    pub fn admit(&mut self, now: Time) -> Result<Ticket, Refused> {
        if self.state != self.state(now) {
            self.enter(State::HalfOpen { out: 0, succeeded: 0 });
        }
        let generation = self.generation;
        match &mut self.state {
            State::Closed => Ok(Ticket { generation, probe: false }),
            State::Open { until } => Err(Refused { until: Some(*until) }),
            State::HalfOpen { out, succeeded } if *out + *succeeded < self.trip.probes => {
                *out += 1;
                Ok(Ticket { generation, probe: true })
            }
            State::HalfOpen { .. } => Err(Refused { until: None }),
        }
    }

    /// What became of a call that was let in.
    pub fn settle(&mut self, ticket: Ticket, ended: Ended, now: Time) {
        if ticket.generation != self.generation && !types::seeded!("breaker.old-calls-count") {
            return;
        }
        let pause = self.trip.pause;
        match (&mut self.state, ended) {
            (State::Closed, Ended::GivenUp) | (State::Open { .. }, _) => {}
            (State::Closed, ended) => {
                self.seen.note(ended == Ended::Badly, now);
                let (calls, failures) = self.seen.count(now);
                let share = u64::from(self.trip.percent) * calls;
                if calls >= u64::from(self.trip.least_calls) && failures * 100 >= share {
                    self.enter(State::Open { until: now.saturating_add(pause) })
                }
            }
            (State::HalfOpen { .. }, Ended::Badly) => {
                self.enter(State::Open { until: now.saturating_add(pause) })
            }
            (State::HalfOpen { out, .. }, Ended::GivenUp) => *out = out.saturating_sub(1),
            (State::HalfOpen { out, succeeded }, Ended::Well) => {
                *out = out.saturating_sub(1);
                *succeeded += 1;
                if *succeeded >= self.trip.probes {
                    self.enter(State::Closed)
                }
            }
        }
    }

    /// Opens or closes it by hand. Calls under way do not count any more.
    pub fn force(&mut self, state: State) {
        self.enter(state)
    }

    fn enter(&mut self, state: State) {
        self.generation += 1;
        self.state = state;
        if state == State::Closed {
            self.seen = Windowed::new(self.trip.window);
        }
    }
}

#[cfg(test)]
mod tests;
