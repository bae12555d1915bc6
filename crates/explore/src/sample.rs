//! Samplers: schedulers that try one schedule after the other without remembering which they tried, and what makes
//! a single schedule repeatable: recording it, writing it down, and replaying it.
//!
//! | scheduler | takes | good for |
//! |---|---|---|
//! | [`Fifo`] | what production would take | the baseline; the first run of any search |
//! | [`RoundRobin`] | each task in its turn | programs that are fair by accident |
//! | [`Random`] | any candidate, all alike | shallow bugs; hard to beat on them |
//! | [`Pct`] | the task of highest priority, with few changes of priority | bugs that need few orderings; it has a bound |
//! | [`Pos`] | the operation of highest priority, drawn anew after races | races between short operations |
//! | [`Urw`] | tasks in proportion to the steps they have left | tasks of uneven length |
//! | [`Delay`] | production's pick, but for the listed delays | reproducing, and searching near production |
//! | [`Recorded`] | what a list of [`Decisions`] says, then what production would | replay |
//!
//! Invariants:
//! - `sample.seeded`: execution number k of a sampler is a function of its seed, of k and, where a sampler learns
//!   (`Pct`, `Urw`), of the executions before it.
//! - `sample.no-alloc`: once every task of the program has been seen, no step allocates.
//!
//! Any other policy is one more [`Scheduler`](crate::Scheduler). This one starves a task for as long as it can:
//!
//! ```
//! # use asupersync_explore as explore;
//! use explore::{Ended, Point, Recording, Scheduler, Step};
//! use trace::Choice;
//! use types::TaskId;
//!
//! struct Starve(TaskId);
//!
//! impl Scheduler for Starve {
//!     fn begin(&mut self) {}
//!     fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
//!         // Whoever comes first and isn't the victim; the victim if nobody else is there.
//!         Some(point.candidates.iter().position(|c| c.task != self.0).unwrap_or(point.usual))
//!     }
//!     fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
//!         usual
//!     }
//!     fn ran(&mut self, _: &Step<'_>) {}
//!     fn ended(&mut self, _: &Ended<'_>) {}
//! }
//!
//! // Wrapped like this, whatever it finds can be replayed.
//! let scheduler = Recording::new(Starve(TaskId::from_u64(1)));
//! # let _ = scheduler;
//! ```
//!
//! Not here: exhaustive exploration, and making a failing schedule small (`shrink`).

mod bits;
mod decisions;
mod delay;
mod dice;
mod pct;
mod plain;
mod pos;
mod recorded;
mod recording;
mod replay;
mod roll;
mod urw;

pub use decisions::{Decisions, Departure, Deviation, name_of};
pub use delay::Delay;
pub(crate) use dice::Dice;
pub use pct::Pct;
pub use plain::{Fifo, Random, RoundRobin};
pub use pos::Pos;
pub use recorded::{Divergence, Expected, Found, Recorded};
pub use recording::{Recording, Taken};
pub use replay::{Replay, ReplayError};
pub use urw::Urw;
