//! Quiescence under every interleaving: the real lock and the real gate, with members that leave, somebody who
//! wants in, and a closer that waits. It is woken, it closes over nobody, and what it closed stays closed.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-region --test loom_quiescence`
#![cfg(loom)]

use asupersync_region::gate::{Gate, Left};
use asupersync_region::{Lock, Via};
use loom::sync::Notify;
use loom::sync::atomic::{AtomicU32, Ordering::*};
use loom::thread;
use std::sync::Arc;
use trace::RegionPhase;
use types::seeded;

/// A region as its gate sees it. The `Arc`s are std's: dropping loom's is a step, and after a deadlock there are
/// none.
struct Region {
    gate: Lock<Gate<Arc<Notify>>>,
    /// Tasks that really are inside, as they know it themselves.
    inside: AtomicU32,
}

impl Region {
    fn with(members: u32) -> Arc<Region> {
        let region = Arc::new(Region { gate: Lock::new(Gate::default()), inside: AtomicU32::new(members) });
        for _ in 0..members {
            assert!(region.gate.lock().enter(Via::Body, false));
        }
        region
    }

    /// A member's end, as `member_ended` has it: the closer is woken after the lock.
    fn leave(&self) {
        self.inside.fetch_sub(1, Relaxed);
        let mut gate = self.gate.lock();
        let closer = gate.leave(false);
        drop(gate);
        if let Some(closer) = closer {
            closer.notify()
        }
    }

    /// As `poll_drained`, for a thread that sleeps where a task would be pending. Also looks whether anybody is inside.
    fn drain(&self) {
        let woken = Arc::new(Notify::new());
        loop {
            let mut gate = self.gate.lock();
            if gate.look() == Left::Nothing {
                assert_eq!(self.inside.load(Relaxed), 0, "closed over somebody");
                // With nothing else to do, it is closed in the critical section that found nobody.
                assert!(gate.finalized());
                let closer = gate.close();
                drop(gate);
                return drop(closer);
            }
            if types::seeded!("gate.register-late") {
                drop(gate);
                gate = self.gate.lock();
            }
            let old = gate.wait(woken.clone());
            drop(gate);
            drop(old);
            woken.wait();
        }
    }

    /// Drains and closes.
    fn close(&self) {
        self.gate.lock().end_body();
        self.drain()
    }
}

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(model)
}

/// Two members leave while the closer looks and goes to sleep.
fn closes_when_the_last_member_has_left() {
    explore(|| {
        let region = Region::with(2);
        let threads = [region.clone(), region.clone()].map(|r| thread::spawn(move || r.leave()));
        region.close();
        for thread in threads {
            thread.join().expect("no thread panicked");
        }
        assert_eq!(region.gate.lock().members(), 0);
    });
}

/// Somebody spawns from outside while the region closes: admitted and awaited, or refused.
fn admits_or_refuses() {
    explore(|| {
        let region = Region::with(1);
        let (member, stranger) = (region.clone(), region.clone());
        let threads = [
            thread::spawn(move || member.leave()),
            thread::spawn(move || {
                let mut gate = stranger.gate.lock();
                let admitted = gate.enter(Via::Body, false);
                if admitted {
                    assert_eq!(gate.phase(), RegionPhase::Open, "admitted after the body");
                    stranger.inside.fetch_add(1, Relaxed);
                }
                drop(gate);
                if admitted {
                    stranger.leave()
                }
            }),
        ];
        region.close();
        for thread in threads {
            thread.join().expect("no thread panicked");
        }
        let gate = region.gate.lock();
        assert_eq!((gate.phase(), gate.members()), (RegionPhase::Closed, 0));
    });
}

/// A member opens a child region while its own drains, and both close, the child first.
fn waits_for_child_regions() {
    explore(|| {
        let region = Region::with(1);
        let member = region.clone();
        let thread = thread::spawn(move || {
            let opened = member.gate.lock().open_child(false);
            assert!(opened, "a live member may always open one");
            member.inside.fetch_add(1, Relaxed);
            member.leave();
            member.inside.fetch_sub(1, Relaxed);
            let mut gate = member.gate.lock();
            let closer = gate.close_child(false);
            drop(gate);
            if let Some(closer) = closer {
                closer.notify()
            }
        });
        region.close();
        thread.join().expect("no thread panicked");
    });
}

#[test]
fn the_closer_is_woken_by_the_last_member() {
    seeded::clean(closes_when_the_last_member_has_left);
}

#[test]
fn whoever_wants_in_is_awaited_or_refused() {
    seeded::clean(admits_or_refuses);
}

#[test]
fn a_child_region_keeps_its_parent_open() {
    seeded::clean(waits_for_child_regions);
}

mutants::mutants! {
    leaving_without_a_wake_is_noticed: "gate.no-wake" breaks closes_when_the_last_member_has_left, says "deadlock";
    registering_after_the_lock_was_dropped_is_noticed: "gate.register-late" breaks closes_when_the_last_member_has_left, says "deadlock";
    closing_without_counting_is_noticed: "region.close-early" breaks closes_when_the_last_member_has_left, says "closed over somebody";
    admitting_while_draining_is_noticed: "region.admit-while-draining" breaks admits_or_refuses, says "admitted after the body";
    an_unlock_that_orders_nothing_is_noticed: "lock.relaxed-unlock" breaks closes_when_the_last_member_has_left, says "Causality violation";
}
