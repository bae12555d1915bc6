//! Regions: what the kernel says of them, and what can be seen of one from outside without waiting for it (its phase, its failures,
//! who and what is in it).
//!
//! Each thing that can be seen is a moment of the region's. That something happens to it commutes with whatever else happens to it (who sees
//! two tasks come does not see which came first), and with nobody who looks. As moments only order steps, a program that
//! looks at no region is explored as if they were not there.
//!
//! They are recorded only in runs of a program of which it is known that it looks ([`Looks::regions`](super::Looks)): most never do.
//! They come last in their step: what a step observed, and waited for, comes first (`causality`).
//!
//! Not here: what the kernel says of tasks (`watch`), requests (`asked`). A
//! [`RegionView`](region::RegionView) shows more, for people: names, what a member waits for, finalizers. Steps say nothing of that.
use super::{ASKED, BOOKS, CLOSE, Run, object};
use cx::RegionLook;
use trace::{Access, Label, ObjectKind, RegionPhase};
use types::{ObligationId, RegionId, TaskId};

const PHASE: u64 = 0x7068_6173;
const FAILED: u64 = 0x6661_696C;
const COME: u64 = 0x636F_6D65;
const HELD: u64 = 0x6865_6C64;

impl Run {
    #[inline]
    fn happens(&mut self, region: RegionId, about: u64) {
        if self.looks.regions {
            self.happens_seen(region, about)
        }
    }

    #[cold]
    fn happens_seen(&mut self, region: RegionId, about: u64) {
        let moment = object(region.as_u64(), about);
        if !self.moments.contains(&moment) {
            self.moments.push(moment)
        }
    }

    /// The step is over, and all else that it did is said.
    pub(super) fn say_moments(&mut self) {
        for at in 0..self.moments.len() {
            self.touch(self.moments[at], ObjectKind::Moment, Access::Happen)
        }
        self.moments.clear()
    }

    /// The region is in another phase.
    pub(super) fn changes_phase(&mut self, region: RegionId) {
        if types::seeded!("lab.phases-unseen") {
            return;
        }
        self.happens(region, PHASE)
    }

    /// A member of the region has failed.
    pub(super) fn fails(&mut self, region: RegionId) {
        self.happens(region, FAILED)
    }

    /// A task or a region was started in the region.
    pub(super) fn comes(&mut self, region: RegionId) {
        self.happens(region, COME)
    }

    /// The region holds an obligation more, or less.
    pub(super) fn counts(&mut self, region: RegionId) {
        self.happens(region, HELD)
    }

    /// The kernel said this of a region, or of what it holds.
    pub(super) fn label_of_region(&mut self, label: &Label) {
        let moment = ObjectKind::Moment;
        match *label {
            Label::RegionOpen { region, parent, .. } => {
                self.parents.insert(region, parent);
                if let Some(parent) = parent {
                    self.comes(parent)
                }
                if self.actor != 0 {
                    self.bodies.insert(region, TaskId::from_u64(self.actor));
                }
            }
            Label::RegionClose { region, .. } => {
                self.changes_phase(region);
                self.closed(region);
                if let Some(Some(parent)) = self.parents.get(&region).copied() {
                    self.touch(object(parent.as_u64(), CLOSE), moment, Access::Happen);
                }
            }
            Label::RegionState { region, to } => {
                self.changes_phase(region);
                // Of a region in which nobody ever reserved anything, nobody can tell.
                if to == RegionPhase::Settling && self.keeps.contains_key(&region) {
                    self.touch(object(region.as_u64(), BOOKS), ObjectKind::Value, Access::Write)
                }
            }
            Label::ObligationReserve { obligation, region, .. } => self.keep(obligation, region),
            Label::ObligationRehome { obligation, to } => {
                self.settled(obligation);
                self.keep(obligation, to)
            }
            Label::ObligationCommit { obligation }
            | Label::ObligationAbort { obligation }
            | Label::ObligationLate { obligation } => self.settled(obligation),
            _ => {}
        }
    }

    fn keep(&mut self, obligation: ObligationId, region: RegionId) {
        self.books.insert(obligation, region);
        self.keeps.insert(region, ());
        self.counts(region)
    }

    fn settled(&mut self, obligation: ObligationId) {
        if let Some(region) = self.books.remove(&obligation) {
            self.touch(object(region.as_u64(), BOOKS), ObjectKind::Value, Access::Read);
            self.counts(region)
        }
    }

    /// Somebody looks at a region through a handle.
    pub(super) fn looked_at_region(&mut self, region: RegionId, at: RegionLook) {
        if !self.looks.regions {
            self.unlooked.regions |= !self.over;
            return;
        }
        match at {
            RegionLook::Phase => self.glance(region, &[PHASE]),
            RegionLook::Failures => self.glance(region, &[PHASE, FAILED]),
            RegionLook::View => {
                let regions = self.parents.keys().filter(|below| self.is_within(**below, region));
                let mut regions: Vec<RegionId> = regions.copied().collect();
                let tasks = self.tasks.iter().filter(|(_, at)| regions.contains(at));
                let bodies = self.bodies.iter().filter(|(at, _)| regions.contains(at)).map(|(_, body)| body);
                let mut tasks: Vec<_> = tasks.map(|(task, _)| task).chain(bodies).copied().collect();
                regions.sort_unstable();
                regions.into_iter().for_each(|region| self.glance(region, &[PHASE, COME, HELD, CLOSE]));
                tasks.sort_unstable();
                tasks.dedup();
                for task in tasks {
                    self.touch_once(object(task.as_u64(), ASKED), ObjectKind::Value, Access::Read)
                }
            }
        }
    }

    fn glance(&mut self, region: RegionId, at: &[u64]) {
        for about in at {
            self.touch_once(object(region.as_u64(), *about), ObjectKind::Moment, Access::Read)
        }
    }
}
