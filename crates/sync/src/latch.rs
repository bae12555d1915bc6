//! A count that goes down to 0, once, and those who wait for that.
//!
//! ```
//! use asupersync_sync::latch::Latch;
//! let started = Latch::new(4);
//! assert!(!started.count_down());
//! assert!(!started.count_down_by(2));
//! assert!(started.count_down() && started.is_open());
//! ```
//!
//! Not here: a barrier, which begins anew and counts those who wait; the core (`count`).

pub mod count;

#[cfg(not(loom))]
pub use face::Latch;

#[cfg(not(loom))]
mod face;
