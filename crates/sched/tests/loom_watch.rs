//! The watch over busy workers, under every interleaving: while a worker runs for ever and another one sleeps, a sleeper
//! ends up watching with a limit (`engine.watched`).
//!
//! A worker that got the task is gone, as if that task ran for ever. From then on a worker that watches with a limit is
//! where it should be, and is gone too. What is left waits in its parker without a limit: if nobody is awake any more who
//! owes it a call, that is a deadlock, which loom reports.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-sched --test loom_watch`
#![cfg(loom)]

use asupersync_sched::idle::{Idle, Park, Role, Sentinel, WokenBy, WorkerIndex};
use asupersync_sched::watch::Watch;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;
use types::seeded;

/// A worker's event queue, reduced to two properties: an unpark is sticky, and a sleep with a limit ends by itself. When
/// that happens matters only once the task runs: then whoever sleeps so has nothing to wait for.
struct Parker {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
struct State {
    token: bool,
    /// The task runs, or there is none.
    settled: bool,
}

/// How a worker ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// In a task that never ends.
    Busy,
    /// Asleep with a limit, with the watch.
    Watching,
}

/// The `Arc` is std's: dropping loom's is a step of the model, and after a deadlock there are none.
struct World {
    idle: Idle,
    watch: Watch,
    parkers: [Parker; 2],
    /// The one task, which the worker that takes it runs for ever.
    task: AtomicBool,
}

impl World {
    /// Two workers; a task will come from outside, or not.
    fn new(task_comes: bool) -> Arc<World> {
        let state = State { token: false, settled: !task_comes };
        let parker = || Parker { state: Mutex::new(state), changed: Condvar::new() };
        Arc::new(World {
            idle: Idle::new(2),
            watch: Watch::new(),
            parkers: [parker(), parker()],
            task: AtomicBool::new(false),
        })
    }

    fn tell(&self, worker: usize, news: impl FnOnce(&mut State)) {
        let parker = &self.parkers[worker];
        news(&mut parker.state.lock().expect("nobody panics here"));
        parker.changed.notify_one();
    }

    fn unpark(&self, worker: Option<WorkerIndex>) {
        if let Some(worker) = worker {
            self.tell(worker.get(), |state| state.token = true);
        }
    }

    /// Sleeps until unparked; with a limit, also until the task runs. Whether it was unparked.
    fn wait(&self, me: WorkerIndex, limit: bool) -> bool {
        let parker = &self.parkers[me.get()];
        let mut state = parker.state.lock().expect("nobody panics here");
        while !(state.token || limit && state.settled) {
            state = parker.changed.wait(state).expect("nobody panics here");
        }
        std::mem::take(&mut state.token)
    }

    /// A thread outside hands a task in.
    fn publish(&self) {
        // A read-modify-write like `take`: loom doesn't keep a plain store in its place between two of those.
        self.task.swap(true, Ordering::AcqRel);
        self.unpark(self.idle.notify_published());
    }

    /// The task, for whoever looks first.
    fn take(&self, role: Role) -> bool {
        let got = self.task.swap(false, Ordering::AcqRel);
        if got && role == Role::Searching {
            // There is one task: nothing is left for the next worker.
            let _ = self.idle.end_search();
        }
        got
    }

    /// The worker's loop, up to a task that never ends or a watch that may last.
    fn work(&self, me: usize) -> Ends {
        let mut role = Role::Working;
        loop {
            if self.take(role) {
                (0..2).for_each(|worker| self.tell(worker, |state| state.settled = true));
                return Ends::Busy;
            }
            let me = self.idle.worker(me);
            role = match self.idle.park_unless(me, role, |_| self.task.load(Ordering::Acquire)) {
                Park::Found => {
                    // It was listed for a moment, which is enough for a sentinel to doze.
                    if !seeded!("watch.found-calls-nobody") {
                        self.rise(None);
                    }
                    Role::Searching
                }
                Park::Sleep => match self.sleep(me) {
                    Some(woken) => woken.role(),
                    None => return Ends::Watching,
                },
            };
        }
    }

    /// A listed worker's sleep. `None` for a watch that lasts.
    fn sleep(&self, me: WorkerIndex) -> Option<WokenBy> {
        let held = self.idle.claim_sentinel(me);
        let woken = match &held {
            Some(_) => self.keep_watch(me),
            None => {
                self.wait(me, false);
                Some(self.idle.finish_park(me))
            }
        };
        match woken {
            Some(_) => self.rise(held),
            // It keeps the watch.
            None => std::mem::forget(held),
        }
        woken
    }

    /// The sentinel's sleep: without a limit if nobody is awake, and with one after it was called back. `None` when that
    /// is how it stays.
    fn keep_watch(&self, me: WorkerIndex) -> Option<WokenBy> {
        let mut dozes = self.watch.doze(&self.idle, me);
        loop {
            let called = self.wait(me, !dozes);
            if dozes {
                self.watch.end_doze();
                dozes = false;
            } else if !called {
                return None;
            }
            if self.idle.finish_park(me) == WokenBy::Notifier {
                return Some(WokenBy::Notifier);
            }
            match self.idle.park_unless(me, Role::Working, |_| self.task.load(Ordering::Acquire)) {
                Park::Sleep => {}
                Park::Found => return Some(WokenBy::Notifier),
            }
        }
    }

    fn rise(&self, held: Option<Sentinel<'_>>) {
        self.unpark(self.watch.risen(&self.idle, held));
    }
}

fn spawn_worker(world: &Arc<World>, me: usize) -> thread::JoinHandle<Ends> {
    let world = world.clone();
    thread::spawn(move || world.work(me))
}

fn explore(preemptions: usize, model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Both workers find nothing and fall asleep; one task comes from outside, for whichever is woken for it.
fn a_task_for_two_sleepers() {
    explore(3, || {
        let world = World::new(true);
        let worker = spawn_worker(&world, 0);
        let other = spawn_worker(&world, 1);
        world.publish();
        let mut ends = [worker, other].map(|worker| worker.join().expect("no worker panics"));
        ends.sort_by_key(|end| *end == Ends::Busy);
        assert_eq!(ends, [Ends::Watching, Ends::Busy], "one runs, the other one watches");
    });
}

/// The sentinel is called away by its own I/O just when the other worker falls asleep: one of them has the watch.
fn a_sentinel_that_leaves() {
    explore(4, || {
        let world = World::new(false);
        let sentinel = world.idle.worker(0);
        assert_eq!(world.idle.park_unless(sentinel, Role::Working, |_| false), Park::Sleep);
        let held = world.idle.claim_sentinel(sentinel);
        assert!(held.is_some(), "nobody else has it");
        let other = spawn_worker(&world, 1);
        // Its I/O brought a task that only it may run.
        assert_eq!(world.idle.finish_park(sentinel), WokenBy::Itself);
        world.rise(held);
        assert_eq!(other.join().expect("the other worker doesn't panic"), Ends::Watching);
    });
}

/// A worker rises by its own I/O while the sentinel is on its way to a sleep without a limit.
fn a_riser_against_a_doze() {
    explore(4, || {
        let world = World::new(false);
        let riser = world.idle.worker(1);
        assert_eq!(world.idle.park_unless(riser, Role::Working, |_| false), Park::Sleep);
        let sentinel = {
            let world = world.clone();
            let me = world.idle.worker(0);
            assert_eq!(world.idle.park_unless(me, Role::Working, |_| false), Park::Sleep);
            thread::spawn(move || {
                let held = world.idle.claim_sentinel(me).expect("nobody else has it");
                let called = world.keep_watch(me).is_none();
                drop(held);
                called
            })
        };
        assert_eq!(world.idle.finish_park(riser), WokenBy::Itself);
        world.rise(None);
        assert!(sentinel.join().expect("the sentinel doesn't panic"), "it watches with a limit");
    });
}

#[test]
fn a_busy_worker_is_watched_by_the_one_that_sleeps() {
    seeded::clean(a_task_for_two_sleepers);
}

#[test]
fn a_sentinel_that_leaves_has_a_successor() {
    seeded::clean(a_sentinel_that_leaves);
}

#[test]
fn a_worker_that_rises_calls_back_the_sentinel_that_dozes() {
    seeded::clean(a_riser_against_a_doze);
}

mutants::mutants! {
    dozing_without_a_look_is_noticed: "watch.doze-unchecked" breaks a_riser_against_a_doze, says "deadlock";
    dozing_without_a_fence_is_noticed: "watch.no-doze-fence" breaks a_riser_against_a_doze, says "deadlock";
    rising_without_a_fence_is_noticed: "watch.no-rise-fence" breaks a_riser_against_a_doze, says "deadlock";
    a_sleep_that_did_not_begin_without_a_call_is_noticed: "watch.found-calls-nobody"
        breaks a_task_for_two_sleepers, says "deadlock";
    rising_without_a_call_is_noticed: "watch.no-call" breaks a_task_for_two_sleepers, says "deadlock";
    leaving_without_a_fence_is_noticed: "watch.no-leave-fence" breaks a_sentinel_that_leaves, says "deadlock";
    leaving_without_a_successor_is_noticed: "watch.no-successor" breaks a_sentinel_that_leaves, says "deadlock";
}
