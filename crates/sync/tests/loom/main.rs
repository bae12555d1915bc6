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

/// Set for a child process: the mistake it shall run with.
const MUTANT: &str = "ASUPERSYNC_MUTANT";

/// Runs a model with a known mistake switched on, in a process of its own, and expects it to fail.
///
/// Why a process: loom ends a deadlocked model by a panic, and the destructors that run then find no current thread
/// and panic again, which aborts. `test` is the calling test's path, which the child is told to run.
#[expect(clippy::disallowed_methods, reason = "how the parent tells its child")]
fn is_killed(test: &str, mutant: &'static str, model: fn()) {
    if std::env::var_os(MUTANT).is_some() {
        return types::seeded::with(mutant, || explore(model));
    }
    let name = test.split_once("::").map_or(test, |(_crate, name)| name);
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1"])
        .env(MUTANT, mutant)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&child.stdout).contains("running 1 test"), "`{name}` is not a test");
    assert!(!child.status.success(), "the model does not notice `{mutant}`");
}

/// Tests that expect a model to fail with a mistake.
macro_rules! mutants {
    ($($test:ident: $mutant:literal, $model:path;)*) => {$(
        #[test]
        fn $test() {
            crate::is_killed(concat!(module_path!(), "::", stringify!($test)), $mutant, $model);
        }
    )*};
}

mod mpsc;
mod mutex;
mod notify;
mod oneshot;
mod semaphore;
