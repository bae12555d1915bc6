//! What the wheel promises, one behaviour at a time. [`super::model`] drives it at random against a
//! sorted map.
//!
//! Left out of a build with seeded mistakes: the mistake is switched on for the whole process, and
//! these tests would meet it.

use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};

use types::Time;

use super::{Advanced, Key, Wheel};

const TICK: u64 = 1 << 16;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

/// Advances without a limit and returns what fired.
fn advance<T>(wheel: &mut Wheel<T>, now: Time) -> Vec<T> {
    let mut values = Vec::new();
    let advanced = wheel.advance(now, usize::MAX, |_, value| values.push(value));
    assert_eq!(advanced, Advanced { fired: values.len(), more: false });
    wheel.assert_invariants();
    values
}

fn allocated<T>(wheel: &Wheel<T>) -> (usize, usize) {
    (wheel.entries.capacity(), wheel.slots.iter().map(|slot| slot.capacity()).sum())
}

#[test]
fn key_is_eight_bytes_and_so_is_an_optional_one() {
    assert_eq!(mem::size_of::<Key>(), 8);
    assert_eq!(mem::size_of::<Option<Key>>(), 8);
}

#[test]
fn timer_fires_at_its_deadline_rounded_up_to_a_tick_and_not_before() {
    let mut wheel = Wheel::new(Time::ZERO);
    assert_eq!(wheel.tick(), TICK);
    wheel.insert(at(TICK), "on the tick");
    wheel.insert(at(TICK + 1), "just after it");
    assert_eq!(wheel.next_expiry(), Some(at(TICK)));
    assert!(advance(&mut wheel, at(TICK - 1)).is_empty());
    assert_eq!(advance(&mut wheel, at(TICK)), ["on the tick"]);
    assert_eq!(wheel.next_expiry(), Some(at(2 * TICK)));
    assert!(advance(&mut wheel, at(2 * TICK - 1)).is_empty());
    assert_eq!(advance(&mut wheel, at(2 * TICK)), ["just after it"]);
    assert_eq!(wheel.next_expiry(), None);
}

#[test]
fn shift_zero_keeps_every_nanosecond_apart() {
    let mut wheel = Wheel::with_shift(at(7), 0);
    for nanos in [1_000_000_007, 1_000_000_005, 9, 8, 1_000_000_006] {
        wheel.insert(at(nanos), nanos);
    }
    assert_eq!(advance(&mut wheel, at(8)), [8]);
    assert_eq!(advance(&mut wheel, at(1_000_000_006)), [9, 1_000_000_005, 1_000_000_006]);
    assert_eq!(advance(&mut wheel, at(1_000_000_007)), [1_000_000_007]);
}

#[test]
fn timers_of_one_tick_fire_in_insertion_order_after_removals_at_every_level() {
    for ticks in [1, 300, 70_000, 20_000_000, 5_000_000_000] {
        let mut wheel = Wheel::new(Time::ZERO);
        // Within the tick the deadlines fall while the insertion order rises.
        let keys: Vec<Key> = (0..100).map(|n| wheel.insert(at(ticks * TICK - n), n)).collect();
        let removed = |n: &u64| n % 3 == 1 || (20..60).contains(n);
        for n in (0..100).filter(removed) {
            assert_eq!(wheel.remove(keys[n as usize]), Some(n));
        }
        for n in 100..150 {
            wheel.insert(at(ticks * TICK), n);
        }
        wheel.assert_invariants();
        let expected: Vec<u64> = (0..100).filter(|n| !removed(n)).chain(100..150).collect();
        assert_eq!(advance(&mut wheel, at(ticks * TICK)), expected);
    }
}

#[test]
fn timer_inserted_from_afar_precedes_one_inserted_close_by() {
    let deadline = at(70_001 * TICK);
    let mut wheel = Wheel::new(Time::ZERO);
    wheel.insert(deadline, "from level 2");
    assert!(advance(&mut wheel, at(69_000 * TICK)).is_empty());
    wheel.insert(deadline, "from level 1");
    assert!(advance(&mut wheel, at(70_000 * TICK)).is_empty());
    wheel.insert(deadline, "from level 0");
    assert_eq!(advance(&mut wheel, deadline), ["from level 2", "from level 1", "from level 0"]);
}

#[test]
fn stale_key_names_nothing_even_after_its_place_is_reused() {
    let mut wheel = Wheel::new(Time::ZERO);
    let removed = wheel.insert(at(TICK), 1);
    assert_eq!(wheel.remove(removed), Some(1));
    let fired = wheel.insert(at(TICK), 2);
    assert_eq!(wheel.remove(removed), None);
    assert_eq!(advance(&mut wheel, at(TICK)), [2]);
    assert_eq!(wheel.get_mut(fired), None);
    let live = wheel.insert(at(2 * TICK), 3);
    assert_eq!((wheel.remove(removed), wheel.remove(fired)), (None, None));
    assert_eq!(wheel.get_mut(removed), None);
    assert_eq!(wheel.get_mut(fired), None);
    assert_eq!(wheel.get_mut(live), Some(&mut 3));
    assert_eq!(wheel.len(), 1);
}

#[test]
fn place_whose_generations_are_used_up_is_never_reused() {
    let mut wheel = Wheel::new(Time::ZERO);
    let first = wheel.insert(at(TICK), 1);
    let last = wheel.entries.age(first);
    assert_eq!(wheel.remove(last), Some(1));
    let next = wheel.insert(at(TICK), 2);
    assert_ne!(next.index(), last.index());
    assert_eq!((wheel.remove(first), wheel.remove(last), wheel.get_mut(last)), (None, None, None));
    assert_eq!(wheel.remove(next), Some(2));
}

#[test]
fn value_can_be_replaced_in_place() {
    let mut wheel = Wheel::new(Time::ZERO);
    let key = wheel.insert(at(5), "old waker");
    *wheel.get_mut(key).unwrap() = "new waker";
    assert_eq!(advance(&mut wheel, at(TICK)), ["new waker"]);
}

#[test]
fn limit_splits_a_tick_and_the_rest_can_be_removed_or_resumed() {
    let mut wheel = Wheel::new(Time::ZERO);
    let keys: Vec<Key> = (0..10).map(|n| wheel.insert(at(TICK), n)).collect();
    wheel.insert(at(2 * TICK), 10);
    let now = at(5 * TICK);
    let mut fired = Vec::new();
    assert_eq!(wheel.advance(now, 0, |_, n| fired.push(n)), Advanced { fired: 0, more: true });
    assert_eq!(wheel.advance(now, 4, |_, n| fired.push(n)), Advanced { fired: 4, more: true });
    assert_eq!(fired, [0, 1, 2, 3]);
    assert_eq!(wheel.next_expiry(), Some(now), "what is left is due now, not in the past");
    assert_eq!(
        (wheel.remove(keys[3]), wheel.remove(keys[4]), wheel.remove(keys[9])),
        (None, Some(4), Some(9))
    );
    wheel.insert(Time::ZERO, 11);
    wheel.assert_invariants();
    assert_eq!(wheel.advance(now, 5, |_, n| fired.push(n)), Advanced { fired: 5, more: true });
    assert_eq!(fired, [0, 1, 2, 3, 5, 6, 7, 8, 11]);
    assert_eq!(advance(&mut wheel, now), [10]);
}

#[test]
fn limit_that_is_just_enough_leaves_no_more() {
    let mut wheel = Wheel::new(Time::ZERO);
    wheel.insert(at(TICK), ());
    wheel.insert(at(9 * TICK), ());
    assert_eq!(wheel.advance(at(8 * TICK), 1, |_, ()| {}), Advanced { fired: 1, more: false });
    assert_eq!(wheel.advance(at(9 * TICK), 1, |_, ()| {}), Advanced { fired: 1, more: false });
}

#[test]
fn crowd_cascades_in_pieces_and_nothing_overtakes_it() {
    let deadline = at(1000 * TICK);
    let mut wheel = Wheel::new(Time::ZERO);
    let keys: Vec<Key> = (0..1000).map(|n| wheel.insert(deadline, n)).collect();
    assert_eq!(wheel.advance(deadline, 100, |_, _| {}), Advanced { fired: 0, more: true });
    assert_eq!(wheel.next_expiry(), Some(deadline));
    // The first is cascaded already, the last is not, and the new one has to wait for both.
    assert_eq!((wheel.remove(keys[0]), wheel.remove(keys[999])), (Some(0), Some(999)));
    wheel.insert(deadline, 1000);
    wheel.insert(at(1001 * TICK), 1001);
    wheel.assert_invariants();
    let mut fired = Vec::new();
    let mut calls = 0;
    while wheel.advance(deadline, 100, |_, n| fired.push(n)).more {
        wheel.assert_invariants();
        calls += 1;
    }
    assert_eq!(fired, (1..999).chain([1000]).collect::<Vec<_>>());
    assert!(calls < 15, "{calls} calls for 999 timers at 100 each");
    assert_eq!(wheel.next_expiry(), Some(at(1001 * TICK)));
}

#[test]
fn crowd_removed_in_the_middle_of_its_cascade_leaves_nothing_behind() {
    let mut wheel = Wheel::new(Time::ZERO);
    let keys: Vec<Key> = (0..1000).map(|n| wheel.insert(at(1000 * TICK), n)).collect();
    assert_eq!(wheel.advance(at(1000 * TICK), 1, |_, _| {}), Advanced { fired: 0, more: true });
    for key in keys {
        wheel.remove(key).unwrap();
    }
    assert_eq!(wheel.next_expiry(), None);
    wheel.insert(at(1001 * TICK), 1000);
    wheel.assert_invariants();
    assert!(advance(&mut wheel, at(1000 * TICK)).is_empty());
    assert_eq!(advance(&mut wheel, at(1001 * TICK)), [1000]);
}

#[test]
fn passed_deadline_fires_within_a_tick_of_its_insertion() {
    let now = at(10 * TICK + 5);
    let mut wheel = Wheel::new(now);
    wheel.insert(Time::ZERO, "long ago");
    wheel.insert(at(10 * TICK), "begin of this tick");
    wheel.insert(now, "right now");
    assert_eq!(wheel.next_expiry(), Some(now));
    assert_eq!(advance(&mut wheel, now), ["long ago", "begin of this tick"]);
    assert_eq!(advance(&mut wheel, at(11 * TICK)), ["right now"]);
}

#[test]
fn time_that_goes_backwards_changes_nothing() {
    let mut wheel = Wheel::new(at(100 * TICK));
    wheel.insert(at(101 * TICK), ());
    assert!(advance(&mut wheel, Time::ZERO).is_empty());
    assert_eq!(wheel.now(), at(100 * TICK));
    assert_eq!(wheel.next_expiry(), Some(at(101 * TICK)));
}

#[test]
fn end_of_time_can_be_waited_for_with_every_tick() {
    for shift in [0, 2, 16, 32] {
        let mut wheel = Wheel::with_shift(Time::ZERO, shift);
        wheel.insert(Time::MAX, "last");
        wheel.insert(at(u64::MAX - 1), "last but one");
        assert!(wheel.next_expiry().is_some());
        assert!(advance(&mut wheel, at(u64::MAX - 2)).is_empty());
        let next = wheel.next_expiry().unwrap();
        let fired = advance(&mut wheel, next);
        if shift == 0 {
            assert_eq!((next, fired), (at(u64::MAX - 1), vec!["last but one"]));
            assert_eq!(advance(&mut wheel, Time::MAX), ["last"]);
        } else {
            assert_eq!((next, fired), (Time::MAX, vec!["last", "last but one"]));
        }
        wheel.insert(Time::MAX, "late comer");
        assert_eq!(wheel.next_expiry(), Some(Time::MAX));
        assert_eq!(advance(&mut wheel, Time::MAX), ["late comer"]);
    }
}

#[test]
fn lone_timer_wakes_an_idle_process_once() {
    for seconds in [1, 10, 3600, 86_400 * 365, 86_400 * 365 * 100] {
        let deadline = at(12_345_678) + Duration::from_secs(seconds);
        let mut wheel = Wheel::new(at(12_345_678));
        wheel.insert(deadline, ());
        let next = wheel.next_expiry().unwrap();
        assert!(next >= deadline && next.as_nanos() - deadline.as_nanos() < TICK);
        assert_eq!(advance(&mut wheel, next).len(), 1);
    }
}

#[test]
fn crowd_of_hour_long_timers_wakes_an_idle_process_a_handful_of_times() {
    let mut wheel = Wheel::new(at(77));
    for n in 0..1000 {
        wheel.insert(at(77) + Duration::from_secs(3600), n);
    }
    let mut needless = 0;
    loop {
        let next = wheel.next_expiry().unwrap();
        if !advance(&mut wheel, next).is_empty() {
            break;
        }
        needless += 1;
    }
    assert!(needless <= 3, "woken {needless} times for nothing");
    assert!(wheel.is_empty());
}

#[test]
fn panic_in_fire_loses_only_the_timer_it_was_given() {
    let mut wheel = Wheel::new(Time::ZERO);
    for n in 0..5 {
        wheel.insert(at(TICK), n);
    }
    let result = catch_unwind(AssertUnwindSafe(|| {
        wheel.advance(at(TICK), usize::MAX, |_, n| assert_ne!(n, 2, "a waker panics"))
    }));
    assert!(result.is_err());
    wheel.assert_invariants();
    assert_eq!(wheel.len(), 2);
    assert_eq!(advance(&mut wheel, at(TICK)), [3, 4]);

    wheel.insert(at(2 * TICK), 5);
    let result = catch_unwind(AssertUnwindSafe(|| {
        wheel.advance(at(2 * TICK), usize::MAX, |_, _| panic!("the last of its slot"))
    }));
    assert!(result.is_err());
    wheel.assert_invariants();
    assert_eq!(wheel.next_expiry(), None);
}

#[test]
fn removal_frees_the_value_at_once() {
    let value = alloc::rc::Rc::new(());
    let mut wheel = Wheel::new(Time::ZERO);
    let key = wheel.insert(at(1 << 40), value.clone());
    wheel.insert(at(1 << 40), value.clone());
    drop(wheel.remove(key));
    assert_eq!(alloc::rc::Rc::strong_count(&value), 2);
    drop(wheel);
    assert_eq!(alloc::rc::Rc::strong_count(&value), 1);
}

#[test]
fn steady_load_of_cancelled_timeouts_stops_allocating() {
    // Every request arms a timeout of a second and finishes after 40 steps, in any order but the
    // last one's, so that removals leave holes; one in 50 is never cancelled and fires.
    let mut wheel = Wheel::new(Time::ZERO);
    let mut pending: Vec<Key> = Vec::new();
    let mut now = Time::ZERO;
    let mut run = |wheel: &mut Wheel<u64>, steps: u64| {
        for n in 0..steps {
            now += Duration::from_micros(100);
            let key = wheel.insert(now + Duration::from_secs(1), n);
            if n % 50 != 0 {
                pending.push(key);
            }
            if pending.len() > 40 {
                wheel.remove(pending.swap_remove((n * 7 % 40) as usize)).unwrap();
            }
            let _ = wheel.advance(now, usize::MAX, |_, _| {});
        }
        wheel.assert_invariants();
    };
    run(&mut wheel, 200_000);
    let warm = allocated(&wheel);
    run(&mut wheel, 200_000);
    assert_eq!(allocated(&wheel), warm);
}

#[test]
fn burst_does_not_leave_its_size_in_the_slots_it_visits() {
    let mut wheel = Wheel::new(Time::ZERO);
    for round in 1..=50 {
        for n in 0..10_000 {
            wheel.insert(at(round * 1000 * TICK), n);
        }
        assert_eq!(advance(&mut wheel, at(round * 1000 * TICK)).len(), 10_000);
    }
    let (_, items) = allocated(&wheel);
    assert!(items < 1000, "{items} items retained");
}
