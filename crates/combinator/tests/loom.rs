//! Models of what threads share in this crate: its files themselves, run under every interleaving with at most two preemptions:
//! `RUSTFLAGS="--cfg loom" cargo test -p asupersync-combinator --test loom --release`.
//!
//! Each known mistake has a test that expects a model to fail with it.
#![cfg(loom)]

extern crate alloc;

#[path = "../src/task_set/line.rs"]
mod line;
#[path = "../src/stream/woken.rs"]
mod woken;

/// What `sync`, which is not built here, has for values that tasks share.
mod shared {
    pub(crate) struct Shared<T>(loom::sync::Mutex<T>);

    impl<T> Shared<T> {
        pub(crate) fn new(value: T) -> Shared<T> {
            Shared(loom::sync::Mutex::new(value))
        }

        pub(crate) fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
            change(&mut self.0.lock().unwrap())
        }
    }
}

use line::{End, Line};
use loom::sync::Notify;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread;
use std::sync::Arc;
use std::task::{Wake, Waker};
use woken::Woken;

/// The task, a thread of the model that sleeps until it's woken.
struct Park(Notify);

impl Wake for Park {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

fn explore(model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Two futures at two places, each polled only where it was woken. The first one is also woken once before it is ready. What
/// they wait for is told by the wake alone: their flags order nothing.
fn who_is_woken_is_polled_until_it_is_ready() {
    let park = Arc::new(Park(Notify::new()));
    let task = Waker::from(park.clone());
    let ready: [_; 2] = std::array::from_fn(|_| Arc::new(AtomicBool::new(false)));
    let mut woken = Woken::new();
    woken.polled_through(&task);
    let mut threads = Vec::new();
    for (place, ready) in ready.iter().enumerate() {
        let (ready, waker) = (ready.clone(), woken.waker(place).clone());
        threads.push(thread::spawn(move || {
            if place == 0 {
                waker.wake_by_ref();
            }
            ready.store(true, Relaxed);
            waker.wake();
        }));
    }
    let mut over = [false; 2];
    loop {
        while let Some(place) = woken.take() {
            over[place] |= ready[place].load(Relaxed);
        }
        if over == [true; 2] {
            break;
        }
        park.0.wait();
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

/// A place whose future is polled through another waker while it is woken through the one before, which nobody listens to any
/// more. The change marks the place, so that the future is polled, sees what came before, and leaves its new waker.
fn a_wake_that_crosses_a_change_of_wakers_is_not_lost() {
    let park = Arc::new(Park(Notify::new()));
    let ready = Arc::new(AtomicBool::new(false));
    // Whom the future would have woken: the one that it left last.
    let waits = Arc::new(loom::sync::Mutex::new(None));
    let mut woken = Woken::new();
    woken.polled_through(Waker::noop());
    *waits.lock().unwrap() = Some(woken.waker(0).clone());
    let (sets, wakes) = (ready.clone(), waits.clone());
    let waking = thread::spawn(move || {
        sets.store(true, Relaxed);
        let waker: Option<Waker> = wakes.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    woken.polled_through(&Waker::from(park.clone()));
    loop {
        if woken.take().is_some() {
            // As any future polls: leaves its waker, and looks after that.
            *waits.lock().unwrap() = Some(woken.waker(0).clone());
            if ready.load(Relaxed) {
                break;
            }
        }
        park.0.wait();
    }
    waking.join().unwrap();
}

/// Two tasks end while a third one waits for both.
fn every_end_is_heard_once() {
    let park = Arc::new(Park(Notify::new()));
    let task = Waker::from(park.clone());
    let line = Arc::new(Line::new());
    let mut ends = Vec::new();
    for place in 0..2 {
        let end = End::new(&line, place);
        ends.push(thread::spawn(move || Waker::from(end).wake()));
    }
    let mut ended = Vec::new();
    while ended.len() < 2 {
        match line.take() {
            Some(place) => ended.push(place),
            None if line.waits(&task) => park.0.wait(),
            None => {}
        }
    }
    assert!(line.take().is_none());
    ended.sort_unstable();
    assert_eq!(ended, [0, 1]);
    for end in ends {
        end.join().unwrap();
    }
}

/// A task that has ended before it is told whom to wake.
fn an_end_that_came_before_is_heard_too() {
    let park = Arc::new(Park(Notify::new()));
    let line = Arc::new(Line::new());
    let end = End::new(&line, 7);
    let adopts = thread::spawn(move || end.has_come());
    let task = Waker::from(park.clone());
    let ended = loop {
        match line.take() {
            Some(place) => break place,
            None if line.waits(&task) => park.0.wait(),
            None => {}
        }
    };
    assert_eq!(ended, 7);
    adopts.join().unwrap();
}

#[test]
fn futures_side_by_side_miss_no_wake() {
    explore(who_is_woken_is_polled_until_it_is_ready);
}

#[test]
fn futures_that_move_to_another_waker_miss_no_wake() {
    explore(a_wake_that_crosses_a_change_of_wakers_is_not_lost);
}

#[test]
fn a_set_hears_of_every_end() {
    explore(every_end_is_heard_once);
    explore(an_end_that_came_before_is_heard_too);
}

mutants::mutants! {
    mutant_that_tells_the_task_before_it_marks_is_killed: "stream.told-before-marked" breaks || crate::explore(who_is_woken_is_polled_until_it_is_ready), says "deadlock";
    mutant_whose_wakes_the_task_never_hears_is_killed: "stream.woken-untold" breaks || crate::explore(who_is_woken_is_polled_until_it_is_ready), says "deadlock";
    mutant_that_looks_once_is_killed: "task-set.one-look" breaks || crate::explore(every_end_is_heard_once), says "deadlock";
    mutant_whose_end_wakes_nobody_is_killed: "task-set.no-wake" breaks || crate::explore(every_end_is_heard_once), says "deadlock";
}
