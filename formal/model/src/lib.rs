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
//! | `unfinished` | which of them are not over, for the rules that ask what is left |
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
//! changes nothing: every check comes before the first change), `model.unfinished` (what is kept of what is not over is
//! what a scan would give).
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
mod refusal;
mod region;
mod replay;
mod scope;
mod state;
mod step;
mod task;
mod unfinished;

pub use invariant::{Violation, check, check_step};
pub use refusal::Refusal;
pub(crate) use refusal::require;
pub use replay::{Divergence, Summary, replay};
pub use state::{Finalizer, Obligation, Region, Request, Requests, Scope, Standing, State, Task};
pub use step::{apply, step};

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
