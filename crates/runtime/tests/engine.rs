//! The engine with real threads where it is easiest to get wrong: workers that are stuck, fairness, wakes from
//! outside, runtimes within runtimes, and panics in every place that runs somebody's code.
// Threads outside, and workers that are stuck, are what these tests are about.
#![allow(clippy::disallowed_methods)]
// The watchdog, which other tests use whole, has the guard inside.
#[allow(clippy::duplicate_mod)]
#[path = "watched/guard.rs"]
mod guard;
#[path = "watched/watchdog.rs"]
mod watchdog;

#[path = "engine/fairness.rs"]
mod fairness;
#[path = "engine/guests.rs"]
mod guests;
#[path = "engine/outside.rs"]
mod outside;
#[path = "engine/panics.rs"]
mod panics;
#[path = "engine/runtimes.rs"]
mod runtimes;
#[path = "engine/stuck.rs"]
mod stuck;

use asupersync_runtime::{Builder, Runtime};

/// A runtime with this many workers.
fn workers(n: usize) -> Runtime {
    Builder::new().workers(n).seed(1).build().expect("a runtime")
}

/// As [`workers`], with reports thrown away.
fn quiet(n: usize) -> Runtime {
    struct Nobody;
    impl cx::port::Reports for Nobody {
        fn report(&self, _: cx::port::Report) {}
    }
    Builder::new().workers(n).seed(1).reports(Nobody).build().expect("a runtime")
}
