//! The injector: where tasks enter that no worker has in its hands.
//!
//! Wakes and spawns from threads that are no worker, and the halves that full local queues shed,
//! go through one FIFO under a lock. A short critical section serves well up to about eight
//! workers as long as both sides move batches; workers look at the length, without the lock,
//! before they take it.
//!
//! | invariant | meaning |
//! |---|---|
//! | `inject.length` | whenever the lock is free, `len` equals the length of the list |
//! | `inject.published` | a push that returned is visible to whoever loads `len` behind a fence that orders it later |
//!
//! It isn't bounded by itself: a task is in at most one queue of its runtime, so the number of
//! live tasks is the bound, and admission is where that is limited.
//!
//! As in the [local queue](crate::queue), items are addresses that are never followed, and an
//! injector that is dropped with items inside forgets them.
//!
//! Not here: waking a worker for what was pushed. The order is push, then
//! [`Idle::notify_published`](crate::idle::Idle::notify_published).

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::AtomicPtr;
use std::collections::VecDeque;

use crate::padded::CachePadded;
use crate::queue::Owner;
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering};

/// A multi-producer, multi-consumer FIFO of tasks with a lock. See the [module](self).
pub struct Injector<H> {
    tasks: Mutex<VecDeque<Address<H>>>,
    len: CachePadded<AtomicUsize>,
}

/// Pushes under one acquisition of the lock; the length is published when it is dropped.
///
/// Anything else that touches the same injector deadlocks while it lives.
pub struct Batch<'i, H> {
    tasks: MutexGuard<'i, VecDeque<Address<H>>>,
    len: &'i AtomicUsize,
}

/// An address at rest. Nobody shares it, so the atomic is never used as one: it is the pointer
/// type of the standard library that may cross threads whatever it points to, which is exactly
/// what a queue that never follows its items may claim.
struct Address<H>(AtomicPtr<H>);

impl<H> Injector<H> {
    /// An empty injector.
    #[must_use]
    pub fn new() -> Self {
        Injector { tasks: Mutex::new(VecDeque::new()), len: CachePadded::new(AtomicUsize::new(0)) }
    }

    /// Puts `item` at the tail.
    pub fn push(&self, item: NonNull<H>) {
        self.batch().push(item);
    }

    /// Puts `items` at the tail, in order and next to each other, under one lock.
    ///
    /// The iterator runs under the lock: it must not use this injector.
    pub fn push_batch(&self, items: impl IntoIterator<Item = NonNull<H>>) {
        let mut batch = self.batch();
        for item in items {
            batch.push(item);
        }
    }

    /// Takes the lock, for several pushes in a row.
    #[must_use]
    pub fn batch(&self) -> Batch<'_, H> {
        Batch { tasks: self.tasks.lock(), len: &self.len }
    }

    /// Takes the oldest item. Without the lock when there is none.
    #[must_use = "the returned item has left the injector and must be run"]
    pub fn pop(&self) -> Option<NonNull<H>> {
        if self.is_empty() {
            return None;
        }
        self.batch().tasks.pop_front().map(Address::into_item)
    }

    /// Moves at most `max` of the oldest items into `sink`, in order, and says how many.
    ///
    /// One lock, none when the injector is empty. The sink runs under the lock: it must not use
    /// this injector. If it panics, the item in its hands is lost to the injector, no other.
    pub fn pop_batch(&self, max: usize, mut sink: impl FnMut(NonNull<H>)) -> usize {
        if max == 0 || self.is_empty() {
            return 0;
        }
        let mut batch = self.batch();
        let count = max.min(batch.tasks.len());
        // One by one: a drain that unwinds would take the items it hasn't handed out with it.
        for address in core::iter::from_fn(|| batch.tasks.pop_front()).take(count) {
            sink(address.into_item());
        }
        count
    }

    /// Takes the oldest item to be run at once and moves this worker's share of the rest to its
    /// local queue, under one lock.
    ///
    /// The share is what everybody gets when `workers` of them come for the items, at most half a
    /// local queue and what fits into it.
    #[must_use = "the returned item has left the injector and must be run"]
    pub fn pop_share<const N: usize>(&self, owner: &Owner<'_, H, N>, workers: usize) -> Option<NonNull<H>> {
        if self.is_empty() {
            return None;
        }
        let mut batch = self.batch();
        let first = batch.tasks.pop_front()?.into_item();
        let share = (batch.tasks.len() / workers.max(1)).min(N / 2).min(owner.room());
        for address in batch.tasks.drain(..share) {
            owner.push(address.into_item()).expect("room() counted this slot, and only the owner fills it");
        }
        Some(first)
    }

    /// The number of items, without the lock: a value from the recent past.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether there is none, without the lock.
    ///
    /// Behind the fence of [`Idle::park_unless`](crate::idle::Idle::park_unless) it doesn't miss
    /// a push whose notifier didn't see the sleeper.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<H> Batch<'_, H> {
    /// Puts `item` at the tail.
    pub fn push(&mut self, item: NonNull<H>) {
        self.tasks.push_back(Address::new(item));
    }
}

impl<H> Drop for Batch<'_, H> {
    fn drop(&mut self) {
        // Still under the lock (`inject.length`): the guard is a field and is dropped after this.
        self.len.store(self.tasks.len(), Ordering::Release);
    }
}

impl<H, const N: usize> Owner<'_, H, N> {
    /// Puts `item` at the tail of the local queue; when that is full, sheds the older half of it
    /// and `item` to the injector, under one lock. Says where the item went.
    ///
    /// After [`Placed::Injector`] a notification pays: there is work that any worker can take.
    /// For progress none is needed, because the caller is a running worker and comes to the
    /// injector by itself.
    pub fn push_or_overflow(&self, item: NonNull<H>, injector: &Injector<H>) -> Placed {
        match self.push(item) {
            Ok(()) => Placed::Local,
            Err(item) => {
                self.overflow(item, injector);
                Placed::Injector
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn overflow(&self, item: NonNull<H>, injector: &Injector<H>) {
        let mut batch = injector.batch();
        self.drain_half(|older| batch.push(older));
        batch.push(item);
    }
}

/// Where [`Owner::push_or_overflow`] put an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// At the tail of the local queue.
    Local,
    /// At the tail of the injector, behind the older half of the local queue unless a thief was
    /// at work there.
    Injector,
}

impl<H> Address<H> {
    fn new(item: NonNull<H>) -> Self {
        Address(AtomicPtr::new(item.as_ptr()))
    }

    fn into_item(self) -> NonNull<H> {
        NonNull::new(self.0.into_inner()).expect("an address is made from an item")
    }
}

impl<H> Default for Injector<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> fmt::Debug for Injector<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("len", &self.len()).finish()
    }
}

impl<H> fmt::Debug for Batch<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.tasks.len()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
