//! Oracles: each looks at a whole trace and says whether one promise of the runtime was kept.
//!
//! The model (`formal/model`) checks every step against every rule and needs a trace without gaps.
//! An oracle asks one question, knows nothing of the rules in between, and answers in words for the
//! user whose test has failed: which task, which region, which line of their code. The two are
//! written apart from each other on purpose, so that a mistake in one is caught by the other.
//!
//! | oracle | promise | spec |
//! |---|---|---|
//! | [`quiescence`] | nothing lives or is pending below a closed region | `region.quiescent` |
//! | [`no_orphans`] | every task and region belongs to a region that waits for it | `region.tree`, `region.waits` |
//! | [`obligation_leaks`] | every permit was used or given back, once | `obligation.linear`, `.balanced` |
//! | [`losers_drained`] | a race returns after its losers, which were asked to stop | `race.drained` |
//! | [`finalizers_once_in_order`] | last in, first out, each exactly once | `finalizer.order` |
//! | [`cancel_forward`] | requests only grow, reach everything below, and are named truthfully | `cancel.*` |
//! | [`deadlock`] | no circle of tasks that wait for each other | kernel note on determinism |
//! | [`no_foreign_calls`] | in the lab, nobody from outside called in | `RegionHandle` |
//!
//! Every oracle takes a trace that is complete from the opening of the root. A trace that ends early
//! (a run that was cut off) is judged by what it shows: an oracle never reports what may still come.
//! The cost is linear in the trace, times the depth of the tree for `quiescence`.
//!
//! Not here: running anything, reading files, the statistics over many runs.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cancellation;
mod finalizers;
mod judge;
mod obligations;
mod ownership;
mod races;
mod report;
mod waiting;
mod whereabouts;

pub use cancellation::cancel_forward;
pub use finalizers::finalizers_once_in_order;
pub use judge::{ALL, Oracle, judge};
pub use obligations::obligation_leaks;
pub use ownership::{no_orphans, quiescence};
pub use races::losers_drained;
pub use report::{Finding, Report};
pub use waiting::{Wait, cycle, deadlock, no_foreign_calls};
