//! A request on its way down the tree, and what happens to what is left when cleanup has taken too long.
//!
//! The walk strengthens each region's slot and goes on only where that changed something, so a second equal
//! request costs one comparison per region it meets. Members are told in batches of 64, the lock dropped
//! between them; those that were parked are chained through their headers and queued in the cancel lane
//! without an allocation. About 30 ns per task, two cache misses.
use crate::origin::task_id;
use crate::raw::Roused;
use crate::region::{Inner, Region};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::*;
use task::{Header, control};
use trace::RegionKind;
use types::{AfterGrace, Cancelled, TaskId, Time};

const BATCH: usize = 64;

impl Region {
    /// Places a request on this region and everything below it that no shield protects (`cancel.down`). The
    /// kind travels unchanged; a weaker request than the present one changes nothing (`cancel.strengthen`).
    /// `deadline` is the cleanup deadline, absolute.
    pub fn request(self: &Arc<Region>, request: &Cancelled, deadline: Option<Time>) {
        let mut todo: Vec<(Arc<Region>, bool)> = Vec::from([(self.clone(), true)]);
        while let Some((region, first)) = todo.pop() {
            let mut inner = region.inner.lock();
            let shielded = !first && region.is_shielded();
            if region.phase() == trace::RegionPhase::Closed || shielded {
                continue;
            }
            let change = inner.slot.strengthen(request, deadline);
            if !change.any() {
                continue;
            }
            let kind = inner.slot.kind().map_or(0, |k| k as u8);
            region.requested.store(kind, Release);
            region.emit_request(&inner.slot);
            if change.raised {
                region.untell(&inner);
            }
            if !types::seeded!("region.request-skips-children") {
                todo.extend(inner.children.values().rev().map(|c| (c.clone(), false)));
            }
            drop(inner);
            region.rouse_body(control::INNER);
            if change.raised {
                region.visit_members();
            }
        }
    }

    /// The cleanup deadline has passed: masks below are pierced, so that what they kept away arrives, and where
    /// a region says `Abandon`, what is left of its tasks is dropped between polls (`cancel.bounded`). What a
    /// finalizer or a release has opened has the bound of that.
    pub fn escalate(self: &Arc<Region>) {
        self.give_orders(control::PIERCED | control::INNER, |region, inner, above| {
            inner.orders.pierce = true;
            region.overdue.store(true, Release);
            region.pierce(inner, self);
            if let Some((request, deadline)) = above
                && inner.slot.strengthen(request, *deadline).any()
            {
                region.requested.store(inner.slot.kind().map_or(0, |k| k as u8), Release);
                region.emit_request(&inner.slot);
            }
        })
    }

    /// Whether the cleanup deadline has passed, so that no mask in its body holds.
    pub fn is_overdue(&self) -> bool {
        self.overdue.load(Acquire)
    }

    /// True for one caller: who sets the timer that writes off what a shutdown can't stop. Twice as many looks would
    /// write off in half the time what the first one has set free to end by itself.
    pub fn claim_write_off(&self) -> bool {
        !self.write_off_claimed.swap(true, AcqRel)
    }

    /// Everything below is given up: each task's future is dropped at its next turn, whatever the region's
    /// policy; janitors close what is left. For an engine that cannot go on.
    pub fn abandon(self: &Arc<Region>) {
        self.give_orders(control::ABANDON, |_, inner, _| inner.orders.abandon = true)
    }

    /// Changes what every region below has its members do, and has them do it. `order` gets the request of the
    /// region above.
    fn give_orders(self: &Arc<Region>, body: u32, order: impl Fn(&Region, &mut Inner, &Option<Asked>)) {
        let mut todo: Vec<(Arc<Region>, Option<Asked>)> = Vec::from([(self.clone(), None)]);
        while let Some((region, above)) = todo.pop() {
            let mut inner = region.inner.lock();
            let first = core::ptr::eq(&*region, &**self);
            // It may have closed on its own since it was listed.
            if region.phase() == trace::RegionPhase::Closed {
                continue;
            }
            if !first && body & control::PIERCED != 0 && region.is_held(&inner) {
                continue;
            }
            order(&region, &mut inner, &above);
            let asked = inner.slot.request().map(|request| (request.clone(), inner.slot.deadline()));
            todo.extend(inner.children.values().map(|child| (child.clone(), asked.clone())));
            region.untell(&inner);
            drop(inner);
            // Of the task that a frame or branch is in, only the masks inside are pierced (`is_overdue`).
            let inside = if region.kind == RegionKind::Root { body } else { body & !control::PIERCED };
            region.rouse_body(inside);
            region.visit_members();
        }
    }

    /// Brings every member up to date with what was asked of the region, and wakes those that did not know.
    /// What that is, is read anew under each lock: walks that overlap take members from one list, and whoever
    /// meets a member tells it everything.
    fn visit_members(&self) {
        loop {
            let mut roused = Roused::default();
            let mut seen = 0;
            let inner = self.inner.lock();
            while seen < BATCH {
                let Some(member) = self.visit_next(&inner) else { break };
                seen += 1;
                if self.bring_up_to_date(&inner, &member) {
                    roused.add(member)
                }
            }
            drop(inner);
            roused.go();
            if seen < BATCH {
                return;
            }
        }
    }

    /// Tells a member the region's request and orders. True if any of it was news.
    pub(crate) fn bring_up_to_date(&self, inner: &Inner, member: &Header) -> bool {
        let told = inner.slot.kind().is_some_and(|kind| member.tell(kind as u8));
        if told && self.is_traced() {
            self.emit_task_request(self.member_id(member), &inner.slot);
        }
        let bits = inner.orders.bits_for(member, self.after_grace);
        if bits == 0 {
            return told;
        }
        let before = member.control.fetch_or(bits, AcqRel);
        told || before & bits != bits
    }

    fn member_id(&self, member: &Header) -> TaskId {
        task_id(self.id, member.index.load(Relaxed))
    }
}

/// A request and its cleanup deadline.
type Asked = (Cancelled, Option<Time>);

/// What members are to do beyond a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Orders {
    /// The cleanup deadline has passed.
    pub(crate) pierce: bool,
    /// Everything is given up.
    pub(crate) abandon: bool,
}

impl Orders {
    fn bits_for(self, member: &Header, after_grace: AfterGrace) -> u32 {
        // A janitor has a bound of its own, and is what closes the regions of those that are given up.
        if member.control() & control::JANITOR != 0 {
            return 0;
        }
        let given_up = if self.abandon { control::ABANDON } else { 0 };
        if !self.pierce {
            return given_up;
        }
        let abandon = match after_grace {
            AfterGrace::Abandon => control::ABANDON,
            AfterGrace::Wait => 0,
        };
        control::PIERCED | control::INNER | abandon | given_up
    }
}
