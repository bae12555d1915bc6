//! The task cell: one allocation that holds a task's state word, its place in its region, its join slot and
//! its future, later its outcome. It knows no queue, no region type and no thread: an engine registers how
//! runnables are queued ([`engine`]), and the layer above says what a task's end means ([`Owner`]).
//!
//! ```text
//!             wake: +1                                      poll returned Ready
//!  [parked] ───────────▶ [queued] ──run──▶ [polling] ───────────────────────────▶ [draining children]
//!     ▲                                       │  Pending: -(wakes seen)                    │
//!     └───────────────────────────────────────┘  (not zero: queued again)                  ▼
//!                                                                                     [complete]
//! ```
//!
//! Invariants, by name:
//! - `task.single-poller`: exactly one runnable exists while the wake count is above zero, and only its
//!   holder touches the future.
//! - `task.live-ref`: one reference is held from spawn until `COMPLETE`, so a runnable never dangles.
//! - `task.outcome-once`: the outcome leaves the cell at most once, by one CAS on the join slot.
//! - `task.drop-before-wake`: the future is dropped before whoever joins is woken.
#![no_std]
extern crate alloc;
#[cfg(any(feature = "std", loom))]
extern crate std;

pub mod control;
pub mod raw;
mod sync;
mod word;


pub use raw::engine;
pub use raw::header::{Header, TaskRef};
pub use raw::run::{Guard, Runnable, run};
pub use raw::waiter::Waiter;
pub use word::{Word, WokenByValue};

use types::{Cancelled, Failure, Panic};

/// How a body ended, as its owner needs to see it, without the value.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// The body returned a value.
    Ok,
    /// The body returned an application error.
    Err,
    /// The body returned a cancellation.
    Cancelled(&'a Cancelled),
    /// The body panicked or was abandoned.
    Panicked,
}

/// An outcome other than `Ok` that nobody took by `join`, with its type erased.
#[derive(Debug)]
pub enum Loss {
    /// An application error.
    Failed(Failure),
    /// A cancellation.
    Cancelled(Cancelled),
    /// A panic.
    Panicked(Panic),
}

/// What the drain of a task's own children does to the task's outcome.
#[derive(Debug)]
pub enum Raise {
    /// Nothing: the body's outcome stands.
    Nothing,
    /// The outcome is at least this cancellation.
    Cancelled(Cancelled),
    /// The outcome is at least this panic.
    Panicked(Panic),
}

/// What the layer above does when a task's body ends and when the task ends. Static dispatch: the cell's
/// code is compiled with it.
///
/// # Safety
/// `ended` must remove every link to the header that does not hold a reference.
pub unsafe trait Owner {
    /// The body returned `verdict`. Called once, by the polling thread. True if the task owns children
    /// that have to end first.
    fn body_ended(task: &Header, verdict: Verdict<'_>) -> bool;
    /// Polls the end of the task's own children.
    fn poll_drain(task: &Header, context: &mut core::task::Context<'_>) -> core::task::Poll<Raise>;
    /// The task has ended with `verdict` and its outcome is in the cell.
    fn ended(task: &Header, verdict: Verdict<'_>);
    /// Frees what the layer above hung on the header. No other reference to it is left.
    fn release(task: &Header);
}
