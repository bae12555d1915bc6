//! The state word of a task with wakers, a poller and references, under every interleaving: one poller at a
//! time, no wake lost, freed once and not before the end.
//!
//! The engine is a queue of length one: two runnables at a time are the very mistake it looks for.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-task --test loom_word`
#![cfg(loom)]

use asupersync_task::{WokenByValue, Word};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;
use types::seeded;

/// A task whose body consumes `wanted` messages, and its engine. The `Arc`s are std's: dropping loom's is a
/// step, and after a deadlock there are none.
struct Task {
    word: Word,
    /// The future: touched by the poller alone, which loom checks.
    body: UnsafeCell<()>,
    /// What wakers announce. Relaxed on purpose: the word alone must order it before the poll.
    sent: AtomicU32,
    wanted: u32,
    queued: Mutex<u32>,
    changed: Condvar,
    freed: AtomicBool,
    /// References that the poller has taken for waiters and kept.
    spare: u64,
    /// The cell's memory: whoever has a reference looks at it.
    memory: UnsafeCell<()>,
}

impl Task {
    fn new(wanted: u32, references: u64) -> Arc<Task> {
        Task::with_spare(wanted, references, 0)
    }

    fn with_spare(wanted: u32, references: u64, spare: u64) -> Arc<Task> {
        Arc::new(Task {
            spare,
            word: Word::scheduled(references),
            body: UnsafeCell::new(()),
            sent: AtomicU32::new(0),
            wanted,
            queued: Mutex::new(1),
            changed: Condvar::new(),
            freed: AtomicBool::new(false),
            memory: UnsafeCell::new(()),
        })
    }

    fn queue(&self) {
        let mut queued = self.queued.lock().expect("nobody panics here");
        *queued += 1;
        assert_eq!(*queued, 1, "two runnables of one task");
        self.changed.notify_one();
    }

    fn free(&self) {
        assert!(self.word.is_complete(), "freed before its end");
        // Loom complains if what another thread did with the cell is not known to have happened before.
        self.memory.with_mut(|_| ());
        assert!(!self.freed.swap(true, SeqCst), "freed twice");
    }

    fn wake_by_ref(&self) {
        if self.word.wake_by_ref() {
            self.queue()
        }
    }

    fn wake_by_value(&self) {
        self.memory.with(|_| ());
        match self.word.wake_by_value() {
            WokenByValue::Schedule => self.queue(),
            WokenByValue::Free => self.free(),
            WokenByValue::Nothing => {}
        }
    }

    fn release(&self) {
        self.memory.with(|_| ());
        if self.word.release_ref() {
            self.free()
        }
    }

    /// Whoever takes the runnable runs the task, as a worker does, until somebody has completed it.
    fn work(&self) {
        loop {
            let mut queued = self.queued.lock().expect("nobody panics here");
            while *queued == 0 {
                queued = self.changed.wait(queued).expect("nobody panics here");
            }
            *queued -= 1;
            drop(queued);
            let wakes = self.word.begin_poll();
            let seen = self.sent.load(Relaxed);
            // Loom complains if another thread is inside.
            self.body.with_mut(|_| ());
            if seen == self.wanted {
                self.memory.with(|_| ());
                if self.word.complete(self.spare) {
                    self.free()
                }
                return;
            }
            if self.word.end_poll(wakes) {
                self.queue()
            }
        }
    }
}

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model)
}

/// Two wakers, one by reference and one by value, and a worker: it sees both messages, whatever the order.
fn every_wake_is_answered() {
    explore(|| {
        // The live reference, and one for each waker.
        let task = Task::new(2, 3);
        let threads: Vec<_> = [false, true]
            .into_iter()
            .map(|by_value| {
                let task = task.clone();
                thread::spawn(move || {
                    task.sent.fetch_add(1, Relaxed);
                    if by_value {
                        task.wake_by_value()
                    } else {
                        task.wake_by_ref();
                        task.release()
                    }
                })
            })
            .collect();
        task.work();
        for thread in threads {
            thread.join().expect("no thread panicked");
        }
        assert!(task.freed.load(SeqCst), "never freed");
    });
}

/// A task that ends at once, while its handle is dropped and a late waker fires: freed once.
fn freed_once_by_whoever_is_last() {
    explore(|| {
        let task = Task::new(0, 3);
        let (handle, waker) = (task.clone(), task.clone());
        let threads = [thread::spawn(move || handle.release()), thread::spawn(move || waker.wake_by_value())];
        task.work();
        for thread in threads {
            thread.join().expect("no thread panicked");
        }
        assert!(task.freed.load(SeqCst), "never freed");
    });
}

/// As above, for a task that has taken four references at once, given one of them to a waiter and kept the others.
fn kept_references_go_with_the_live_one() {
    explore(|| {
        let task = Task::with_spare(0, 2, 3);
        let (handle, waiter) = (task.clone(), task.clone());
        task.word.acquire_refs(4);
        let threads =
            [thread::spawn(move || handle.release()), thread::spawn(move || waiter.wake_by_value())];
        task.work();
        for thread in threads {
            thread.join().expect("no thread panicked");
        }
        assert!(task.freed.load(SeqCst), "never freed");
    });
}

#[test]
fn references_that_a_task_keeps_are_given_up_at_its_end() {
    seeded::clean(kept_references_go_with_the_live_one);
}

#[test]
fn a_wake_is_never_lost_and_nobody_polls_twice() {
    seeded::clean(every_wake_is_answered);
}

#[test]
fn the_last_reference_frees_the_cell() {
    seeded::clean(freed_once_by_whoever_is_last);
}

mutants::mutants! {
    forgetting_a_wake_that_came_during_the_poll_is_noticed: "task.no-requeue" breaks every_wake_is_answered, says "deadlock";
    queueing_a_task_that_is_queued_is_noticed: "task.wake-always-schedules" breaks every_wake_is_answered, says "two runnables of one task";
    a_wake_that_orders_nothing_is_noticed: "task.relaxed-wake" breaks every_wake_is_answered, says "deadlock";
    freeing_a_task_for_its_last_waker_only_is_noticed: "task.free-while-live" breaks every_wake_is_answered, says "freed before its end";
    taking_one_of_two_references_for_the_only_one_is_noticed: "task.sole-of-two" breaks freed_once_by_whoever_is_last, says "Causality violation";
    freeing_as_the_only_holder_without_having_seen_the_others_leave_is_noticed: "task.sole-relaxed" breaks freed_once_by_whoever_is_last, says "Causality violation";
    references_that_a_task_keeps_beyond_its_end_are_noticed: "task.spare-kept" breaks kept_references_go_with_the_live_one, says "never freed";
}
