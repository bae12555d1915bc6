//! Models of this crate's real code, run under every interleaving with at most two preemptions:
//! `RUSTFLAGS="--cfg loom" cargo test -p asupersync-reactor --test loom --release`.
//!
//! Each known mistake has a test that expects a model to fail with it.
#![cfg(loom)]

use std::{
    sync::Arc as StdArc,
    task::{Poll, Wake, Waker},
};

use asupersync_reactor::{Direction, Slot, event};
use loom::{
    sync::{
        Arc, Notify,
        atomic::{AtomicUsize, Ordering::AcqRel},
    },
    thread,
};

/// A thread of the model that sleeps until it's woken.
struct Park(Notify);

impl Wake for Park {
    fn wake(self: StdArc<Self>) {
        self.0.notify();
    }
}

impl Park {
    fn new() -> StdArc<Self> {
        StdArc::new(Self(Notify::new()))
    }

    fn block_on<T>(self: &StdArc<Self>, mut poll: impl FnMut(Waker) -> Poll<T>) -> T {
        loop {
            match poll(Waker::from(self.clone())) {
                Poll::Ready(value) => return value,
                Poll::Pending => self.0.wait(),
            }
        }
    }
}

fn explore(model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn holds(model: fn()) {
    explore(model);
}

/// A source whose data come one by one, each with an edge; a system call takes one or would block.
fn every_edge_is_read() {
    let slot = Arc::new(Slot::<Waker>::new());
    let data = Arc::new(AtomicUsize::new(0));
    let driver = {
        let (slot, data) = (slot.clone(), data.clone());
        thread::spawn(move || {
            for _ in 0..2 {
                data.fetch_add(1, AcqRel);
                slot.event(event::READ);
            }
        })
    };
    let park = Park::new();
    let mut got = 0;
    while got < 2 {
        let seen = park.block_on(|waker| slot.poll_ready(Direction::Read, || waker));
        match data.swap(0, AcqRel) {
            0 => slot.clear(seen),
            some => got += some,
        }
    }
    driver.join().unwrap();
}

/// The last byte and the end of the stream, in one event or in two: a reader whose reads are short reads both.
fn the_end_is_read() {
    let slot = Arc::new(Slot::<Waker>::new());
    // 1 = bytes, 2 = the end, behind them.
    let stream = Arc::new(AtomicUsize::new(0));
    let driver = {
        let (slot, stream) = (slot.clone(), stream.clone());
        thread::spawn(move || {
            stream.fetch_or(1, AcqRel);
            slot.event(event::READ);
            stream.fetch_or(1 | 2, AcqRel);
            slot.event(event::READ | event::END);
        })
    };
    let park = Park::new();
    loop {
        let seen = park.block_on(|waker| slot.poll_ready(Direction::Read, || waker));
        match stream.fetch_and(2, AcqRel) {
            0 => slot.clear(seen),
            2 => break,
            _bytes => slot.drained(seen),
        }
    }
    driver.join().unwrap();
}

/// Two tasks on the two directions of one source, one event that concerns both.
fn an_event_for_both_directions_reaches_both() {
    let slot = Arc::new(Slot::<Waker>::new());
    let driver = {
        let slot = slot.clone();
        thread::spawn(move || slot.event(event::ERROR))
    };
    let writer = {
        let slot = slot.clone();
        thread::spawn(move || {
            let _ = Park::new().block_on(|waker| slot.poll_ready(Direction::Write, || waker));
        })
    };
    let _ = Park::new().block_on(|waker| slot.poll_ready(Direction::Read, || waker));
    driver.join().unwrap();
    writer.join().unwrap();
}

/// A socket with room for one write at a time, which the peer makes twice, each time with an edge.
fn every_room_is_written_to() {
    let slot = Arc::new(Slot::<Waker>::new());
    let room = Arc::new(AtomicUsize::new(0));
    let driver = {
        let (slot, room) = (slot.clone(), room.clone());
        thread::spawn(move || {
            for _ in 0..2 {
                room.fetch_add(1, AcqRel);
                slot.event(event::READ | event::WRITE);
            }
        })
    };
    let park = Park::new();
    let mut written = 0;
    while written < 2 {
        let seen = park.block_on(|waker| slot.poll_ready(Direction::Write, || waker));
        match room.swap(0, AcqRel) {
            0 => slot.clear(seen),
            some => written += some,
        }
    }
    driver.join().unwrap();
}

/// Deregistration races with a wait.
fn close_reaches_who_waits() {
    let slot = Arc::new(Slot::<Waker>::new());
    let driver = {
        let slot = slot.clone();
        thread::spawn(move || slot.close())
    };
    let seen = Park::new().block_on(|waker| slot.poll_ready(Direction::Read, || waker));
    slot.clear(seen);
    assert!(slot.is_closed() && slot.ready(Direction::Read).is_some());
    driver.join().unwrap();
}

#[test]
fn no_edge_is_lost_or_erased() {
    holds(every_edge_is_read);
}

#[test]
fn no_room_is_missed_by_a_writer() {
    holds(every_room_is_written_to);
}

#[test]
fn the_end_behind_a_short_read_is_found() {
    holds(the_end_is_read);
}

#[test]
fn an_error_wakes_reader_and_writer() {
    holds(an_event_for_both_directions_reaches_both);
}

#[test]
fn a_closed_slot_is_noticed_by_its_waiter() {
    holds(close_reaches_who_waits);
}

mutants::mutants! {
    mutant_without_a_second_look_is_killed: "slot.no-second-look" breaks || explore(every_edge_is_read), says "deadlock";
    mutant_whose_writers_wait_without_saying_so_is_killed: "slot.writer-unannounced" breaks || explore(every_room_is_written_to), says "deadlock";
    mutant_that_clears_newer_events_is_killed: "slot.clear-ignores-tick" breaks || explore(every_edge_is_read), says "deadlock";
    mutant_that_forgets_the_end_behind_a_short_read_is_killed: "slot.drained-ignores-end" breaks || explore(the_end_is_read), says "deadlock";
    mutant_that_wakes_before_the_event_is_visible_is_killed: "slot.wake-before-event" breaks || explore(every_edge_is_read), says "deadlock";
}
