//! What the readiness slot promises to one thread at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Wake, Waker},
};

use super::{Direction::*, *};

/// Counts its wakes.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

struct World {
    slot: Slot<Waker>,
    wakes: Arc<Counter>,
}

impl World {
    fn new() -> Self {
        Self { slot: Slot::new(), wakes: Arc::default() }
    }

    fn poll(&self, direction: Direction) -> Poll<Seen> {
        self.slot.poll_ready(direction, || Waker::from(self.wakes.clone()))
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(SeqCst)
    }
}

#[test]
fn an_event_wakes_only_its_direction() {
    let world = World::new();
    assert!(world.poll(Read).is_pending() && world.poll(Write).is_pending());
    world.slot.event(event::WRITE);
    assert_eq!(world.wakes(), 1);
    assert!(world.poll(Write).is_ready() && world.poll(Read).is_pending());
}

#[test]
fn an_event_that_came_first_is_found() {
    let world = World::new();
    world.slot.event(event::READ);
    assert!(world.poll(Read).is_ready());
    assert_eq!(Arc::strong_count(&world.wakes), 1, "no waiter is left behind");
}

#[test]
fn clear_drops_what_was_seen() {
    let world = World::new();
    world.slot.event(event::READ);
    let seen = world.slot.ready(Read).expect("ready");
    world.slot.clear(seen);
    assert!(world.slot.ready(Read).is_none());
}

#[test]
fn clear_keeps_an_event_newer_than_what_was_seen() {
    let world = World::new();
    world.slot.event(event::READ);
    let seen = world.slot.ready(Read).expect("ready");
    world.slot.event(event::READ);
    world.slot.clear(seen);
    assert!(world.slot.ready(Read).is_some());
}

#[test]
fn an_event_of_the_other_direction_does_not_keep_disproved_readiness() {
    let world = World::new();
    world.slot.event(event::READ | event::WRITE);
    let seen = world.slot.ready(Read).expect("ready");
    world.slot.event(event::WRITE);
    world.slot.clear(seen);
    assert!(world.slot.ready(Read).is_none() && world.slot.ready(Write).is_some());
}

#[test]
fn ticks_wrap_without_touching_each_other_or_the_flags() {
    let world = World::new();
    for _ in 0..3 * (TICK_MASK + 1) + 5 {
        world.slot.event(event::READ);
    }
    let word = world.slot.word.load(Relaxed);
    assert_eq!((Read.tick(word), Write.tick(word), word & FLAGS), (5, 0, event::READ));
    for _ in 0..TICK_MASK + 2 {
        world.slot.event(event::WRITE);
    }
    let word = world.slot.word.load(Relaxed);
    assert_eq!((Read.tick(word), Write.tick(word)), (5, 1));
}

#[test]
fn an_error_readies_both_directions_once_and_is_remembered() {
    let world = World::new();
    assert!(world.poll(Read).is_pending() && world.poll(Write).is_pending());
    world.slot.event(event::ERROR);
    assert_eq!(world.wakes(), 2);
    for direction in [Read, Write] {
        let seen = world.slot.ready(direction).expect("ready");
        world.slot.clear(seen);
        assert!(world.slot.ready(direction).is_none());
    }
    assert!(world.slot.has_error() && !world.slot.is_hung_up());
}

#[test]
fn a_closed_slot_wakes_everybody_and_stays_ready() {
    let world = World::new();
    assert!(world.poll(Read).is_pending() && world.poll(Write).is_pending());
    world.slot.close();
    assert_eq!(world.wakes(), 2);
    let seen = world.slot.ready(Read).expect("ready");
    world.slot.clear(seen);
    assert!(world.poll(Read).is_ready() && world.slot.is_closed());
}

#[test]
fn a_waiter_is_released_when_replaced_forgotten_or_left_behind() {
    let world = World::new();
    assert!(world.poll(Read).is_pending() && world.poll(Read).is_pending() && world.poll(Write).is_pending());
    assert_eq!(Arc::strong_count(&world.wakes), 3);
    world.slot.forget_waiter(Read);
    assert_eq!(Arc::strong_count(&world.wakes), 2);
    let World { slot, wakes } = world;
    drop(slot);
    assert_eq!((Arc::strong_count(&wakes), wakes.0.load(SeqCst)), (1, 0));
}

#[test]
fn a_short_read_drops_readiness_unless_the_end_is_still_to_be_read() {
    for (bits, stays) in [
        (event::READ, false),
        (event::READ | event::END, true),
        (event::READ | event::HANGUP, true),
        (event::READ | event::ERROR, true),
    ] {
        let world = World::new();
        world.slot.event(bits);
        world.slot.drained(world.slot.ready(Read).expect("ready"));
        assert_eq!(world.slot.ready(Read).is_some(), stays, "{bits:#b}");
    }
}

#[test]
fn a_short_write_drops_readiness_also_when_the_peer_has_ended_its_half() {
    let world = World::new();
    world.slot.event(event::WRITE | event::END);
    world.slot.drained(world.slot.ready(Write).expect("ready"));
    assert!(world.slot.ready(Write).is_none());
}

#[test]
fn an_end_wakes_the_reader_only() {
    let world = World::new();
    assert!(world.poll(Read).is_pending() && world.poll(Write).is_pending());
    world.slot.event(event::END);
    assert_eq!(world.wakes(), 1);
    assert!(world.poll(Read).is_ready() && world.poll(Write).is_pending());
}

#[test]
fn a_slot_that_begins_anew_remembers_nothing_but_what_is_assumed() {
    let world = World::new();
    assert!(world.poll(Read).is_pending());
    world.slot.event(event::WRITE | event::END | event::ERROR);
    world.slot.clear(world.slot.ready(Read).expect("ready"));
    assert!(world.poll(Read).is_pending());
    world.slot.reset(event::WRITE);
    assert_eq!(world.slot.word.load(Relaxed), event::WRITE);
    assert_eq!(Arc::strong_count(&world.wakes), 1, "the waiter is released");
}

#[test]
fn unknown_bits_of_an_event_change_nothing() {
    let world = World::new();
    world.slot.event(!event::ALL);
    assert_eq!(world.slot.word.load(Relaxed), 0);
}
