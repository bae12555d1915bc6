//! The wheel against a sorted map, over random steps.
//!
//! The model says what the wheel promises in a dozen lines: timers sorted by tick and insertion, a
//! tick computed in 128 bits. Every answer of the wheel must equal the model's, and
//! [`Wheel::next_expiry`] must lie between its bounds.
//!
//! Built with `--cfg asupersync_seeded`, the same check must fail for each known mistake. The
//! switch is for the whole process, so that build of the crate has only the one test.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;
use types::Time;

use super::{Key, LEVELS, SLOTS, Wheel};

impl<T> Wheel<T> {
    /// Checks the invariants of the files of this module; costs O(everything).
    pub(super) fn assert_invariants(&self) {
        let mut live = 0;
        let mut first = None;
        for (number, slot) in self.slots.iter().enumerate() {
            for (position, index) in slot.checked() {
                let entry = self.entries.entry(index);
                assert_eq!((entry.slot as usize, entry.position), (number, position), "slot.position");
                let tick = self.tick_of(entry.deadline);
                let digit = |tick: u64, level: usize| (tick >> (8 * level)) & 0xff;
                let level = number / SLOTS;
                for above in level + 1..LEVELS {
                    assert_eq!(digit(tick, above), digit(self.cursor, above), "level is too low");
                }
                assert_eq!(digit(tick, level) as usize, number % SLOTS, "wrong slot");
                let ahead = digit(tick, level) > digit(self.cursor, level);
                let at_cursor = level == 0 && tick == self.cursor;
                assert!(ahead || at_cursor || number == self.cascading, "wheel.ahead");
                live += 1;
                first = first.or(Some(number));
            }
        }
        assert_eq!(self.len(), live);
        assert_eq!(self.occupied.first(), first);
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Insert a timer this far after the model's time.
    Insert(u64),
    /// Insert a timer this far before it.
    InsertPassed(u64),
    /// Insert a timer at the deadline of a live one.
    InsertBeside(usize),
    /// Remove the n-th of the live timers.
    Remove(usize),
    /// Use the n-th of the stale keys.
    UseStale(usize),
    /// Let this much time pass.
    Advance(u64, usize),
    /// Go to the next expiry.
    AdvanceToExpiry(usize),
}

struct Model {
    shift: u32,
    now: Time,
    cursor: u128,
    inserted: u64,
    /// By tick and insertion: the deadline.
    timers: BTreeMap<(u128, u64), Time>,
}

impl Model {
    fn ceiling(&self, time: Time) -> u128 {
        u128::from(time.as_nanos()).div_ceil(1 << self.shift)
    }

    fn reached(&self) -> u128 {
        if self.now == Time::MAX {
            self.ceiling(Time::MAX)
        } else {
            u128::from(self.now.as_nanos()) >> self.shift
        }
    }

    fn insert(&mut self, deadline: Time) -> (u128, u64) {
        let timer = (self.ceiling(deadline).max(self.cursor), self.inserted);
        self.inserted += 1;
        self.timers.insert(timer, deadline);
        timer
    }

    fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// The timer that must fire next, if one is due.
    fn pop_due(&mut self) -> Option<(u64, Time)> {
        let reached = self.reached();
        let entry = self.timers.first_entry().filter(|entry| entry.key().0 <= reached)?;
        let ((tick, id), deadline) = entry.remove_entry();
        self.cursor = tick;
        Some((id, deadline))
    }

    /// Checks where the wheel stopped, and follows it there.
    fn stop(&mut self, wheel: &Wheel<u64>, more: bool) {
        let first = self.timers.keys().next().map(|&(tick, _)| tick);
        let due = first.filter(|&tick| tick <= self.reached());
        if wheel.cascading != 0 {
            // Where a cascade pauses is the wheel's business, as long as it is not behind.
            assert!(more);
            let cursor = u128::from(wheel.cursor);
            assert!((self.cursor..=self.reached()).contains(&cursor));
            assert!(first.is_none_or(|first| cursor <= first));
            self.cursor = cursor;
        } else {
            assert_eq!(more, due.is_some(), "timers are left behind, or made up");
            self.cursor = due.unwrap_or(self.reached());
        }
    }
}

fn check(shift: u32, start: Time, steps: &[Step]) {
    let mut wheel = Wheel::with_shift(start, shift);
    let mut model = Model { shift, now: start, cursor: 0, inserted: 0, timers: BTreeMap::new() };
    model.cursor = model.reached();
    let mut keys: BTreeMap<u64, (Key, (u128, u64))> = BTreeMap::new();
    let mut stale: Vec<Key> = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let now = model.now.as_nanos();
        match *step {
            Step::Insert(_) | Step::InsertPassed(_) | Step::InsertBeside(_) => {
                let deadline = deadline_of(step, &model);
                if let Some(deadline) = deadline {
                    let timer = model.insert(deadline);
                    keys.insert(timer.1, (wheel.insert(deadline, timer.1), timer));
                }
            }
            Step::Remove(n) => {
                let id = keys.keys().nth(n % keys.len().max(1)).copied();
                if let Some(id) = id {
                    let (key, timer) = keys.remove(&id).unwrap();
                    assert_eq!(wheel.get_mut(key), Some(&mut { id }));
                    assert_eq!(wheel.remove(key), Some(id));
                    model.timers.remove(&timer).unwrap();
                    stale.push(key);
                }
            }
            Step::UseStale(n) => {
                if let Some(&key) = stale.get(n % stale.len().max(1)) {
                    assert_eq!(wheel.get_mut(key), None);
                    assert_eq!(wheel.remove(key), None);
                }
            }
            Step::Advance(..) | Step::AdvanceToExpiry(_) => {
                let (to, limit) = match *step {
                    Step::Advance(by, limit) => (Time::from_nanos(now.saturating_add(by)), limit),
                    Step::AdvanceToExpiry(limit) => (wheel.next_expiry().unwrap_or(model.now), limit),
                    _ => unreachable!(),
                };
                let mut fired = Vec::new();
                let advanced = wheel.advance(to, limit, |deadline, id| {
                    assert!(deadline <= to.max(Time::from_nanos(now)), "fired early");
                    fired.push((id, deadline));
                });
                assert_eq!(advanced.fired, fired.len());
                assert!(fired.len() <= limit);
                assert!(wheel.cascading != 0 || !advanced.more || fired.len() == limit, "gave up early");
                model.advance(to);
                for &timer in &fired {
                    assert_eq!(Some(timer), model.pop_due());
                }
                model.stop(&wheel, advanced.more);
                for (id, _) in fired {
                    stale.push(keys.remove(&id).unwrap().0);
                }
            }
        }
        assert_eq!(wheel.now(), model.now);
        assert_eq!(wheel.len(), model.timers.len());
        assert_expiry_is_sound(&wheel, &model);
        if n % 16 == 0 {
            wheel.assert_invariants();
        }
    }
    wheel.assert_invariants();
    drain(&mut wheel, &mut model, 8 * (steps.len() + 1));
}

/// The deadline that an inserting step means.
fn deadline_of(step: &Step, model: &Model) -> Option<Time> {
    let now = model.now.as_nanos();
    match *step {
        Step::Insert(after) => Some(Time::from_nanos(now.saturating_add(after))),
        Step::InsertPassed(before) => Some(Time::from_nanos(now.saturating_sub(before))),
        Step::InsertBeside(n) => model.timers.values().nth(n % model.timers.len().max(1)).copied(),
        _ => None,
    }
}

/// What is left must fire, in a bounded number of wake-ups for each timer.
fn drain(wheel: &mut Wheel<u64>, model: &mut Model, limit: usize) {
    let mut wakes = 0;
    while let Some(next) = wheel.next_expiry() {
        let mut fired = Vec::new();
        let advanced = wheel.advance(next, usize::MAX, |deadline, id| fired.push((id, deadline)));
        model.advance(next);
        for timer in fired {
            assert_eq!(Some(timer), model.pop_due());
        }
        assert!(!advanced.more);
        model.stop(wheel, advanced.more);
        assert_expiry_is_sound(wheel, model);
        wakes += 1;
        assert!(wakes <= limit, "next_expiry makes no progress");
    }
    assert!(model.timers.is_empty());
}

fn assert_expiry_is_sound(wheel: &Wheel<u64>, model: &Model) {
    let Some((&(tick, _), _)) = model.timers.first_key_value() else {
        assert_eq!(wheel.next_expiry(), None);
        return;
    };
    let fires = u64::try_from(tick << model.shift).map_or(Time::MAX, Time::from_nanos).max(model.now);
    let next = wheel.next_expiry().unwrap();
    assert!(next >= model.now, "a wake-up in the past would spin");
    assert!(next <= fires, "the wake-up is late");
    if wheel.cascading == 0 && tick >> 8 == model.cursor >> 8 {
        assert_eq!(next, fires, "the tick of a close timer is known");
    }
}

/// Spans of every magnitude, with many collisions.
fn span() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (0u64..4, 0u32..60).prop_map(|(n, bits)| n << bits),
        4 => (0u64..600, 0u32..54).prop_map(|(n, bits)| n << bits),
        2 => (any::<u64>(), 0u32..64).prop_map(|(n, bits)| n >> bits),
    ]
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![0usize..4, 0usize..30, Just(usize::MAX)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => span().prop_map(Step::Insert),
        1 => span().prop_map(Step::InsertPassed),
        6 => any::<usize>().prop_map(Step::InsertBeside),
        4 => any::<usize>().prop_map(Step::Remove),
        1 => any::<usize>().prop_map(Step::UseStale),
        2 => (span(), limit()).prop_map(|(by, limit)| Step::Advance(by, limit)),
        2 => limit().prop_map(Step::AdvanceToExpiry),
    ]
}

fn start() -> impl Strategy<Value = Time> {
    prop_oneof![span(), span().prop_map(|before| u64::MAX - before)].prop_map(Time::from_nanos)
}

fn shift() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0u32), Just(16), 0u32..=32]
}

#[cfg(not(asupersync_seeded))]
proptest! {
    #[test]
    fn wheel_equals_a_sorted_map(
        shift in shift(), start in start(), steps in prop::collection::vec(step(), 0..300)
    ) {
        check(shift, start, &steps);
    }
}

#[cfg(asupersync_seeded)]
#[test]
fn sorted_map_finds_every_seeded_mistake() {
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    let run = || {
        let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config, rng).run(
            &(shift(), start(), prop::collection::vec(step(), 0..300)),
            |(shift, start, steps)| {
                check(shift, start, &steps);
                Ok(())
            },
        )
    };
    types::seeded::clean(run).expect("failed without a seeded mistake");
    for mistake in [
        "time.round_down",
        "time.stale_position",
        "time.stale_key",
        "time.past_expiry",
        "time.newest_first",
        "time.overtaken_cascade",
    ] {
        assert!(types::seeded::with(mistake, run).is_err(), "{mistake} was not found");
    }
}
