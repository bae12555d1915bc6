//! Two-phase effects: between a `reserve` that may wait and a `commit` that cannot fail stands a permit, and
//! behind every permit stands a record here, owned by a region.
//!
//! ```text
//! Reserved ──commit──▶ Committed
//!     ├──drop, abort──▶ Aborted
//!     └──still there when its region settles, and the cleanup deadline passed──▶ Leaked
//! ```
//! Invariants: `obligation.linear`: a record leaves `Reserved` exactly once, by one CAS. A commit that comes
//! after the region leaked the record loses that CAS and says so, and nobody counts twice
//! (`obligation.balanced`). Records live in a type-stable pool and are addressed by index and generation, so
//! that a permit kept past its region is harmless.
//!
//! Not here: which region is the owner (`cx`), and what is given back (each primitive).
#![no_std]
#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "asupersync's kernel needs 64-bit atomics, which this target does not have: docs/ARCHITECTURE.md, \"On bare metal\""
);
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod ledger;
mod raw;
mod sync;

pub use ledger::{AlreadyLeaked, Note, Settled, step};
pub use raw::{Account, Leaving, Obligation, Outstanding, Rehomed, Settle, Step};
#[cfg(loom)]
pub use raw::{Record, Unmoved};
