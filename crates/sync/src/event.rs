//! A flag that is set and reset by hand, and those who wait until it's set.
//!
//! ```
//! use asupersync_sync::event::Event;
//! let ready = Event::new(false);
//! ready.set();
//! assert!(ready.is_set());
//! ready.reset();
//! assert!(!ready.is_set());
//! ```
//!
//! Who waits when it's set goes on, also if it's reset before that task runs.
//!
//! Not here: letting one go (`notify`); the core (`flag`).

pub mod flag;

#[cfg(not(loom))]
pub use face::Event;

#[cfg(not(loom))]
mod face;
