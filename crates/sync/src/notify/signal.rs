//! The notification's core: one stored permit, or a queue; never both.
//!
//! ```text
//! word:  0 ──notify_one──▶ PERMIT ──somebody waits: takes it──▶ 0
//!        0 ──somebody waits──▶ WAITERS ──a notification finds the queue empty──▶ PERMIT or 0
//! ```
//!
//! The bit of the waiters outlives them: a wait after a wait, and a notification that takes the last waiter, change the
//! queue only. It's in order that whoever sees it takes the lock and finds nobody.
//!
//! Invariants:
//! - `notify.one`: each `notify_one` lets one waiter go, or the next one to come. Permits don't add up: two calls with
//!   nobody waiting let one go.
//! - `notify.all`: `notify_waiters` lets go exactly those who stand in the queue at that moment; it stores nothing.
//! - `notify.pass-on`: a waiter that was let go by `notify_one` and cancels lets the next one go in its place.
//! - `notify.happens-before`: what a notifier did before is visible to whom it lets go, and a `notify_waiters` that
//!   comes too early for a waiter is visible to it: enable first, then look at the condition, then wait.
//!
//! Not here: conditions, `Cx`.

use core::task::Poll;

use crate::{
    WaitNode, Wakes,
    sync::{AcqRel, Acquire, AtomicU32, Relaxed},
    wait_queue::{Guard, Settled, WaitQueue},
};

const PERMIT: u32 = 1;
const WAITERS: u32 = 2;

/// A notification that can be waited for.
pub struct Signal<W: Wakes> {
    word: AtomicU32,
    queue: WaitQueue<W>,
}

impl<W: Wakes> Signal<W> {
    /// Nothing stored, nobody waiting.
    pub fn new() -> Self {
        Self { word: AtomicU32::new(0), queue: WaitQueue::new() }
    }

    /// Lets the oldest waiter go, or stores a permit for the next one. One atomic operation if nobody waits.
    pub fn notify_one(&self) {
        let mut word = self.word.load(Relaxed);
        while word & WAITERS == 0 {
            if types::seeded!("notify.permit-unstored") {
                return;
            }
            // Also when the permit is there already: the operation publishes what the caller did before.
            match self.word.compare_exchange_weak(word, PERMIT, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        self.pass_on(&mut self.queue.lock());
    }

    /// Lets everybody go who waits now. One atomic operation if nobody does.
    pub fn notify_waiters(&self) {
        // A read-modify-write, for `notify.happens-before`: a waiter that sets its bit later reads from it.
        let word = if types::seeded!("notify.all-only-loads") {
            self.word.load(Acquire)
        } else {
            self.word.fetch_add(0, AcqRel)
        };
        if word & WAITERS == 0 {
            return;
        }
        let mut waiters = self.queue.lock();
        waiters.settle_all(Settled::Told);
        self.word.fetch_and(!WAITERS, AcqRel);
        self.queue.wake_settled(waiters);
    }

    /// Waits for a notification. `Ready` consumes it, and the node can wait again.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_notified(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<()> {
        if node.is_queued() {
            return self.queue.poll(node, make).map(|_| ());
        }
        let stored = self.word.load(Relaxed) == PERMIT;
        if stored && self.word.compare_exchange(PERMIT, 0, AcqRel, Relaxed).is_ok() {
            return Poll::Ready(());
        }
        if self.enter(node, Some(make())) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes a place in the queue without waiting yet; true if a stored permit was taken instead.
    ///
    /// What is notified from here on reaches this node, so a condition may be tested between this and the first poll.
    pub fn enable(&self, node: &mut WaitNode) -> bool {
        !node.is_queued() && self.enter(node, None)
    }

    /// Stops waiting. A notification meant for one is passed on.
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
        if settled == Some(Settled::Granted) && !types::seeded!("notify.cancel-keeps-notification") {
            self.pass_on(&mut waiters);
        }
        // The waiter of a wait that was given up is dropped after the lock (`queue.unlocked-wake`).
        drop(waiters);
    }

    /// Takes the permit (true) or queues the node.
    fn enter(&self, node: &mut WaitNode, waiter: Option<W>) -> bool {
        let mut waiters = self.queue.lock();
        let mut word = self.word.load(Acquire);
        // Set, it's changed under the lock only.
        while word & WAITERS == 0 {
            let stored = word & PERMIT != 0;
            let next = if stored { 0 } else { WAITERS };
            match self.word.compare_exchange_weak(word, next, AcqRel, Acquire) {
                Ok(_) if stored => {
                    drop(waiters);
                    return true;
                }
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        waiters.push(node, waiter, 0);
        false
    }

    /// One notification, under the lock: to the oldest waiter, whom the end of the guard wakes, or into store.
    #[inline]
    fn pass_on(&self, waiters: &mut Guard<'_, W>) {
        if !waiters.settle_front(Settled::Granted) {
            // Not a store: it publishes what the caller did before, beside what the word has published already.
            self.word.swap(PERMIT, AcqRel);
        }
    }
}

impl<W: Wakes> Default for Signal<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wakes> core::fmt::Debug for Signal<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Signal").field("stored", &(self.word.load(Relaxed) & PERMIT != 0)).finish()
    }
}

/// One wait for a notification, which cancels itself when dropped.
#[derive(Debug)]
pub struct Notified<'a, W: Wakes> {
    signal: &'a Signal<W>,
    node: WaitNode,
}

impl<'a, W: Wakes> Notified<'a, W> {
    /// Will wait for `signal`; does nothing yet.
    pub const fn new(signal: &'a Signal<W>) -> Self {
        Self { signal, node: WaitNode::new() }
    }

    /// See [`Signal::enable`].
    pub fn enable(&mut self) -> bool {
        self.signal.enable(&mut self.node)
    }

    /// See [`Signal::poll_notified`].
    pub fn poll(&mut self, make: impl FnOnce() -> W) -> Poll<()> {
        self.signal.poll_notified(&mut self.node, make)
    }
}

impl<W: Wakes> Drop for Notified<'_, W> {
    fn drop(&mut self) {
        self.signal.cancel(&mut self.node);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
