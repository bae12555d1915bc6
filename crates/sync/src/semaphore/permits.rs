//! The semaphore's core: free permits and the queue bit in one word.
//!
//! ```text
//! word = free permits << 2 | CLOSED | WAITERS
//!
//! acquire, free, nobody waits   one CAS
//! release, nobody waits         one CAS
//! anything else                 under the queue's lock, where WAITERS keeps the fast paths out
//! ```
//!
//! Invariants:
//! - `semaphore.conserved`: free permits + permits held + grants assigned to waiters is what was put in.
//! - `semaphore.fifo`: while somebody waits nobody else acquires, however few permits they want. A waiter that wants
//!   many can't be starved by those who want few; the price is that permits may lie idle behind it.
//! - `semaphore.waiters-bit`: `WAITERS` is set exactly while the queue has unsettled waiters, changes only under the
//!   lock, and while it's set only the holder of the lock changes the word.
//! - `semaphore.closed`: nobody acquires once `close` has returned, whoever had been assigned a grant before included: it
//!   is given back by whoever finds it.
//!
//! Not here: RAII permits, obligations, `Cx`.

use core::task::Poll;

use crate::{
    Closed, WaitNode, Wakes,
    sync::{AcqRel, Acquire as AcquireOrdering, AtomicUsize, Relaxed, Release},
    wait_queue::{Guard, Settled, WaitQueue},
};

const WAITERS: usize = 1;
const CLOSED: usize = 2;
const ONE: usize = 4;

/// Why [`Permits::try_acquire`] took nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryAcquireError {
    /// Too few permits are free, or others wait already.
    NoPermits,
    /// The semaphore is closed.
    Closed,
}

impl core::fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoPermits => "no permits available",
            Self::Closed => "closed",
        })
    }
}

impl core::error::Error for TryAcquireError {}

/// A count of permits, and those who wait for some.
pub struct Permits<W: Wakes> {
    word: AtomicUsize,
    queue: WaitQueue<W>,
}

impl<W: Wakes> Permits<W> {
    /// The most permits one semaphore can hold.
    pub const MAX: usize = usize::MAX / ONE;

    /// A semaphore with `permits` free.
    ///
    /// # Panics
    /// If `permits` exceeds [`MAX`](Self::MAX).
    pub fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX, "too many permits for a semaphore");
        Self { word: AtomicUsize::new(permits * ONE), queue: WaitQueue::new() }
    }

    /// Permits that are free now. Those behind which somebody waits are counted.
    pub fn available(&self) -> usize {
        self.word.load(AcquireOrdering) / ONE
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.word.load(AcquireOrdering) & CLOSED != 0
    }

    /// Takes `permits` if they are free and nobody waits. Never waits. One atomic operation.
    ///
    /// # Errors
    /// Nothing was taken: see [`TryAcquireError`].
    pub fn try_acquire(&self, permits: usize) -> Result<(), TryAcquireError> {
        let mut word = self.word.load(Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Err(TryAcquireError::Closed);
            }
            if word & WAITERS != 0 || word / ONE < permits {
                return Err(TryAcquireError::NoPermits);
            }
            match self.word.compare_exchange_weak(word, word - permits * ONE, AcqRel, Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => word = now,
            }
        }
    }

    /// Waits for `permits`, in the order of first polls. More than will ever exist is waited for without end.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_acquire(
        &self,
        node: &mut WaitNode,
        permits: usize,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<(), Closed>> {
        if node.is_queued() {
            return self.queue.poll(node, make).map(|settled| self.granted(settled, permits));
        }
        match self.try_acquire(permits) {
            Ok(()) => return Poll::Ready(Ok(())),
            Err(TryAcquireError::Closed) => return Poll::Ready(Err(Closed)),
            Err(TryAcquireError::NoPermits) => {}
        }
        let waiter = make();
        let mut waiters = self.queue.lock();
        let mut word = self.word.load(AcquireOrdering);
        loop {
            if word & CLOSED != 0 {
                return Poll::Ready(Err(Closed));
            }
            if word & WAITERS != 0 {
                break;
            }
            let free = waiters.is_empty() && word / ONE >= permits && !types::seeded!("semaphore.no-recheck");
            let next = if free { word - permits * ONE } else { word | WAITERS };
            match self.word.compare_exchange_weak(word, next, AcqRel, AcquireOrdering) {
                Ok(_) if free => return Poll::Ready(Ok(())),
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        waiters.push(node, Some(waiter), permits);
        Poll::Pending
    }

    /// Stops waiting. A grant that was already assigned is given back, so that the next in the queue gets it.
    #[inline]
    pub fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.leave(node);
        }
    }

    #[cold]
    fn leave(&self, node: &mut WaitNode) {
        let mut waiters = self.queue.lock();
        let weight = waiters.weight(node);
        let (settled, _waiter) = waiters.remove(node);
        if settled == Some(Settled::Granted) && !types::seeded!("semaphore.cancel-drops-grant") {
            self.word.fetch_add(weight * ONE, AcqRel);
        }
        self.assign(&mut waiters);
        self.queue.wake_settled(waiters);
    }

    /// Puts `permits` in: those taken before, or new ones. One atomic operation if nobody waits.
    ///
    /// # Panics
    /// If the semaphore would hold more than [`MAX`](Self::MAX).
    pub fn release(&self, permits: usize) {
        let permits = if types::seeded!("semaphore.release-twice") { permits * 2 } else { permits };
        let mut word = self.word.load(Relaxed);
        loop {
            assert!(permits <= Self::MAX - word / ONE, "too many permits for a semaphore");
            if word & WAITERS != 0 {
                return self.release_to_waiters(permits);
            }
            if types::seeded!("semaphore.release-blind") {
                self.word.fetch_add(permits * ONE, AcqRel);
                return;
            }
            match self.word.compare_exchange_weak(word, word + permits * ONE, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// What a wait for so many has come to. A grant that nobody had taken when `close` came is given back
    /// (`semaphore.closed`): nobody stands in the queue of a closed semaphore, so it goes to nobody else.
    fn granted(&self, settled: Settled, permits: usize) -> Result<(), Closed> {
        match settled {
            Settled::Granted if self.is_closed() && !types::seeded!("semaphore.granted-past-close") => {
                self.release(permits);
                Err(Closed)
            }
            Settled::Granted => Ok(()),
            Settled::Told => Err(Closed),
        }
    }

    /// Refuses everybody who comes later, and everybody who waits: also those to whom permits were assigned and who have
    /// not been polled since; these come back then. Permits out there may still be released.
    pub fn close(&self) {
        let mut waiters = self.queue.lock();
        self.word.fetch_or(CLOSED, AcqRel);
        waiters.settle_all(Settled::Told);
        self.word.fetch_and(!WAITERS, AcqRel);
        self.queue.wake_settled(waiters);
    }

    #[cold]
    fn release_to_waiters(&self, permits: usize) {
        let mut waiters = self.queue.lock();
        if self.word.load(Relaxed) & WAITERS == 0 {
            // Somebody was faster, and nobody waits any more.
            self.word.fetch_add(permits * ONE, AcqRel);
            return;
        }
        self.put_under_lock(permits);
        self.assign(&mut waiters);
        self.queue.wake_settled(waiters);
    }

    /// Gives free permits to the oldest waiters, as far as they go.
    fn assign(&self, waiters: &mut Guard<'_, W>) {
        while let Some(&mut wanted) = waiters.front_weight() {
            let word = self.word.load(AcquireOrdering);
            if word / ONE < wanted {
                return;
            }
            // Before the waiter is told, who may look at what is free (`queue.told-last`).
            self.word.store(word - wanted * ONE, Release);
            waiters.settle_front(Settled::Granted);
        }
        self.word.fetch_and(!WAITERS, AcqRel);
    }

    /// Adds to the word with the lock held and `WAITERS` set: nobody else changes it then (`semaphore.waiters-bit`), so it
    /// needs no read-modify-write.
    fn put_under_lock(&self, permits: usize) {
        let word = self.word.load(AcquireOrdering);
        self.word.store(word + permits * ONE, Release);
    }
}

impl<W: Wakes> core::fmt::Debug for Permits<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Permits")
            .field("available", &self.available())
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// One wait for permits, which cancels itself when dropped.
#[derive(Debug)]
pub struct Acquire<'a, W: Wakes> {
    permits: &'a Permits<W>,
    count: usize,
    node: WaitNode,
}

impl<'a, W: Wakes> Acquire<'a, W> {
    /// Will wait for `count` of `permits`; does nothing yet.
    pub const fn new(permits: &'a Permits<W>, count: usize) -> Self {
        Self { permits, count, node: WaitNode::new() }
    }

    /// See [`Permits::poll_acquire`]. After `Ready` the caller owns the permits and must release them.
    pub fn poll(&mut self, make: impl FnOnce() -> W) -> Poll<Result<(), Closed>> {
        self.permits.poll_acquire(&mut self.node, self.count, make)
    }
}

impl<W: Wakes> Drop for Acquire<'_, W> {
    fn drop(&mut self) {
        self.permits.cancel(&mut self.node);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
