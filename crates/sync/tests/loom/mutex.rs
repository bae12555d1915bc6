//! The lock word.

use std::task::Waker;

use asupersync_sync::mutex::lock_word::{Lock, LockWord};
use loom::{cell::UnsafeCell, sync::Arc, thread};

use crate::{block_on, holds, nobody};

fn lock(lock: &LockWord<Waker>) {
    let mut wait = Lock::new(lock);
    block_on(|waker| wait.poll(|| waker));
}

fn sections_exclude_each_other() {
    let shared = Arc::new((LockWord::<Waker>::new(), UnsafeCell::new(0)));
    let work = |shared: &(LockWord<Waker>, UnsafeCell<i32>)| {
        lock(&shared.0);
        shared.1.with_mut(|_watched| ());
        shared.0.unlock();
    };
    let others = [shared.clone(), shared.clone()].map(|shared| thread::spawn(move || work(&shared)));
    work(&shared);
    for other in others {
        other.join().unwrap();
    }
    assert!(!shared.0.is_locked());
}

/// The head of the queue gives up with a wake in its pocket; the one behind it must not sleep on.
fn a_cancelled_head_owes_its_wake() {
    let word = Arc::new(LockWord::<Waker>::new());
    lock(&word);
    let mut gives_up = Lock::new(&word);
    assert!(gives_up.poll(nobody).is_pending());
    let waits = {
        let word = word.clone();
        thread::spawn(move || {
            lock(&word);
            word.unlock();
        })
    };
    word.unlock();
    drop(gives_up);
    waits.join().unwrap();
}

#[test]
fn one_owner_at_a_time_and_no_lost_wake() {
    holds(sections_exclude_each_other);
}

#[test]
fn a_cancelled_waiter_costs_nobody_a_wake() {
    holds(a_cancelled_head_owes_its_wake);
}

mutants::mutants! {
    mutant_whose_cancelled_head_keeps_the_wake_is_killed: "mutex.cancel-keeps-wake" breaks || crate::explore(a_cancelled_head_owes_its_wake), says "deadlock";
    mutant_that_sets_the_bit_without_looking_again_is_killed: "mutex.no-recheck" breaks || crate::explore(sections_exclude_each_other), says "deadlock";
}
