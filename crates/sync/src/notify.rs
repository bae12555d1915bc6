//! Notifications without a value: wake one, wake all.
//!
//! Not here: the wait queue.

mod signal;

pub use signal::{Notified, Signal};
