//! Branches of a combinator: scopes with a cancel state of their own, whose bodies borrow the combinator's
//! locals. For authors of combinators; everybody else uses those (`combinator`).
//!
//! ```text
//! Combinator::open ──▶ branch() ──▶ body(..) polled ──▶ body over ──▶ poll_drain ──▶ close
//!                                   request(..) any time between polls, then poll again
//! ```
//! Rules: `race.drained`, `cancel.masked` and `cancel.bounded` for the phases of a bracket.
//!
//! Not here: which branch wins (`combinator`), what request is effective where (`scope`).
use crate::alarm::Alarm;
use crate::close::{self, Drain};
use crate::frame::caught;
use crate::port::Report;
use crate::raw::ext;
use crate::raw::place::{Address, Place, counted, owner_of, world_of};
use crate::raw::scope::{Scope, enter};
use crate::scope::{
    cleanup_deadline, deliver_behind, effective, escalate_to, has_members_below, leave_visible,
    request_scope, task_id,
};
use crate::{Cx, Row, unclaimed};
use alloc::borrow::Cow;
use alloc::sync::Arc;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use core::task::{Context, Poll};
use core::time::Duration;
use region::{Lock, Region, Settlement};
use task::{Verdict, control};
use trace::{Escalation, Label, RegionPhase, ScopeEnd, ScopeId, ScopeKind, Site};
use types::{AfterGrace, Budget, CancelKind, Cancelled, FailureNote, Origin, Panic, Time};

/// The frame of a combinator, as the trace knows it: its branches are opened in it, and it closes after every
/// one of them. Keep it in the frame, above the branches.
pub struct Combinator<'p, C> {
    parent: &'p Cx<C>,
    /// Only where steps are traced.
    id: Option<ScopeId>,
}

impl<C> core::fmt::Debug for Combinator<'_, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Combinator").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'p, C: Row> Combinator<'p, C> {
    /// Opens the frame of a combinator in `parent`. One relaxed load where nothing is traced.
    pub fn open(parent: &'p Cx<C>) -> Combinator<'p, C> {
        let header = parent.header();
        if header.control() & control::TRACE == 0 {
            return Combinator { parent, id: None };
        }
        let id = ScopeId(parent.new_scope_id());
        let frame = Combinator { parent, id: Some(id) };
        frame.emit(|| Label::ScopeOpen {
            scope: id,
            parent: ScopeId(parent.scope_id()),
            task: task_id(header),
            kind: ScopeKind::Combinator,
        });
        frame
    }

    /// A branch of this combinator.
    pub fn branch(&self) -> Branch<'p, C> {
        Branch::open(self.parent, ScopeKind::Branch, self.id)
    }

    /// A phase of a bracket: what is spawned in it belongs to the region around. If `masked`, requests on it
    /// and above are hidden until its own bound ([`Branch::poll_bound`]), whatever deadline passes.
    pub fn phase(&self, masked: bool) -> Branch<'p, C> {
        let mut branch = Branch::open(self.parent, ScopeKind::Phase { masked }, self.id);
        branch.scope.immune = masked;
        branch
    }

    /// Says that the race is decided for `winner`, whose body has returned and which is not closed.
    pub fn won(&self, winner: &Branch<'_, C>) {
        if let Some(race) = self.id {
            self.emit(|| Label::RaceWon { race, winner: winner.id() })
        }
    }

    /// Hands a panic that no caller will see to the awaiting scope, as `ChildFailed`: its next checkpoint
    /// returns it, and the task's outcome is at least that.
    pub fn escalate(&self, panic: Panic) {
        let header = self.parent.header();
        // The combinator's own number, or without a trace one that nothing above the task has.
        let scope = self.id.map_or(!task_id(header).as_u64(), |id| id.0);
        escalate_to(
            self.parent.place(),
            header,
            Cancelled::new(CancelKind::ChildFailed, Origin { scope, request: 0 })
                .depth(owner_of(header).depth_inside()),
            FailureNote::of(&format_args!("{panic}")),
            None,
        );
        let mut panic = Some(panic);
        // It is told, and what it panicked with is worth no second panic in whoever goes on.
        unclaimed::within(world_of(header), Some(task_id(header)), header.spawned_at, &mut || {
            drop(panic.take())
        })
    }

    /// Leaves a cancellation that a child of `branch` acknowledged and nobody saw on the awaiting scope
    /// (`cancel.visible`), unless it was asked of the branch itself: that is the combinator's own doing.
    pub fn leave(&self, branch: &Branch<'_, C>, visible: Option<Cancelled>) {
        if let Some(c) = visible
            && c.origin().scope != branch.scope.id
        {
            leave_visible(self.parent.place(), c)
        }
    }

    /// Drops something that may panic; the panic is escalated.
    pub fn drop_caught(&self, mut drop: impl FnMut()) {
        if let Err(payload) = (self.parent.world().unwinding.catch)(&mut drop) {
            self.escalate(Panic::from_payload(payload))
        }
    }

    /// Goes on with a panic that was caught in a branch.
    pub fn resume(&self, panic: Panic) -> ! {
        (self.parent.world().unwinding.resume)(panic.into_payload())
    }

    /// Tells the operator what the result does not say.
    pub fn report(&self, report: Report) {
        self.parent.world().report(report)
    }

    /// A bracket opened at `at` is dropped before its release could run: the release is lost, and reported.
    pub fn release_skipped(&self, at: &'static Location<'static>) {
        self.report(Report::ReleaseSkipped { bracket: at });
        if let Some(scope) = self.id {
            self.emit(|| Label::ReleaseSkipped { scope, site: Site::from(at) })
        }
    }

    /// The frame returns: every branch is closed.
    pub fn close(mut self) {
        self.end(ScopeEnd::Returned)
    }
}

impl<C> Combinator<'_, C> {
    fn emit(&self, label: impl FnOnce() -> Label) {
        let header = self.parent.header();
        owner_of(header).emit(Some(task_id(header)), label)
    }

    fn end(&mut self, end: ScopeEnd) {
        if let Some(scope) = self.id.take() {
            self.emit(|| Label::ScopeClose { scope, end })
        }
    }
}

impl<C> Drop for Combinator<'_, C> {
    fn drop(&mut self) {
        self.end(ScopeEnd::Dropped)
    }
}

/// One branch: a scope of its own below the context it was opened in.
///
/// The combinator keeps the branch in its frame, polls the future of [`Branch::body`], and may
/// [`Branch::request`] its end at any time between polls; it then polls the branch again (`cancel.wakes`).
/// When the body is over it polls [`Branch::poll_drain`] until everything the body spawned in the branch has
/// ended (`race.drained`), and calls [`Branch::close`]. A branch that is dropped before that leaves what it
/// owns to the region around.
pub struct Branch<'p, C> {
    scope: Scope,
    requests: AtomicU32,
    /// The branch's own deadline, or the bound of a release.
    alarm: Lock<Option<Alarm>>,
    started: Time,
    drain: Lock<Option<Drain>>,
    closed: AtomicBool,
    parent: PhantomData<&'p Cx<C>>,
}

impl<C> core::fmt::Debug for Branch<'_, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.scope.fmt(f)
    }
}

impl<'p, C: Row> Branch<'p, C> {
    /// A branch directly below `parent`. `kind` says what for.
    pub fn new(parent: &'p Cx<C>, kind: ScopeKind) -> Branch<'p, C> {
        Branch::open(parent, kind, None)
    }

    fn open(parent: &'p Cx<C>, kind: ScopeKind, within: Option<ScopeId>) -> Branch<'p, C> {
        let id = parent.new_scope_id();
        let scope = Scope::new(parent.task_ptr(), parent.address(), id, Some(kind));
        ext::make(parent.header()).inner.lock().branches += 1;
        let branch = Branch {
            scope,
            requests: AtomicU32::new(0),
            alarm: Lock::new(None),
            started: Time::ZERO,
            drain: Lock::new(None),
            closed: AtomicBool::new(false),
            parent: PhantomData,
        };
        branch.emit(|| Label::ScopeOpen {
            scope: ScopeId(id),
            parent: within.unwrap_or(ScopeId(parent.scope_id())),
            task: task_id(parent.header()),
            kind,
        });
        branch
    }

    /// A limit on what the branch may charge with [`Cx::charge`], and a deadline
    /// ([`Branch::with_deadline`]). The other ceilings are the combinator's to keep.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Branch<'p, C> {
        self.scope.cost.store(budget.cost, Relaxed);
        self.with_deadline(budget.deadline)
    }

    /// Whether the task is being polled for no reason, to see whether a wake was lost: such a poll is not the program's,
    /// and no budget is charged for it.
    pub fn is_nudged(&self) -> bool {
        self.scope.header().control() & control::NUDGED != 0
    }

    /// An instant at which [`Branch::poll_deadline`] is ready.
    #[must_use]
    pub fn with_deadline(self, at: Time) -> Branch<'p, C> {
        if at < Time::MAX {
            *self.alarm.lock() = Some(Alarm::new(at));
        }
        self
    }

    /// Runs `body` in the branch, then awaits everything it spawned there, and closes the branch. Runs one
    /// body, once.
    ///
    /// # Panics
    /// With the body's panic, after its children were cancelled and have ended. If called a second time on
    /// one branch.
    pub async fn run<T>(&self, body: impl AsyncFnOnce(&mut Cx<C>) -> T) -> T {
        let result = self.body(body).await;
        let verdict = if result.is_ok() { Verdict::Ok } else { Verdict::Panicked };
        let visible = poll_fn(|context| self.poll_drain(verdict, context)).await;
        if let Some(c) = visible
            && c.origin().scope != self.scope.id
        {
            leave_visible(self.scope.outer(), c)
        }
        self.close();
        match result {
            Ok(value) => value,
            Err(panic) => (world_of(self.scope.header()).unwinding.resume)(panic.into_payload()),
        }
    }

    /// Runs `body` in the branch and catches its panic. When it is over, [`Branch::poll_drain`] is due.
    ///
    /// # Panics
    /// If called a second time on one branch.
    pub async fn body<T>(&self, body: impl AsyncFnOnce(&mut Cx<C>) -> T) -> Result<T, Panic> {
        assert!(!self.scope.entered.swap(true, AcqRel), "a branch runs one body");
        let address = Address::of_scope(NonNull::from(&self.scope));
        let cx = enter::<C>(address, &self.scope);
        let catch = world_of(self.scope.header()).unwinding.catch;
        caught(async { body(cx).await }, catch).await.map_err(Panic::from_payload)
    }

    /// Whether everything that was spawned in the branch has ended. `verdict` is how the body ended: in
    /// anything but `Ok` its children are cancelled. What they lost and nobody joined moves to the scope
    /// around the combinator.
    ///
    /// Ready with the cancellation that one of them acknowledged and nobody joined, if its request was made
    /// on this branch or above (`cancel.visible`); the combinator says what becomes of it.
    pub fn poll_drain(&self, verdict: Verdict<'_>, context: &mut Context<'_>) -> Poll<Option<Cancelled>> {
        let Some(region) = self.scope.region() else { return Poll::Ready(self.seen()) };
        let header = self.scope.header();
        let taken = self.drain.lock().take();
        let mut drain = match taken {
            Some(drain) => drain,
            None if region.phase() == RegionPhase::Open => {
                close::body_failed(&counted(region), header, verdict);
                match close::begin(region, close::end_of(verdict), header) {
                    Some(drain) => drain,
                    None => return Poll::Ready(self.seen()),
                }
            }
            None => return Poll::Ready(self.seen()),
        };
        match drain.as_mut().poll(context) {
            Poll::Pending => {
                *self.drain.lock() = Some(drain);
                Poll::Pending
            }
            Poll::Ready(settlement) => Poll::Ready(self.settled(settlement)),
        }
    }

    fn settled(&self, mut settlement: Settlement) -> Option<Cancelled> {
        let header = self.scope.header();
        if let (Some(note), Some(region)) = (settlement.note(), self.scope.region()) {
            let worst = settlement.worst().map(|lost| lost.task);
            region.emit_escalation(Escalation::ChildFailed);
            escalate_to(
                self.scope.outer(),
                header,
                region.next_request(CancelKind::ChildFailed),
                note,
                worst,
            );
        }
        unclaimed::ends(world_of(header), &mut settlement);
        if let Some(c) = settlement.visible {
            self.scope.visible.lock().strengthen(&c, None);
        }
        self.seen()
    }

    /// What members acknowledged, also those of regions that the body awaited.
    fn seen(&self) -> Option<Cancelled> {
        self.scope.visible.lock().request().cloned()
    }

    /// Whether anything was spawned in the branch.
    pub fn has_children(&self) -> bool {
        self.scope.region().is_some()
    }

    /// Asks the branch to end. The kind is only ever raised. Call it from the task itself, then poll the
    /// branch again.
    pub fn request(
        &self,
        kind: CancelKind,
        why: impl Into<Cow<'static, str>>,
        at: &'static Location<'static>,
        grace: Option<Duration>,
    ) {
        let header = self.scope.header();
        let world = world_of(header);
        let now = world.clock.now();
        let request = self.requests.fetch_add(1, Relaxed) + 1;
        let c = Cancelled::new(kind, Origin { scope: self.scope.id, request })
            .depth(owner_of(header).depth_inside())
            .why(why)
            .at(at)
            .by(task_id(header))
            .when(now)
            .build();
        let deadline = cancel::cleanup_deadline(now, grace, around(&self.scope).grace(), world.grace);
        request_scope(&self.scope, &c, deadline)
    }

    /// The request on the branch itself, if one was made.
    pub fn requested(&self) -> Option<Cancelled> {
        if self.scope.requested.load(Acquire) == 0 {
            return None;
        }
        self.scope.slot.lock().request().cloned()
    }

    /// Whether the branch's own deadline has passed; sets the timer if it has not. Never, without a deadline.
    pub fn poll_deadline(&self, context: &Context<'_>) -> Poll<()> {
        match &mut *self.alarm.lock() {
            Some(alarm) => alarm.poll_in(world_of(self.scope.header()), context),
            None => Poll::Pending,
        }
    }

    /// Keeps the bound of a masked phase: from the moment a request stands above it, the phase has until the
    /// cleanup deadline, and at least one second in all ([`cancel::FINALIZER_GRACE`]). Then its mask is
    /// pierced, this is `Ready` once, and the phase has to be polled again.
    pub fn poll_bound(&self, context: &Context<'_>) -> Poll<()> {
        let header = self.scope.header();
        if header.control() & control::ATTENTION == 0 || !self.scope.masked.load(Relaxed) {
            return Poll::Pending;
        }
        let Some(bound) = self.bound() else { return Poll::Pending };
        let due = self.watch(bound, context);
        if due.is_ready() {
            pierced(&self.scope)
        }
        due
    }

    /// Whether the cleanup deadline of a request on this very branch has passed (`cancel.bounded`). Ready
    /// once: the masks inside are then pierced and the branch has to be polled again; or, where the region
    /// around says so, its body is to be dropped.
    pub fn poll_overdue(&self, context: &Context<'_>) -> Poll<AfterGrace> {
        let scope = &self.scope;
        if scope.requested.load(Acquire) == 0 || scope.overdue.load(Relaxed) {
            return Poll::Pending;
        }
        let (request, deadline) = {
            let slot = scope.slot.lock();
            (slot.request().cloned(), slot.deadline())
        };
        let (Some(request), Some(deadline)) = (request, deadline) else { return Poll::Pending };
        if self.watch(deadline, context).is_pending() {
            return Poll::Pending;
        }
        scope.overdue.store(true, Relaxed);
        let after = around(scope).after_grace();
        // Who is late in a region of the branch is told by that one, with the places.
        if after == AfterGrace::Abandon || !has_members_below(scope) {
            world_of(scope.header()).report(Report::BranchOverdue { request, after });
        }
        Poll::Ready(after)
    }

    /// Whether the clock has reached `at`. One instant is watched at a time.
    fn watch(&self, at: Time, context: &Context<'_>) -> Poll<()> {
        let world = world_of(self.scope.header());
        Alarm::poll_bound_at(&mut self.alarm.lock(), at, world, context)
    }

    fn bound(&self) -> Option<Time> {
        let outer = self.scope.outer();
        effective(outer)?;
        let at_least = self.started.saturating_add(cancel::FINALIZER_GRACE);
        cleanup_deadline(outer).map(|deadline| deadline.max(at_least))
    }

    /// Says that the phase starts now, which its bound counts from.
    #[must_use]
    pub fn starting_now(mut self) -> Branch<'p, C> {
        self.started = world_of(self.scope.header()).clock.now();
        self
    }

    /// The branch returned and is drained.
    pub fn close(&self) {
        self.end(ScopeEnd::Returned)
    }

    /// The branch is drained, and its body was dropped at its cleanup deadline.
    pub fn close_forced(&self) {
        self.end(ScopeEnd::Forced)
    }
}

impl<C> Branch<'_, C> {
    /// Its number in a trace, and the origin of requests made on it.
    pub fn id(&self) -> ScopeId {
        ScopeId(self.scope.id)
    }

    fn emit(&self, label: impl FnOnce() -> Label) {
        let header = self.scope.header();
        if header.control() & control::TRACE != 0 {
            owner_of(header).emit(Some(task_id(header)), label)
        }
    }

    fn end(&self, end: ScopeEnd) {
        if self.closed.swap(true, AcqRel) {
            return;
        }
        let header = self.scope.header();
        // A branch that ends before it is drained leaves what it owns to the region around.
        drop(self.drain.lock().take());
        if let Some(region) = self.scope.region()
            && region.phase() != RegionPhase::Closed
        {
            close::janitor(header, &counted(region))
        }
        if let Some(alarm) = &mut *self.alarm.lock() {
            alarm.disarm_in(world_of(header))
        }
        if self.scope.masked.swap(false, AcqRel) {
            deliver_behind(&self.scope);
        }
        let ext = ext::make(header);
        ext.inner.lock().branches -= 1;
        if let Some(region) = self.scope.region() {
            ext.forget(region)
        }
        self.emit(|| Label::ScopeClose { scope: self.id(), end });
    }
}

impl<C> Drop for Branch<'_, C> {
    fn drop(&mut self) {
        self.end(ScopeEnd::Dropped)
    }
}

/// Whether the mask of `scope` is pierced: because `task` is, or because a branch around it is overdue. The
/// mask is then gone for good. A release has a bound of its own ([`Branch::poll_bound`]).
#[cold]
pub(crate) fn pierce(scope: &Scope, task: bool) -> bool {
    let due = !scope.immune && (task || around_is_overdue(scope));
    if due {
        pierced(scope)
    }
    due
}

fn around_is_overdue(scope: &Scope) -> bool {
    let mut at = scope.outer();
    loop {
        match at {
            Place::Root(header) => {
                let own = ext::of(header).and_then(ext::Ext::implicit);
                return own.is_some_and(Region::is_overdue);
            }
            Place::Inner(outer) => {
                if outer.overdue.load(Relaxed) || outer.region().is_some_and(Region::is_overdue) {
                    return true;
                }
                at = outer.outer();
            }
        }
    }
}

fn pierced(scope: &Scope) {
    let header = scope.header();
    if header.control() & control::TRACE != 0 {
        owner_of(header).emit(Some(task_id(header)), || Label::MaskPierced { scope: ScopeId(scope.id) })
    }
    if scope.masked.swap(false, AcqRel) {
        // Their deadline is that of the request, which has passed.
        for region in deliver_behind(scope) {
            region.escalate()
        }
    }
}

/// The nearest region around a scope.
pub(crate) fn around(scope: &Scope) -> Arc<Region> {
    counted(crate::scope::enclosing_region(scope.outer()))
}
