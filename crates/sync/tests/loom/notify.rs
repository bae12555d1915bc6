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

/// Who looks again without having been woken finds what it was told, and sees what the notifier did before.
fn who_is_told_sees_what_was_done_before() {
    let shared = Arc::new((Signal::<Waker>::new(), AtomicBool::new(false)));
    let notifies = {
        let shared = shared.clone();
        thread::spawn(move || {
            shared.1.store(true, Relaxed);
            shared.0.notify_one();
        })
    };
    let mut wait = Notified::new(&shared.0);
    for _ in 0..2 {
        if wait.poll(nobody).is_ready() {
            assert!(shared.1.load(Relaxed), "told before what was to be told of");
            break;
        }
    }
    notifies.join().unwrap();
}

/// One is told and hasn't looked yet when the next one comes to wait.
fn who_was_told_finds_it_however_late() {
    let signal = Signal::<Waker>::new();
    let (mut late, mut next) = (Notified::new(&signal), Notified::new(&signal));
    assert!(late.poll(nobody).is_pending());
    signal.notify_one();
    assert!(next.poll(nobody).is_pending());
    assert!(next.poll(nobody).is_pending(), "what one was told went to another");
    assert!(late.poll(nobody).is_ready(), "what one was told went to another");
    signal.notify_one();
    assert!(next.poll(nobody).is_ready());
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

#[test]
fn a_waiter_is_told_without_the_lock() {
    holds(who_is_told_sees_what_was_done_before);
}

#[test]
fn a_place_is_its_waiters_until_it_has_looked() {
    holds(who_was_told_finds_it_however_late);
}

mutants::mutants! {
    mutant_that_tells_without_order_is_killed: "board.relaxed" breaks || crate::explore(who_is_told_sees_what_was_done_before), says "told before what was to be told of";
    mutant_that_gives_a_place_away_too_early_is_killed: "board.not-handed-back" breaks || crate::explore(who_was_told_finds_it_however_late), says "what one was told went to another";
    mutant_that_keeps_a_cancelled_notification_is_killed: "notify.cancel-keeps-notification" breaks || crate::explore(a_cancelled_notification_is_passed_on), says "deadlock";
    mutant_that_only_looks_at_the_word_is_killed: "notify.all-only-loads" breaks || crate::explore(a_condition_is_never_missed), says "deadlock";
}
