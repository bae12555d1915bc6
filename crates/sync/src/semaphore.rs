//! Counting semaphore: first come, first served, for any number of permits at once.
//!
//! Not here: the wait queue, obligations.

mod permits;

pub use permits::{Acquire, Permits, TryAcquireError};
