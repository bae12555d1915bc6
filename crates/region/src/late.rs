//! Who tells of regions that are late. Many may be late for one reason: they wait for each other, or for one task below. One
//! of them tells of it (`region.slow-drain`, `cancel.bounded`), and its report is about the place where the wait ends or forks.
//!
//! Not here: when it is looked, and what is said (`cx`).
use crate::origin::task_id;
use crate::region::{Inner, Region};
use alloc::sync::Arc;
use core::sync::atomic::Ordering::*;
use task::Header;
use trace::RegionPhase;
use types::TaskId;

impl Region {
    /// True for one caller: who reports that the cleanup deadline has passed. Nobody does where that was reported of a region
    /// around, as it was about this one as well.
    pub fn claim_overdue(&self) -> bool {
        !self.is_told_around() && !self.overdue_claimed.swap(true, AcqRel)
    }

    /// Whether it was reported of a region around that its cleanup deadline has passed: what is late here is told there, again
    /// and again.
    pub fn is_told_around(&self) -> bool {
        let mut around = core::iter::successors(self.parent.as_ref(), |region| region.parent.as_ref());
        around.any(|region| region.overdue_claimed.load(Acquire))
    }

    /// Whether the region around drains too, and nobody asked it to end: what is slow here is told there.
    pub fn drains_within(&self) -> bool {
        self.parent.as_ref().is_some_and(|around| around.drains() && around.requested() == 0)
    }

    fn drains(&self) -> bool {
        !matches!(self.phase(), RegionPhase::Open | RegionPhase::Closed)
    }

    /// Where the wait of a region that drains ends or forks: the furthest region below that everything on the way waits
    /// for alone, and how many are on the way. They all were asked to end, or none of them. O(depth).
    pub fn waits_at(self: &Arc<Region>) -> (Arc<Region>, usize) {
        let (mut at, mut passed) = (self.clone(), 0);
        while let Some(child) = at.only_wait() {
            at = child;
            passed += 1;
        }
        (at, passed)
    }

    /// The child region that this one waits for, and for nothing else.
    fn only_wait(&self) -> Option<Arc<Region>> {
        let inner = self.inner.lock();
        let mut children = inner.children.values();
        let (Some(child), None) = (children.next(), children.next()) else { return None };
        if !child.drains() || (child.requested() == 0) != (self.requested() == 0) {
            return None;
        }
        // The task that drains it is no further one.
        let others = self.has_member_but(&inner, |task| child.body_task == Some(task));
        (!others && self.account.outstanding() == 0).then(|| child.clone())
    }

    /// Whether all that it waits for are regions that were asked to end and are past their deadlines, which is told there.
    pub fn waits_for_overdue(&self) -> bool {
        let inner = self.inner.lock();
        let late = |child: &Arc<Region>| child.overdue_claimed.load(Acquire);
        let body = |task| inner.children.values().any(|child| child.body_task == Some(task));
        !inner.children.is_empty() && inner.children.values().all(late) && !self.has_member_but(&inner, body)
    }

    /// Whether there is a member that `but` doesn't name.
    fn has_member_but(&self, _locked: &Inner, but: impl Fn(TaskId) -> bool) -> bool {
        let mut others = false;
        let mut look = |h: &Header| others |= !but(task_id(self.id, h.index.load(Relaxed)));
        self.told.each(&mut look);
        self.untold.each(&mut look);
        others
    }
}
