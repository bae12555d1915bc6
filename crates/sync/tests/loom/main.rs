//! Models of this crate's real code, run under every interleaving with at most two preemptions:
//! `RUSTFLAGS="--cfg loom" cargo test -p asupersync-sync --test loom --release`.
//!
//! Each known mistake has a test that expects a model to fail with it.
#![cfg(loom)]

use std::{
    sync::Arc as StdArc,
    task::{Poll, Wake, Waker},
};

use loom::sync::Notify;

/// A thread of the model that sleeps until it's woken.
struct Park(Notify);

impl Wake for Park {
    fn wake(self: StdArc<Self>) {
        self.0.notify();
    }
}

impl Park {
    fn new() -> StdArc<Self> {
        StdArc::new(Self(Notify::new()))
    }
}

/// Polls until ready, sleeping in between.
fn block_on<T>(mut poll: impl FnMut(Waker) -> Poll<T>) -> T {
    let park = Park::new();
    loop {
        match poll(Waker::from(park.clone())) {
            Poll::Ready(value) => return value,
            Poll::Pending => park.0.wait(),
        }
    }
}

/// A waker nobody listens to, for a wait that will be given up.
fn nobody() -> Waker {
    Waker::noop().clone()
}

fn explore(model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 20_000;
    builder.check(model);
}

fn holds(model: fn()) {
    explore(model);
}

mod gone;
mod locks;
mod mpsc;
mod mutex;
mod notify;
mod oneshot;
mod semaphore;
mod told;
mod unbounded;
