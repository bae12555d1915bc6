//! What engines do when one of the kernel's own timers is due: enforce a cleanup deadline, report a slow
//! drain, write off what a shutdown could not stop.
use crate::close;
use crate::port::{Due, Report, What, World};
use crate::raw::ext;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::AcqRel;
use region::{Region, RegionView};
use task::{TaskRef, Waiter, control};
use trace::{RegionKind, RegionPhase};
use types::{CancelKind, Cancelled, TaskId, Time};

impl World {
    /// Serves a timer that is due. Called by engines, on any of their threads, with no lock held.
    pub fn serve(&self, due: Due) {
        match due.into_what() {
            What::Wake(waiter) if waiter.is_task() => waiter.wake(),
            What::Wake(waiter) => {
                let mut waiter = Some(waiter);
                crate::raw::owner::contain(self, &mut || {
                    // What the waiter has caught goes on to where it is told.
                    if let Some(Err(payload)) = waiter.take().map(Waiter::try_wake) {
                        (self.unwinding.resume)(payload)
                    }
                })
            }
            What::Cleanup(region) => {
                if let Some(region) = region.upgrade() {
                    self.cleanup(&region)
                }
            }
            What::Stop(task) => self.stop(&task),
            What::Report(region) => {
                if let Some(region) = region.upgrade() {
                    self.slow_drain(&region)
                }
            }
        }
    }

    fn cleanup(&self, region: &Arc<Region>) {
        let (Some(deadline), Some(request)) = (region.cleanup_deadline(), region.request_now()) else {
            return;
        };
        if region.phase() == RegionPhase::Closed {
            return;
        }
        let now = self.clock.now();
        if now < deadline {
            // Armed for an earlier request's deadline than the one that holds.
            self.timers.set(deadline, Due::cleanup(region));
            return;
        }
        let last = deadline.saturating_add(cancel::FINALIZER_GRACE);
        let is_shutdown =
            |c: &Cancelled| region.kind() == RegionKind::Root && c.kind() == CancelKind::Shutdown;
        let shutdown = is_shutdown(&request);
        if shutdown && now >= last {
            // Whoever is still there a little later was held up by what is written off now, or is next.
            self.timers.set(now.saturating_add(cancel::FINALIZER_GRACE), Due::cleanup(region));
            let tell = |task: &region::MemberView| self.written_off.lock().push(task.clone());
            let gone = region.write_off(&crate::name::of, &tell);
            for orphan in &gone.orphans {
                close::adopt(orphan)
            }
            if !gone.tasks.is_empty() {
                self.report(Report::WrittenOff { tasks: gone.tasks });
            }
            return;
        }
        // Once for each region, and not where one around has done it: each nearer deadline had a timer of its own.
        let first = region.claim_overdue();
        // Before everybody is woken: afterwards nobody waits for anything.
        let (at, around) = region.waits_at();
        let left = Box::new(at.view_named(&crate::name::of));
        let over = is_empty(&left);
        // Before others see that it is overdue, and take it on themselves to set that timer.
        let claimed = shutdown && region.claim_write_off();
        if first || !region.is_overdue() {
            region.escalate();
        }
        // A shutdown that was asked for just now may not have seen it.
        let shutdown = shutdown || region.request_now().is_some_and(|now| is_shutdown(&now));
        if claimed || (shutdown && region.claim_write_off()) {
            self.timers.set(last, Due::cleanup(region));
        } else if first && !shutdown {
            // What was abandoned is gone by then; what can't be (a closure that blocks, a task stuck in a poll) is not.
            self.timers.set(now.saturating_add(cancel::REPORT_EVERY), Due::report(region));
        }
        // A region that is about to close by itself is no news.
        if first && !over {
            self.report(Report::CleanupOverdue { request, left, around, at: now });
        }
    }

    /// As `cleanup`, for a request that was made on one task alone (`cancel.bounded`).
    fn stop(&self, task: &TaskRef) {
        if task.word.is_complete() {
            return;
        }
        // What was asked of a task alone has that task as its origin.
        let asked = |ext: &ext::Ext| ext.inner.lock().slot.request().map(|c| c.origin().scope);
        let Some(id) = ext::of(task).and_then(asked).map(TaskId::from_u64) else { return };
        let abandon = if task.control() & control::ABANDONABLE != 0 { control::ABANDON } else { 0 };
        let before = task.control.fetch_or(control::PIERCED | control::INNER | abandon, AcqRel);
        for region in ext::regions(task) {
            region.escalate();
        }
        if before & control::FOREIGN != 0 {
            crate::wake_foreign(task)
        }
        task.wake_by_ref();
        self.report(Report::TaskOverdue { task: id, spawned_at: task.spawned_at });
    }

    /// Reports who is left in a region that drains (`region.slow-drain`), or that has not ended by its cleanup deadline
    /// (`cancel.bounded`), and looks again later.
    fn slow_drain(&self, region: &Arc<Region>) {
        let phase = region.phase();
        if phase == RegionPhase::Closed {
            return;
        }
        // Asked to end since it began to drain: who is late then is told by its deadline, and later by looks of that.
        let asked = region.cleanup_deadline().filter(|deadline| *deadline < Time::MAX);
        if let Some(deadline) = asked
            && self.clock.now() < deadline.saturating_add(cancel::REPORT_EVERY)
        {
            return;
        }
        if asked.is_some() && region.is_told_around() {
            return;
        }
        let told_elsewhere = asked.is_none() && (region.drains_within() || region.waits_for_overdue());
        // One that was asked to end may be kept from it by what its body awaits.
        if (phase != RegionPhase::Open || asked.is_some()) && !told_elsewhere {
            let (at, around) = region.waits_at();
            let left = Box::new(at.view_named(&crate::name::of));
            if phase != RegionPhase::Open || !is_empty(&left) {
                self.report(Report::SlowDrain { left, around, at: self.clock.now() });
            }
        }
        let at = self.clock.now().saturating_add(cancel::REPORT_EVERY);
        self.timers.set(at, Due::report(region));
    }
}

/// Whether nobody is left but the body.
fn is_empty(left: &RegionView) -> bool {
    left.members.is_empty() && left.children.is_empty() && left.obligations.is_empty()
}
