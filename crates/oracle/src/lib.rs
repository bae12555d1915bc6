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
//! | [`phases_forward`] | regions and tasks go through their phases in order, each once | `region.no-admit`, `cancel.*` |
//! | [`region_tree`] | who owns whom stays a tree | `region.tree` |
//! | [`bounded_cleanup`] | who is to be dropped at the cleanup deadline is gone by then | `cancel.bounded` |
//! | [`cleanup_in_time`] | whoever is asked to stop does so in time (asked on request only) | `cancel.bounded` |
//! | [`budget_monotone`] | nobody below has more time to clean up than who is above | `cancel.strengthen` |
//! | [`bodies_abandoned`] | frames are left by returning (asked on request only; the lab's tests say what it finds, and pass) | kernel note on frames |
//! | [`deadlock`] | no circle of tasks that wait for each other | kernel note on determinism |
//! | [`lost_wakeup`] | nobody could go on who was not woken | kernel note on determinism |
//! | [`livelock`] | no run ends in a loop | kernel note on determinism |
//! | [`futurelock`] | nobody waits for what a future holds that isn't polled | kernel note on determinism |
//! | [`no_foreign_calls`] | in the lab, nobody from outside called in | `RegionHandle` |
//!
//! [`linearizable`] judges no trace but a [`History`] of one object, against a [`Sequential`] model of it.
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
mod cleanup;
mod engine;
mod finalizers;
mod history;
mod judge;
mod linearizable;
mod obligations;
mod ownership;
mod phases;
mod races;
mod report;
mod tree;
mod waiting;
mod whereabouts;

pub use cancellation::cancel_forward;
pub use cleanup::{bounded_cleanup, budget_monotone, cleanup_in_time};
pub use engine::{futurelock, livelock, lost_wakeup};
pub use finalizers::finalizers_once_in_order;
pub use history::{Call, History};
pub use judge::{ALL, Oracle, judge};
pub use linearizable::{MOST, Sequential, linearizable, linearizable_within};
pub use obligations::obligation_leaks;
pub use ownership::{no_orphans, quiescence};
pub use phases::phases_forward;
pub use races::losers_drained;
pub use report::{Finding, Report};
pub use tree::{bodies_abandoned, region_tree};
pub use waiting::{Wait, cycle, deadlock, no_foreign_calls};
