//! The one wait queue: whoever must wait for a permit, a lock, a notification or room in a channel stands here.
//!
//! A waiter is an entry of a table, linked by index into one of two lists: `waiting` (oldest first) and `waking` (settled
//! under the lock, not yet woken). Settling moves an entry from the first to the second; the wakes are carried out after
//! the lock was released, in batches. Entries are reused, so nothing is allocated once the queue has seen its crowd;
//! cancelling is O(1).
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
//!
//! Not here: what a grant means (each structure), fairness beyond first come first served (`mutex`).

mod entries;

use core::task::Poll;

use entries::Entries;

use crate::{
    sync::{Mutex, MutexGuard},
    wakes::{WakeBatch, Wakes},
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

#[derive(Clone, Copy)]
enum Stage {
    /// Linked in `waiting`.
    Waiting,
    /// Linked in `waking`: settled, its waiter not taken out yet.
    Waking(Settled),
    /// Linked nowhere: settled, its wake is on its way.
    Woken(Settled),
}

struct Entry<W> {
    previous: u32,
    next: u32,
    waiter: Option<W>,
    /// Belongs to the structure: permits wanted by a semaphore's waiter, times passed over for a lock's.
    weight: usize,
    stage: Stage,
}

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
}

impl List {
    const EMPTY: Self = Self { head: NONE, tail: NONE };
}

/// The queue's content, only reachable under its lock.
pub(crate) struct Waiters<W: Wakes, S = ()> {
    entries: Entries<Entry<W>>,
    waiting: List,
    waking: List,
    /// What the structure keeps under the same lock, where it keeps no word beside it.
    pub(crate) state: S,
}

pub(crate) type Guard<'a, W, S = ()> = MutexGuard<'a, Waiters<W, S>>;

/// A queue and its lock, with the state `S` of a structure that needs no more than that.
pub(crate) struct WaitQueue<W: Wakes, S = ()> {
    waiters: Mutex<Waiters<W, S>>,
}

impl<W: Wakes> WaitQueue<W> {
    pub(crate) fn new() -> Self {
        Self::with_state(())
    }
}

impl<W: Wakes, S> WaitQueue<W, S> {
    /// An empty queue around `state`.
    pub(crate) fn with_state(state: S) -> Self {
        let waiters = Waiters { entries: Entries::new(), waiting: List::EMPTY, waking: List::EMPTY, state };
        Self { waiters: Mutex::new(waiters) }
    }

    pub(crate) fn lock(&self) -> Guard<'_, W, S> {
        self.waiters.lock()
    }

    /// Polls a queued node: what it was settled with, or `Pending` with a fresh waiter in place.
    ///
    /// The waiter is made only if it's needed, and outside the lock; hence the second look.
    pub(crate) fn poll(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<Settled> {
        let mut waiters = self.lock();
        if let Some((settled, _unwoken)) = waiters.resolve(node) {
            drop(waiters);
            return Poll::Ready(settled);
        }
        drop(waiters);
        let fresh = make();
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
        drop(Self::give_up(self.lock(), node));
    }

    /// Takes the node out, if it's in, and releases the lock; the waiter is to be dropped after that.
    fn give_up(mut waiters: Guard<'_, W, S>, node: &mut WaitNode) -> Option<W> {
        if node.is_queued() { waiters.remove(node).1 } else { None }
    }

    /// Changes the state, and tells everybody who waits if `change` says that they should look.
    pub(crate) fn tell<R>(&self, change: impl FnOnce(&mut S) -> (R, bool)) -> R {
        let mut waiters = self.lock();
        let (made, told) = change(&mut waiters.state);
        if told && !types::seeded!("queue.untold") {
            waiters.settle_all(Settled::Told);
            self.wake_settled(waiters);
        } else {
            drop(waiters);
        }
        made
    }

    /// Looks at the state or changes it, where nobody waits for that.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        look(&mut self.lock().state)
    }

    /// Releases the lock, then wakes everybody who was settled under it.
    #[inline]
    pub(crate) fn wake_settled<'a>(&'a self, mut waiters: Guard<'a, W, S>) {
        let Some(first) = waiters.next_to_wake() else { return };
        if waiters.waking.head == NONE {
            drop(waiters);
            return first.wake();
        }
        self.wake_crowd(waiters, first)
    }

    fn wake_crowd<'a>(&'a self, mut waiters: Guard<'a, W, S>, first: W) {
        let mut first = Some(first);
        loop {
            let mut batch = WakeBatch::new();
            first.take().into_iter().for_each(|waiter| batch.push(waiter));
            while !batch.is_full()
                && let Some(waiter) = waiters.next_to_wake()
            {
                batch.push(waiter);
            }
            let more = waiters.waking.head != NONE;
            drop(waiters);
            batch.wake_all();
            if !more {
                return;
            }
            waiters = self.lock();
        }
    }
}

impl<W: Wakes, S> Waiters<W, S> {
    /// Whether nobody is left unsettled.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.head == NONE
    }

    /// Queues a node at the end. Without a waiter it can be settled, but sleeps only after a later poll.
    pub(crate) fn push(&mut self, node: &mut WaitNode, waiter: Option<W>, weight: usize) {
        debug_assert!(node.key.is_none(), "a wait node stands in one queue at a time");
        let entry = Entry { previous: NONE, next: NONE, waiter, weight, stage: Stage::Waiting };
        let key = self.entries.insert(entry);
        self.append(key);
        node.key = Some(key);
    }

    /// The oldest waiter's weight.
    pub(crate) fn front_weight(&mut self) -> Option<&mut usize> {
        let key = self.waiting.head;
        (key != NONE).then(|| &mut self.entries[key].weight)
    }

    /// A queued node's weight.
    pub(crate) fn weight(&self, node: &WaitNode) -> usize {
        self.entries[Self::key(node)].weight
    }

    /// Takes the oldest waiter's wake without settling it: it stays first, and will come back to look.
    pub(crate) fn take_front_waiter(&mut self) -> Option<W> {
        let key = self.waiting.head;
        if key == NONE { None } else { self.entries[key].waiter.take() }
    }

    /// Settles the oldest waiter; false if there is none.
    pub(crate) fn settle_front(&mut self, settled: Settled) -> bool {
        let key = if types::seeded!("queue.newest-first") { self.waiting.tail } else { self.waiting.head };
        if key == NONE {
            return false;
        }
        self.unlink(key);
        let entry = &mut self.entries[key];
        if entry.waiter.is_some() {
            entry.stage = Stage::Waking(settled);
            self.append(key);
        } else {
            entry.stage = Stage::Woken(settled);
        }
        true
    }

    /// Settles everybody.
    pub(crate) fn settle_all(&mut self, settled: Settled) {
        while self.settle_front(settled) {}
    }

    /// Takes a node out if it was settled: what with, and the waiter if its wake had not begun (to be dropped after
    /// the lock: the one it would wake is polling right now).
    pub(crate) fn resolve(&mut self, node: &mut WaitNode) -> Option<(Settled, Option<W>)> {
        match self.entries[Self::key(node)].stage {
            Stage::Waiting => None,
            Stage::Waking(settled) | Stage::Woken(settled) => Some((settled, self.remove(node).1)),
        }
    }

    /// Replaces a waiting node's waiter; the old one is to be dropped after the lock.
    pub(crate) fn renew(&mut self, node: &WaitNode, waiter: W) -> Option<W> {
        if types::seeded!("queue.stale-waiter") {
            return Some(waiter);
        }
        self.entries[Self::key(node)].waiter.replace(waiter)
    }

    /// Takes a node out whatever its stage: what it had been settled with, and a waiter to drop after the lock.
    pub(crate) fn remove(&mut self, node: &mut WaitNode) -> (Option<Settled>, Option<W>) {
        let key = Self::key(node);
        self.unlink(key);
        node.key = None;
        let entry = self.entries.remove(key);
        let settled = match entry.stage {
            Stage::Waiting => None,
            Stage::Waking(settled) | Stage::Woken(settled) => Some(settled),
        };
        (settled, entry.waiter)
    }

    /// Takes out the next waiter that was settled and not yet woken.
    fn next_to_wake(&mut self) -> Option<W> {
        let key = self.waking.head;
        if key == NONE {
            return None;
        }
        self.unlink(key);
        let entry = &mut self.entries[key];
        if let Stage::Waking(settled) = entry.stage {
            entry.stage = Stage::Woken(settled);
        }
        entry.waiter.take()
    }

    fn key(node: &WaitNode) -> u32 {
        node.key.expect("the node stands in this queue")
    }

    /// The list an entry of this stage is linked in.
    fn list(&mut self, stage: Stage) -> Option<&mut List> {
        match stage {
            Stage::Waiting => Some(&mut self.waiting),
            Stage::Waking(_) => Some(&mut self.waking),
            Stage::Woken(_) => None,
        }
    }

    /// Links an entry at the end of its stage's list.
    fn append(&mut self, key: u32) {
        let stage = self.entries[key].stage;
        let Some(list) = self.list(stage) else { return };
        let tail = core::mem::replace(&mut list.tail, key);
        if tail == NONE {
            list.head = key;
        } else {
            self.entries[tail].next = key;
        }
        let entry = &mut self.entries[key];
        (entry.previous, entry.next) = (tail, NONE);
    }

    /// Takes an entry out of its stage's list.
    fn unlink(&mut self, key: u32) {
        let Entry { previous, next, stage, .. } = self.entries[key];
        let Some(list) = self.list(stage) else { return };
        if previous == NONE {
            list.head = next;
        }
        if next == NONE {
            list.tail = previous;
        }
        if previous != NONE {
            self.entries[previous].next = next;
        }
        if next != NONE {
            self.entries[next].previous = previous;
        }
    }
}

impl<W: Wakes, S> core::fmt::Debug for WaitQueue<W, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WaitQueue")
    }
}
