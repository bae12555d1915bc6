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
//! - `breaker.slow`: whether a call was slow is said by the times it was let in and settled at, which are the breaker's own.
//!
//! Source: M. Nygard, "Release It!", 2007, chapter "Stability Patterns".
//!
//! Not here: what counts as a failure, where the time comes from (`breaker`), how failures are counted (`window`).
use super::window::{Call, Counts, Window, Windowed};
use core::fmt;
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
    slow: Option<Slow>,
}

/// What calls are too slow, and how many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Slow {
    after: Duration,
    percent: u32,
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
        Trip { percent, least_calls, window, pause: Duration::from_secs(30), probes: 1, slow: None }
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

    /// Opens as well when at least `percent` per cent of the calls in the window took `after` or longer, whatever they ended
    /// in, once there are as many calls as for failures: who answers, but late, needs to recover too. A probe that takes so
    /// long has failed.
    ///
    /// A deadline inside the call makes a failure of it; this is for calls that are worth awaiting. What is given up counts for
    /// nothing, however long it took.
    ///
    /// # Panics
    /// If `percent` is not between 1 and 100, or if `after` is zero: all calls would be slow.
    #[must_use]
    #[track_caller]
    pub const fn slow(mut self, percent: u32, after: Duration) -> Trip {
        assert!(percent >= 1 && percent <= 100, "a share of slow calls is between 1 and 100 per cent");
        assert!(!after.is_zero(), "every call takes that long");
        self.slow = Some(Slow { after, percent });
        self
    }

    /// How long an open breaker lets nobody call.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Trip {
        self.pause = pause;
        self
    }

    /// How many calls at most try it out afterwards, side by side or one after the other; when so many have succeeded the
    /// breaker closes, and the first one that fails opens it again. Probes that never end keep it half open: a deadline inside
    /// of each call sees to that.
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

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Closed => f.write_str("closed"),
            State::Open { until: Time::MAX } => f.write_str("open"),
            State::Open { until } => write!(f, "open until {until}"),
            State::HalfOpen { out, succeeded } => {
                write!(f, "half open, {out} probes under way and {succeeded} succeeded")
            }
        }
    }
}

/// What a breaker has seen, for dashboards and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// Whether it lets calls through.
    pub state: State,
    /// How many calls it judges by: those in the window, since it was last closed. Probes are not among them.
    pub calls: u64,
    /// How many of these failed.
    pub failures: u64,
    /// How many of these were [slow](Trip::slow).
    pub slow: u64,
    /// How many calls it has refused since it was made.
    pub refused: u64,
    /// How many times it has opened since it was made, also by hand.
    pub opened: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { state, calls, failures, slow, refused, opened } = self;
        write!(f, "{state}; {failures} of {calls} calls failed, {slow} slow; ")?;
        write!(f, "opened {opened} times, {refused} calls refused")
    }
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
    since: Time,
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
    refused: u64,
    opened: u64,
}

impl Circuit {
    /// Closed, with nothing seen.
    #[must_use]
    pub fn new(trip: Trip) -> Circuit {
        let seen = Windowed::new(trip.window);
        Circuit { trip, state: State::Closed, seen, generation: 0, refused: 0, opened: 0 }
    }

    /// The state at `now`.
    #[must_use]
    pub fn state(&self, now: Time) -> State {
        match self.state {
            State::Open { until } if until <= now => State::HalfOpen { out: 0, succeeded: 0 },
            state => state,
        }
    }

    /// How many times the state has changed, counting from a closed one to an open one, from that to a half open one, and so
    /// on; and the state it has changed to. The end of a pause is a change when the first call comes after it.
    #[must_use]
    pub fn changes(&self) -> (u64, State) {
        (self.generation, self.state)
    }

    /// What it has seen by `now`.
    #[must_use]
    pub fn report(&mut self, now: Time) -> Report {
        let Counts { calls, failures, slow } = self.seen.count(now);
        let (refused, opened) = (self.refused, self.opened);
        Report { state: self.state(now), calls, failures, slow, refused, opened }
    }

    /// Lets a call in, or not.
    ///
    /// # Errors
    /// The breaker is open, or half open with all its probes under way.
    pub fn admit(&mut self, now: Time) -> Result<Ticket, Refused> {
        if self.state != self.state(now) {
            self.enter(State::HalfOpen { out: 0, succeeded: 0 });
        }
        let ticket = |probe| Ticket { generation: self.generation, since: now, probe };
        let until = match &mut self.state {
            State::Closed => return Ok(ticket(false)),
            State::HalfOpen { out, succeeded } if *out + *succeeded < self.trip.probes => {
                *out += 1;
                return Ok(ticket(true));
            }
            State::Open { until } => Some(*until),
            State::HalfOpen { .. } => None,
        };
        self.refused += 1;
        Err(Refused { until })
    }

    /// What became of a call that was let in.
    pub fn settle(&mut self, ticket: Ticket, ended: Ended, now: Time) {
        if ticket.generation != self.generation && !types::seeded!("breaker.old-calls-count") {
            return;
        }
        let slow = self.trip.slow.is_some_and(|slow| now.saturating_since(ticket.since) >= slow.after);
        let call = Call { failed: ended == Ended::Badly, slow };
        match (&mut self.state, ended) {
            (State::Closed, Ended::GivenUp) | (State::Open { .. }, _) => {}
            (State::Closed, _) => {
                self.seen.note(call, now);
                if self.is_too_much(now) {
                    self.open(now)
                }
            }
            (State::HalfOpen { out, .. }, Ended::GivenUp) => *out = out.saturating_sub(1),
            (State::HalfOpen { .. }, _)
                if call.failed || call.slow && !types::seeded!("breaker.slow-probe-is-well") =>
            {
                self.open(now)
            }
            (State::HalfOpen { out, succeeded }, _) => {
                *out = out.saturating_sub(1);
                *succeeded += 1;
                if *succeeded >= self.trip.probes {
                    self.enter(State::Closed)
                }
            }
        }
    }

    /// Whether the calls in the window are reason to open.
    fn is_too_much(&mut self, now: Time) -> bool {
        let Counts { calls, failures, slow } = self.seen.count(now);
        let are = |some: u64, percent: u32| some * 100 >= u64::from(percent) * calls;
        calls >= u64::from(self.trip.least_calls)
            && (are(failures, self.trip.percent)
                || self.trip.slow.is_some_and(|trip| are(slow, trip.percent)))
    }

    fn open(&mut self, now: Time) {
        self.enter(State::Open { until: now.saturating_add(self.trip.pause) })
    }

    /// Opens or closes it by hand. Calls under way do not count any more.
    pub fn force(&mut self, state: State) {
        self.enter(state)
    }

    fn enter(&mut self, state: State) {
        self.generation += 1;
        self.state = state;
        match state {
            State::Closed => self.seen = Windowed::new(self.trip.window),
            State::Open { .. } => self.opened += 1,
            State::HalfOpen { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
