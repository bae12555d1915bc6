//! Closing a region: drain, finalizers, settling; and the requests that failures make.
//!
//! One async function does it for everybody: a frame awaits it, a task's epilogue polls it, a janitor task
//! runs it for a region whose frame is gone. It has no context of its own and cannot be cancelled.
use crate::alarm::Alarm;
use crate::finalizer::{self, FinalizerFn, Finalizing};
use crate::port::{Due, Report, WaitOn, World};
use crate::raw::ext;
use crate::raw::place::{counted, owner_of, world_of};
use crate::raw::start::{self, Start};
use crate::{Cx, NoSpawn, unclaimed};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;
use region::{Drained, Leaver, Lost, Region, Settlement, Via};
use task::{Header, TaskRef, Verdict, control};
use trace::{End, FinalizerEnd, FinalizerId, Label, RegionKind, RegionPhase};
use types::{CancelKind, Cancelled, Cause, FailureNote, Policy, Res, Severity, TaskId, Time};

/// Places a request on a region, with its cleanup deadline, and arms what enforces it (`cancel.bounded`).
pub(crate) fn request(region: &Arc<Region>, world: &World, request: &Cancelled, grace: Option<Duration>) {
    let now = world.clock.now();
    let deadline = cancel::cleanup_deadline(now, grace, region.grace(), world.grace);
    let before = region.cleanup_deadline();
    region.request(request, Some(deadline));
    let nearer = before.is_none_or(|b| deadline < b) && deadline < Time::MAX;
    if nearer && !types::seeded!("cancel.deadline-unarmed") {
        world.timers.set(deadline, Due::cleanup(region));
    }
    let shutdown = region.kind() == RegionKind::Root && request.kind() == CancelKind::Shutdown;
    if shutdown && region.is_overdue() && region.claim_write_off() {
        // The deadline that holds, the earliest, passed for a request that writes nothing off: nobody else looks again.
        world.timers.set(now.saturating_add(cancel::FINALIZER_GRACE), Due::cleanup(region));
    }
}

/// Places on a new region what is effective where it was opened. The deadline that comes with it is armed unless the
/// region around has one as near, whose timer reaches down here: what was asked of a scope inside the task armed the
/// regions that were there then.
pub(crate) fn inherit(region: &Arc<Region>, world: &World, request: &Cancelled, deadline: Option<Time>) {
    region.request(request, deadline);
    let Some(deadline) = deadline.filter(|deadline| *deadline < Time::MAX) else { return };
    let around = region.parent().and_then(|parent| parent.cleanup_deadline());
    if around.is_none_or(|around| deadline < around) {
        world.timers.set(deadline, Due::cleanup(region));
    }
}

/// A member's body has failed: under `FailFast` its siblings and the region's body are cancelled.
pub(crate) fn member_failed(region: &Arc<Region>, task: &Header, id: TaskId, verdict: Verdict<'_>) {
    if region.policy() != Policy::FailFast || types::seeded!("region.no-fail-fast") {
        return;
    }
    let world = world_of(task);
    let (what, cause) = match verdict {
        Verdict::Panicked => ("panicked", Cause::Panicked(alloc::format!("{id} panicked"))),
        Verdict::Cancelled(c) => ("was cancelled from inside", Cause::Cancelled(c.clone())),
        _ => ("failed", Cause::Failed(FailureNote::of(&format_args!("{id} returned an error")))),
    };
    let c = region
        .next_request(CancelKind::SiblingFailed)
        .why(alloc::format!("its sibling {id} {what}"))
        .at(task.spawned_at)
        .by(id)
        .when(world.clock.now())
        .because(cause)
        .build();
    request(region, world, &c, None)
}

/// An isolating region hears of a member's failure. What its `on_failure` panics with is reported and goes no
/// further: the task that failed is over, and nobody else is concerned.
pub(crate) fn isolate(region: &Region, task: &Header) {
    let Some(mut isolated) = region.isolate(task) else { return };
    let world = world_of(task);
    if let Err(payload) = (world.unwinding.catch)(&mut || region.tell_isolated(&isolated)) {
        world.report(Report::OnFailurePanicked { region: region.id(), opened_at: region.opened_at() });
        unclaimed::forget(world.unwinding, payload)
    }
    let (task, spawned_at) = (isolated.task, isolated.spawned_at);
    unclaimed::within(world, Some(task), spawned_at, &mut || drop(isolated.loss.take()))
}

/// The body of a region ended in something other than `Ok`: its children are cancelled.
pub(crate) fn body_failed(region: &Arc<Region>, task: &Header, verdict: Verdict<'_>) {
    let (why, cause) = match verdict {
        Verdict::Ok => return,
        Verdict::Err => ("the body that started it failed", None),
        Verdict::Cancelled(c) => {
            ("the body that started it was cancelled", Some(Cause::Cancelled(c.clone())))
        }
        Verdict::Panicked => ("the body that started it panicked", None),
    };
    region.end_body(end_of(verdict));
    if types::seeded!("region.body-failure-ignored") {
        return;
    }
    cancel_children(region, task, CancelKind::BodyFailed, why, cause)
}

pub(crate) fn cancel_children(
    region: &Arc<Region>,
    task: &Header,
    kind: CancelKind,
    why: &'static str,
    cause: Option<Cause>,
) {
    let world = world_of(task);
    let mut c = region.next_request(kind).why(why).at(region.opened_at()).when(world.clock.now());
    if let Some(cause) = cause {
        c = c.because(cause);
    }
    request(region, world, &c.build(), None)
}

/// What becomes of the losses that are neither a region's first panic nor its first failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// No outcome shows them: they are reported and dropped.
    Reported,
    /// They are handed to the caller.
    HandedOver,
}

/// Closes a region whose body is over, and says what was lost in it. Whoever awaits the region learns of the worst and
/// earliest failure; nothing is swallowed (`region.outcome`).
pub(crate) async fn close(region: &Arc<Region>, by: &TaskRef, rest: Rest) -> Settlement {
    let world = world_of(by);
    if let Some(severity) = drain(region, world, by).await {
        return Settlement { severity, ..Settlement::default() };
    }
    finalize(region, world, by).await;
    let leaked = settle(region, world).await;
    let mut settlement = region.settle_members();
    settlement.leaked = leaked;
    if rest == Rest::Reported {
        let failure = settlement.failure.iter().filter(|_| settlement.panic.is_some());
        for lost in failure.chain(&settlement.others).filter(|lost| !lost.was_asked_for(region)) {
            report_lost(lost, region, by);
        }
        for lost in core::mem::take(&mut settlement.others) {
            unclaimed::end(world, lost)
        }
    }
    if !settlement.leaked.is_empty() {
        world.report(Report::Leak {
            region: region.id(),
            opened_at: region.opened_at(),
            leaked: settlement.leaked.clone(),
        });
    }
    settlement.note = settlement.worst().map(|lost| note_of(world, lost));
    region.close(settlement.severity);
    settlement
}

/// A member's end that the region's outcome does not show (`region.outcome`).
pub(crate) fn report_lost(lost: &Lost, region: &Region, task: &Header) {
    let world = world_of(task);
    untold(
        world,
        region,
        Failed { task: lost.task, spawned_at: lost.spawned_at, of: lost.of },
        note_of(world, lost),
    )
}

/// Whose failure it is.
pub(crate) struct Failed {
    pub(crate) task: TaskId,
    pub(crate) spawned_at: &'static Location<'static>,
    pub(crate) of: Leaver,
}

/// Reports a failure that no outcome shows, of somebody in `region` or of its body.
pub(crate) fn untold(world: &World, region: &Region, failed: Failed, failure: FailureNote) {
    let Failed { task, spawned_at, of } = failed;
    let (region, opened_at) = (region.id(), region.opened_at());
    world.report(Report::Lost { task, spawned_at, of, failure, region, opened_at })
}

/// A loss in words. The error's `Debug` is user code: what it panics with must not stop a close.
fn note_of(world: &World, lost: &Lost) -> FailureNote {
    words(world, || lost.note())
}

/// A failure in words, which user code finds.
pub(crate) fn words(world: &World, note_of: impl FnOnce() -> FailureNote) -> FailureNote {
    let (mut note, mut note_of) = (None, Some(note_of));
    let rendered = (world.unwinding.catch)(&mut || note = note_of.take().map(|note_of| note_of()));
    match (rendered, note) {
        (Ok(()), Some(note)) => note,
        _ => FailureNote::of(&format_args!("an error whose `Debug` panicked")),
    }
}

/// The close of a region that no frame awaits, polled by whoever owns it.
pub(crate) type Drain = Pin<Box<dyn Future<Output = Settlement> + Send>>;

/// Ends the body of such a region, and closes it. What is left to be polled, if anything is: otherwise nothing was lost.
pub(crate) fn begin(region: &Region, end: End, by: &Header) -> Option<Drain> {
    region.end_body(end);
    // A body that panicked is torn down in a poll of its own: one more step, which replays count.
    if end != End::Panicked && !pauses(world_of(by), region) && region.close_if_done().is_some() {
        return None;
    }
    let (region, by) = (counted(region), by.counted());
    Some(Box::pin(async move { close(&region, &by, Rest::Reported).await }))
}

/// A verdict as the trace says it.
pub(crate) fn end_of(verdict: Verdict<'_>) -> End {
    match verdict {
        Verdict::Ok => End::Ok,
        Verdict::Err => End::Err,
        Verdict::Cancelled(c) => End::from(c),
        Verdict::Panicked => End::Panicked,
    }
}

/// Whether who waits for a region that everybody has left does so all the same: the steps of a task are the same then, whoever
/// came first.
fn pauses(world: &World, region: &Region) -> bool {
    world.pauses && region.was_left()
}

/// Waits until nobody is left. With how severe its end was, if the region is closed then.
async fn drain(region: &Arc<Region>, world: &World, by: &TaskRef) -> Option<Severity> {
    let (mut armed, mut begun) = (false, false);
    poll_fn(|context| {
        if !core::mem::replace(&mut begun, true) && pauses(world, region) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            match region.poll_drained(context.waker()) {
                Poll::Ready(Drained::Empty) => return Poll::Ready(None),
                Poll::Ready(Drained::Closed(severity)) => return Poll::Ready(Some(severity)),
                Poll::Ready(Drained::OnlyDaemons) => {
                    cancel_children(region, by, CancelKind::Explicit, "only daemons are left", None)
                }
                Poll::Pending => {
                    if by.control() & control::TRACE != 0 {
                        crate::hold::note_wait(by, context, WaitOn::Region(region.id()))
                    }
                    let unasked = world.reports_slow_drains && region.request_now().is_none();
                    if !armed && unasked && !types::seeded!("region.slow-drain-untold") {
                        armed = true;
                        let at = world.clock.now().saturating_add(cancel::FIRST_REPORT);
                        world.timers.set(at, Due::report(region));
                    }
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}

/// Runs the finalizers, last in first out, each masked. One in a region that was asked to end has the cleanup deadline as its
/// bound, and at least [`cancel::FINALIZER_GRACE`] from its start; one in a region that nobody asked takes the time it needs.
async fn finalize(region: &Arc<Region>, world: &World, by: &TaskRef) {
    while let Some(finalizer) = region.next_finalizer() {
        let number = region.finalizer_id(finalizer.number);
        region.emit(None, || Label::FinalizerRun { region: region.id(), finalizer: number });
        let Ok(run) = finalizer.run.downcast::<FinalizerFn>() else { continue };
        let at_least = world.clock.now().saturating_add(cancel::FINALIZER_GRACE);
        // A request that comes while it runs wakes the task that closes the region.
        let bound = || region.cleanup_deadline().map(|deadline| deadline.max(at_least));
        let mut ended = Ended { region, world, at: finalizer.at, number, end: FinalizerEnd::Dropped };
        let of = Arc::new(Finalizing { region: region.clone(), registered_at: finalizer.at });
        let (end, panic) = finalizer::run(by, world, bound, of, *run).await;
        ended.end = end;
        if let Some(panic) = panic {
            region.finalizer_panicked(Lost {
                task: region.body_task().unwrap_or(TaskId::from_u64(region.id().as_u64())),
                spawned_at: finalizer.at,
                loss: task::Loss::Panicked(panic),
                of: Leaver::Finalizer,
            });
        }
    }
    if region.phase() != RegionPhase::Finalizing {
        return;
    }
    // A closure that a finalizer has begun still runs, though the finalizer was ended (`blocking.owned`).
    poll_fn(|context| {
        let over = region.poll_finalized(context.waker());
        if over.is_pending() && by.control() & control::TRACE != 0 {
            crate::hold::note_wait(by, context, WaitOn::Region(region.id()))
        }
        over
    })
    .await
}

/// A finalizer that runs. Dropped when it has ended, or with the frame that awaits its region.
struct Ended<'a> {
    region: &'a Region,
    world: &'a World,
    at: &'static Location<'static>,
    number: FinalizerId,
    end: FinalizerEnd,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let (region, finalizer, end) = (self.region.id(), self.number, self.end);
        if end != FinalizerEnd::Ok {
            self.world.report(Report::FinalizerFailed { region, registered_at: self.at, end });
        }
        self.region.emit(None, || Label::FinalizerEnd { region, finalizer, end });
    }
}

/// Waits until no obligation is outstanding; at the cleanup deadline the rest is leaked.
async fn settle(region: &Arc<Region>, world: &World) -> Vec<obligation::Note> {
    if region.begin_settling() {
        return Vec::new();
    }
    let bound =
        region.cleanup_deadline().unwrap_or_else(|| world.clock.now().saturating_add(cancel::SETTLE_GRACE));
    let mut timer = Alarm::new(bound);
    let leak = poll_fn(|context| {
        if region.poll_settled(context.waker()).is_ready() {
            return Poll::Ready(false);
        }
        timer.poll_bound(world, context).map(|()| true)
    })
    .await;
    timer.disarm_in(world);
    let leaked = if leak { region.leak() } else { Vec::new() };
    // A commit that won against the leak is still on its way to zero.
    poll_fn(|context| region.poll_settled(context.waker())).await;
    leaked
}

/// A region's frame is gone before its body ended: its children are cancelled, and a janitor task closes it, in the
/// task's own region if nothing nearer is around it: the task isn't finished before they are (`region.frame`).
pub(crate) fn janitor(task: &Header, region: &Arc<Region>) {
    region.drop_body();
    if !types::seeded!("region.frame-drop-ignored") {
        cancel_children(region, task, CancelKind::BodyDropped, "the frame of its region was dropped", None);
    }
    let Some(parent) = region.parent() else { return };
    let of_the_owner = core::ptr::eq(&**parent, owner_of(task)) && task.control() & control::ROOT == 0;
    if of_the_owner && !types::seeded!("region.janitor-of-the-owner") && region.phase() != RegionPhase::Closed
    {
        return adopt_in(region, &counted(crate::scope::implicit_region(task)));
    }
    adopt_in(region, parent)
}

/// Starts the janitor of a region that has no body any more, in the region that waits for it.
pub(crate) fn adopt(region: &Arc<Region>) {
    if let Some(parent) = region.parent() {
        adopt_in(region, parent)
    }
}

fn adopt_in(region: &Arc<Region>, enclosing: &Arc<Region>) {
    if region.phase() == RegionPhase::Closed {
        return;
    }
    let start =
        Start { at: region.opened_at(), via: Via::LiveTask, daemon: false, control: control::JANITOR };
    let left = region.clone();
    let body = async move |cx: &mut Cx<NoSpawn>| {
        let by = cx.header().counted();
        let mut settlement = close(&left, &by, Rest::Reported).await;
        // What it was is said in the note.
        unclaimed::ends(cx.world(), &mut settlement);
        match settlement.note() {
            Some(note) => Err(types::Stop::Err(note)),
            None => Ok(()),
        }
    };
    // A region that waits for this one is Open or Draining, and admits it.
    let spawned = start::task::<Res<(), FailureNote>, _, NoSpawn>(enclosing, start, |_| {}, body);
    debug_assert!(spawned.is_ok(), "a region was left to one that does not wait for it");
}

/// The task's region, for a body that has none yet, or the owner while the task closes.
pub(crate) fn enclosing(task: &Header) -> &Region {
    ext::of(task).and_then(ext::Ext::implicit).unwrap_or_else(|| owner_of(task))
}
