//! The asynchronous faces in the lab: every test is one program on many schedules. Whatever the schedule, all oracles
//! and the model of the rules agree with the trace, unless a test says what they must find.
#![cfg(not(loom))]

use std::sync::{Mutex, MutexGuard};

use cx::Cx;
use lab::{LabRuntime, explore};
use types::Cancelled;

/// How many schedules each program runs on.
const SEEDS: u64 = 200;

/// Runs a program on many schedules; nothing may be left or leaked.
fn on_all(program: impl Fn(&LabRuntime)) {
    explore(0..SEEDS, |lab| {
        program(lab);
        if let Err(report) = lab.oracles() {
            panic!("{report}\n{}", lab.trace());
        }
    });
}

/// Lets the others run `times` times.
async fn pause(cx: &Cx, times: u64) {
    for _ in 0..times {
        cx.yield_now().await;
    }
}

/// Something that tasks of one lab share, as a test sees it from outside.
#[derive(Default)]
struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    fn get(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

/// What a body returns that may be cancelled and has nothing to say.
type Done = Result<(), Cancelled>;

mod foreign;
mod mpsc;
mod mutex;
mod notify;
mod obligations;
mod oneshot;
mod semaphore;
