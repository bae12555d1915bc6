//! What a structure of this crate stores to wake somebody later: a [`Wakes`].
//!
//! In production that is the task's eight-byte waiter word; in tests it is whatever the test can observe. The
//! structures are generic over it, so that they neither know the task cell nor pay for a boxed `Waker`.
//!
//! Invariants:
//! - `waiter.once`: a stored waiter leaves its place exactly once, to be woken or to be dropped.
//! - `waiter.neighbours`: a wake that panics costs nobody else theirs: the others are woken, and the first panic goes on in
//!   the operation that woke them ([`FirstPanic`]).
//!
//! Not here: who may be woken and when (the structures), the task's own waiter (`task`).

#[cfg(all(test, not(loom)))]
pub(crate) mod counter;
mod raw;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

pub use raw::Wakes;
pub(crate) use raw::{LOWEST_WORD, SPARE_BIT, WaiterSlot};

/// How many wakes are carried out of a lock at a time. Bounds the stack and the time a wake waits for its turn.
const BATCH: usize = 16;

/// The first panic of several wakes, kept until all are done (`waiter.neighbours`).
#[derive(Default)]
pub(crate) struct FirstPanic(Option<Box<dyn Any + Send>>);

impl FirstPanic {
    /// Runs what wakes somebody.
    pub(crate) fn keep(&mut self, wakes: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(wakes)) {
            self.0.get_or_insert(panic);
        }
    }

    /// All are woken. A panic goes on here, unless the thread is unwinding from another one: two would end the process.
    pub(crate) fn go_on(self) {
        if let Some(panic) = self.0
            && !std::thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

/// Waiters taken out under a lock, to be woken after it was released.
///
/// A wake may run foreign code: a lock held around it could deadlock. Dropping the batch wakes what is left.
pub(crate) struct WakeBatch<W: Wakes> {
    waiters: [Option<W>; BATCH],
    filled: usize,
    woken: usize,
}

impl<W: Wakes> WakeBatch<W> {
    pub(crate) fn new() -> Self {
        Self { waiters: [const { None }; BATCH], filled: 0, woken: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == BATCH
    }

    /// Adds a waiter; the caller has asked [`is_full`](Self::is_full).
    pub(crate) fn push(&mut self, waiter: W) {
        self.waiters[self.filled] = Some(waiter);
        self.filled += 1;
    }

    /// Wakes everybody, in the order they were added. A panic is kept in `first`.
    pub(crate) fn wake_all(&mut self, first: &mut FirstPanic) {
        while self.woken < self.filled {
            // One for all who are woken without a panic.
            first.keep(|| {
                while self.woken < self.filled {
                    let waiter = self.waiters[self.woken].take();
                    self.woken += 1;
                    if let Some(waiter) = waiter {
                        waiter.wake();
                    }
                }
            });
            if types::seeded!("wakes.panic-costs-neighbours") {
                self.filled = self.woken;
            }
        }
    }
}

impl<W: Wakes> Drop for WakeBatch<W> {
    fn drop(&mut self) {
        let mut first = FirstPanic::default();
        self.wake_all(&mut first);
        first.go_on();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{WakeBatch, counter::Counter, raw::WaiterSlot};

    #[test]
    fn a_dropped_batch_still_wakes_who_is_in_it() {
        let counter = Counter::new();
        let mut batch = WakeBatch::new();
        for _ in 0..3 {
            batch.push(counter.waker());
        }
        drop(batch);
        assert_eq!((counter.wakes(), counter.stored()), (3, 0));
    }

    #[test]
    fn a_slot_returns_what_it_replaces_and_releases_what_is_left() {
        let counter = Counter::new();
        let slot = WaiterSlot::new();
        assert!(slot.put(counter.waker()).is_none());
        assert!(slot.put(counter.waker()).is_some());
        assert_eq!(counter.stored(), 1);
        slot.wake();
        slot.wake();
        assert_eq!((counter.wakes(), counter.stored()), (1, 0));
        drop(slot.put(counter.waker()));
        drop(slot);
        assert_eq!((counter.wakes(), counter.stored()), (1, 0));
    }
}
