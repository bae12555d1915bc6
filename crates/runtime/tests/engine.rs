//! The engine with real threads where it is easiest to get wrong: workers that are stuck, fairness, wakes from
//! outside, runtimes within runtimes, panics in every place that runs somebody's code, and wakers that do anything.
// Threads outside, and workers that are stuck, are what these tests are about.
#![allow(clippy::disallowed_methods)]
// The watchdog, which other tests use whole, has the guard inside.
#[allow(clippy::duplicate_mod)]
#[path = "watched/guard.rs"]
mod guard;
#[path = "watched/watchdog.rs"]
mod watchdog;

#[path = "engine/blocking.rs"]
mod blocking;
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
#[path = "engine/wakers.rs"]
mod wakers;

use asupersync_runtime::{Builder, Runtime};
use cx::port::{Report, Reports};
use std::sync::{Arc, Mutex};

/// A runtime with this many workers.
fn workers(n: usize) -> Runtime {
    Builder::new().workers(n).seed(1).build().expect("a runtime")
}

/// Reports, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Reports for Kept {
    fn report(&self, report: Report) {
        self.0.lock().expect("never poisoned").push(report.to_string())
    }
}

impl Kept {
    /// How many of them say this.
    fn say(&self, what: &str) -> usize {
        self.0.lock().expect("never poisoned").iter().filter(|report| report.contains(what)).count()
    }
}

/// As [`workers`], with reports kept.
fn kept(n: usize) -> (Runtime, Kept) {
    kept_by(Builder::new().workers(n).seed(1))
}

fn kept_by(builder: Builder) -> (Runtime, Kept) {
    let kept = Kept::default();
    (builder.reports(kept.clone()).build().expect("a runtime"), kept)
}

/// As [`workers`], with reports thrown away.
fn quiet(n: usize) -> Runtime {
    struct Nobody;
    impl Reports for Nobody {
        fn report(&self, _: Report) {}
    }
    Builder::new().workers(n).seed(1).reports(Nobody).build().expect("a runtime")
}
