//! What can be seen of a region from outside without waiting for it: its phase, its failures, who and what is in it.
//!
//! Each of these is a moment of the region's. That something happens to it commutes with whatever else happens to it (who sees
//! two tasks come does not see which came first), and with nobody who looks. As moments only order steps, a program that
//! looks at no region is explored as if they were not there.
//!
//! They come last in their step: what a step observed, and waited for, comes first (`causality`).
//!
//! Not here: the close of a region, for those who wait for it, and requests (`watch`, `asked`). A
//! [`RegionView`](region::RegionView) shows more, for people: names, what a member waits for, finalizers. Steps say nothing of that.
use super::{ASKED, CLOSE, Run, object};
use cx::RegionLook;
use trace::{Access, ObjectKind};
use types::RegionId;

const PHASE: u64 = 0x7068_6173;
const FAILED: u64 = 0x6661_696C;
const COME: u64 = 0x636F_6D65;
const HELD: u64 = 0x6865_6C64;

impl Run {
    fn happens(&mut self, region: RegionId, about: u64) {
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

    /// Somebody looks at a region through a handle.
    pub(super) fn looked_at_region(&mut self, region: RegionId, at: RegionLook) {
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
