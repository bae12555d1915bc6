//! The scheduler: which task a worker runs next, and where runnable tasks wait.
//!
//! - [`lanes`] decides: a pure pick between the cancel, timed and ready lanes, shared by the
//!   workers and the lab, with a bound on every task's wait that is proved by enumeration.
//! - [`queue`] is a worker's ready FIFO, from which other workers steal.
//! - [`inject`] takes tasks from threads that are no worker, and what a full local queue sheds.
//! - [`idle`] knows who sleeps and who searches, so that no runnable task waits while everybody
//!   sleeps, and one runnable task does not wake everybody.
//! - [`watch`] sees to it that a sleeper looks after workers that are stuck in one task.
//!
//! - `home` is the thread of pinned tasks where that is no worker.
//! - [`lane`] is an intrusive list of runnables under a lock: the cancel, timed and pinned lanes.
//! - [`engine`] puts them together: the workers of one runtime, and their loop.
//!
//! The queues hold addresses of task headers and never look behind them: what a task is, who
//! counts its references and who frees it is the business of the `task` crate.
//!
//! Without the `std` feature only [`lanes`] is there: the other modules serve worker threads.

#![cfg_attr(not(feature = "std"), no_std)]

pub mod lanes;

#[cfg(all(feature = "std", not(loom)))]
pub mod engine;
#[cfg(all(feature = "std", not(loom)))]
mod home;
#[cfg(feature = "std")]
pub mod idle;
#[cfg(feature = "std")]
pub mod inject;
#[cfg(all(feature = "std", not(loom)))]
pub mod lane;
#[cfg(feature = "std")]
mod padded;
#[cfg(feature = "std")]
pub mod queue;
#[cfg(all(feature = "std", not(loom)))]
mod raw;
#[cfg(feature = "std")]
mod sync;
#[cfg(feature = "std")]
pub mod watch;
#[cfg(all(feature = "std", not(loom)))]
mod worker;
