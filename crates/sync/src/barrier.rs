//! A place where so many tasks wait for each other, again and again.
//!
//! ```
//! use asupersync_sync::barrier::Barrier;
//! use types::Res;
//!
//! async fn phase(cx: &mut cx::Cx, all: &Barrier) -> Res {
//!     // .. this task's part ..
//!     if all.wait(cx).await?.is_last() {
//!         // .. once for each round ..
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Who is cancelled while it waits counts no more; the others wait for somebody else to come. Who came last doesn't
//! wait, so the last one is never cancelled, and each round has one.
//!
//! Not here: the core (`round`); waiting once for a number of events (`latch`).

pub mod round;

#[cfg(not(loom))]
pub use face::{Barrier, Passed};

#[cfg(not(loom))]
mod face;
