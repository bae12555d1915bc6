//! The notification's core.

use std::task::Waker;

use asupersync_sync::notify::signal::{Notified, Signal};
use loom::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use crate::{block_on, holds, nobody};

fn wait(signal: &Signal<Waker>) {
    let mut wait = Notified::new(signal);
    block_on(|waker| wait.poll(|| waker));
}

fn one_lets_one_go() {
    let signal = Arc::new(Signal::<Waker>::new());
    let waits = {
        let signal = signal.clone();
        thread::spawn(move || wait(&signal))
    };
    signal.notify_one();
    waits.join().unwrap();
}

/// One waiter gives up, one stays, one notification comes: it must reach the one that stays.
fn a_cancelled_notification_is_passed_on() {
    let signal = Arc::new(Signal::<Waker>::new());
    let mut gives_up = Notified::new(&signal);
    assert!(gives_up.poll(nobody).is_pending());
    let waits = {
        let signal = signal.clone();
        thread::spawn(move || wait(&signal))
    };
    let notifies = {
        let signal = signal.clone();
        thread::spawn(move || signal.notify_one())
    };
    drop(gives_up);
    waits.join().unwrap();
    notifies.join().unwrap();
}

/// Enable, look, wait; against: change, notify all.
fn a_condition_is_never_missed() {
    let shared = Arc::new((Signal::<Waker>::new(), AtomicBool::new(false)));
    let waits = {
        let shared = shared.clone();
        thread::spawn(move || {
            let mut wait = Notified::new(&shared.0);
            wait.enable();
            if !shared.1.load(Relaxed) {
                block_on(|waker| wait.poll(|| waker));
                assert!(shared.1.load(Relaxed));
            }
        })
    };
    shared.1.store(true, Relaxed);
    shared.0.notify_waiters();
    waits.join().unwrap();
}

#[test]
fn a_notification_is_not_lost_between_looking_and_waiting() {
    holds(one_lets_one_go);
}

#[test]
fn a_cancelled_waiter_costs_nobody_a_notification() {
    holds(a_cancelled_notification_is_passed_on);
}

#[test]
fn an_enabled_waiter_sees_the_condition_or_the_notification() {
    holds(a_condition_is_never_missed);
}

mutants::mutants! {
    mutant_that_keeps_a_cancelled_notification_is_killed: "notify.cancel-keeps-notification" breaks || crate::explore(a_cancelled_notification_is_passed_on), says "deadlock";
    mutant_that_only_looks_at_the_word_is_killed: "notify.all-only-loads" breaks || crate::explore(a_condition_is_never_missed), says "deadlock";
}
