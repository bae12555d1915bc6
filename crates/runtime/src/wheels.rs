//! One timer wheel per worker. A timer is set on the wheel of the worker that sets it, and taken back from
//! there; the lock is only ever contended when a task has moved.
use cx::port::{Due, TimerKey, Timers};
use region::Lock;
use sched::engine::Engine;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::sync::{OnceLock, Weak};
use time::Wheel;
use types::Time;

/// Ticks of 2^14 ns: a timer alone is at most 16 us late by rounding.
const SHIFT: u32 = 14;

/// When to look, for a wheel of this many timers whose next is due at `next`. Each look costs a wait, so the
/// more timers there are, the more of them share one: up to 65 us late for thousands, 262 us for hundreds of
/// thousands.
fn coalesced(next: u64, timers: usize) -> u64 {
    match timers {
        0..=4_096 => next,
        4_097..=65_536 => next | 0xFFFF,
        _ => next | 0x3_FFFF,
    }
}

/// How many timers one pass fires at most before the worker runs tasks again.
const BURST: usize = 256;

pub(crate) struct Wheels {
    shards: Vec<Shard>,
    engine: OnceLock<Weak<Engine>>,
    unpark: OnceLock<Box<dyn Fn(usize) + Send + Sync>>,
}

#[repr(align(128))]
struct Shard {
    wheel: Lock<Wheel<Due>>,
    /// When the wheel wants to be advanced next, in nanoseconds; `u64::MAX` when it is empty.
    next: AtomicU64,
}

impl Wheels {
    pub(crate) fn new(workers: usize) -> Wheels {
        let shards = (0..workers)
            .map(|_| Shard {
                wheel: Lock::new(Wheel::with_shift(Time::ZERO, SHIFT)),
                next: AtomicU64::new(u64::MAX),
            })
            .collect();
        Wheels { shards, engine: OnceLock::new(), unpark: OnceLock::new() }
    }

    /// Tells the wheels whose they are.
    pub(crate) fn attach(&self, engine: Weak<Engine>, unpark: Box<dyn Fn(usize) + Send + Sync>) {
        let _ = self.engine.set(engine);
        let _ = self.unpark.set(unpark);
    }

    /// When this worker's wheel wants to be advanced.
    pub(crate) fn next(&self, worker: usize) -> Option<Time> {
        let next = self.shards[worker].next.load(Acquire);
        (next != u64::MAX).then(|| Time::from_nanos(next))
    }

    /// Fires what is due, at most one burst; serves it without holding the lock.
    pub(crate) fn advance(&self, worker: usize, now: Time, serve: impl Fn(Due)) {
        let shard = &self.shards[worker];
        if shard.next.load(Acquire) > now.as_nanos() {
            return;
        }
        // One buffer per thread, so that firing allocates nothing in the long run.
        thread_local!(static FIRED: std::cell::RefCell<Vec<Due>> = const { std::cell::RefCell::new(Vec::new()) });
        // It's gone where a runtime runs in the destructor of another local of this thread.
        let mut fired = FIRED.try_with(|f| f.take()).unwrap_or_default();
        let mut wheel = shard.wheel.lock();
        let advanced = wheel.advance(now, BURST, |_, due| {
            due.prefetch();
            fired.push(due)
        });
        let next = match wheel.next_expiry() {
            // What this burst left is due now.
            Some(t) if advanced.more => t.as_nanos(),
            Some(t) => coalesced(t.as_nanos(), wheel.len()),
            None => u64::MAX,
        };
        shard.next.store(next, Release);
        drop(wheel);
        fired.iter().for_each(Due::prefetch_cell);
        fired.drain(..).for_each(serve);
        let _ = FIRED.try_with(|f| *f.borrow_mut() = fired);
    }
}

impl Timers for Wheels {
    fn set(&self, at: Time, due: Due) -> TimerKey {
        let mine = self.engine.get().and_then(current);
        let shard = mine.unwrap_or(0);
        let s = &self.shards[shard];
        let mut wheel = s.wheel.lock();
        let key = wheel.insert(at, due);
        let before = s.next.load(Relaxed);
        // The exact expiry is rounded up to a tick; a little early only costs a look.
        if at.as_nanos() < before {
            s.next.store(at.as_nanos(), Release);
        }
        drop(wheel);
        // Another thread's worker may sleep beyond this deadline; one's own is awake.
        if mine.is_none()
            && at.as_nanos() < before
            && let Some(unpark) = self.unpark.get()
        {
            unpark(shard)
        }
        TimerKey { shard: shard as u32, entry: key.to_bits() }
    }

    fn take(&self, key: TimerKey) -> Option<Due> {
        self.shards[key.shard as usize].wheel.lock().remove(time::Key::from_bits(key.entry)?)
    }
}

fn current(engine: &Weak<Engine>) -> Option<usize> {
    // The engine is alive while one of its workers runs; looking does not count a reference.
    sched::engine::current_worker(engine.as_ptr())
}
