//! The executable model: what the kernel may do, as a function from a state and a label.
//!
//! `docs/spec/` says in words what each rule means; here each rule is code. The kernel's traces are
//! replayed against it (`replay`), and random walks through it check that the rules keep the
//! invariants (`tests/walks.rs`).
//!
//! ```text
//! label --apply--> Ok(next state)          legal: every rule agrees
//!                  Err(Refusal { rule })   illegal: this rule says no, and the state is as before
//! ```
//!
//! | file | what lives there |
//! |---|---|
//! | `state` | [`State`] and its nodes, in maps ordered by id |
//! | `above` | what is above a scope: the walk that `cancel.effective` is defined by |
//! | `region` | open, body, phases, close, escalation, spawn refusal |
//! | `task` | spawn, end, join, abandon, write-off |
//! | `scope` | scopes inside a task, combinators |
//! | `cancel` | requests, acknowledgements, checkpoints, masks |
//! | `finalizer`, `obligation`, `clock` | the chapters of these names |
//! | `outcome` | failure, consequence, `worst` |
//! | `invariant` | what holds in every reachable state, and between two of them |
//! | `replay` | a whole trace against the model |
//!
//! Invariants kept here: `model.pure` (no clock, no lock, no I/O), `model.atomic` (a refused label
//! changes nothing: every check comes before the first change).
//!
//! Not here: scheduling, waiting, values. The model knows that a permit exists, not what it sends.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod above;
mod cancel;
mod clock;
mod finalizer;
mod invariant;
mod obligation;
mod outcome;
mod region;
mod replay;
mod scope;
mod state;
mod task;

use alloc::string::String;
use core::fmt;

use trace::Label;

pub use invariant::{Violation, check, check_step};
pub use replay::{Divergence, Summary, replay};
pub use state::{Finalizer, Obligation, Region, Request, Requests, Scope, Standing, State, Task};

/// Every rule that can refuse a label, in the order of `docs/spec/`.
pub const RULES: &[&str] = &[
    "event.order",
    "time.monotone",
    "time.timer",
    "scope.numbering",
    "scope.tree",
    "region.tree",
    "region.no-admit",
    "region.phases",
    "region.body",
    "region.frame",
    "region.waits",
    "region.policy",
    "region.outcome",
    "region.escalation",
    "region.quiescent",
    "finalizer.order",
    "task.once",
    "outcome.failure",
    "outcome.consequential",
    "cancel.down",
    "cancel.effective",
    "cancel.strengthen",
    "cancel.masked",
    "cancel.acknowledged",
    "cancel.bounded",
    "race.drained",
    "race.winner",
    "obligation.linear",
    "obligation.balanced",
    "obligation.owner",
];

/// A rule's no to a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The rule, by its id in `docs/spec/`.
    pub rule: &'static str,
    /// What is wrong, in words, with the ids concerned.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.why)
    }
}

impl core::error::Error for Refusal {}

/// Refuses with a rule and a formatted reason unless the condition holds.
macro_rules! require {
    ($condition:expr, $rule:literal, $($why:tt)+) => {
        if !$condition {
            return Err($crate::Refusal { rule: $rule, why: alloc::format!($($why)+) });
        }
    };
}
pub(crate) use require;

/// The state after `label`, or the rule that forbids it.
///
/// Pure: `state` is left alone. Costs a copy of the state; use [`step`] to go on in place.
///
/// # Errors
/// The first rule that says no, in the order the chapter checks them.
pub fn apply(state: &State, label: &Label) -> Result<State, Refusal> {
    let mut next = state.clone();
    step(&mut next, label)?;
    Ok(next)
}

/// Takes `label` in place. A refused label leaves the state as it was (`model.atomic`).
///
/// Costs a walk over what the label touches: its region's members, the scopes above it.
///
/// # Errors
/// As [`apply`].
pub fn step(state: &mut State, label: &Label) -> Result<(), Refusal> {
    use Label as L;
    match label {
        L::RegionOpen { .. } => region::open(state, label),
        L::BodyEnd { region, end } => region::body_end(state, *region, *end),
        L::BodyDropped { region, to, .. } => region::body_dropped(state, *region, *to),
        L::RegionState { region, to } => region::enter(state, *region, *to),
        L::RegionClose { region, outcome } => region::close(state, *region, *outcome),
        L::RegionWriteOff { region } => region::write_off(state, *region),
        L::Escalate { region, to, what } => region::escalate(state, *region, *to, *what),
        L::SpawnRefused { region, origin, why } => region::refuse(state, *region, *origin, *why),
        L::TaskSpawn { task, region, daemon, .. } => task::spawn(state, *task, *region, *daemon),
        L::TaskEnd { task, end, failure, consequential } => {
            task::end(state, *task, *end, *failure, *consequential)
        }
        L::TaskJoined { task, by } => task::joined(state, *task, *by),
        L::TaskAbandon { task } => task::abandon(state, *task),
        L::TaskWriteOff { task } => task::write_off(state, *task),
        L::ScopeOpen { scope, parent, task, kind } => scope::open(state, *scope, *parent, *task, *kind),
        L::RaceWon { race, winner } => scope::won(state, *race, *winner),
        L::ScopeClose { scope, end } => scope::close(state, *scope, *end),
        L::RegionRequest { region, kind, origin, deadline } => {
            cancel::request_region(state, *region, Request { kind: *kind, origin: *origin }, *deadline)
        }
        L::TaskRequest { task, kind, origin, deadline } => {
            cancel::request_task(state, *task, Request { kind: *kind, origin: *origin }, *deadline)
        }
        L::ScopeRequest { scope, kind, origin, deadline } => {
            cancel::request_scope(state, *scope, Request { kind: *kind, origin: *origin }, *deadline)
        }
        L::TaskAck { task, scope, kind, origin } => {
            cancel::acknowledge(state, *task, *scope, Request { kind: *kind, origin: *origin })
        }
        L::Checkpoint { scope, effective } => cancel::checkpoint(state, *scope, *effective),
        L::MaskPierced { scope } => cancel::pierce(state, *scope),
        L::FinalizerRegister { region, finalizer, .. } => finalizer::register(state, *region, *finalizer),
        L::FinalizerRun { region, finalizer } => finalizer::run(state, *region, *finalizer),
        L::FinalizerEnd { region, finalizer, end } => finalizer::end(state, *region, *finalizer, *end),
        L::ReleaseSkipped { scope, .. } => finalizer::release_skipped(state, *scope),
        L::ObligationReserve { obligation, region, by, .. } => {
            obligation::reserve(state, *obligation, *region, *by)
        }
        L::ObligationCommit { obligation } => obligation::resolve(state, *obligation, Standing::Committed),
        L::ObligationAbort { obligation } => obligation::resolve(state, *obligation, Standing::Aborted),
        L::ObligationLeak { obligation } => obligation::leak(state, *obligation),
        L::ObligationRehome { obligation, to } => obligation::rehome(state, *obligation, *to),
        L::ObligationLate { obligation } => obligation::late(state, *obligation),
        L::TimerArm { timer, at, .. } => clock::arm(state, *timer, *at),
        L::TimerFire { timer } => clock::fire(state, *timer),
        L::TimerDisarm { timer } => clock::disarm(state, *timer),
        L::TimeAdvance { to } => clock::advance(state, *to),
        // Polls, decisions and notes say how a run went; no rule is about them.
        _ => Ok(()),
    }?;
    state.steps += 1;
    Ok(())
}
