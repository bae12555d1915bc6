//! The join slot with a handle, the task's end and a closing region, under every interleaving: the outcome leaves
//! once, whoever waits for it is woken, and no waiter is kept, lost or looked at after it is gone.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-task --test loom_join`
#![cfg(loom)]

use asupersync_task::{Finished, JoinSlot, Published, Registered};
use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use types::seeded;

/// What stands for waiters in the slot: their addresses, so that nothing is allocated or followed.
static PLACES: [u64; 4] = [0; 4];

/// A waiter: made before it is put into the slot, gone when it was woken or forgotten.
struct Waiter {
    /// Its insides, as loom sees them: written when it is made and when it goes, read to wake it.
    inside: UnsafeCell<()>,
}

/// A task that has run, its handle's thread, and who else may take the outcome. The `Arc`s are std's: dropping loom's
/// is a step, and after a deadlock there are none. So are the counters: they count for the model, not in it.
struct Task {
    /// Whether it ends well: then no region asks for its outcome.
    ok: bool,
    slot: JoinSlot,
    outcome: UnsafeCell<()>,
    taken: AtomicUsize,
    waiters: [Waiter; 4],
    made: AtomicUsize,
    gone: AtomicUsize,
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Task {
    fn new(ok: bool) -> Arc<Task> {
        Arc::new(Task {
            ok,
            slot: JoinSlot::new(),
            outcome: UnsafeCell::new(()),
            taken: AtomicUsize::new(0),
            waiters: std::array::from_fn(|_| Waiter { inside: UnsafeCell::new(()) }),
            made: AtomicUsize::new(0),
            gone: AtomicUsize::new(0),
            woken: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    /// A new waiter for the slot.
    fn waiter(&self) -> NonNull<()> {
        let number = self.made.fetch_add(1, SeqCst);
        self.waiters[number].inside.with_mut(|_| ());
        NonNull::from(&PLACES[number]).cast()
    }

    fn inside(&self, waiter: NonNull<()>) -> &UnsafeCell<()> {
        let number = (waiter.addr().get() - PLACES.as_ptr().addr()) / size_of::<u64>();
        &self.waiters[number].inside
    }

    /// Drops a waiter that left the slot.
    fn forget(&self, waiter: Option<NonNull<()>>) {
        if let Some(waiter) = waiter {
            self.inside(waiter).with_mut(|_| ());
            self.gone.fetch_add(1, SeqCst);
        }
    }

    fn wake(&self, waiter: NonNull<()>) {
        self.inside(waiter).with(|_| ());
        self.forget(Some(waiter));
        *self.woken.lock().expect("nobody panics here") = true;
        self.changed.notify_one();
    }

    /// The outcome leaves the cell: read out, or dropped.
    fn carry_off(&self) {
        self.outcome.with_mut(|_| ());
        self.taken.fetch_add(1, SeqCst);
    }

    /// The end of the task's last poll. An outcome that is `Ok` and unwanted is dropped at once.
    fn end(&self) {
        self.outcome.with_mut(|_| ());
        match self.slot.publish() {
            Published::Waiter(waiter) => self.wake(waiter),
            Published::Unclaimed if self.ok => {
                self.slot.discard();
                self.carry_off()
            }
            Published::Unclaimed | Published::Nobody => {}
        }
    }

    /// One poll of `join`: true when it is over, with the outcome or because the region has it.
    fn poll_join(&self) -> bool {
        if self.slot.take_as_handle(|| !self.ok) {
            self.carry_off();
            return true;
        }
        if self.slot.is_taken() {
            return true;
        }
        match self.slot.register(|_| false, || self.waiter()) {
            Registered::Waiting(replaced) => {
                self.forget(replaced);
                false
            }
            Registered::Finished(unused) => {
                self.forget(unused);
                self.poll_join()
            }
        }
    }

    fn join(&self) {
        while !self.poll_join() {
            let mut woken = self.woken.lock().expect("nobody panics here");
            while !*woken {
                woken = self.changed.wait(woken).expect("nobody panics here");
            }
            *woken = false;
        }
    }

    fn drop_handle(&self) {
        match self.slot.close() {
            Ok(waiter) => self.forget(waiter),
            Err(Finished) if self.ok && self.slot.take_as_handle(|| false) => self.carry_off(),
            Err(Finished) => {}
        }
    }

    /// The closing region asks for an outcome that is not `Ok`.
    fn close_region(&self) {
        if self.slot.take() {
            self.carry_off()
        }
    }

    fn assert_settled(&self) {
        assert_eq!(self.taken.load(SeqCst), 1, "the outcome left the cell not once");
        assert_eq!(self.gone.load(SeqCst), self.made.load(SeqCst), "a waiter was kept or dropped twice");
    }
}

fn explore(model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}

/// The handle joins while the task ends.
fn a_join_against_the_end() {
    explore(|| {
        let task = Task::new(true);
        let handle = task.clone();
        let joiner = thread::spawn(move || handle.join());
        task.end();
        joiner.join().expect("the joiner doesn't panic");
        task.assert_settled();
    });
}

/// A join is polled twice, so a waiter replaces another one, and is given up while the task ends.
fn a_join_that_is_given_up() {
    explore(|| {
        let task = Task::new(true);
        let handle = task.clone();
        let joiner = thread::spawn(move || {
            let _ = handle.poll_join() || handle.poll_join();
            handle.drop_handle();
        });
        task.end();
        joiner.join().expect("the joiner doesn't panic");
        task.assert_settled();
    });
}

/// A task has failed, and its region closes while the handle joins: one of them gets the failure.
fn a_failure_that_two_ask_for() {
    explore(|| {
        let task = Task::new(false);
        let handle = task.clone();
        let joiner = thread::spawn(move || {
            handle.join();
            handle.drop_handle();
        });
        task.end();
        task.close_region();
        joiner.join().expect("the joiner doesn't panic");
        task.assert_settled();
    });
}

#[test]
fn a_joiner_is_woken_and_gets_the_outcome() {
    seeded::clean(a_join_against_the_end);
}

#[test]
fn an_outcome_that_nobody_wants_is_dropped_once_and_no_waiter_is_kept() {
    seeded::clean(a_join_that_is_given_up);
}

#[test]
fn a_failure_goes_to_the_handle_or_to_the_region() {
    seeded::clean(a_failure_that_two_ask_for);
}

mutants::mutants! {
    an_outcome_published_without_order_is_noticed: "join.relaxed-publish"
        breaks a_join_against_the_end, says "Causality violation";
    a_waiter_registered_without_order_is_noticed: "join.relaxed-register"
        breaks a_join_against_the_end, says "Causality violation";
    a_publication_that_overwrites_a_waiter_is_noticed: "join.publish-without-swap"
        breaks a_join_against_the_end, says "deadlock";
    a_handle_that_takes_what_the_region_may_take_is_noticed: "join.handle-never-contested"
        breaks a_failure_that_two_ask_for, says "Causality violation";
    a_registration_that_overwrites_the_end_is_noticed: "join.register-overwrites"
        breaks a_join_against_the_end, says "deadlock";
    an_outcome_given_to_both_is_noticed: "join.take-unchecked"
        breaks a_failure_that_two_ask_for, says "Causality violation";
    a_close_that_overwrites_the_end_is_noticed: "join.close-overwrites"
        breaks a_join_that_is_given_up, says "the outcome left the cell not once";
    a_close_that_forgets_its_waiter_is_noticed: "join.close-forgets-waiter"
        breaks a_join_that_is_given_up, says "a waiter was kept";
}
