//! Scopes inside a task: what request is effective where, branches of combinators, masks, finalizers'
//! scopes, and the task's own region.
//!
//! Rules: `cancel.effective`, `cancel.masked`, `cancel.down` within a task.
use crate::close::{self, Alarm, FinalizerFn};
use crate::port::World;
use crate::raw::ext;
use crate::raw::place::{Address, Place, counted, owner_of, world_of};
use crate::raw::scope::Scope;
use crate::{Cx, Row};
use alloc::sync::Arc;
use alloc::vec::Vec;
use cancel::ScopeView;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::pin;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use core::task::Poll;
use core::time::Duration;
use region::{Body, Open, Region, Settlement};
use task::{Header, TaskRef, control};
use trace::{End, FinalizerEnd, Label, RegionKind, RegionPhase, ScopeEnd, ScopeId, ScopeKind};
use types::{Budget, CancelKind, Cancelled, Origin, Policy, TaskId, Time};

/// The id of a task that is not complete.
pub(crate) fn task_id(header: &Header) -> TaskId {
    region::task_id(owner_of(header).id(), header.index.load(Relaxed))
}

/// The region of the task itself, made on its first spawn, finalizer or dropped region.
pub(crate) fn implicit_region(header: &Header) -> Arc<Region> {
    let ext = ext::make(header);
    if let Some(region) = ext.implicit() {
        return counted(region);
    }
    let owner = counted(owner_of(header));
    let id = task_id(header);
    let open = Open {
        policy: Policy::FailFast,
        after_grace: owner.after_grace(),
        grace: None,
        kind: RegionKind::Implicit,
        body: Body::Task(header.counted(), id),
        shielded: false,
        within: Some(ScopeId(id.as_u64())),
        scopes_above: Vec::new(),
        at: header.spawned_at,
        on_failure: None,
    };
    match owner.open_child(open, world_of(header).clock.now()) {
        Ok(region) => match ext.set_implicit(region.clone()) {
            Ok(()) => {
                // A request on this very task reaches what it owns.
                let inner = ext.inner.lock();
                let pending = inner.slot.request().cloned();
                drop(inner);
                if let Some(request) = pending {
                    region.request(&request, None);
                }
                region
            }
            Err(mine) => {
                // Another thread was faster; ours is empty.
                mine.end_body(End::Ok);
                mine.close(types::Severity::Ok);
                counted(ext.implicit().unwrap_or(&region))
            }
        },
        // The owner is past draining, although a task of it lives: only after a write-off.
        Err(_) => owner,
    }
}

/// What is effective at a place (`cancel.effective`), and where it comes from.
pub(crate) fn effective(place: Place<'_>) -> Option<Cancelled> {
    let header = match place {
        Place::Root(h) => h,
        Place::Inner(s) => s.header(),
    };
    let pierced = header.control() & control::PIERCED != 0;
    let mut at = Some(place);
    let views = core::iter::from_fn(|| {
        let here = at?;
        let view = match here {
            Place::Root(h) => {
                at = None;
                ScopeView { request: told(h), masked: false }
            }
            Place::Inner(s) => {
                at = Some(s.outer());
                let masked = s.masked.load(Relaxed) && (s.immune || !pierced);
                ScopeView { request: if masked { None } else { on_scope(s) }, masked }
            }
        };
        Some(view)
    });
    cancel::effective(views, |c| c.kind() as u8)
}

/// The stronger of what was asked of the task itself and of its region.
fn told(header: &Header) -> Option<Cancelled> {
    let own = ext::of(header).and_then(|e| {
        let inner = e.inner.lock();
        inner.escalated.clone().or_else(|| inner.slot.request().cloned())
    });
    if header.control() & control::TOLD == 0 && own.is_none() {
        return None;
    }
    let owner = owner_of(header).request_now();
    stronger(own, owner)
}

fn on_scope(scope: &Scope) -> Option<Cancelled> {
    let own = (scope.requested.load(Acquire) != 0).then(|| scope.slot.lock().request().cloned()).flatten();
    let region = scope.region().filter(|r| r.requested() != 0).and_then(Region::request_now);
    stronger(own, region)
}

fn stronger(a: Option<Cancelled>, b: Option<Cancelled>) -> Option<Cancelled> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.kind() > a.kind() { b } else { a }),
        (a, b) => a.or(b),
    }
}

impl<C> Cx<C> {
    /// The scope's number in a trace: the task's id for its root.
    pub(crate) fn scope_id(&self) -> u64 {
        place_id(self.place())
    }

    /// Ids of the scopes from here up to the root, for a region that is opened here.
    pub(crate) fn scopes_above(&self) -> (Vec<u64>, bool) {
        let mut ids = Vec::new();
        let mut masked = false;
        let mut at = self.place();
        while let Place::Inner(scope) = at {
            ids.push(scope.id);
            masked |= scope.masked.load(Relaxed);
            at = scope.outer();
        }
        (ids, masked)
    }

    /// The nearest region opened by `region` around this place, else the one that owns the task
    /// (`obligation.owner`), and whether this is that region's body.
    pub(crate) fn obligation_region(&self) -> (&Region, bool) {
        let mut at = self.place();
        loop {
            match at {
                Place::Root(h) => return (owner_of(h), false),
                Place::Inner(s) if s.kind.is_none() => {
                    if let Some(region) = s.region() {
                        return (region, true);
                    }
                    at = s.outer()
                }
                Place::Inner(s) => at = s.outer(),
            }
        }
    }

    /// The region that a spawn here goes to: the frame's, the branch's (made now), or the task's own.
    pub(crate) fn spawn_region(&self) -> Arc<Region> {
        let mut at = self.place();
        loop {
            match at {
                Place::Root(h) => return implicit_region(h),
                Place::Inner(s) => {
                    if let Some(region) = s.region() {
                        return counted(region);
                    }
                    if matches!(s.kind, Some(ScopeKind::Branch)) {
                        return branch_region(s);
                    }
                    at = s.outer()
                }
            }
        }
    }

    /// The region that encloses what is opened here.
    pub(crate) fn enclosing_region(&self) -> Arc<Region> {
        let mut at = self.place();
        loop {
            match at {
                Place::Root(h) => return close::enclosing(h),
                Place::Inner(s) => match s.region() {
                    Some(region) => return counted(region),
                    None => at = s.outer(),
                },
            }
        }
    }

    /// A new scope number of this task.
    pub(crate) fn new_scope_id(&self) -> u64 {
        let header = self.header();
        let n = ext::make(header).scopes.fetch_add(1, Relaxed);
        region::mix(task_id(header).as_u64() ^ 0x5C0_9E00, u64::from(n))
    }

    pub(crate) fn task_ptr(&self) -> NonNull<Header> {
        NonNull::from(self.header())
    }
}

fn place_id(place: Place<'_>) -> u64 {
    match place {
        Place::Root(h) => task_id(h).as_u64(),
        Place::Inner(s) => s.id,
    }
}

fn branch_region(scope: &Scope) -> Arc<Region> {
    let header = scope.header();
    let id = task_id(header);
    let mut above = Vec::new();
    let mut masked = scope.masked.load(Relaxed);
    let mut enclosing = None;
    let mut at = scope.outer();
    while let Place::Inner(s) = at {
        above.push(s.id);
        masked |= s.masked.load(Relaxed);
        enclosing = enclosing.or_else(|| s.region().map(counted));
        at = s.outer();
    }
    let enclosing = enclosing.unwrap_or_else(|| close::enclosing(header));
    let open = Open {
        policy: Policy::FailFast,
        after_grace: enclosing.after_grace(),
        grace: None,
        kind: RegionKind::Branch,
        body: Body::Task(header.counted(), id),
        shielded: masked,
        within: Some(ScopeId(scope.id)),
        scopes_above: above,
        at: header.spawned_at,
        on_failure: None,
    };
    match enclosing.open_child(open, world_of(header).clock.now()) {
        Ok(region) => {
            let pending = scope.slot.lock().request().cloned();
            if let Some(request) = pending {
                region.request(&request, None);
            }
            match scope.set_region(region.clone()) {
                Ok(()) => region,
                Err(mine) => {
                    mine.end_body(End::Ok);
                    mine.close(types::Severity::Ok);
                    counted(scope.region().unwrap_or(&region))
                }
            }
        }
        Err(_) => enclosing,
    }
}

/// A branch of a combinator: a scope with a cancel state of its own, whose body may borrow the combinator's
/// locals. For authors of combinators; everybody else uses those.
///
/// The combinator keeps the branch in its frame, polls [`Branch::run`], and may [`Branch::request`] the
/// branch's end at any time between polls; it then polls the branch again (`cancel.wakes`). `run` returns
/// only after everything the branch spawned has ended (`race.drained`).
pub struct Branch<C> {
    scope: Scope,
    row: core::marker::PhantomData<fn() -> C>,
}

impl<C> core::fmt::Debug for Branch<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.scope.fmt(f)
    }
}

impl<C: Row> Branch<C> {
    /// A branch below `parent`, which must outlive it: keep both in one frame. `kind` says what for.
    pub fn new(parent: &Cx<C>, kind: ScopeKind) -> Branch<C> {
        let id = parent.new_scope_id();
        let scope = Scope::new(parent.task_ptr(), parent.address(), id, Some(kind));
        let branch = Branch { scope, row: core::marker::PhantomData };
        branch.emit(|| Label::ScopeOpen {
            scope: ScopeId(id),
            parent: ScopeId(parent.scope_id()),
            task: task_id(parent.header()),
            kind,
        });
        branch
    }

    /// A limit on what the branch may charge with [`Cx::charge`].
    pub fn with_budget(self, budget: Budget) -> Branch<C> {
        self.scope.cost.store(budget.cost, Relaxed);
        self
    }

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

    /// Runs `body` in the branch, then awaits everything it spawned there. Runs one body, once.
    ///
    /// # Panics
    /// If called a second time on one branch.
    pub async fn run<T>(&self, body: impl AsyncFnOnce(&mut Cx<C>) -> T) -> T {
        assert!(!self.scope.entered.swap(true, AcqRel), "a branch runs one body");
        let mut end = CloseScope(self, ScopeEnd::Dropped);
        let address = Address::of_scope(NonNull::from(&self.scope));
        let value = body(crate::raw::scope::enter::<C>(address, &self.scope)).await;
        if self.scope.region().is_some() {
            let settlement = self.close_region().await;
            self.escalate(settlement);
        }
        end.1 = ScopeEnd::Returned;
        drop(end);
        value
    }

    async fn close_region(&self) -> Settlement {
        let Some(region) = self.scope.region().map(counted) else { return Settlement::default() };
        region.end_body(End::Ok);
        close::close(region, self.scope.header().counted()).await
    }

    /// What the branch's children lost and nobody joined moves to the scope around the combinator.
    fn escalate(&self, settlement: Settlement) {
        let header = self.scope.header();
        if let Some(note) = settlement.note() {
            escalate_to(self.scope.outer(), header, note, settlement.panic.or(settlement.failure).map(|l| l.task));
        } else if let Some(c) = settlement.visible
            && c.kind() != CancelKind::LostRace
        {
            place_on(self.scope.outer(), c);
        }
    }

    /// Asks the branch to end. The kind is only ever raised. Call it from the task itself, then poll the
    /// branch again.
    pub fn request(&self, kind: CancelKind, why: &'static str, at: &'static Location<'static>, grace: Option<Duration>) {
        let header = self.scope.header();
        let world = world_of(header);
        let now = world.clock.now();
        let c = Cancelled::new(kind, Origin { scope: self.scope.id, request: 1 })
            .why(why)
            .at(at)
            .by(task_id(header))
            .when(now)
            .build();
        let owner = owner_of(header);
        let deadline = cancel::cleanup_deadline(now, grace, owner.grace(), world.grace);
        request_scope(&self.scope, &c, deadline)
    }

    /// The request on the branch itself, if one was made.
    pub fn requested(&self) -> Option<Cancelled> {
        self.scope.slot.lock().request().cloned()
    }
}

struct CloseScope<'a, C: Row>(&'a Branch<C>, ScopeEnd);
impl<C: Row> Drop for CloseScope<'_, C> {
    fn drop(&mut self) {
        let branch = self.0;
        if let Some(region) = branch.scope.region()
            && region.phase() == RegionPhase::Open
        {
            close::janitor(branch.scope.header(), &counted(region));
        }
        // What was opened behind this mask and is still about is reached again.
        if branch.scope.masked.swap(false, AcqRel) {
            unshield_below(&branch.scope);
        }
        branch.emit(|| Label::ScopeClose { scope: branch.id(), end: self.1 });
    }
}

fn unshield_below(scope: &Scope) {
    let Some(ext) = ext::of(scope.header()) else { return };
    let frames: Vec<_> = ext.inner.lock().frames.clone();
    for (region, address) in frames {
        if is_below(address, scope) {
            region.unshield();
        }
    }
}

/// Whether the frame whose body scope is at `address` is nested in `scope`.
fn is_below(address: usize, scope: &Scope) -> bool {
    crate::raw::scope::chain(address).any(|id| id == scope.id)
}

/// Places a request on a scope of the running task, and on every region opened below it.
fn request_scope(scope: &Scope, c: &Cancelled, deadline: Time) {
    let header = scope.header();
    let change = scope.slot.lock().strengthen(c, Some(deadline));
    if !change.any() {
        return;
    }
    scope.requested.store(c.kind() as u8, Release);
    header.control.fetch_or(control::INNER, AcqRel);
    if header.control() & control::TRACE != 0 {
        owner_of(header).emit(Some(task_id(header)), || Label::ScopeRequest {
            scope: ScopeId(scope.id),
            kind: c.kind(),
            origin: c.origin(),
            deadline,
        });
    }
    let mut below: Vec<Arc<Region>> = scope.region().map(counted).into_iter().collect();
    if let Some(ext) = ext::of(header) {
        let frames: Vec<_> = ext.inner.lock().frames.clone();
        below.extend(frames.into_iter().filter(|(_, at)| is_below(*at, scope)).map(|(r, _)| r));
    }
    let world = world_of(header);
    for region in below {
        if region.parent().is_none() || !region.is_shielded() {
            region.request(c, Some(deadline));
            world.timers.set(deadline, crate::port::Due::Cleanup(Arc::downgrade(&region)));
        }
    }
}

/// Places a cancellation that escalated on a scope: its next checkpoint returns it.
pub(crate) fn place_on(place: Place<'_>, c: Cancelled) {
    match place {
        Place::Inner(s) => {
            s.slot.lock().strengthen(&c, None);
            s.requested.store(c.kind() as u8, Release);
            s.header().control.fetch_or(control::INNER, AcqRel);
            record_escalated(s.header(), c)
        }
        Place::Root(h) => {
            record_escalated(h, c);
            h.control.fetch_or(control::INNER, AcqRel);
        }
    }
}

/// The task's outcome will be at least this.
fn record_escalated(header: &Header, c: Cancelled) {
    let mut inner = ext::make(header).inner.lock();
    if inner.escalated.as_ref().is_none_or(|e| e.kind() < c.kind()) {
        inner.escalated = Some(c);
    }
}

/// A member's failure that nobody joined moves to the awaiting scope as `ChildFailed`.
pub(crate) fn escalate_to(place: Place<'_>, header: &Header, note: types::FailureNote, by: Option<TaskId>) {
    let world = world_of(header);
    let n = ext::make(header).requests.fetch_add(1, Relaxed);
    // Not one of the ids above the task: this cancellation is a failure wherever it goes.
    let scope = !task_id(header).as_u64();
    let mut c = Cancelled::new(CancelKind::ChildFailed, Origin { scope, request: n + 1 })
        .why("a child failed and nobody joined it")
        .when(world.clock.now())
        .because(types::Cause::Failed(note));
    if let Some(by) = by {
        c = c.by(by);
    }
    place_on(place, c.build())
}

/// Runs one finalizer in a masked scope that only its own bound pierces.
pub(crate) async fn run_finalizer(by: &TaskRef, world: &World, bound: Time, run: FinalizerFn) -> FinalizerEnd {
    let address = Address::of_task(by.as_ptr());
    let mut scope = Scope::new(by.as_ptr(), address, 0, Some(ScopeKind::Phase { masked: true }));
    scope.immune = true;
    let scope = scope;
    let at = Address::of_scope(NonNull::from(&scope));
    let mut body = pin!(run(crate::raw::scope::enter::<crate::NoSpawn>(at, &scope)));
    let mut alarm = Alarm::new(bound);
    let catch = world.unwinding.catch;
    let end = poll_fn(|context| {
        let mut polled = Poll::Pending;
        if (catch)(&mut || polled = body.as_mut().poll(context)).is_err() {
            return Poll::Ready(FinalizerEnd::Panicked);
        }
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(FinalizerEnd::Ok),
            Poll::Ready(Err(_)) => Poll::Ready(FinalizerEnd::Failed),
            Poll::Pending => alarm.poll(world, context).map(|()| FinalizerEnd::TimedOut),
        }
    })
    .await;
    alarm.disarm(world);
    end
}

impl<C: Row> Cx<C> {
    /// Runs `body` with requests on this scope and above hidden (`cancel.masked`): its checkpoints see only
    /// what is asked inside. At the cleanup deadline masks are pierced.
    pub async fn masked<T>(&mut self, body: impl AsyncFnOnce(&mut Cx<C>) -> T) -> T {
        let branch = Branch::new(self, ScopeKind::Masked);
        branch.run(body).await
    }

    /// Charges `n` cost units to every enclosing budget. A budget that is overdrawn cancels its scope with
    /// `BudgetExhausted`, seen at the next checkpoint.
    #[track_caller]
    pub fn charge(&self, n: u64) {
        let caller = Location::caller();
        let mut at = self.place();
        while let Place::Inner(scope) = at {
            let left = scope.cost.load(Relaxed);
            if left != u64::MAX {
                if left < n {
                    let c = Cancelled::new(CancelKind::BudgetExhausted, Origin { scope: scope.id, request: 2 })
                        .why(alloc::format!("{n} cost units were charged with {left} left"))
                        .at(caller)
                        .build();
                    let world = self.world();
                    let deadline = world.clock.now().saturating_add(world.grace);
                    request_scope(scope, &c, deadline);
                }
                scope.cost.store(left.saturating_sub(n), Relaxed);
            }
            at = scope.outer();
        }
    }
}

