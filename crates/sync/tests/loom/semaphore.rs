//! The semaphore's core.

use std::task::Waker;

use asupersync_sync::semaphore::permits::{Acquire, Permits};
use loom::{cell::UnsafeCell, sync::Arc, thread};

use crate::{block_on, holds, nobody};

fn acquire(permits: &Permits<Waker>, count: usize) {
    let mut wait = Acquire::new(permits, count);
    block_on(|waker| wait.poll(|| waker)).unwrap();
}

/// One permit guards a cell that loom watches.
fn one_permit_excludes() {
    let shared = Arc::new((Permits::<Waker>::new(1), UnsafeCell::new(0)));
    let work = |shared: &(Permits<Waker>, UnsafeCell<i32>)| {
        acquire(&shared.0, 1);
        shared.1.with_mut(|_watched| ());
        shared.0.release(1);
    };
    let others = [shared.clone(), shared.clone()].map(|shared| thread::spawn(move || work(&shared)));
    work(&shared);
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(shared.0.available(), 1);
}

/// Two release one permit each, one wants both.
fn many_are_gathered() {
    let permits = Arc::new(Permits::<Waker>::new(0));
    let others = [permits.clone(), permits.clone()].map(|permits| thread::spawn(move || permits.release(1)));
    acquire(&permits, 2);
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(permits.available(), 0);
}

/// The first waiter gives up while its permit is released; the second must get it.
fn a_cancelled_grant_is_passed_on() {
    let permits = Arc::new(Permits::<Waker>::new(0));
    let mut gives_up = Acquire::new(&permits, 1);
    assert!(gives_up.poll(nobody).is_pending());
    let waits = {
        let permits = permits.clone();
        thread::spawn(move || acquire(&permits, 1))
    };
    let releases = {
        let permits = permits.clone();
        thread::spawn(move || permits.release(1))
    };
    drop(gives_up);
    waits.join().unwrap();
    releases.join().unwrap();
}

fn close_ends_every_wait() {
    let permits = Arc::new(Permits::<Waker>::new(0));
    let waits = {
        let permits = permits.clone();
        thread::spawn(move || {
            let mut wait = Acquire::new(&permits, 1);
            block_on(|waker| wait.poll(|| waker)).is_err()
        })
    };
    permits.close();
    assert!(waits.join().unwrap());
}

/// Who waits is granted a permit and closed upon. If the close came first it has none; the permit is not lost in any case.
fn close_comes_between_grant_and_taker() {
    let permits = Arc::new(Permits::<Waker>::new(0));
    let waits = {
        let permits = permits.clone();
        thread::spawn(move || {
            let mut wait = Acquire::new(&permits, 1);
            block_on(|waker| {
                let closed = permits.is_closed();
                wait.poll(|| waker).map(|taken| {
                    assert!(!closed || taken.is_err(), "acquired after the close");
                    taken.is_ok()
                })
            })
        })
    };
    permits.release(1);
    permits.close();
    let taken = usize::from(waits.join().unwrap());
    assert_eq!(permits.available() + taken, 1);
}

#[test]
fn close_refuses_who_has_not_taken_his_grant() {
    holds(close_comes_between_grant_and_taker);
}

#[test]
fn one_permit_is_held_by_one_at_a_time() {
    holds(one_permit_excludes);
}

#[test]
fn a_wait_for_two_gathers_single_releases() {
    holds(many_are_gathered);
}

#[test]
fn a_cancelled_waiter_costs_nobody_a_permit() {
    holds(a_cancelled_grant_is_passed_on);
}

#[test]
fn close_reaches_who_waits() {
    holds(close_ends_every_wait);
}

mutants::mutants! {
    mutant_that_does_not_look_again_is_killed: "semaphore.no-recheck" breaks || crate::explore(many_are_gathered), says "deadlock";
    mutant_that_releases_past_the_waiters_is_killed: "semaphore.release-blind" breaks || crate::explore(many_are_gathered), says "deadlock";
    mutant_that_drops_a_cancelled_grant_is_killed: "semaphore.cancel-drops-grant" breaks || crate::explore(a_cancelled_grant_is_passed_on), says "deadlock";
    mutant_that_takes_a_grant_past_the_close_is_killed: "semaphore.granted-past-close"
        breaks || crate::explore(close_comes_between_grant_and_taker), says "acquired after the close";
}
