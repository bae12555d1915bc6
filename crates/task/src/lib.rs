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
//! - `waiter.contained`: a foreign waker that panics when it is woken or dropped panics into nobody.
#![no_std]
#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "asupersync's kernel needs 64-bit atomics, which this target does not have: docs/ARCHITECTURE.md, \"On bare metal\""
);
extern crate alloc;
#[cfg(any(feature = "std", loom))]
extern crate std;

mod contained;
pub mod control;
pub mod raw;
mod slot;
mod sync;
mod verdict;
mod word;

pub use contained::{PanicPayload, contain};
pub use raw::engine;
pub use raw::header::{Header, TaskRef};
pub use raw::owner::{Owner, Whose};
pub use raw::party::Party;
pub use raw::run::{Guard, Runnable, run};
pub use raw::waiter::Waiter;
pub use raw::{is_inside_inline, is_inside_task, run_inline};
pub use slot::{Finished, JoinSlot, Published, Registered};
pub use verdict::{Loss, Raise, Verdict};
pub use word::{WokenByValue, Word};
