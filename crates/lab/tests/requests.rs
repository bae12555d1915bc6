//! `dpor.complete` and `dpor.optimal` of programs in which tasks ask others to end: one run of each class, whatever order
//! is tried first, and all that every schedule, one by one, comes to.
//!
//! Every combination of what a task does, of who lets it go on, and of who asks it to end and when. For operations that
//! announce themselves explorations are held to be optimal; of the others only to be complete.
//!
//! `ASUPERSYNC_REQUESTS=n` for n random orders instead of the few of every day.
//!
//! Not here: random programs (`outcomes`), the same on a small world of its own (`explore/tests/exact`).
#![cfg(not(asupersync_seeded))]

#[path = "requests/compare.rs"]
mod compare;

use compare::{check_complete, check_optimal};

#[test]
fn whoever_announces_what_it_does_is_explored_once_for_each_class() {
    check_optimal()
}

#[test]
fn whoever_does_not_is_explored_completely() {
    check_complete()
}
