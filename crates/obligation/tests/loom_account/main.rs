//! Accounts and records under every interleaving: an owner that settles is told of zero once, a record is
//! committed or leaked and never both, and one that moves is counted somewhere at every instant.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-obligation --test loom_account`
#![cfg(loom)]

mod raw;

use asupersync_obligation::{AlreadyLeaked, Settled};
use loom::sync::atomic::Ordering::*;
use loom::thread;
use raw::World;
use types::seeded;

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model)
}

/// A permit is committed while its region settles, and somebody who kept a context reserves again.
fn told_of_zero_once() {
    explore(|| {
        let world = World::new();
        let permit = world.reserve(&world.inner).expect("nobody settles yet");
        let (holder, late) = (world.clone(), world.clone());
        let threads = [
            thread::spawn(move || holder.record.settle(permit, Settled::Committed).expect("nobody leaks")),
            thread::spawn(move || {
                let account = &late.inner.account;
                if account.admit() {
                    raw::leave(account)
                }
            }),
        ];
        let closed = world.inner.settle();
        if closed {
            world.inner.gone.store(true, SeqCst);
        }
        for thread in threads {
            thread.join().expect("no thread panicked");
        }
        world.inner.check(closed);
    });
}

/// The region leaks what its holder commits at the same moment.
fn committed_or_leaked() {
    explore(|| {
        let world = World::new();
        let permit = world.reserve(&world.inner).expect("nobody settles yet");
        let closed = world.inner.settle();
        let holder = world.clone();
        let commit = thread::spawn(move || holder.record.settle(permit, Settled::Committed));
        let seen = world.record.reserved_in(&world.inner.account);
        let leaked = seen.is_some_and(|state| world.leak(state, &world.inner));
        let committed = commit.join().expect("no thread panicked");
        assert_eq!(committed, if leaked { Err(AlreadyLeaked) } else { Ok(()) });
        world.inner.check(closed);
    });
}

/// The region's body has returned: its permit moves to the region around, while its holder commits and the
/// inner region would leak it.
fn moved_is_counted_once() {
    explore(|| {
        let world = World::new();
        let permit = world.reserve(&world.inner).expect("nobody settles yet");
        let (holder, mover) = (world.clone(), world.clone());
        let commit = thread::spawn(move || holder.record.settle(permit, Settled::Committed));
        let moved = thread::spawn(move || {
            if let Some(state) = mover.record.reserved_in(&mover.inner.account) {
                mover.move_out(state);
            }
        });
        let seen = world.record.reserved_in(&world.inner.account);
        thread::yield_now();
        let leaked = seen.is_some_and(|state| world.leak(state, &world.inner));
        moved.join().expect("no thread panicked");
        let committed = commit.join().expect("no thread panicked");
        assert_eq!(committed, if leaked { Err(AlreadyLeaked) } else { Ok(()) });
        for region in [&world.inner, &world.outer] {
            assert_eq!(region.account.outstanding(), 0, "an obligation was never uncounted");
        }
    });
}

#[test]
fn an_owner_that_settles_is_told_of_zero_once() {
    seeded::clean(told_of_zero_once);
}

#[test]
fn a_record_is_committed_or_leaked() {
    seeded::clean(committed_or_leaked);
}

#[test]
fn a_record_that_moves_is_counted_once() {
    seeded::clean(moved_is_counted_once);
}

mutants::mutants! {
    admitting_while_settling_is_noticed: "account.admit-while-settling" breaks told_of_zero_once, says "told of zero";
    telling_an_owner_that_does_not_settle_is_noticed: "account.tell-without-settling" breaks told_of_zero_once, says "told of zero";
    leaking_without_a_compare_and_swap_is_noticed: "record.leak-without-cas" breaks committed_or_leaked, says "an account went below zero";
    a_move_that_keeps_the_epoch_is_noticed: "record.move-keeps-epoch" breaks moved_is_counted_once, says "an account went below zero";
}
