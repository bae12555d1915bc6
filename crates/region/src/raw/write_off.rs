//! Writing off what a shutdown could not stop, so that everything above it can close.
//!
//! Only leaves are written off: members that are not the body of an open region. What they held up then
//! drains, runs its finalizers and closes as ever; whoever is stuck himself is a leaf the next time.
//!
//! Invariant `members.written-off`: a written-off task is in no list, is counted nowhere, and keeps one strong
//! reference to its region for ever, so that it may still end on whatever thread it is stuck in.
use super::members::Members;
use crate::region::{Inner, Region};
use crate::task_id;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use task::{Header, Waiter, control};
use trace::Label;
use types::TaskId;

impl Region {
    /// Writes off the leaves of this region and everything below it, and says which tasks they were.
    pub fn write_off(self: &Arc<Region>) -> Vec<TaskId> {
        let mut regions = Vec::from([self.clone()]);
        let mut bodies = BTreeSet::new();
        let mut at = 0;
        while at < regions.len() {
            let inner = regions[at].inner.lock();
            let children: Vec<_> = inner.children.values().cloned().collect();
            // The root's body is no member; every other region's body may be one.
            bodies.extend(inner.body.as_ref().map(|b| b.as_ptr().addr()));
            drop(inner);
            regions.extend(children);
            at += 1;
        }
        regions.iter().flat_map(|region| region.write_off_leaves(&bodies)).collect()
    }

    fn write_off_leaves(self: &Arc<Region>, bodies: &BTreeSet<core::num::NonZero<usize>>) -> Vec<TaskId> {
        let mut inner = self.inner.lock();
        let mut leaves: Vec<NonNull<Header>> = Vec::new();
        let mut look = |header: &Header| {
            let task = NonNull::from(header);
            if !bodies.contains(&task.addr()) {
                leaves.push(task)
            }
        };
        inner.told.each(&mut look);
        inner.untold.each(&mut look);
        let mut gone = Vec::new();
        let mut closer = None;
        for task in leaves {
            // SAFETY: it is linked and the lock is held (`members.linked`).
            let header = unsafe { task.as_ref() };
            closer = self.release(&mut inner, header).or(closer);
            let id = task_id(self.id, header.index.load(Relaxed));
            self.emit(None, || Label::TaskWriteOff { task: id });
            gone.push(id);
        }
        drop(inner);
        if let Some(closer) = closer {
            closer.wake()
        }
        gone
    }

    fn release(self: &Arc<Region>, inner: &mut Inner, header: &Header) -> Option<Waiter> {
        let before = header.control.fetch_or(control::WRITTEN_OFF, AcqRel);
        // SAFETY: it is linked, and the lock is held.
        unsafe { Members::unlink(NonNull::from(header)) };
        self.keep_for_ever();
        inner.gate.leave(before & control::DAEMON != 0)
    }
}
