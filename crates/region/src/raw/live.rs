//! Tasks that are known not to be complete, because they were found under their region's lock.
//!
//! Invariant `members.linked` says so of members. Invariant `region.body-live` says so of a region's body: it is
//! taken out of the region (`drop_body`, `close`) before its task completes. What such a proof is good for:
//! the task's engine is registered, so it can be asked how it wakes.
use super::chain::Chain;
use super::lock::Locked;
use crate::region::{Inner, Region};
use alloc::vec::Vec;
use core::sync::atomic::Ordering::*;
use task::{Header, TaskRef, control};

/// A task that is not complete for as long as the lock of its region is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live<'a>(&'a Header);

impl core::ops::Deref for Live<'_> {
    type Target = Header;
    #[inline]
    fn deref(&self) -> &Header {
        self.0
    }
}

impl Inner {
    /// The body's task.
    pub(crate) fn live_body(&self) -> Option<Live<'_>> {
        // `region.body-live`, and the guard that `self` was borrowed from keeps it there.
        self.body.as_ref().map(|task| Live(task))
    }
}

type Foreign = (TaskRef, fn(&Header));

/// Tasks on their way to be woken: collected under the lock, woken after it.
#[derive(Debug, Default)]
pub(crate) struct Roused {
    chain: Chain,
    /// Tasks that were polled through wakers of others, with their engine's way to wake those.
    foreign: Vec<Foreign>,
}

impl Roused {
    /// Wakes `task` as a request does: in the cancel lane, and through the wakers of others.
    pub(crate) fn add(&mut self, task: Live<'_>) {
        if types::seeded!("cancel.no-wake") {
            return;
        }
        if task.control() & control::FOREIGN != 0 {
            // SAFETY: the task is not complete, so its engine is registered. Only the function is kept.
            let wake = unsafe { task::engine::of(task.tag()).as_ref() }.wake_foreign;
            self.foreign.push((task.counted(), wake));
        }
        self.chain.wake(&task);
    }

    /// Queues and wakes. Call it without any lock.
    pub(crate) fn go(self) {
        self.chain.schedule();
        for (task, wake) in self.foreign {
            wake(&task)
        }
    }
}

impl Region {
    /// Takes the next member that the walk has not visited yet, and counts it as visited. `held` is this region's
    /// lock, for as long as the result is used.
    pub(crate) fn visit_next<'a>(&'a self, held: &'a Locked<'_, Inner>) -> Option<Live<'a>> {
        debug_assert!(held.is_of(&self.inner));
        // Linked, and the guard keeps it so.
        self.untold.shift_to(&self.told).map(Live)
    }

    /// Everybody has to be visited again.
    pub(crate) fn untell(&self, held: &Locked<'_, Inner>) {
        debug_assert!(held.is_of(&self.inner));
        while self.told.shift_to(&self.untold).is_some() {}
    }

    /// Keeps a region for ever: tasks that were written off still name it.
    pub(crate) fn keep_for_ever(&self) {
        core::mem::forget(self.counted())
    }

    /// Sets bits of the body's control word and wakes it. Call it without the lock.
    pub(crate) fn rouse_body(&self, bits: u32) {
        let mut roused = Roused::default();
        let inner = self.inner.lock();
        if let Some(body) = inner.live_body() {
            body.control.fetch_or(bits, AcqRel);
            roused.add(body);
        }
        drop(inner);
        roused.go()
    }
}
