//! The mutex's core: one word, two bits, and who comes next.
//!
//! ```text
//!             try_lock: CAS                     unlock, head still patient: wake it, it competes
//!   free ───────────────────▶ locked ──────────────────────────────────────────────────────────▶ free
//!     ◀───────────────────────  │
//!        unlock, nobody waits   └── unlock, head passed over PATIENCE times: locked for the head (hand-off)
//! ```
//!
//! Why barging: a lock handed to a sleeper stays taken until the sleeper was scheduled, so strict order makes every
//! contended section as long as a task switch. Whoever runs may take a free lock; but each unlock that finds the same
//! head counts, and after [`PATIENCE`] of them the lock is handed over. A count, not a clock: the lab needs no time to
//! reproduce it, and no clock is read on this path.
//!
//! Invariants:
//! - `mutex.exclusive`: between two owners there is an unlock; `LOCKED` never drops during a hand-off.
//! - `mutex.waiters-bit`: `WAITERS` is set exactly while the queue has unsettled waiters; changes only under its lock.
//! - `mutex.progress`: while the word is free and somebody waits, the head's wake is on its way or it is polling.
//! - `mutex.bounded`: the waiter at position p owns the lock after at most (p + 1) (`PATIENCE` + 1) unlocks.
//!
//! Not here: the guarded value, poisoning, `Cx`.

use core::task::Poll;

use crate::{
    WaitNode, Wakes,
    sync::{AcqRel, Acquire, AtomicU32, Relaxed},
    wait_queue::{Guard, Settled, WaitQueue},
};

const LOCKED: u32 = 1;
const WAITERS: u32 = 2;

/// How often the oldest waiter is passed over before the lock is handed to it: a hand-off's task switch is then spread
/// over 17 sections. Chosen, not measured.
pub const PATIENCE: usize = 16;

/// A lock without a value. Uncontended, locking and unlocking cost one atomic operation each.
pub struct LockWord<W: Wakes> {
    word: AtomicU32,
    queue: WaitQueue<W>,
}

impl<W: Wakes> LockWord<W> {
    /// A free lock.
    pub fn new() -> Self {
        Self { word: AtomicU32::new(0), queue: WaitQueue::new() }
    }

    /// Takes the lock if it's free, also past those who wait. Never waits.
    #[inline]
    pub fn try_lock(&self) -> bool {
        let mut word = 0;
        loop {
            match self.word.compare_exchange_weak(word, word | LOCKED, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) if now & LOCKED != 0 => return false,
                Err(now) => word = now,
            }
        }
    }

    /// Whether somebody owns the lock now.
    pub fn is_locked(&self) -> bool {
        self.word.load(Acquire) & LOCKED != 0
    }

    /// Waits for the lock. After `Ready` the caller owns it.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_lock(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<()> {
        // Declared before any guard, so that it's dropped after it (`queue.unlocked-wake`).
        let mut released = None;
        if node.is_queued() {
            let mut waiters = self.queue.lock();
            if self.takes_queued(&mut waiters, node, &mut released) {
                return Poll::Ready(());
            }
            drop(waiters);
        } else if self.try_lock() {
            return Poll::Ready(());
        }
        let fresh = make();
        let mut waiters = self.queue.lock();
        if node.is_queued() {
            if self.takes_queued(&mut waiters, node, &mut released) {
                return Poll::Ready(());
            }
            released = waiters.renew(node, fresh);
            drop(waiters);
            drop(released);
            return Poll::Pending;
        }
        if self.locks_or_sets(WAITERS) {
            return Poll::Ready(());
        }
        waiters.push(node, Some(fresh), 0);
        Poll::Pending
    }

    /// Gives the lock up.
    ///
    /// # Panics
    /// If nobody owns it. (That somebody else owns it can't be seen here; guards see to it.)
    #[inline]
    pub fn unlock(&self) {
        if self.word.compare_exchange(LOCKED, 0, AcqRel, Relaxed).is_err() {
            self.unlock_contended();
        }
    }

    /// Stops waiting. A lock that was already handed over goes to the next; so does a wake.
    #[inline]
    pub fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.leave(node);
        }
    }

    #[cold]
    fn leave(&self, node: &mut WaitNode) {
        let mut waiters = self.queue.lock();
        let (settled, _waiter) = waiters.remove(node);
        if settled == Some(Settled::Granted) {
            self.give_up(waiters);
        } else {
            self.drop_waiters_bit(&waiters);
            // The wake that the cancelled head may have taken with it is owed to the new head (`mutex.progress`).
            let owes = !self.is_locked() && !types::seeded!("mutex.cancel-keeps-wake");
            let heir = if owes { waiters.take_front_waiter() } else { None };
            drop(waiters);
            if let Some(heir) = heir {
                heir.wake();
            }
        }
    }

    #[cold]
    fn unlock_contended(&self) {
        let waiters = self.queue.lock();
        assert!(self.is_locked(), "unlocked a lock that nobody owns");
        self.give_up(waiters);
    }

    /// The owner's last act, under the queue's lock.
    fn give_up<'a>(&'a self, mut waiters: Guard<'a, W>) {
        match waiters.front_weight() {
            Some(passed_over) if *passed_over >= PATIENCE => {
                waiters.settle_front(Settled::Granted);
                self.drop_waiters_bit(&waiters);
                self.queue.wake_settled(waiters);
            }
            Some(passed_over) => {
                *passed_over += 1;
                self.word.fetch_and(!LOCKED, AcqRel);
                let head =
                    if types::seeded!("mutex.unlock-unheard") { None } else { waiters.take_front_waiter() };
                drop(waiters);
                if let Some(head) = head {
                    head.wake();
                }
            }
            None => {
                self.word.fetch_and(!(LOCKED | WAITERS), AcqRel);
            }
        }
    }

    /// Whether a queued node owns the lock now: it was handed over, or it's free. If so, the node has left the queue,
    /// and its waiter is left in `released`, to be dropped after the queue's lock.
    fn takes_queued(
        &self,
        waiters: &mut Guard<'_, W>,
        node: &mut WaitNode,
        released: &mut Option<W>,
    ) -> bool {
        if let Some((_handed_over, waiter)) = waiters.resolve(node) {
            *released = waiter;
            return true;
        }
        if !self.locks_or_sets(WAITERS) {
            return false;
        }
        *released = waiters.remove(node).1;
        self.drop_waiters_bit(waiters);
        true
    }

    /// Takes a free lock, or else sets `bits` in the same breath: an unlock comes before both or after both.
    fn locks_or_sets(&self, bits: u32) -> bool {
        let mut word = self.word.load(Acquire);
        loop {
            let free = word & LOCKED == 0 && !types::seeded!("mutex.no-recheck");
            let next = if free { word | LOCKED } else { word | bits };
            match self.word.compare_exchange_weak(word, next, AcqRel, Acquire) {
                Ok(_) => return free,
                Err(now) => word = now,
            }
        }
    }

    fn drop_waiters_bit(&self, waiters: &Guard<'_, W>) {
        if waiters.is_empty() {
            self.word.fetch_and(!WAITERS, AcqRel);
        }
    }
}

impl<W: Wakes> Default for LockWord<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wakes> core::fmt::Debug for LockWord<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LockWord").field("locked", &self.is_locked()).finish()
    }
}

/// One wait for a lock, which cancels itself when dropped.
#[derive(Debug)]
pub struct Lock<'a, W: Wakes> {
    lock: &'a LockWord<W>,
    node: WaitNode,
}

impl<'a, W: Wakes> Lock<'a, W> {
    /// Will wait for `lock`; does nothing yet.
    pub const fn new(lock: &'a LockWord<W>) -> Self {
        Self { lock, node: WaitNode::new() }
    }

    /// See [`LockWord::poll_lock`].
    pub fn poll(&mut self, make: impl FnOnce() -> W) -> Poll<()> {
        self.lock.poll_lock(&mut self.node, make)
    }
}

impl<W: Wakes> Drop for Lock<'_, W> {
    fn drop(&mut self) {
        self.lock.cancel(&mut self.node);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
