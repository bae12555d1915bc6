//! What becomes of a region's losses beside the end of its body (`region.outcome`, `region.escalation`): one of the two
//! is what the awaiting scope sees, and what it doesn't see is reported.
//!
//! Invariant `outcome.told`: a failure (an error, a panic, a cancellation that nobody asked for) leaves here as a result,
//! as an escalation, or as a report; what is dropped here can't unwind into whoever goes on (`task.unclaimed`).
//!
//! Not here: what members lost (`close`), a task's own outcome (`raw/owner`).
use crate::close::{self, Failed};
use crate::port::PanicPayload;
use crate::raw::place::{Place, world_of};
use crate::scope::{escalate_to, leave_visible, task_id};
use crate::unclaimed;
use core::fmt::Debug;
use region::{Leaver, Lost, Region, Settlement};
use task::{Header, Loss, TaskRef, Verdict};
use trace::Escalation;
use types::{CancelKind, Cancelled, Cause, FailureNote, Res, Stop};

/// What a plain region hands to the scope that awaited it, beside its body's value.
pub(crate) fn escalate<T>(
    value: T,
    mut settlement: Settlement,
    region: &Region,
    place: Place<'_>,
    task: &TaskRef,
    resume: fn(PanicPayload) -> !,
) -> T {
    let note = settlement.note();
    let (panic, failed) = (settlement.take_panic(), settlement.failure.as_ref().map(|lost| lost.task));
    // Before anything unwinds through here.
    unclaimed::ends(world_of(task), &mut settlement);
    if let Some(panic) = panic {
        region.emit_escalation(Escalation::Panic);
        discard(value, task);
        resume(panic.into_payload())
    }
    if let (Some(failed), Some(note)) = (failed, note) {
        region.emit_escalation(Escalation::ChildFailed);
        escalate_to(place, task, region.next_request(CancelKind::ChildFailed), note, Some(failed));
    } else if let Some(c) = settlement.visible {
        leave_visible(place, c)
    }
    value
}

/// The body's own end is worse than what its members lost, which is reported instead.
pub(crate) fn outdone(region: &Region, mut settlement: Settlement, task: &TaskRef) {
    if settlement.panic.is_some() || settlement.failure.is_some() {
        region.emit_escalation(Escalation::Returned);
    }
    // Beside a panic the failure was told when the region closed.
    if let Some(lost) = settlement.worst() {
        close::report_lost(lost, region, task);
    }
    unclaimed::ends(world_of(task), &mut settlement)
}

/// The result of a `try_region` from its body's and its members'.
pub(crate) fn combine<T, E: Debug + 'static>(
    result: Res<T, E>,
    mut settlement: Settlement,
    region: &Region,
    task: &TaskRef,
    resume: fn(PanicPayload) -> !,
) -> Res<T, E> {
    if types::seeded!("region.failure-swallowed") {
        return result;
    }
    let world = world_of(task);
    let note = settlement.note();
    if let Some(panic) = settlement.take_panic() {
        unclaimed::ends(world, &mut settlement);
        region.emit_escalation(Escalation::Panic);
        if !types::seeded!("region.body-error-untold") {
            report_body(&result, region, task);
        }
        discard(result, task);
        resume(panic.into_payload())
    }
    let consequential = match &result {
        Ok(_) => true,
        Err(Stop::Cancelled(c)) => region.is_own(c.origin().scope),
        Err(Stop::Err(_)) => false,
    };
    if !consequential {
        outdone(region, settlement, task);
        return result;
    }
    if let Some(lost) = settlement.failure {
        region.emit_escalation(Escalation::Returned);
        // A value, or a cancellation that follows from the failure.
        discard(result, task);
        let Lost { task: by, spawned_at, loss, of } = lost;
        let loss = match loss {
            Loss::Failed(failure) => match failure.downcast::<E>() {
                Ok(error) => return Err(Stop::Err(error)),
                Err(failure) => Loss::Failed(failure),
            },
            other => other,
        };
        unclaimed::end(world, Lost { task: by, spawned_at, loss, of });
        let mut c =
            region.next_request(CancelKind::ChildFailed).why("a child failed and nobody joined it").by(by);
        if let Some(note) = note {
            c = c.because(Cause::Failed(note));
        }
        return Err(Stop::Cancelled(c.build()));
    }
    match (result, settlement.visible.or(settlement.own)) {
        (Ok(_), Some(c)) => Err(Stop::Cancelled(c)),
        (result, _) => result,
    }
}

/// A failure that escalated to a task whose outcome shows another one.
pub(crate) fn hidden(task: &Header, verdict: Verdict<'_>, c: &Cancelled) {
    let is_shown = matches!(verdict, Verdict::Cancelled(shown) if shown.same_request(c));
    let (CancelKind::ChildFailed, Some(Cause::Failed(note))) = (c.kind(), c.cause()) else { return };
    if is_shown {
        return;
    }
    let failed = Failed {
        task: c.by().unwrap_or(task_id(task)),
        spawned_at: c.location().unwrap_or(task.spawned_at),
        of: Leaver::Task,
    };
    close::untold(world_of(task), close::enclosing(task), failed, note.clone())
}

/// The failure that a body returned and that its caller does not see, since a member's panic goes on instead.
fn report_body<T, E: Debug>(result: &Res<T, E>, region: &Region, task: &TaskRef) {
    let world = world_of(task);
    let failure = match result {
        Ok(_) => return,
        Err(Stop::Err(error)) => close::words(world, || FailureNote::of(error)),
        Err(Stop::Cancelled(c)) if region.is_failure(task_id(task), Verdict::Cancelled(c)) => {
            FailureNote::of(&format_args!("{c}"))
        }
        Err(Stop::Cancelled(_)) => return,
    };
    let failed = Failed { task: task_id(task), spawned_at: task.spawned_at, of: Leaver::Task };
    close::untold(world, region, failed, failure)
}

/// Drops what nobody will see.
fn discard<T>(value: T, task: &Header) {
    let mut value = Some(value);
    unclaimed::within(world_of(task), Some(task_id(task)), task.spawned_at, &mut || drop(value.take()))
}
