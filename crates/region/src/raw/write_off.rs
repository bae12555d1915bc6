//! Writing off what a shutdown could not stop, so that everything above it can close.
//!
//! Only leaves are written off: members that wait for nobody in a region of their own. What they held up then
//! drains, runs its finalizers and closes as ever; whoever is stuck himself is a leaf the next time.
//!
//! Invariant `members.written-off`: a written-off task is in no list, is counted nowhere, and keeps one strong
//! reference to its region for ever, so that it may still end on whatever thread it is stuck in.
use super::members::Members;
use crate::inspect::{MemberView, Names};
use crate::region::{Inner, Region};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use task::{Header, Waiter, control};
use trace::{Label, RegionPhase};

/// What was written off.
#[derive(Debug, Default)]
pub struct WrittenOff {
    /// The tasks, as they were found.
    pub tasks: Vec<MemberView>,
    /// Regions that a written-off task has open, innermost last: their bodies are over, and nobody closes them.
    pub orphans: Vec<Arc<Region>>,
}

impl Region {
    /// Writes off the leaves of this region and everything below it, and says which they were. The caller has
    /// the orphans closed. `name` is as for [`Region::view_named`]. `tell` is called for each while nobody can see yet that it
    /// is gone, with a region locked: who waited for it may end before this returns, and all that is above.
    pub fn write_off(self: &Arc<Region>, name: Names<'_>, tell: &dyn Fn(&MemberView)) -> WrittenOff {
        let mut regions = Vec::from([self.clone()]);
        let mut at = 0;
        while at < regions.len() {
            let children: Vec<_> = regions[at].inner.lock().children.values().cloned().collect();
            regions.extend(children);
            at += 1;
        }
        // Bodies that wait for others: of regions in which there is somebody else, or that are closing.
        let waiting: BTreeSet<_> = regions.iter().filter_map(|region| region.waiting_body()).collect();
        let mut gone = WrittenOff::default();
        let mut leaves = BTreeSet::new();
        for region in &regions {
            gone.tasks.extend(region.write_off_leaves(&waiting, &mut leaves, name, tell));
        }
        gone.orphans.extend(regions.into_iter().filter(|region| region.lose_body(&leaves)));
        gone
    }

    /// The body of this region, if it is not what keeps the region open.
    fn waiting_body(&self) -> Option<usize> {
        let inner = self.inner.lock();
        let body = inner.body.as_ref()?.as_ptr().addr().get();
        let of_another = |child: &Arc<Region>| child.body_address() != Some(body);
        let waits = inner.gate.phase() != RegionPhase::Open
            || inner.gate.members() > 0
            || inner.children.values().any(of_another);
        waits.then_some(body)
    }

    fn body_address(&self) -> Option<usize> {
        self.inner.lock().body.as_ref().map(|body| body.as_ptr().addr().get())
    }

    /// Ends the body if it was written off.
    fn lose_body(&self, leaves: &BTreeSet<usize>) -> bool {
        let mut inner = self.inner.lock();
        let body = inner.body.take_if(|body| leaves.contains(&body.as_ptr().addr().get()));
        if body.is_some() && inner.gate.end_body() {
            self.mirror(&inner);
        }
        drop(inner);
        body.is_some()
    }

    fn write_off_leaves(
        self: &Arc<Region>,
        waiting: &BTreeSet<usize>,
        all: &mut BTreeSet<usize>,
        name: Names<'_>,
        tell: &dyn Fn(&MemberView),
    ) -> Vec<MemberView> {
        let mut inner = self.inner.lock();
        let mut leaves: Vec<NonNull<Header>> = Vec::new();
        let mut look = |header: &Header| {
            let task = NonNull::from(header);
            if !waiting.contains(&task.addr().get()) {
                leaves.push(task)
            }
        };
        self.told.each(&mut look);
        self.untold.each(&mut look);
        let mut gone = Vec::new();
        let mut closer = None;
        for task in leaves {
            // SAFETY: it is linked and the lock is held (`members.linked`).
            let header = unsafe { task.as_ref() };
            let view = self.view_member(header, name);
            tell(&view);
            closer = self.release(&mut inner, header).or(closer);
            self.emit(None, || Label::TaskWriteOff { task: view.task });
            gone.push(view);
            all.insert(task.addr().get());
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
