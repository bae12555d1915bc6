//! What is done to a wait queue under its lock: [`Guard`].
//!
//! Not here: what is done without it, and waking a crowd (`WaitQueue`).

use core::ops::{Deref, DerefMut};

use super::{
    NONE, Settled, WaitNode,
    board::Board,
    table::{Stage, Table},
};
use crate::{
    sync::MutexGuard,
    wakes::{FirstPanic, Wakes},
};

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
}

impl List {
    const EMPTY: Self = Self { head: NONE, tail: NONE };
}

/// Which list a place is linked in.
const WAITING: usize = 0;
const WAKING: usize = 1;

/// The queue's content, only reachable under its lock.
pub(crate) struct Waiters<W, S> {
    places: Table<W>,
    lists: [List; 2],
    /// What the structure keeps under the same lock, where it keeps no word beside it.
    pub(crate) state: S,
}

impl<W, S> Waiters<W, S> {
    pub(super) const fn new(state: S) -> Self {
        Self { places: Table::new(), lists: [List::EMPTY; 2], state }
    }

    /// Links a place at the end of a list.
    fn append(&mut self, list: usize, key: u32) {
        let tail = core::mem::replace(&mut self.lists[list].tail, key);
        if tail == NONE {
            self.lists[list].head = key;
        } else {
            self.places[tail].next = key;
        }
        let entry = &mut self.places[key];
        (entry.previous, entry.next) = (tail, NONE);
    }

    /// Takes a place out of the list it's linked in.
    fn unlink(&mut self, list: usize, key: u32) {
        let entry = &self.places[key];
        let (previous, next) = (entry.previous, entry.next);
        if previous == NONE {
            self.lists[list].head = next;
        } else {
            self.places[previous].next = next;
        }
        if next == NONE {
            self.lists[list].tail = previous;
        } else {
            self.places[next].previous = previous;
        }
    }
}

/// The held lock of a queue. When it ends, the lock is released, and then the first one who was settled under it is woken;
/// for the others see [`WaitQueue::wake_settled`](super::WaitQueue::wake_settled).
pub(crate) struct Guard<'a, W: Wakes, S = ()> {
    // Dropped first: nobody is woken under the lock (`queue.unlocked-wake`).
    waiters: MutexGuard<'a, Waiters<W, S>>,
    board: &'a Board,
    first: ToWake<W>,
}

/// Somebody who is woken when this is dropped.
struct ToWake<W: Wakes>(Option<W>);

impl<W: Wakes> Drop for ToWake<W> {
    #[inline]
    fn drop(&mut self) {
        let Some(waiter) = self.0.take() else { return };
        if std::thread::panicking() {
            return wake_while_unwinding(waiter);
        }
        waiter.wake();
    }
}

/// Its panic would be the second, and end the process.
#[cold]
fn wake_while_unwinding<W: Wakes>(waiter: W) {
    let mut first = FirstPanic::default();
    first.keep(|| waiter.wake());
    first.go_on();
}

impl<W: Wakes, S> Deref for Guard<'_, W, S> {
    type Target = Waiters<W, S>;
    #[inline]
    fn deref(&self) -> &Waiters<W, S> {
        &self.waiters
    }
}

impl<W: Wakes, S> DerefMut for Guard<'_, W, S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Waiters<W, S> {
        &mut self.waiters
    }
}

impl<'a, W: Wakes, S> Guard<'a, W, S> {
    #[inline]
    pub(super) fn new(waiters: MutexGuard<'a, Waiters<W, S>>, board: &'a Board) -> Self {
        Self { waiters, board, first: ToWake(None) }
    }

    /// Whether nobody is left unsettled.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.lists[WAITING].head == NONE
    }

    /// Queues a node at the end. Without a waiter it can be settled, but sleeps only after a later poll.
    pub(crate) fn push(&mut self, node: &mut WaitNode, waiter: Option<W>, weight: usize) {
        debug_assert!(node.key.is_none(), "a wait node stands in one queue at a time");
        let board = self.board;
        let waiters = &mut *self.waiters;
        let key = waiters.places.insert(board, waiter, weight);
        waiters.append(WAITING, key);
        node.key = Some(key);
    }

    /// The oldest waiter's weight.
    #[inline]
    pub(crate) fn front_weight(&mut self) -> Option<&mut usize> {
        let key = self.lists[WAITING].head;
        (key != NONE).then(|| &mut self.places[key].weight)
    }

    /// A queued node's weight.
    pub(crate) fn weight(&self, node: &WaitNode) -> usize {
        self.places[key_of(node)].weight
    }

    /// Takes the oldest waiter's wake without settling it: it stays first, and will come back to look.
    pub(crate) fn take_front_waiter(&mut self) -> Option<W> {
        let key = self.lists[WAITING].head;
        if key == NONE { None } else { self.places[key].waiter.take() }
    }

    /// Settles the oldest waiter; false if there is none. It may go on at once: the structure's word says so already
    /// (`queue.told-last`).
    #[inline]
    pub(crate) fn settle_front(&mut self, settled: Settled) -> bool {
        let List { head, tail } = self.lists[WAITING];
        let key = if types::seeded!("queue.newest-first") { tail } else { head };
        if key == NONE {
            return false;
        }
        let waiters = &mut *self.waiters;
        waiters.unlink(WAITING, key);
        let entry = &mut waiters.places[key];
        if self.first.0.is_some() && entry.waiter.is_some() {
            entry.stage = Stage::Waking(settled);
            waiters.append(WAKING, key);
        } else {
            entry.stage = Stage::Told(settled);
            if let Some(waiter) = entry.waiter.take() {
                self.first.0 = Some(waiter);
            }
            self.board.tell(key, settled);
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
        match self.places[key_of(node)].stage {
            Stage::Waiting | Stage::Free => None,
            Stage::Waking(settled) | Stage::Told(settled) => Some((settled, self.remove(node).1)),
        }
    }

    /// Replaces a waiting node's waiter; the old one is to be dropped after the lock.
    pub(crate) fn renew(&mut self, node: &WaitNode, waiter: W) -> Option<W> {
        if types::seeded!("queue.stale-waiter") {
            return Some(waiter);
        }
        self.places[key_of(node)].waiter.replace(waiter)
    }

    /// Takes a node out whatever its stage: what it had been settled with, and a waiter to drop after the lock.
    pub(crate) fn remove(&mut self, node: &mut WaitNode) -> (Option<Settled>, Option<W>) {
        let key = key_of(node);
        node.key = None;
        let settled = match self.places[key].stage {
            Stage::Waiting | Stage::Free => {
                self.unlink(WAITING, key);
                None
            }
            Stage::Waking(settled) => {
                self.unlink(WAKING, key);
                Some(settled)
            }
            Stage::Told(settled) => {
                self.board.clear(key);
                Some(settled)
            }
        };
        (settled, self.places.remove(key))
    }

    /// Whether somebody was settled whom the end of this guard doesn't wake.
    #[inline]
    pub(super) fn has_crowd_to_wake(&self) -> bool {
        self.lists[WAKING].head != NONE
    }

    /// Takes out the next waiter that was settled and not yet woken.
    pub(super) fn next_to_wake(&mut self) -> Option<W> {
        let first = self.first.0.take();
        if first.is_some() {
            return first;
        }
        let key = self.lists[WAKING].head;
        if key == NONE {
            return None;
        }
        let waiters = &mut *self.waiters;
        waiters.unlink(WAKING, key);
        let entry = &mut waiters.places[key];
        let waiter = entry.waiter.take();
        if let Stage::Waking(settled) = entry.stage {
            entry.stage = Stage::Told(settled);
            self.board.tell(key, settled);
        }
        waiter
    }
}

fn key_of(node: &WaitNode) -> u32 {
    node.key.expect("the node stands in this queue")
}
