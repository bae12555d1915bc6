//! Notifications without a value: let one go, let all go.
//!
//! The way to wait for a condition that others change: enter the queue, look, wait. A change between the look and the wait
//! is not missed.
//!
//! ```
//! use core::sync::atomic::{AtomicBool, Ordering::*};
//! use asupersync_sync::notify::Notify;
//! use types::Cancelled;
//!
//! async fn opened(cx: &mut cx::Cx, open: &AtomicBool, changed: &Notify) -> Result<(), Cancelled> {
//!     loop {
//!         let mut change = changed.notified(cx);
//!         change.enable();
//!         if open.load(Acquire) {
//!             return Ok(());
//!         }
//!         change.await?;
//!     }
//! }
//! ```
//!
//! | file | what |
//! |---|---|
//! | `signal` | the core: one stored permit, or a queue |
//! | `notified` | the face, and its wait |
//!
//! Not here: the wait queue.

pub mod signal;

#[cfg(not(loom))]
mod notified;

#[cfg(not(loom))]
pub use notified::{Notified, Notify};
