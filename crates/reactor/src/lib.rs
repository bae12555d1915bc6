//! Readiness: what the operating system says about sources, and who waits for it.
//!
//! Not here: the poll loop and registration.

mod slot;
mod sync;

pub use slot::{Direction, Seen, Slot, Wakes, event};
