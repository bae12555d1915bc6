//! [`Question`]: what a monitor asks, in words and with a number; and the questions that come with the crate.
//!
//! The rates below are starting points for services that have no agreement of their own, not measurements: a question with
//! another rate is `Question::DRAINS.at_most(rate)`.
//!
//! Not here: where the answers come from (`readers` for events, `Monitor::observe` for everything else).

use std::borrow::Cow;

use crate::{AtMost, Rate};

/// A claim about a stream of observations: "at most 5 % of drains overrun".
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    name: Cow<'static, str>,
    units: Cow<'static, str>,
    violates: Cow<'static, str>,
    null: AtMost,
}

macro_rules! questions {
    ($($(#[$doc:meta])* $constant:ident: $name:literal, $rate:literal of $units:literal $violates:literal;)+) => {
        impl Question {
            $(
                $(#[$doc])*
                pub const $constant: Self = Self {
                    name: Cow::Borrowed($name),
                    units: Cow::Borrowed($units),
                    violates: Cow::Borrowed($violates),
                    null: AtMost(Rate::known($rate)),
                };
            )+

            /// All questions that come with the crate.
            pub const READY: &'static [Self] = &[$(Self::$constant,)+];
        }
    };
}

questions! {
    /// Of the regions that were asked to stop, how many weren't closed by their cleanup deadline.
    DRAINS: "drains", 0.05 of "drains" "overrun";
    /// Of the obligations that ended, how many were declared leaked.
    LEAKS: "leaks", 0.001 of "obligations" "leak";
    /// Of the requests, how many were a second try.
    RETRIES: "retries", 0.1 of "requests" "are retries";
    /// Of the replayed runs, how many didn't do the same again.
    DIVERGENCES: "divergences", 0.0001 of "replays" "diverge";
    /// Of the tasks that ended, how many were stopped by a deadline.
    DEADLINES: "deadlines", 0.01 of "tasks" "miss their deadline";
    /// Of the polls, how many took longer than a poll should.
    POLLS: "polls", 0.01 of "polls" "take too long";
    /// Of the timers that fired, how many fired late.
    TIMERS: "timers", 0.01 of "timers" "fire late";
    /// Of the ticks of a task that only waits for the next one, how many came late: those of all workers were busy.
    STARVATION: "starvation", 0.01 of "ticks" "come late";
    /// Of the tasks that ended, how many had to be dropped from outside or written off.
    ABANDONED: "abandoned", 0.001 of "tasks" "are abandoned";
    /// Of the tasks that ended, how many panicked.
    PANICS: "panics", 0.001 of "tasks" "panic";
    /// Of the spawns, how many were refused.
    REFUSALS: "refusals", 0.01 of "spawns" "are refused";
    /// Of the finalizers that ended, how many didn't succeed.
    FINALIZERS: "finalizers", 0.01 of "finalizers" "fail";
}

impl Question {
    /// The claim that at most a certain part of `units` (a plural: "requests") `violates` (a verb: "fail").
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        null: AtMost,
        units: impl Into<Cow<'static, str>>,
        violates: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { name: name.into(), units: units.into(), violates: violates.into(), null }
    }

    /// The same question with another rate.
    #[must_use]
    pub fn at_most(mut self, rate: Rate) -> Self {
        self.null = AtMost(rate);
        self
    }

    /// Its name, for tables and files.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is counted: a plural.
    #[must_use]
    pub fn units(&self) -> &str {
        &self.units
    }

    /// What is claimed.
    #[must_use]
    pub fn null(&self) -> AtMost {
        self.null
    }
}

/// The claim: `at most 5 % of drains overrun`.
impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} {}", self.null, self.units, self.violates)
    }
}
