//! [`Reader`]: turns the kernel's events into observations; and the readers that come with the crate.
//!
//! | reader | one observation per | a violation if |
//! |---|---|---|
//! | [`Drains`] | region that closes after a request, or is written off | it's later than its cleanup deadline |
//! | [`Leaks`] | obligation that ends | it was declared leaked |
//! | [`Deadlines`] | task that ends | it was stopped by a deadline |
//! | [`Panics`] | task that ends | it panicked |
//! | [`Abandoned`] | task that ends or is written off | it was dropped from outside or written off |
//! | [`Refusals`] | spawn | it was refused |
//! | [`Finalizers`] | finalizer that ends | it did anything but succeed |
//! | [`Polls`] | poll that ends | it took longer than allowed |
//! | [`Timers`] | timer that fires | it's later than due, and a slack |
//! | [`Notes`] | note of the program with one of two texts | it's the second text |
//!
//! A reader sees the events of one runtime in their order. Joined in the middle of a stream it ignores the ends of what it
//! didn't see begin; what it remembers is bounded by what is alive. Where a new run begins, tell it.
//!
//! [`Polls`] and [`Timers`] need labels of the chapters Schedule and Time. A source that doesn't emit them feeds those
//! monitors with durations ([`Monitor::observe_duration`](crate::Monitor::observe_duration)).
//!
//! Not here: judging one run (`oracle`); what becomes of the observations (`monitor`).

use trace::{Event, FinalizerEnd, Label};

mod clock;
mod drains;
mod tasks;

pub use clock::{Polls, Timers};
pub use drains::Drains;
pub use tasks::{Abandoned, Deadlines, Panics, Refusals};

/// Turns events into observations for one monitor.
pub trait Reader {
    /// Takes in the next event. `Some(true)` is a violation, `Some(false)` an observation without one, `None` neither.
    fn read(&mut self, event: &Event) -> Option<bool>;

    /// A new run begins: whatever the last one left open never ends, and ids start over.
    fn begin(&mut self) {}
}

/// Obligations that end as leaked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leaks;

impl Reader for Leaks {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::ObligationCommit { .. } | Label::ObligationAbort { .. } => Some(false),
            Label::ObligationLeak { .. } => Some(true),
            // What comes after a leak was counted with it.
            _ => None,
        }
    }
}

/// Finalizers that end otherwise than well.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finalizers;

impl Reader for Finalizers {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::FinalizerEnd { end, .. } => Some(end != FinalizerEnd::Ok),
            _ => None,
        }
    }
}

/// Notes of the program itself: one text for what went well, one for what didn't.
#[derive(Clone, Debug)]
pub struct Notes {
    well: String,
    badly: String,
}

impl Notes {
    /// Observes the notes `well` and `badly`, and no others.
    pub fn new(well: impl Into<String>, badly: impl Into<String>) -> Self {
        Self { well: well.into(), badly: badly.into() }
    }
}

impl Reader for Notes {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match &event.label {
            Label::User { text } if *text == self.badly => Some(true),
            Label::User { text } if *text == self.well => Some(false),
            _ => None,
        }
    }
}
