//! The read-write lock, barrier, latch and event.

use std::task::Waker;

use asupersync_sync::{
    WaitNode,
    barrier::round::{Arrival, Round},
    event::flag::{Flag, Since},
    latch::count::Count,
    rwlock::share::{Mode, Share},
};
use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use crate::{block_on, holds, nobody};

fn acquire(share: &Share<Waker>, mode: Mode) {
    let mut node = WaitNode::new();
    block_on(|waker| share.poll_acquire(&mut node, mode, || waker));
}

/// A writer and a reader that becomes one, on a cell that loom watches.
fn an_upgrade_excludes_writers() {
    let shared = Arc::new((Share::<Waker>::default(), UnsafeCell::new(0)));
    let writes = shared.clone();
    let writer = thread::spawn(move || {
        acquire(&writes.0, Mode::Write);
        writes.1.with_mut(|_watched| ());
        writes.0.release(Mode::Write);
    });
    let reads = shared.clone();
    let reader = thread::spawn(move || {
        acquire(&reads.0, Mode::Read);
        reads.1.with(|_watched| ());
        reads.0.release(Mode::Read);
    });
    acquire(&shared.0, Mode::Upgradable);
    shared.1.with(|_watched| ());
    block_on(|waker| shared.0.poll_upgrade(|| waker));
    shared.1.with_mut(|_watched| ());
    shared.0.downgrade();
    shared.0.release(Mode::Read);
    writer.join().unwrap();
    reader.join().unwrap();
    assert_eq!(shared.0.holders(), (0, None));
}

/// Somebody looks while the upgradable holder tries to write, on a cell that loom watches.
fn an_upgrade_that_is_tried_excludes_readers() {
    let shared = Arc::new((Share::<Waker>::default(), UnsafeCell::new(0)));
    let reads = shared.clone();
    let reader = thread::spawn(move || {
        acquire(&reads.0, Mode::Read);
        reads.1.with(|_watched| ());
        reads.0.release(Mode::Read);
    });
    acquire(&shared.0, Mode::Upgradable);
    if shared.0.try_upgrade() {
        shared.1.with_mut(|_watched| ());
        shared.0.release(Mode::Write);
    } else {
        shared.0.release(Mode::Upgradable);
    }
    reader.join().unwrap();
    assert_eq!(shared.0.holders(), (0, None));
}

/// A writer gives up while it's let in; the reader behind it must get the lock.
fn a_cancelled_hold_goes_on() {
    let share = Arc::new(Share::<Waker>::default());
    assert!(share.try_acquire(Mode::Read));
    let mut gives_up = WaitNode::new();
    assert!(share.poll_acquire(&mut gives_up, Mode::Write, nobody).is_pending());
    let reads = share.clone();
    let reader = thread::spawn(move || acquire(&reads, Mode::Read));
    let releases = share.clone();
    let releaser = thread::spawn(move || releases.release(Mode::Read));
    share.cancel(&mut gives_up);
    reader.join().unwrap();
    releaser.join().unwrap();
    assert_eq!(share.holders(), (1, None));
}

/// An upgrade is given up; the reader that it held up must get the lock.
fn an_upgrade_given_up_holds_nobody_up() {
    let share = Arc::new(Share::<Waker>::default());
    assert!(share.try_acquire(Mode::Read) && share.try_acquire(Mode::Upgradable));
    assert!(share.poll_upgrade(nobody).is_pending());
    let reads = share.clone();
    let reader = thread::spawn(move || acquire(&reads, Mode::Read));
    share.cancel_upgrade();
    reader.join().unwrap();
}

/// A reader that comes while a writer waits, waits behind it.
fn readers_do_not_overtake() {
    let share = Share::<Waker>::default();
    assert!(share.try_acquire(Mode::Read));
    let mut writer = WaitNode::new();
    assert!(share.poll_acquire(&mut writer, Mode::Write, nobody).is_pending());
    assert!(!share.try_acquire(Mode::Read), "a reader overtook a writer");
    share.cancel(&mut writer);
}

fn pass(round: &Round<Waker>) -> bool {
    let mut arrival = Arrival::default();
    block_on(|waker| round.poll_pass(&mut arrival, || waker))
}

/// One arrives and leaves again; the other two pass together.
fn who_leaves_does_not_count() {
    let round = Arc::new(Round::<Waker>::new(2));
    let mut leaves = Arrival::default();
    assert!(round.poll_pass(&mut leaves, nobody).is_pending());
    round.leave(&mut leaves);
    let open = Arc::new(AtomicBool::new(false));
    let (other, sees) = (round.clone(), open.clone());
    let first = thread::spawn(move || {
        let last = pass(&other);
        assert!(sees.load(Relaxed), "it passed alone");
        last
    });
    open.store(true, Relaxed);
    let last = pass(&round);
    assert_ne!(first.join().unwrap(), last, "one of them came last");
}

fn the_last_count_opens() {
    let count = Arc::new(Count::<Waker>::new(2));
    let others = [count.clone(), count.clone()].map(|count| thread::spawn(move || count.down(1)));
    let mut node = WaitNode::new();
    block_on(|waker| count.poll_open(&mut node, || waker));
    let opened = others.map(|other| other.join().unwrap());
    assert!(opened[0] || opened[1]);
}

/// Set and reset at once: who waited goes on.
fn a_pulse_is_not_missed() {
    let flag = Arc::new(Flag::<Waker>::new(false));
    let (mut node, mut since) = (WaitNode::new(), Since::default());
    assert!(flag.poll_set(&mut node, &mut since, nobody).is_pending());
    let sets = flag.clone();
    let setter = thread::spawn(move || {
        sets.set();
        sets.reset();
    });
    block_on(|waker| flag.poll_set(&mut node, &mut since, || waker));
    setter.join().unwrap();
}

#[test]
fn an_upgraded_reader_is_alone() {
    holds(an_upgrade_excludes_writers);
}

#[test]
fn a_reader_that_is_upgraded_without_a_wait_is_alone() {
    holds(an_upgrade_that_is_tried_excludes_readers);
}

#[test]
fn a_cancelled_waiter_costs_nobody_the_lock() {
    holds(a_cancelled_hold_goes_on);
}

#[test]
fn a_cancelled_upgrade_costs_nobody_the_lock() {
    holds(an_upgrade_given_up_holds_nobody_up);
}

#[test]
fn a_writer_is_not_overtaken() {
    holds(readers_do_not_overtake);
}

#[test]
fn a_barrier_lets_two_pass_together() {
    holds(who_leaves_does_not_count);
}

#[test]
fn a_latch_opens_with_its_last_count() {
    holds(the_last_count_opens);
}

#[test]
fn an_event_lets_go_who_waited() {
    holds(a_pulse_is_not_missed);
}

mutants::mutants! {
    mutant_that_keeps_a_cancelled_hold_is_killed: "rwlock.cancel-keeps-hold" breaks || crate::explore(a_cancelled_hold_goes_on), says "deadlock";
    mutant_whose_upgrade_goes_unheard_is_killed: "rwlock.upgrade-unheard" breaks || crate::explore(an_upgrade_excludes_writers), says "deadlock";
    mutant_whose_given_up_upgrade_holds_others_up_is_killed: "rwlock.upgrade-holds-up" breaks || crate::explore(an_upgrade_given_up_holds_nobody_up), says "deadlock";
    mutant_whose_readers_overtake_is_killed: "rwlock.readers-overtake" breaks || crate::explore(readers_do_not_overtake), says "a reader overtook a writer";
    mutant_that_gives_up_unordered_is_killed: "rwlock.release-relaxed" breaks || crate::explore(an_upgrade_excludes_writers), says "Causality violation";
    mutant_that_gives_up_past_a_crowd_is_killed: "rwlock.crowd-unseen" breaks || crate::explore(an_upgrade_excludes_writers), says "deadlock";
    mutant_that_upgrades_beside_readers_is_killed: "rwlock.tried-beside-readers" breaks || crate::explore(an_upgrade_that_is_tried_excludes_readers), says "Causality violation";
    mutant_that_counts_who_left_is_killed: "barrier.leaver-counts" breaks || crate::explore(who_leaves_does_not_count), says "deadlock";
    mutant_whose_latch_opens_unheard_is_killed: "latch.open-unheard" breaks || crate::explore(the_last_count_opens), says "deadlock";
    mutant_that_misses_a_pulse_is_killed: "event.pulse-missed" breaks || crate::explore(a_pulse_is_not_missed), says "deadlock";
}
