//! The node: opening a region, and what everybody may ask it.
//!
//! One lock guards what has to change together: the phase, the member lists with their counts, the children,
//! the request. What a hot path only looks at (the phase, the kind of request) is mirrored in atomics.
//! Members come and go in `raw/member.rs`.
use crate::above::Above;
use crate::gate::Gate;
use crate::open::{Body, Finalizer, Isolated, Mask, OnFailure, Open, Sink};
use crate::origin::{mix, task_id};
use crate::raw::{Lock, Members, account_is_zero, in_arc};
use crate::unjoined::Unjoined;
use crate::walk::Orders;
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use cancel::Slot;
use core::panic::Location;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::*};
use core::time::Duration;
use obligation::Account;
use task::{Header, TaskRef, Waiter, control};
use trace::{Escalation, Label, Refused, RegionKind, RegionPhase, ScopeId, Site};
use types::{AfterGrace, Cancelled, Policy, RegionId, TaskId, Time};

/// A region.
pub struct Region {
    pub(crate) account: Account,
    pub(crate) id: RegionId,
    pub(crate) tag: u16,
    pub(crate) policy: Policy,
    pub(crate) after_grace: AfterGrace,
    pub(crate) kind: RegionKind,
    /// What it set, or the nearest region above it, the root apart.
    pub(crate) grace: Option<Duration>,
    pub(crate) parent: Option<Arc<Region>>,
    pub(crate) key: u64,
    pub(crate) at: &'static Location<'static>,
    pub(crate) body_task: Option<TaskId>,
    pub(crate) own_scope: Option<u64>,
    /// Whether a daemon of its parent opened it.
    pub(crate) of_daemon: bool,
    /// The scope it was opened in, which awaits it.
    pub(crate) within: Option<ScopeId>,
    pub(crate) scopes_above: Above,
    pub(crate) shielded: AtomicBool,
    pub(crate) overdue: AtomicBool,
    /// Whether somebody has undertaken to report that.
    pub(crate) overdue_claimed: AtomicBool,
    /// Whether somebody has undertaken to write off what a shutdown can't stop.
    pub(crate) write_off_claimed: AtomicBool,
    pub(crate) phase: AtomicU8,
    /// Kind of the strongest request, 0 for none.
    pub(crate) requested: AtomicU8,
    pub(crate) requests: AtomicU32,
    pub(crate) depth: u16,
    /// The scope that was last looked for above it, if it's there, and its hash if not (`origin.steps`).
    pub(crate) last_looked_for: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) sink: Option<Arc<dyn Sink>>,
    pub(crate) opened: AtomicU64,
    pub(crate) inner: Lock<Inner>,
    /// Members that the current request has not been told, and those it has. Only touched while `inner` is
    /// locked, but beside it: members point at the lists, and an exclusive reference to what they are in would
    /// forbid that.
    pub(crate) untold: Members,
    pub(crate) told: Members,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) gate: Gate<Waiter>,
    /// How many tasks and regions were ever started here.
    pub(crate) spawned: u64,
    /// Masked scopes that its frame is nested in (`shield.rs`).
    pub(crate) masks: Vec<Mask>,
    pub(crate) children: BTreeMap<u64, Arc<Region>>,
    pub(crate) slot: Slot,
    pub(crate) orders: Orders,
    pub(crate) body: Option<TaskRef>,
    pub(crate) finalizers: Vec<Finalizer>,
    pub(crate) registered: u64,
    /// What it is called in dumps.
    pub(crate) name: Option<Cow<'static, str>>,
    /// Finished members whose outcome the close has to look at.
    pub(crate) unjoined: Unjoined,
    /// Severity of members that were asked to stop by themselves, did, and had no handle left.
    pub(crate) cut_short: u8,
    pub(crate) ended: u64,
    /// What finalizers panicked with, in the order in which they ran.
    pub(crate) finalizer_panics: Vec<crate::Lost>,
    /// Severity of what the body ended in, unless that was a consequence of the region's own request.
    pub(crate) ended_in: u8,
}

impl core::fmt::Debug for Region {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Region").field("id", &self.id).field("phase", &self.phase()).finish_non_exhaustive()
    }
}

const PHASES: [RegionPhase; 5] = [
    RegionPhase::Open,
    RegionPhase::Draining,
    RegionPhase::Finalizing,
    RegionPhase::Settling,
    RegionPhase::Closed,
];

impl Region {
    /// The root of a runtime's tree.
    pub fn root(
        tag: u16,
        after_grace: AfterGrace,
        grace: Duration,
        sink: Option<Arc<dyn Sink>>,
        at: &'static Location<'static>,
        now: Time,
    ) -> Arc<Region> {
        let open = Open {
            policy: Policy::FailFast,
            after_grace,
            grace: Some(grace),
            kind: RegionKind::Root,
            body: Body::Outside,
            within: None,
            scopes_above: Above::default(),
            masks: Vec::new(),
            at,
            on_failure: None,
        };
        let region = in_arc(Region::new(RegionId::from_u64(1), tag, None, 0, sink, open, now));
        region.emit_open(None);
        region
    }

    fn new(
        id: RegionId,
        tag: u16,
        parent: Option<Arc<Region>>,
        key: u64,
        sink: Option<Arc<dyn Sink>>,
        open: Open,
        now: Time,
    ) -> Region {
        let above = parent.as_ref().and_then(|parent| parent.grace_below_root());
        let of_daemon = parent.as_ref().is_some_and(|parent| parent.has_daemon(&open.body));
        let (body, body_task) = match open.body {
            Body::Task(task, id) => (Some(task), Some(id)),
            Body::Outside => (None, None),
        };
        let depth = parent.as_ref().map_or(0, |parent| parent.depth_inside());
        let own_scope = match open.kind {
            RegionKind::Branch => open.within.map(|s| s.0),
            _ => None,
        };
        Region {
            account: Account::new(account_is_zero),
            id,
            tag,
            policy: open.policy,
            after_grace: open.after_grace,
            kind: open.kind,
            grace: open.grace.or(above),
            parent,
            key,
            at: open.at,
            body_task,
            own_scope,
            of_daemon,
            within: open.within,
            scopes_above: open.scopes_above,
            shielded: AtomicBool::new(false),
            overdue: AtomicBool::new(false),
            overdue_claimed: AtomicBool::new(false),
            write_off_claimed: AtomicBool::new(false),
            phase: AtomicU8::new(RegionPhase::Open as u8),
            requested: AtomicU8::new(0),
            requests: AtomicU32::new(0),
            depth,
            last_looked_for: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            on_failure: open.on_failure,
            sink,
            opened: AtomicU64::new(now.as_nanos()),
            inner: Lock::new(Inner { body, masks: open.masks, ..Inner::default() }),
            untold: Members::default(),
            told: Members::default(),
        }
    }

    /// Whether it is a daemon of this region: what that opens goes when it does.
    fn has_daemon(&self, body: &Body) -> bool {
        matches!(body, Body::Task(task, _)
            if core::ptr::eq(task.region.cast(), self) && task.control() & control::DAEMON != 0)
    }

    /// Opens a region below this one (`region.tree`, `region.no-admit`). A request on this one is inherited
    /// unless the new one is shielded (`cancel.down`).
    pub fn open_child(self: &Arc<Region>, open: Open, now: Time) -> Result<Arc<Region>, Refused> {
        let within = open.within;
        let mut inner = self.inner.lock();
        if !inner.gate.open_child(self.has_daemon(&open.body)) {
            return Err(Refused::NotOpen);
        }
        let key = inner.spawned;
        inner.spawned += 1;
        let id = RegionId::from_u64(mix(!self.id.as_u64(), key));
        let child = in_arc(Region::new(id, self.tag, Some(self.clone()), key, self.sink.clone(), open, now));
        let mut below = child.inner.lock();
        below.orders = inner.orders;
        below.orders.pierce &= !child.is_held(&below);
        if below.orders.pierce {
            child.overdue.store(true, Release);
            child.pierce(&mut below, self);
        }
        child.note_shield(&below);
        child.emit_open(within);
        if let (Some(request), false) = (inner.slot.request(), child.shielded.load(Relaxed)) {
            below.slot.strengthen(request, inner.slot.deadline());
            child.requested.store(request.kind() as u8, Release);
            child.emit_request(&below.slot);
        }
        drop(below);
        inner.children.insert(key, child.clone());
        Ok(child)
    }

    fn emit_open(&self, within: Option<ScopeId>) {
        self.emit(None, || Label::RegionOpen {
            region: self.id,
            parent: self.parent.as_ref().map(|p| p.id),
            within,
            kind: self.kind,
            policy: self.policy,
            after_grace: self.after_grace,
            shielded: self.shielded.load(Relaxed),
            site: Site::from(self.at),
        });
    }

    /// Counts a failure in an isolating region and takes it, unless a handle has the right to it. Called once, when the
    /// outcome of a failed member is in its cell, before the member leaves. Nothing under other policies.
    pub fn isolate(&self, task: &Header) -> Option<Isolated> {
        if self.policy != Policy::Isolate {
            return None;
        }
        self.failures.fetch_add(1, Relaxed);
        let loss = (task.control() & control::UNCLAIMED != 0).then(|| task.counted().take_loss()).flatten();
        Some(Isolated { task: task_id(self.id, task.index.load(Relaxed)), spawned_at: task.spawned_at, loss })
    }

    /// Calls the `on_failure` of an isolating region, if it has one. That is user code and may panic: the caller
    /// catches it.
    pub fn tell_isolated(&self, isolated: &Isolated) {
        if let Some(on_failure) = &self.on_failure {
            on_failure(isolated)
        }
    }

    /// Its identity.
    pub fn id(&self) -> RegionId {
        self.id
    }

    /// Tag of its engine.
    pub fn tag(&self) -> u16 {
        self.tag
    }

    /// What a member's failure does.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// What it does when the cleanup deadline is spent.
    pub fn after_grace(&self) -> AfterGrace {
        self.after_grace
    }

    /// Cleanup budget of requests that bring none; `None`: the runtime's. One load.
    pub fn grace(&self) -> Option<Duration> {
        self.grace
    }

    /// As [`Region::grace`], unless only the runtime set one. One load.
    pub fn grace_below_root(&self) -> Option<Duration> {
        if self.kind == RegionKind::Root { None } else { self.grace }
    }

    /// The root's body, once it has started.
    pub fn set_body(&self, task: TaskRef) {
        let mut inner = self.inner.lock();
        inner.spawned = inner.spawned.max(1);
        inner.body = Some(task);
    }

    /// How it came to be.
    pub fn kind(&self) -> RegionKind {
        self.kind
    }

    /// The region that waits for this one.
    pub fn parent(&self) -> Option<&Arc<Region>> {
        self.parent.as_ref()
    }

    /// Where it was opened.
    pub fn opened_at(&self) -> &'static Location<'static> {
        self.at
    }

    /// Its phase.
    #[inline]
    pub fn phase(&self) -> RegionPhase {
        PHASES[usize::from(self.phase.load(Acquire))]
    }

    /// Kind of the strongest request on it, as a number, 0 for none. One load.
    #[inline]
    pub fn requested(&self) -> u8 {
        self.requested.load(Acquire)
    }

    /// The strongest request on it.
    pub fn request_now(&self) -> Option<Cancelled> {
        self.inner.lock().slot.request().cloned()
    }

    /// When its cleanup has to be over.
    pub fn cleanup_deadline(&self) -> Option<Time> {
        self.inner.lock().slot.deadline()
    }

    /// The task whose body or frame it has.
    pub fn body_task(&self) -> Option<TaskId> {
        self.body_task
    }

    /// That task itself, while the body or frame is there.
    pub fn body(&self) -> Option<(TaskRef, TaskId)> {
        self.inner.lock().body.clone().zip(self.body_task)
    }

    /// The scopes that its frame is nested in.
    pub fn scopes_above(&self) -> &Above {
        &self.scopes_above
    }

    /// The account that its obligations are counted in. It lives as long as the region, and the region's
    /// close waits for it.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How many failures an isolating region has had.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Whether its steps are traced.
    #[inline]
    pub fn is_traced(&self) -> bool {
        self.sink.is_some()
    }

    /// Emits one step, if anybody listens.
    #[inline]
    pub fn emit(&self, by: Option<TaskId>, label: impl FnOnce() -> Label) {
        if let Some(sink) = &self.sink {
            sink.emit(by, label())
        }
    }

    /// Takes a step, which says what it did, and emits that with nothing in between, if anybody listens. `step` takes
    /// no lock and emits nothing.
    pub fn step(&self, by: Option<TaskId>, mut step: impl FnMut() -> Option<Label>) {
        match &self.sink {
            Some(sink) => sink.step(by, &mut step),
            None => drop(step()),
        }
    }

    /// How many steps were emitted so far, if anybody counts them.
    pub fn emitted(&self) -> u64 {
        self.sink.as_ref().map_or(0, |sink| sink.count())
    }

    /// Emits what was read off a state, unless anything was emitted since [`Region::emitted`] was `since`. False: read
    /// it again.
    pub fn emit_since(&self, since: u64, by: Option<TaskId>, label: impl FnOnce() -> Label) -> bool {
        self.sink.as_ref().is_none_or(|sink| sink.emit_since(since, by, label()))
    }

    /// Says that what this closed region lost moved on to the scope that awaits it (`region.escalation`).
    pub fn emit_escalation(&self, what: Escalation) {
        if let Some(to) = self.within {
            self.emit(self.body_task, || Label::Escalate { region: self.id, to, what })
        }
    }

    pub(crate) fn emit_request(&self, slot: &Slot) {
        if let (Some(sink), Some(request)) = (&self.sink, slot.request()) {
            sink.emit(
                None,
                Label::RegionRequest {
                    region: self.id,
                    kind: request.kind(),
                    origin: request.origin(),
                    deadline: slot.deadline().unwrap_or(Time::MAX),
                },
            )
        }
    }

    pub(crate) fn emit_task_request(&self, task: TaskId, slot: &Slot) {
        if let (Some(sink), Some(request)) = (&self.sink, slot.request()) {
            sink.emit(
                None,
                Label::TaskRequest {
                    task,
                    kind: request.kind(),
                    origin: request.origin(),
                    deadline: slot.deadline().unwrap_or(Time::MAX),
                },
            )
        }
    }
}
