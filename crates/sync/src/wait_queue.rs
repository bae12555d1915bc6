//! The one wait queue: whoever must wait for a permit, a lock, a notification or room in a channel stands here.
//!
//! A waiter is a place in a table, linked by index into one of two lists: `waiting` (oldest first) and `waking` (settled
//! under the lock, not yet woken). Settling takes it out of the first. The first one settled under a lock is woken when
//! that is released; the others stand in the second list until then, and are woken in batches. Places are used again, so
//! nothing is allocated once the queue has seen its crowd; cancelling is O(1). What it was told a waiter finds on a board
//! beside the lock: a wait and its wake take the lock twice, once on either side.
//!
//! Why not nodes inside the waiting futures: they would save two lines of memory traffic on a path that sleeps anyway,
//! and cost every structure an unsafe argument about pinning. Not compared by measurement yet.
//!
//! Invariants:
//! - `queue.fifo`: waiters are settled in the order in which they came.
//! - `queue.settled-once`: an entry is settled at most once, under the lock, and says with what ([`Settled`]).
//! - `queue.pass-on`: an entry settled as `Granted` whose owner cancels is reported to its structure, which passes the
//!   grant on. Nobody else can: the grant is neither in the structure's word nor with anybody awake.
//! - `queue.told`: who waits by [`WaitQueue::poll_until`] is told of every change that [`WaitQueue::tell`] announces, and
//!   looks again.
//! - `queue.unlocked-wake`: no waiter is woken, made or dropped while the lock is held.
//! - `queue.told-last`: a waiter is told on the board after all that its structure changes for it, as it may go on from
//!   there before the lock is released.
//!
//! Not here: the lists ([`Guard`], in `lists`), what a grant means (each structure), fairness beyond first come first
//! served (`mutex`).

mod board;
mod lists;
mod table;

use core::task::Poll;

use board::Board;
use lists::Waiters;

pub(crate) use lists::Guard;

use crate::{
    sync::Mutex,
    wakes::{FirstPanic, WakeBatch, Wakes},
};

const NONE: u32 = u32::MAX;

/// What a waiter was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It was given something of its own: who cancels now must pass it on.
    Granted,
    /// It was told something that everybody was told (closed, broadcast): nothing to pass on.
    Told,
}

/// A future's place in a queue: empty, or one entry.
///
/// Lives in the waiting future. Whoever owns it must hand it to the structure's `cancel` before dropping it; the
/// guards of this crate do. A debug build asserts that.
#[derive(Debug, Default)]
pub struct WaitNode {
    key: Option<u32>,
}

impl WaitNode {
    /// A node that waits nowhere.
    pub const fn new() -> Self {
        Self { key: None }
    }

    /// Whether the node stands in a queue (waiting, or settled and not yet polled).
    pub const fn is_queued(&self) -> bool {
        self.key.is_some()
    }
}

impl Drop for WaitNode {
    fn drop(&mut self) {
        debug_assert!(
            self.key.is_none() || std::thread::panicking(),
            "a wait node was dropped while it stood in a queue"
        );
    }
}

/// A queue and its lock, with the state `S` of a structure that needs no more than that.
pub(crate) struct WaitQueue<W: Wakes, S = ()> {
    waiters: Mutex<Waiters<W, S>>,
    board: Board,
}

impl<W: Wakes> WaitQueue<W> {
    pub(crate) fn new() -> Self {
        Self::with_state(())
    }
}

impl<W: Wakes, S> WaitQueue<W, S> {
    /// An empty queue around `state`.
    pub(crate) fn with_state(state: S) -> Self {
        Self { waiters: Mutex::new(Waiters::new(state)), board: Board::new() }
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, W, S> {
        Guard::new(self.waiters.lock(), &self.board)
    }

    /// What a queued node was settled with, if it was and its wake has begun. The node has left the queue then. No lock.
    #[inline]
    fn take_told(&self, node: &mut WaitNode) -> Option<Settled> {
        let settled = self.board.take(node.key?)?;
        node.key = None;
        Some(settled)
    }

    /// Polls a queued node: what it was settled with, or `Pending` with a fresh waiter in place. Without the lock if it was
    /// woken.
    #[inline]
    pub(crate) fn poll(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<Settled> {
        match self.take_told(node) {
            Some(settled) => Poll::Ready(settled),
            None => self.poll_unwoken(node, make()),
        }
    }

    #[cold]
    fn poll_unwoken(&self, node: &mut WaitNode, fresh: W) -> Poll<Settled> {
        let mut waiters = self.lock();
        if let Some((settled, _unwoken)) = waiters.resolve(node) {
            drop(waiters);
            return Poll::Ready(settled);
        }
        let _stale = waiters.renew(node, fresh);
        drop(waiters);
        Poll::Pending
    }

    /// Waits until `check` finds what it looks for in the state: for conditions that are told to everybody, so that a
    /// place in the queue is worth nothing and nothing has to be passed on.
    ///
    /// The waiter is made only if it's needed, and outside the lock; hence the second look.
    pub(crate) fn poll_until<R>(
        &self,
        node: &mut WaitNode,
        make: impl FnOnce() -> W,
        mut check: impl FnMut(&mut S) -> Option<R>,
    ) -> Poll<R> {
        let mut waiters = self.lock();
        if let Some(found) = check(&mut waiters.state) {
            let _waiter = Self::give_up(waiters, node);
            return Poll::Ready(found);
        }
        drop(waiters);
        self.poll_with(node, make(), check)
    }

    /// As [`poll_until`](Self::poll_until), for who has looked already and has a waiter made.
    pub(crate) fn poll_with<R>(
        &self,
        node: &mut WaitNode,
        fresh: W,
        mut check: impl FnMut(&mut S) -> Option<R>,
    ) -> Poll<R> {
        let mut waiters = self.lock();
        if !types::seeded!("queue.no-second-look")
            && let Some(found) = check(&mut waiters.state)
        {
            let _waiter = Self::give_up(waiters, node);
            return Poll::Ready(found);
        }
        // Told before, and it was not so, or is so no more: it stands in line again.
        let _told = if node.is_queued() { waiters.resolve(node) } else { None };
        let _stale = if node.is_queued() {
            waiters.renew(node, fresh)
        } else {
            waiters.push(node, Some(fresh), 0);
            None
        };
        drop(waiters);
        Poll::Pending
    }

    /// Stops a wait by [`poll_until`](Self::poll_until).
    pub(crate) fn forget(&self, node: &mut WaitNode) {
        if self.take_told(node).is_none() {
            drop(Self::give_up(self.lock(), node));
        }
    }

    /// Takes the node out, if it's in, and releases the lock; the waiter is to be dropped after that.
    fn give_up(mut waiters: Guard<'_, W, S>, node: &mut WaitNode) -> Option<W> {
        if node.is_queued() { waiters.remove(node).1 } else { None }
    }

    /// Changes the state, and tells everybody who waits if `change` says that they should look.
    #[inline]
    pub(crate) fn tell<R>(&self, change: impl FnOnce(&mut S) -> (R, bool)) -> R {
        let mut waiters = self.lock();
        let (made, told) = change(&mut waiters.state);
        if told && !waiters.is_empty() && !types::seeded!("queue.untold") {
            self.tell_all(waiters);
        }
        made
    }

    #[inline(never)]
    fn tell_all<'a>(&'a self, mut waiters: Guard<'a, W, S>) {
        waiters.settle_all(Settled::Told);
        self.wake_settled(waiters);
    }

    /// Looks at the state or changes it, where nobody waits for that.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        look(&mut self.lock().state)
    }

    /// Releases the lock, then wakes everybody who was settled under it. (Always inlined: a guard that is passed through memory
    /// in words and taken out of it in pairs waits for the words to be written.)
    #[inline(always)]
    pub(crate) fn wake_settled<'a>(&'a self, waiters: Guard<'a, W, S>) {
        if waiters.has_crowd_to_wake() {
            self.wake_crowd(waiters);
        }
        // Otherwise the end of the guard wakes the one there may be.
    }

    #[inline(never)]
    fn wake_crowd<'a>(&'a self, mut waiters: Guard<'a, W, S>) {
        let mut first = FirstPanic::default();
        loop {
            let mut batch = WakeBatch::new();
            while !batch.is_full()
                && let Some(waiter) = waiters.next_to_wake()
            {
                batch.push(waiter);
            }
            let more = waiters.has_crowd_to_wake();
            drop(waiters);
            batch.wake_all(&mut first);
            if !more {
                return first.go_on();
            }
            waiters = self.lock();
        }
    }
}

impl<W: Wakes, S> core::fmt::Debug for WaitQueue<W, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WaitQueue")
    }
}
