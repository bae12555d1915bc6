//! The asynchronous faces in the lab: every test is one program on many schedules. Whatever the schedule, all oracles
//! and the model of the rules agree with the trace, unless a test says what they must find.
#![cfg(not(loom))]

use std::sync::{Arc, Mutex, MutexGuard};

use cx::{Cx, RegionHandle};
use lab::{Found, LabConfig, LabRuntime, Search, explore};
use types::{CancelKind, Cancelled};

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

/// Every class of schedules of a small program. All of them are as the program, the oracles and the model say.
fn on_every(name: &str, program: impl AsyncFnOnce(&mut Cx) + Clone) -> Found {
    let found = Search::every().run(name, None, program);
    assert!(found.complete && found.classes > 1, "{found}");
    found
}

/// The region that is cancelled, once the program has put it there.
type Victim = Arc<Shared<Option<RegionHandle>>>;

/// Runs a program with its victim cancelled before its first step, then with it cancelled before its second, and so on,
/// until a run ends before that. How many runs it were.
fn at_every_step(program: impl Fn(&LabRuntime, Victim)) -> u64 {
    for step in 0..1_000 {
        let lab = LabRuntime::new(LabConfig::default().seed(step));
        let victim = Victim::default();
        let (planned, called) = (victim.clone(), Arc::new(Shared::<bool>::default()));
        let reached = called.clone();
        lab.at_step(step, move || {
            *reached.get() = true;
            if let Some(region) = &*planned.get() {
                region.cancel(CancelKind::Explicit, "at this step", None);
            }
        });
        program(&lab, victim);
        if let Err(report) = lab.oracles() {
            panic!("cancelled at step {step}: {report}\n{}", lab.trace());
        }
        if !*called.get() {
            return step;
        }
    }
    panic!("the program does not end")
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
mod forms;
mod fused;
mod holds;
mod leaving;
mod locks;
mod mpsc;
mod mutex;
mod notify;
mod obligations;
mod oneshot;
mod pool;
mod refused;
mod semaphore;
mod session;
mod sinks;
mod told;
mod unbounded;
