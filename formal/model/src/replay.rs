//! A whole trace against the model: the refinement check of the kernel.
//!
//! Not here: reading a trace (`trace::parse_lines`), judging it by properties (`oracle`).

use alloc::{boxed::Box, format};
use core::fmt;

use trace::Event;
use types::RegionId;

use crate::{Refusal, Standing, State, cancel, check, clock, step};

/// What a trace that the model agrees with amounts to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Events read, those without meaning for the model included.
    pub events: usize,
    /// Regions opened.
    pub regions: usize,
    /// Tasks spawned.
    pub tasks: usize,
    /// Obligations reserved.
    pub obligations: usize,
    /// How many of them leaked.
    pub leaked: usize,
    /// Whether the root region closed.
    pub closed: bool,
    /// The state at the end.
    pub state: State,
}

/// The first place where a trace and the model disagree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// The index of the event in the trace; its length when the end of the trace is at fault.
    pub at: usize,
    /// The event, unless the end is at fault.
    pub event: Option<Box<Event>>,
    /// What the model says about it.
    pub refusal: Refusal,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  at event {} of the trace", self.refusal, self.at)?;
        match &self.event {
            Some(event) => write!(f, ": {event}"),
            None => write!(f, ": its end"),
        }
    }
}

impl core::error::Error for Divergence {}

/// Replays a whole trace from [`State::EMPTY`], then checks what must hold when it's over: every
/// invariant, and that every request has arrived.
///
/// # Errors
/// The first disagreement.
pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Summary, Divergence> {
    let mut state = State::EMPTY;
    let mut last: Option<u64> = None;
    let mut count = 0;
    for event in events {
        take(&mut state, last, event).map_err(|refusal| Divergence {
            at: count,
            event: Some(Box::new(event.clone())),
            refusal,
        })?;
        last = Some(event.seq);
        count += 1;
    }
    let end = |refusal| Divergence { at: count, event: None, refusal };
    cancel::all_arrived(&state).map_err(end)?;
    check(&state).map_err(|found| end(Refusal { rule: found.rule, why: found.why }))?;
    Ok(summary(count, state))
}

fn take(state: &mut State, last: Option<u64>, event: &Event) -> Result<(), Refusal> {
    if last.is_some_and(|last| event.seq <= last) {
        let why = format!("event {} comes after event {}", event.seq, last.unwrap_or(0));
        return Err(Refusal { rule: "event.order", why });
    }
    // The label may be refused after this: a trace that diverges is over anyway.
    clock::advance(state, event.time)?;
    step(state, &event.label)
}

fn summary(events: usize, state: State) -> Summary {
    let leaked = |standing| matches!(standing, Standing::Leaked { .. });
    let root = state.root().map(|root: RegionId| &state.regions[&root]);
    Summary {
        events,
        regions: state.regions.len(),
        tasks: state.tasks.len(),
        obligations: state.obligations.len(),
        leaked: state.obligations.values().filter(|record| leaked(record.standing)).count(),
        closed: root.is_some_and(|root| root.outcome.is_some()),
        state,
    }
}
