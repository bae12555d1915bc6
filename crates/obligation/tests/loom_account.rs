//! Accounts and records under every interleaving: an owner that settles is told of zero once, a record is
//! committed or leaked and never both, and one that moves is counted somewhere at every instant.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-obligation --test loom_account`
#![cfg(loom)]

use asupersync_obligation::{Account, AlreadyLeaked, Outstanding, Record, Settle, Settled};
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use loom::thread;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use types::{ObligationKind, TaskId, seeded};

/// A region, as far as its account knows one. The account comes first, so that its address is the region's.
#[repr(C)]
struct Region {
    account: Account,
    told: AtomicU32,
    /// Closed and given back: whoever touches the account from here on is wrong.
    gone: AtomicBool,
}

/// # Safety
/// `account` is the first field of a `Region`.
unsafe fn zero(account: NonNull<Account>) {
    // SAFETY: says the caller.
    let region = unsafe { account.cast::<Region>().as_ref() };
    assert!(!region.gone.load(SeqCst), "told after the close");
    region.told.fetch_add(1, SeqCst);
}

/// One region and some records. The `Arc` is std's: dropping loom's is a step, and after a failure there are none.
struct World {
    inner: Region,
    outer: Region,
    record: Record,
}

impl Region {
    fn new() -> Region {
        Region { account: Account::new(zero), told: AtomicU32::new(0), gone: AtomicBool::new(false) }
    }

    /// Settles as the kernel does: true if it may close now, false if it has to be told first.
    fn settle(&self) -> bool {
        self.account.settle() == Settle::Zero
    }

    /// What holds once everybody is through: told if and only if it had to be, and nothing is counted.
    fn check(&self, closed_at_once: bool) {
        assert_eq!(self.account.outstanding(), 0, "an obligation was never uncounted");
        assert_eq!(self.told.load(SeqCst), u32::from(!closed_at_once), "told of zero");
    }
}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World { inner: Region::new(), outer: Region::new(), record: Record::new(0) })
    }

    /// Reserves the record in `region`, if that admits. Returns the permit: its generation.
    fn reserve(&self, region: &Region) -> Option<u32> {
        let of = Outstanding {
            account: &region.account,
            kind: ObligationKind::Lease,
            site: Location::caller(),
            by: TaskId::from_u64(1),
            from_body: true,
        };
        // SAFETY: one permit at a time; the admission is the record's; the world outlives the model's threads.
        region.account.admit().then(|| unsafe { self.record.reserve(of) })
    }

    fn leak(&self, region: &Region) -> bool {
        let seen = self.record.reserved_in(&region.account);
        // SAFETY: seen there; the world outlives the threads.
        seen.is_some_and(|state| unsafe { self.record.leak(state, &region.account) })
    }
}

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
                    // SAFETY: the admission of the line above.
                    unsafe { Account::leave(NonNull::from(account)) }
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
        let leaked = world.leak(&world.inner);
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
                // SAFETY: seen there; the world outlives the threads.
                let _ = unsafe {
                    mover.record.move_to(state, NonNull::from(&mover.inner.account), &mover.outer.account)
                };
            }
        });
        let seen = world.record.reserved_in(&world.inner.account);
        thread::yield_now();
        // SAFETY: seen there; the world outlives the threads.
        let leaked = seen.is_some_and(|state| unsafe { world.record.leak(state, &world.inner.account) });
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

fn fails(mistake: &str, model: fn()) {
    let result = seeded::with(mistake, || catch_unwind(AssertUnwindSafe(model)));
    assert!(result.is_err(), "`{mistake}` went unnoticed");
}

#[test]
fn admitting_while_settling_is_noticed() {
    fails("account.admit-while-settling", told_of_zero_once);
}

#[test]
fn telling_an_owner_that_does_not_settle_is_noticed() {
    fails("account.tell-without-settling", told_of_zero_once);
}

#[test]
fn leaking_without_a_compare_and_swap_is_noticed() {
    fails("record.leak-without-cas", committed_or_leaked);
}

#[test]
fn a_move_that_keeps_the_epoch_is_noticed() {
    fails("record.move-keeps-epoch", moved_is_counted_once);
}
