//! What a driver promises to the threads that turn and ring it.

// Threads are what these tests are about.
#![allow(clippy::disallowed_methods)]

use super::*;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

const NOW: Option<Duration> = Some(Duration::ZERO);

fn driver() -> Driver {
    Driver::new().expect("a queue of events")
}

#[test]
fn an_unpark_that_came_first_ends_the_next_wait() {
    let driver = driver();
    driver.unpark();
    assert_eq!(driver.turn(None, 8).expect("a turn"), 0);
}

#[test]
fn an_unpark_ends_a_wait_that_is_going_on() {
    let driver = driver();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| driver.turn(None, 8).expect("a turn"));
        driver.unpark();
        assert_eq!(waiting.join().expect("no panic"), 0);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn unparks_that_nobody_answered_are_one_system_call() {
    let driver = driver();
    for _ in 0..10 {
        driver.unpark();
    }
    assert_eq!(driver.selector.rings(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn an_unpark_after_an_answered_one_rings_again() {
    let driver = driver();
    for _ in 0..3 {
        driver.unpark();
        assert_eq!(driver.turn(None, 8).expect("a turn"), 0);
        assert_eq!(driver.selector.rings(), 1);
    }
}

#[test]
fn every_unpark_is_answered_when_two_threads_take_turns() {
    // Each waits for the other's word: a lost ring would leave both waiting.
    let (here, there) = (driver(), driver());
    let (ping, pong) = (AtomicBool::new(false), AtomicBool::new(false));
    let rally = |mine: &Driver, flag: &AtomicBool, theirs: &Driver, other: &AtomicBool| {
        for _ in 0..2000 {
            while !flag.swap(false, Relaxed) {
                mine.turn(None, 8).expect("a turn");
            }
            other.store(true, Relaxed);
            theirs.unpark();
        }
    };
    thread::scope(|scope| {
        ping.store(true, Relaxed);
        scope.spawn(|| rally(&here, &ping, &there, &pong));
        scope.spawn(|| rally(&there, &pong, &here, &ping));
    });
}

#[test]
fn a_driver_that_is_being_turned_is_left_alone() {
    let driver = driver();
    let turning = driver.turning.lock().expect("nobody panicked");
    assert!(driver.try_turn(8).is_none());
    drop(turning);
    assert!(driver.try_turn(8).is_some_and(|turned| turned.expect("a turn") == 0));
}

#[test]
fn a_wait_of_no_time_returns_without_events() {
    assert_eq!(driver().turn(NOW, 0).expect("a turn"), 0);
}

#[test]
fn a_wait_that_is_shorter_than_a_millisecond_ends() {
    assert_eq!(driver().turn(Some(Duration::from_micros(50)), 8).expect("a turn"), 0);
}

#[test]
fn the_longest_wait_is_one_the_system_accepts() {
    let driver = driver();
    driver.unpark();
    assert_eq!(driver.turn(Some(Duration::MAX), 8).expect("a turn"), 0);
}
