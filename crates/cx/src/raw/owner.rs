//! What a task's end means: its region hears of it, its children are awaited, its extension is freed.
use super::ext::{self, ExtInner};
use super::place::{counted, owner_of, world_of};
use crate::close::{self, janitor};
use crate::port::{Report, World};
use crate::{outcome, unclaimed};
use core::sync::atomic::Ordering::*;
use core::task::{Context, Poll};
use region::{Leaver, Lost, Region, Settlement};
use task::{Header, Owner, Raise, Verdict, Waiter, Whose, control};
use trace::{Escalation, Label};
use types::{CancelKind, Cause, Failure};

/// The kernel's answer to [`Owner`].
#[derive(Debug)]
pub(crate) struct Kernel;

// SAFETY: `ended` makes the region unlink the header, the only uncounted link there is.
unsafe impl Owner for Kernel {
    fn body_ended(task: &Header, verdict: Verdict<'_>) -> bool {
        let owner = owner_of(task);
        let id = region::task_id(owner.id(), task.index.load(Relaxed));
        if owner.is_failure(id, verdict)
            && task.control.fetch_or(control::FAILURE, AcqRel) & control::FAILURE == 0
        {
            close::member_failed(&counted(owner), task, id, verdict);
        }
        leave_body(task, verdict)
    }

    fn poll_drain(task: &Header, verdict: Verdict<'_>, context: &mut Context<'_>) -> Poll<Raise> {
        let Some(ext) = ext::of(task) else { return Poll::Ready(Raise::Nothing) };
        let taken = ext.inner.lock().drain.take();
        let mut raise = Raise::Nothing;
        if let Some(mut drain) = taken {
            match drain.as_mut().poll(context) {
                Poll::Pending => {
                    ext.inner.lock().drain = Some(drain);
                    return Poll::Pending;
                }
                Poll::Ready(settlement) => {
                    if let Some(region) = ext.implicit() {
                        raise = raised_by(task, region, verdict, settlement)
                    }
                }
            }
        }
        let escalated = ext.take_escalated();
        let shows = matches!(raise, Raise::Nothing) && !keeps_its_end(task, verdict);
        match escalated {
            Some(c) if shows => raise = Raise::Cancelled(c),
            Some(c) => outcome::hidden(task, verdict, &c),
            None => {}
        }
        if matches!(raise, Raise::Cancelled(_)) && keeps_its_end(task, verdict) {
            raise = Raise::Nothing;
        }
        Poll::Ready(raise)
    }

    fn ended(task: &Header, verdict: Verdict<'_>) -> Option<Waiter> {
        if let Some(key) = ext::of(task).and_then(|ext| ext.inner.lock().stop.take()) {
            drop(world_of(task).timers.take(key))
        }
        if !matches!(verdict, Verdict::Ok) {
            let owner = owner_of(task);
            let id = region::task_id(owner.id(), task.index.load(Relaxed));
            if owner.is_failure(id, verdict) {
                // A child's failure may have raised an outcome that was none when the body returned.
                if task.control.fetch_or(control::FAILURE, AcqRel) & control::FAILURE == 0 {
                    close::member_failed(&counted(owner), task, id, verdict);
                }
                close::isolate(owner, task)
            }
        }
        if task.control() & control::TRACE != 0 {
            ext::end(task)
        }
        // SAFETY: the cell calls this once, for a member that `admit` linked.
        unsafe { Region::member_ended(task, verdict) }
    }

    fn abandoned(task: &Header) {
        if task.control() & control::TRACE != 0 {
            owner_of(task).emit(None, || Label::TaskAbandon { task: crate::scope::task_id(task) })
        }
    }

    fn outdone(task: &Header, failure: Failure) {
        let lost = Lost {
            task: crate::scope::task_id(task),
            spawned_at: task.spawned_at,
            loss: task::Loss::Failed(failure),
            of: Leaver::Task,
        };
        close::report_lost(&lost, close::enclosing(task), task);
        unclaimed::end(world_of(task), lost)
    }

    fn discard(task: &Header, whose: Whose, drop: &mut dyn FnMut()) {
        unclaimed::discard(task, whose, drop)
    }

    fn release(task: &Header) {
        ext::release(task)
    }
}

/// The body is over: dropped frames get their janitors, and the task's own region begins to close. True if
/// something is left to wait for.
fn leave_body(task: &Header, verdict: Verdict<'_>) -> bool {
    let Some(ext) = ext::of(task) else { return false };
    // Nothing of the body waits any more, and a waker of others may own one of this task's: a circle.
    let mut inner = ext.inner.lock();
    let foreign = inner.foreign.take();
    // Frames and branches still open when the body ends count as dropped.
    let opened = core::mem::take(&mut inner.opened);
    let mut escalated = inner.has_escalated();
    drop(inner);
    foreign.unwoken().settle(|call| contain(world_of(task), call));
    for region in opened {
        janitor(task, &region);
        escalated |= ext.inner.lock().has_escalated();
    }
    if let Some(implicit) = ext.implicit() {
        if !matches!(verdict, Verdict::Ok) {
            close::body_failed(&counted(implicit), task, verdict);
        }
        if let Some(drain) = close::begin(implicit, close::end_of(verdict), task) {
            ext.inner.lock().drain = Some(drain);
            return true;
        }
    }
    escalated
}

/// Whether the body's end is the task's outcome, unless a child panicked: a panic is, and a cancellation is that is no
/// consequence of what the task's children did.
fn keeps_its_end(task: &Header, verdict: Verdict<'_>) -> bool {
    match verdict {
        Verdict::Ok | Verdict::Err => false,
        Verdict::Cancelled(c) => {
            let implicit = ext::of(task).and_then(ext::Ext::implicit);
            implicit.is_none_or(|region| !region.is_own(c.origin().scope))
        }
        Verdict::Panicked => true,
    }
}

/// What the close of a task's children does to its outcome: as `try_region` would.
fn raised_by(task: &Header, region: &Region, verdict: Verdict<'_>, mut settlement: Settlement) -> Raise {
    let note = settlement.note();
    if let Some(lost) = settlement.worst()
        && keeps_its_end(task, verdict)
        && (matches!(verdict, Verdict::Panicked) || settlement.panic.is_none())
    {
        close::report_lost(lost, region, task)
    }
    let (panic, failure) =
        (settlement.take_panic(), settlement.failure.as_ref().map(|l| (l.task, l.spawned_at)));
    unclaimed::ends(world_of(task), &mut settlement);
    if let Some(p) = panic {
        region.emit_escalation(Escalation::Panic);
        return Raise::Panicked(p);
    }
    if let Some((failed, spawned_at)) = failure {
        region.emit_escalation(Escalation::ChildFailed);
        let mut c = region
            .next_request(CancelKind::ChildFailed)
            .why(alloc::format!("its child {failed} failed and nobody joined it"))
            .at(spawned_at)
            .by(failed)
            .when(world_of(task).clock.now());
        if let Some(note) = note {
            c = c.because(Cause::Failed(note));
        }
        return Raise::Cancelled(c.build());
    }
    match settlement.visible {
        Some(c) => {
            region.emit_escalation(Escalation::Visible);
            Raise::Cancelled(c)
        }
        None => Raise::Nothing,
    }
}

/// The root body's answer: it is no member of the root region but its body, and what the region lost is its
/// own loss.
#[derive(Debug)]
pub(crate) struct RootBody;

// SAFETY: the root's header is linked nowhere.
unsafe impl Owner for RootBody {
    fn body_ended(task: &Header, verdict: Verdict<'_>) -> bool {
        leave_body(task, verdict)
    }
    fn poll_drain(task: &Header, verdict: Verdict<'_>, context: &mut Context<'_>) -> Poll<Raise> {
        Kernel::poll_drain(task, verdict, context)
    }
    fn ended(_: &Header, _: Verdict<'_>) -> Option<Waiter> {
        None
    }
    fn outdone(task: &Header, failure: Failure) {
        Kernel::outdone(task, failure)
    }

    fn discard(task: &Header, whose: Whose, drop: &mut dyn FnMut()) {
        unclaimed::discard(task, whose, drop)
    }

    fn release(task: &Header) {
        ext::release(task)
    }
}

/// Wakes the foreign wakers of a task (see `EngineHead::wake_foreign`).
pub fn wake_foreign(task: &Header) {
    let Some(ext) = ext::of(task) else { return };
    let wakers = ext.inner.lock().foreign.take();
    wakers.settle(|call| contain(world_of(task), call))
}

/// Runs what wakes or drops somebody else's waker. Its panic is its own affair: whoever calls has others to look after.
pub(crate) fn contain(world: &World, call: &mut dyn FnMut()) {
    if let Err(payload) = (world.unwinding.catch)(call) {
        world.report(Report::WakerPanicked);
        unclaimed::forget(world.unwinding, payload)
    }
}

impl core::fmt::Debug for ExtInner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ExtInner").field("opened", &self.opened.len()).finish_non_exhaustive()
    }
}
