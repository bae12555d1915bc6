//! The vocabulary every layer of the runtime shares: plain values, no behaviour.
//!
//! It exists so that the executable model, the laboratory and the production engine speak of the
//! same things with the same types. Everything is re-exported flat: code reads `types::Time`.
//!
//! What holds for the whole crate: no clock, no lock, no waker and no allocation on a path that a
//! running task takes; a value here is decided by its inputs alone. `Cancelled`, `Stop` and
//! [`Error`] are deliberately not [`core::error::Error`], which is what lets one `?` carry
//! application errors and cancellation apart (see `stop.rs`).
//!
//! Not here: trees, protocols and their state machines (`region`, `cancel`, `obligation`), and the
//! capability context (`cx`).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

// The seeding switch makes test threads take turns, which needs a lock that sleeps. It exists in
// test builds only; the ordinary build stays without std.
#[cfg(any(test, asupersync_seeded, loom))]
extern crate std;

mod budget;
mod cancelled;
mod failure;
mod ids;
mod obligation_kind;
mod outcome;
mod panic;
mod policy;
#[cfg(any(asupersync_seeded, loom))]
pub mod seeded;
#[cfg(not(any(asupersync_seeded, loom)))]
mod seeded;
mod stop;
mod stream;
mod task_output;
mod time;
mod wait;
mod wall_time;

pub use budget::Budget;
pub use cancelled::{CancelKind, Cancelled, CancelledBuilder, Cause, Origin};
pub use failure::{Failure, FailureNote};
pub use ids::{ObligationId, RegionId, TaskId};
pub use obligation_kind::ObligationKind;
pub use outcome::{Never, Outcome, Severity};
pub use panic::Panic;
pub use policy::{AfterGrace, Policy};
pub use stop::{Error, Res, Stop};
pub use stream::{FusedStream, Stream};
pub use task_output::{IntoStop, Joinable, LocalOutput, TaskOutput};
pub use time::Time;
pub use wait::WaitKind;
pub use wall_time::{Civil, WallTime};
