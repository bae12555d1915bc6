//! The idle protocol with two workers, the real injector and a remote publisher, under every
//! interleaving: work that was published and notified is taken, however busy the others are.
//!
//! Each worker takes ONE task and is gone, as if that task ran for ever. So every task must be
//! found by a worker that isn't busy yet, and a lost wake shows as a deadlock, which loom reports.
//! That is stronger than "not everybody sleeps": it also checks the chain of wakes.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-sched --test loom_idle`

#![cfg(loom)]

use std::ptr::NonNull;
use std::sync::Arc;

use asupersync_sched::idle::{End, Idle, Park, Role, WorkerIndex};
use asupersync_sched::inject::Injector;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use types::seeded;

static TASK: u8 = 0;

/// A worker's event queue, reduced to its one property here: an unpark is sticky.
struct Parker {
    token: Mutex<bool>,
    changed: Condvar,
}

/// Shared by the `Arc` of std: dropping loom's is a step of the model, and when a deadlock has
/// ended the model there are no more steps, so a mutant would abort the process.
struct World {
    idle: Idle,
    injector: Injector<u8>,
    parkers: Vec<Parker>,
}

impl Parker {
    fn wait(&self) {
        let mut token = self.token.lock().expect("nobody panics here");
        while !*token {
            token = self.changed.wait(token).expect("nobody panics here");
        }
        *token = false;
    }

    fn unpark(&self) {
        *self.token.lock().expect("nobody panics here") = true;
        self.changed.notify_one();
    }
}

impl World {
    fn new(workers: usize) -> Arc<World> {
        let parker = || Parker { token: Mutex::new(false), changed: Condvar::new() };
        Arc::new(World {
            idle: Idle::new(workers),
            injector: Injector::new(),
            parkers: (0..workers).map(|_| parker()).collect(),
        })
    }

    fn unpark(&self, worker: Option<WorkerIndex>) {
        if let Some(worker) = worker {
            self.parkers[worker.get()].unpark();
        }
    }

    fn publish(&self) {
        self.injector.push(NonNull::from(&TASK));
        self.unpark(self.idle.notify_published());
    }

    /// The worker loop of the runtime up to its first task, its own lanes being empty.
    fn take_one_task(&self, me: usize) {
        let me = self.idle.worker(me);
        let mut role = Role::Working;
        while self.injector.pop().is_none() {
            if role == Role::Working && self.idle.start_search() {
                role = Role::Searching;
                continue;
            }
            let park = self.idle.park_unless(me, role, |_| !self.injector.is_empty());
            role = match park {
                Park::Found => Role::Searching,
                Park::Sleep => {
                    self.parkers[me.get()].wait();
                    self.idle.finish_park(me).role()
                }
            };
        }
        if role == Role::Searching && self.idle.end_search() == End::Last && !self.injector.is_empty() {
            self.unpark(self.idle.notify_one());
        }
    }

    fn assert_at_rest(&self) {
        assert!(self.injector.is_empty());
        assert_eq!(self.idle.searching(), 0, "`idle.counted`");
        assert_eq!(self.idle.sleeping(), 0, "`idle.claimed-once`");
    }
}

fn spawn_worker(world: &Arc<World>, me: usize) -> thread::JoinHandle<()> {
    let world = world.clone();
    thread::spawn(move || world.take_one_task(me))
}

fn explore(preemptions: usize, model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn holds(preemptions: usize, model: fn()) {
    seeded::clean(|| explore(preemptions, model));
}

/// One worker falls asleep while one task is published.
fn publish_against_a_park() {
    let world = World::new(1);
    let worker = spawn_worker(&world, 0);
    world.publish();
    worker.join().expect("the worker doesn't panic");
    world.assert_at_rest();
}

/// Two tasks for two workers: a publisher that trusts a searcher must not be let down.
fn two_tasks_for_two_workers() {
    let world = World::new(2);
    let workers = [spawn_worker(&world, 0), spawn_worker(&world, 1)];
    world.publish();
    world.publish();
    for worker in workers {
        worker.join().expect("no worker panics");
    }
    world.assert_at_rest();
}

/// Two publishers at once, for one wake must not hide the other.
fn two_publishers() {
    let world = World::new(2);
    let publisher = {
        let world = world.clone();
        thread::spawn(move || world.publish())
    };
    let worker = spawn_worker(&world, 0);
    world.publish();
    world.take_one_task(1);
    publisher.join().expect("no publisher panics");
    worker.join().expect("no worker panics");
    world.assert_at_rest();
}

/// An I/O event wakes the worker just when a notifier claims it.
fn claim_against_a_wake_by_itself() {
    let world = World::new(1);
    let worker = spawn_worker(&world, 0);
    world.parkers[0].unpark();
    world.publish();
    worker.join().expect("the worker doesn't panic");
    world.assert_at_rest();
}

/// Of two publishers that find two sleepers and no searcher, one wakes somebody.
fn a_burst_wakes_one() {
    let idle = Arc::new(Idle::new(2));
    for worker in 0..2 {
        assert_eq!(idle.park_unless(idle.worker(worker), Role::Working, |_| false), Park::Sleep);
    }
    let other = {
        let idle = idle.clone();
        thread::spawn(move || idle.notify_published().is_some())
    };
    let mine = idle.notify_published().is_some();
    assert!(mine != other.join().expect("the notifier doesn't panic"));
    assert_eq!((idle.searching(), idle.sleeping()), (1, 1));
}

#[test]
fn a_worker_that_falls_asleep_does_not_miss_published_work() {
    holds(5, publish_against_a_park);
}

#[test]
fn no_task_waits_while_a_worker_sleeps_and_the_other_is_busy_for_ever() {
    holds(3, two_tasks_for_two_workers);
}

#[test]
fn the_wakes_of_two_publishers_do_not_hide_each_other() {
    holds(3, two_publishers);
}

#[test]
fn a_worker_woken_by_io_and_by_a_notifier_is_counted_once() {
    holds(4, claim_against_a_wake_by_itself);
}

#[test]
fn a_burst_of_publishers_wakes_one_worker() {
    holds(3, a_burst_wakes_one);
}

mutants::mutants! {
    mutant_no_publish_fence_is_killed: "idle.no-publish-fence" breaks || explore(3, publish_against_a_park), says "deadlock";
    mutant_no_park_fence_is_killed: "idle.no-park-fence" breaks || explore(3, publish_against_a_park), says "deadlock";
    mutant_no_recheck_is_killed: "idle.no-recheck" breaks || explore(3, publish_against_a_park), says "deadlock";
    mutant_no_end_fence_is_killed: "idle.no-end-fence" breaks || explore(3, two_tasks_for_two_workers), says "deadlock";
    mutant_no_chain_is_killed: "idle.no-chain" breaks || explore(3, two_tasks_for_two_workers), says "deadlock";
    mutant_notify_without_claim_is_killed: "idle.notify-without-claim" breaks || explore(3, publish_against_a_park), says "`idle.counted`";
    mutant_claim_uncounted_is_killed: "idle.claim-uncounted" breaks || explore(3, publish_against_a_park), says "`idle.counted`";
}
