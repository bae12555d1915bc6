//! Scopes inside a task: what request is effective where, branches of combinators, masks, finalizers'
//! scopes, and the task's own region.
//!
//! Rules: `cancel.effective`, `cancel.masked`, `cancel.down` within a task.
use crate::branch::{self, Branch};
use crate::close;
use crate::finalizer::Finalizing;
use crate::raw::ext;
use crate::raw::place::{Place, counted, owner_of, world_of};
use crate::raw::scope::Scope;
use crate::{Cx, Row, outcome};
use alloc::sync::Arc;
use alloc::vec::Vec;
use cancel::ScopeView;
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use region::{Above, Body, Mask, Open, Region};
use task::{Header, Verdict, control};
use trace::{End, Label, RegionKind, ScopeId, ScopeKind};
use types::{CancelKind, Cancelled, CancelledBuilder, Origin, Policy, TaskId, Time};

/// The id of a task that is not complete: for engines, which know tasks by their headers.
pub fn task_id(header: &Header) -> TaskId {
    if header.control() & control::ROOT != 0 {
        // The root body stands for its region.
        return TaskId::from_u64(owner_of(header).id().as_u64());
    }
    region::task_id(owner_of(header).id(), header.index.load(Relaxed))
}

/// Who acts, as a trace names it: the root body is nobody in particular.
pub(crate) fn actor(header: &Header) -> Option<TaskId> {
    (header.control() & control::ROOT == 0).then(|| task_id(header))
}

/// The region of the task itself, made on its first spawn, finalizer or dropped region.
#[inline]
pub(crate) fn implicit_region(header: &Header) -> &Region {
    match ext::of(header).and_then(ext::Ext::implicit) {
        Some(region) => region,
        None => open_implicit(header),
    }
}

#[cold]
fn open_implicit(header: &Header) -> &Region {
    let ext = ext::make(header);
    let owner = counted(owner_of(header));
    let id = task_id(header);
    let open = Open {
        policy: Policy::FailFast,
        after_grace: owner.after_grace(),
        grace: None,
        kind: RegionKind::Implicit,
        body: Body::Task(header.counted(), id),
        within: Some(ScopeId(id.as_u64())),
        scopes_above: Above::default(),
        masks: Vec::new(),
        at: header.spawned_at,
        on_failure: None,
    };
    match owner.open_child(open, world_of(header).clock.now()) {
        Ok(region) => match ext.set_implicit(region.clone()) {
            Ok(()) => {
                // A request on this very task reaches what it owns.
                let inner = ext.inner.lock();
                let pending = inner.slot.request().map(|request| (request.clone(), inner.slot.deadline()));
                drop(inner);
                if let Some((request, deadline)) = pending {
                    region.request(&request, deadline);
                }
                ext.implicit().unwrap_or_else(|| owner_of(header))
            }
            Err(mine) => {
                // Another thread was faster; ours is empty.
                mine.end_body(End::Ok);
                mine.close(types::Severity::Ok);
                ext.implicit().unwrap_or_else(|| owner_of(header))
            }
        },
        // The owner is past draining, although a task of it lives: only after a write-off.
        Err(_) => owner_of(header),
    }
}

/// What is effective at a place (`cancel.effective`), and where it comes from.
pub(crate) fn effective(place: Place<'_>) -> Option<Cancelled> {
    seen_from(place, true)
}

/// The request that is effective at a place, without what escalated there: what a region that is opened there
/// inherits.
pub(crate) fn requested(place: Place<'_>) -> Option<Cancelled> {
    seen_from(place, false)
}

/// Whether the cleanup deadline of what was asked of the whole task has passed.
fn is_pierced(header: &Header) -> bool {
    header.control() & control::PIERCED != 0
}

/// Whether something is effective at a place, and each scope that was asked, from there up, was asked for this alone.
pub(crate) fn only(place: Place<'_>, why: impl Fn(&Cancelled) -> bool) -> bool {
    let mut any = false;
    for view in views(place, true) {
        match &view.request {
            Some(request) if !why(request) => return false,
            request => any |= request.is_some(),
        }
        if view.masked {
            break;
        }
    }
    any
}

fn seen_from(place: Place<'_>, placed: bool) -> Option<Cancelled> {
    cancel::effective(views(place, placed), |c| c.kind() as u8)
}

/// What was asked of each scope, from this one up to the task's root.
fn views(place: Place<'_>, placed: bool) -> impl Iterator<Item = ScopeView<Cancelled>> {
    let header = match place {
        Place::Root(h) => h,
        Place::Inner(s) => s.header(),
    };
    let pierced = is_pierced(header);
    let mut at = Some(place);
    core::iter::from_fn(move || {
        let here = at?;
        let view = match here {
            Place::Root(h) => {
                at = None;
                ScopeView { request: told(h, placed), masked: false }
            }
            Place::Inner(s) => {
                at = Some(s.outer());
                let masked = s.masked.load(Relaxed) && !branch::pierce(s, pierced);
                ScopeView { request: if masked { None } else { on_scope(s, placed) }, masked }
            }
        };
        Some(view)
    })
}

/// When cleanup of what is asked at a place has to be over, as far as a deadline was set: the earliest one on
/// the first scope or above it, below the first masked one.
pub(crate) fn cleanup_deadline(place: Place<'_>) -> Option<Time> {
    let earlier = |a: Option<Time>, b: Option<Time>| a.into_iter().chain(b).min();
    let mut at = place;
    let mut best = None;
    loop {
        match at {
            Place::Root(h) => {
                let own = ext::of(h).and_then(|e| e.inner.lock().slot.deadline());
                return earlier(best, earlier(own, owner_of(h).cleanup_deadline()));
            }
            Place::Inner(s) if s.masked.load(Relaxed) => return best,
            Place::Inner(s) => {
                best = earlier(best, s.slot.lock().deadline());
                best = earlier(best, s.region().and_then(Region::cleanup_deadline));
                at = s.outer();
            }
        }
    }
}

/// The stronger of what was asked of the task itself and of its region, and, if `placed`, of what escalated.
fn told(header: &Header, placed: bool) -> Option<Cancelled> {
    let own = ext::of(header).and_then(|e| {
        let inner = e.inner.lock();
        let escalated =
            inner.escalation.as_ref().filter(|_| placed).and_then(|e| e.placed.request().cloned());
        stronger(inner.slot.request().cloned(), escalated)
    });
    // The task's own region is one place with its root scope (`cancel.effective`).
    let attached = ext::of(header).and_then(ext::Ext::implicit).filter(|r| r.requested() != 0);
    let own = stronger(own, attached.and_then(Region::request_now));
    if header.control() & control::TOLD == 0 {
        return own;
    }
    let owner = Some(owner_of(header)).filter(|r| r.requested() != 0);
    stronger(own, owner.and_then(Region::request_now))
}

fn on_scope(scope: &Scope, placed: bool) -> Option<Cancelled> {
    let own = (scope.requested.load(Acquire) != 0).then(|| scope.slot.lock().request().cloned()).flatten();
    let escalated = placed.then(|| scope.placed.lock().request().cloned()).flatten();
    let own = stronger(own, escalated);
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

    /// The region that a spawn here goes to: the frame's, the branch's (made now), or the task's own.
    pub(crate) fn spawn_region(&self) -> &Region {
        let mut at = self.place();
        loop {
            match at {
                Place::Root(h) => return implicit_region(h),
                Place::Inner(s) => {
                    if let Some(region) = s.region() {
                        return region;
                    }
                    if matches!(s.kind, Some(ScopeKind::Branch)) {
                        return branch_region(s);
                    }
                    at = s.outer()
                }
            }
        }
    }

    /// The finalizer that this context is in, if it is in one.
    pub(crate) fn finalizing(&self) -> Option<&Finalizing> {
        let mut at = self.place();
        while let Place::Inner(s) = at {
            if let Some(of) = &s.finalizing {
                return Some(of);
            }
            at = s.outer();
        }
        None
    }

    /// The region that encloses what is opened here.
    pub(crate) fn enclosing_region(&self) -> Arc<Region> {
        counted(enclosing_region(self.place()))
    }

    /// A new scope number of this task.
    pub(crate) fn new_scope_id(&self) -> u64 {
        scope_number(self.header())
    }

    pub(crate) fn task_ptr(&self) -> NonNull<Header> {
        NonNull::from(self.header())
    }
}

pub(crate) fn scope_number(header: &Header) -> u64 {
    let n = ext::make(header).scopes.fetch_add(1, Relaxed);
    region::mix(task_id(header).as_u64() ^ 0x5C0_9E00, u64::from(n))
}

fn place_id(place: Place<'_>) -> u64 {
    match place {
        Place::Root(h) => task_id(h).as_u64(),
        Place::Inner(s) => s.id,
    }
}

/// The scopes from `place` up to its task's root. What the nearest region around has collected is shared with it.
pub(crate) fn scopes_above(place: Place<'_>) -> Above {
    let Place::Inner(scope) = place else { return Above::default() };
    let outer = match scope.region() {
        Some(region) => region.scopes_above().clone(),
        None => scopes_above(scope.outer()),
    };
    outer.inside(scope.id)
}

/// Which of the scopes from `place` up to its task's root are masked, innermost first.
pub(crate) fn masks_above(place: Place<'_>) -> Vec<Mask> {
    let mut masks = Vec::new();
    let mut at = place;
    while let Place::Inner(scope) = at {
        if scope.masked.load(Relaxed) && !branch::pierce(scope, is_pierced(scope.header())) {
            masks.push(Mask { scope: scope.id, firm: scope.immune })
        }
        // Around a region that no mask ever kept anything away from there is none. Past a cleanup deadline they may
        // be forgotten there and not pierced yet.
        if scope.region().is_some_and(|region| region.hears_task() && !region.is_overdue()) {
            break;
        }
        at = scope.outer();
    }
    masks
}

/// Whether a request on the whole task is hidden at this place.
pub(crate) fn is_masked(place: Place<'_>) -> bool {
    let mut at = place;
    while let Place::Inner(scope) = at {
        if scope.masked.load(Relaxed) && !branch::pierce(scope, is_pierced(scope.header())) {
            return true;
        }
        at = scope.outer();
    }
    false
}

/// The region around a place inside a task.
pub(crate) fn enclosing_region(place: Place<'_>) -> &Region {
    let mut at = place;
    loop {
        match at {
            Place::Root(h) => return close::enclosing(h),
            Place::Inner(s) => match s.region() {
                Some(region) => return region,
                None => at = s.outer(),
            },
        }
    }
}

/// The region of a branch, made by the first spawn in it.
#[cold]
fn branch_region(scope: &Scope) -> &Region {
    let header = scope.header();
    let around = enclosing_region(scope.outer());
    let enclosing = counted(around);
    let open = Open {
        policy: Policy::FailFast,
        after_grace: enclosing.after_grace(),
        grace: None,
        kind: RegionKind::Branch,
        body: Body::Task(header.counted(), task_id(header)),
        within: Some(ScopeId(scope.id)),
        scopes_above: scopes_above(scope.outer()),
        masks: masks_above(scope.outer()),
        at: header.spawned_at,
        on_failure: None,
    };
    let Ok(region) = enclosing.open_child(open, world_of(header).clock.now()) else { return around };
    match scope.set_region(region.clone()) {
        Ok(()) => {
            // Listed first: a request that is made from now on finds the region there.
            let place = Place::Inner(scope);
            ext::make(header).note_opened(&region);
            if let Some(request) = requested(place) {
                close::inherit(&region, world_of(header), &request, cleanup_deadline(place));
            }
        }
        Err(mine) => {
            // Another thread was faster; ours is empty.
            mine.end_body(End::Ok);
            mine.close(types::Severity::Ok);
        }
    }
    scope.region().unwrap_or(around)
}

/// The regions opened inside `scope` that a request on it reaches, its own among them.
fn heard_below(scope: &Scope) -> Vec<Arc<Region>> {
    let opened = ext::of(scope.header()).map(|ext| ext.inner.lock().opened.clone()).unwrap_or_default();
    opened.into_iter().filter(|region| region.hears(scope.id)).collect()
}

/// The mask of a scope has ended: what it kept away from the regions opened behind it is delivered. Returns
/// those that were asked.
pub(crate) fn deliver_behind(scope: &Scope) -> Vec<Arc<Region>> {
    let Some(ext) = ext::of(scope.header()) else { return Vec::new() };
    let mut opened = ext.inner.lock().opened.clone();
    opened.retain(|region| region.unmask(scope.id));
    let outer = scope.outer();
    let Some(request) = requested(outer) else { return Vec::new() };
    for region in &opened {
        region.request(&request, cleanup_deadline(outer));
    }
    opened
}

/// Places a request on a scope of the running task, and on every region opened below it.
pub(crate) fn request_scope(scope: &Scope, c: &Cancelled, deadline: Time) {
    let header = scope.header();
    let change = scope.slot.lock().strengthen(c, Some(deadline));
    if !change.any() {
        return;
    }
    scope.requested.store(c.kind() as u8, Release);
    header.control.fetch_or(control::INNER, AcqRel);
    if header.control() & control::TRACE != 0 {
        owner_of(header).emit(actor(header), || Label::ScopeRequest {
            scope: ScopeId(scope.id),
            kind: c.kind(),
            origin: c.origin(),
            deadline,
        });
    }
    // Operations that wait through somebody else's waker are not reached by polling the branch again.
    if header.control() & control::FOREIGN != 0 {
        crate::wake_foreign(header)
    }
    let world = world_of(header);
    let heard = heard_below(scope);
    for region in &heard {
        region.request(c, Some(deadline));
    }
    // The timer of one around reaches those inside it.
    let outermost = |region: &&Arc<Region>| {
        !region.parent().is_some_and(|around| heard.iter().any(|other| Arc::ptr_eq(other, around)))
    };
    for region in heard.iter().filter(outermost) {
        world.timers.set(deadline, crate::port::Due::cleanup(region));
    }
}

/// Whether somebody is in the regions opened inside `scope`, whose own deadline it is then that is told.
pub(crate) fn has_members_below(scope: &Scope) -> bool {
    heard_below(scope).iter().any(|region| region.live() > 0)
}

/// Places a cancellation that escalated on a scope: its next checkpoint returns it.
pub(crate) fn place_on(place: Place<'_>, c: Cancelled) {
    match place {
        Place::Inner(s) => {
            s.placed.lock().strengthen(&c, None);
            arouse(s.header());
            record_escalated(s.header(), c)
        }
        Place::Root(h) => {
            ext::make(h).inner.lock().escalation.get_or_insert_default().placed.strengthen(&c, None);
            arouse(h);
            record_escalated(h, c);
        }
    }
}

/// Leaves a cancellation to be seen at the end of a scope (`cancel.visible`): its checkpoints return it anyway,
/// since its request was made there or above.
pub(crate) fn leave_visible(place: Place<'_>, c: Cancelled) {
    match place {
        Place::Inner(s) => drop(s.visible.lock().strengthen(&c, None)),
        Place::Root(h) => record_escalated(h, c),
    }
}

/// Has the running task's checkpoints look around, and polls what waits through wakers of others. What waits
/// through the task's own waker is reached by waking the task once more.
fn arouse(header: &Header) {
    header.control.fetch_or(control::INNER, AcqRel);
    if header.control() & control::FOREIGN != 0 {
        crate::wake_foreign(header)
    }
    header.wake_by_ref()
}

/// The task's outcome will be at least this.
fn record_escalated(header: &Header, c: Cancelled) {
    let mut inner = ext::make(header).inner.lock();
    let outcome = &mut inner.escalation.get_or_insert_default().outcome;
    let hidden = match outcome {
        Some(before) if before.kind() >= c.kind() => Some(c),
        _ => outcome.replace(c),
    };
    drop(inner);
    if let Some(c) = hidden {
        outcome::hidden(header, Verdict::Ok, &c)
    }
}

/// A failure that nobody took moves to the awaiting scope as `ChildFailed`. Its origin is what it comes from: a
/// region or combinator that is over, and so nothing above the task, which makes it a failure wherever it goes.
pub(crate) fn escalate_to(
    place: Place<'_>,
    header: &Header,
    request: CancelledBuilder,
    note: types::FailureNote,
    by: Option<TaskId>,
) {
    let mut request = request
        .why("a child failed and nobody joined it")
        .when(world_of(header).clock.now())
        .because(types::Cause::Failed(note));
    if let Some(by) = by {
        request = request.by(by);
    }
    let c = request.build();
    if header.control() & control::TRACE != 0 {
        owner_of(header).emit(actor(header), || Label::ScopeRequest {
            scope: ScopeId(place_id(place)),
            kind: c.kind(),
            origin: c.origin(),
            deadline: Time::MAX,
        });
    }
    place_on(place, c)
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
                    let c =
                        Cancelled::new(CancelKind::BudgetExhausted, Origin { scope: scope.id, request: 2 })
                            .depth(owner_of(self.header()).depth_inside())
                            .why(alloc::format!("{n} cost units were charged with {left} left"))
                            .at(caller)
                            .build();
                    let (world, around) = (self.world(), branch::around(scope));
                    let now = world.clock.now();
                    let deadline = cancel::cleanup_deadline(now, None, around.grace(), world.grace);
                    request_scope(scope, &c, deadline);
                    // Other branches below that scope may be waiting.
                    self.header().wake_by_ref();
                }
                scope.cost.store(left.saturating_sub(n), Relaxed);
            }
            at = scope.outer();
        }
    }
}
