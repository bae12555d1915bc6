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
extern crate alloc;
#[cfg(test)]
extern crate std;

mod raw;

use core::panic::Location;
pub use raw::{Account, Obligation, Outstanding};
use types::{ObligationId, ObligationKind};

/// How a record left `Reserved`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Settled {
    /// The effect happened.
    Committed = 1,
    /// It was given up, with nothing done.
    Aborted = 2,
    /// The region closed over it.
    Leaked = 3,
}

/// Whether `from` may become `to` (`obligation.linear`), as a pure function.
pub fn step(from: Option<Settled>, to: Settled) -> Option<Settled> {
    match from {
        None => Some(to),
        Some(_) => None,
    }
}

/// What is known of one outstanding obligation, for reports.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Which.
    pub id: ObligationId,
    /// What was reserved.
    pub kind: ObligationKind,
    /// Where.
    pub site: &'static Location<'static>,
    /// The task that reserved it.
    pub by: types::TaskId,
}

/// The commit came too late: the region that owned the obligation has declared it leaked, and what it had
/// reserved was given back already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyLeaked;

impl core::fmt::Display for AlreadyLeaked {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the region that owned this permit has closed over it and reported it as leaked")
    }
}

impl core::error::Error for AlreadyLeaked {}

#[cfg(test)]
mod tests;
