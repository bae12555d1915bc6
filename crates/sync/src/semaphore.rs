//! Counting semaphore: first come, first served, for any number of permits at once.
//!
//! A permit is an obligation of the region it was acquired in: a region that settles over one reports where.
//!
//! ```
//! use asupersync_sync::semaphore::Semaphore;
//! use types::Res;
//!
//! async fn limited(cx: &mut cx::Cx, slots: &Semaphore) -> Res {
//!     let _slot = slots.acquire(cx, 1).await?;
//!     // .. at most so many at a time get here ..
//!     Ok(())
//! }
//! ```
//!
//! | file | what |
//! |---|---|
//! | `permits` | the core: free permits and the queue bit in one word |
//! | `acquire` | the semaphore, and its wait |
//! | `permit` | permits that are held |
//!
//! Not here: the wait queue.

pub mod permits;

#[cfg(not(loom))]
mod acquire;
#[cfg(not(loom))]
mod permit;

pub use permits::TryAcquireError;
#[cfg(not(loom))]
pub use {
    acquire::{Acquire, Semaphore},
    permit::Permit,
};
