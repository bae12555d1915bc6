//! The node: opening a region, admitting members, members ending.
//!
//! One lock guards what has to change together: the phase, the member lists with their counts, the children,
//! the request. What a hot path only looks at (the phase, the kind of request) is mirrored in atomics.
use crate::phase::{Via, admits};
use crate::raw::{Lock, Members, region_of_account};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use cancel::Slot;
use core::any::Any;
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::*};
use core::time::Duration;
use obligation::Account;
use task::{Header, TaskRef, Verdict, Waiter, control};
use trace::{End, Label, Refused, RegionKind, RegionPhase, ScopeId, Site};
use types::{AfterGrace, CancelKind, Cancelled, Origin, Policy, RegionId, TaskId, Time};

/// Where traced steps go. Absent in production.
pub trait Sink: Send + Sync {
    /// One step happened, taken by `by` if it was a task.
    fn emit(&self, by: Option<TaskId>, label: Label);
}

/// A finalizer as the layer above registered it: opaque here.
pub struct Finalizer {
    /// What to run.
    pub run: Box<dyn Any + Send>,
    /// Where it was registered.
    pub at: &'static Location<'static>,
    /// Its number within the region, in order of registration.
    pub number: u64,
}

impl core::fmt::Debug for Finalizer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "finalizer {} of {}:{}", self.number, self.at.file(), self.at.line())
    }
}

/// What an isolating region does with a member's failure.
pub type OnFailure = Box<dyn Fn(&Isolated) + Send + Sync>;

/// A failure in an isolating region.
#[derive(Debug)]
pub struct Isolated {
    /// Which task failed.
    pub task: TaskId,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// How; `None` if a handle still has the right to it.
    pub loss: Option<task::Loss>,
}

/// Whose body a region has.
#[derive(Clone, Debug)]
pub enum Body {
    /// A frame inside this task, or the task's own body.
    Task(TaskRef, TaskId),
    /// Nobody's: the root of a runtime, driven from outside.
    Outside,
}

/// How a region is to be opened.
pub struct Open {
    /// What a member's failure does.
    pub policy: Policy,
    /// What happens when the cleanup deadline is spent.
    pub after_grace: AfterGrace,
    /// Cleanup budget of requests that bring none; `None`: the runtime's.
    pub grace: Option<Duration>,
    /// How it comes to be.
    pub kind: RegionKind,
    /// Whose body it has.
    pub body: Body,
    /// Whether requests from above stop here (opened inside a mask).
    pub shielded: bool,
    /// The scope it was opened in: for a branch's region, the branch itself.
    pub within: Option<ScopeId>,
    /// Ids of the scopes inside the body's task that its frame is nested in: a request on one of them is a
    /// request from above.
    pub scopes_above: Vec<u64>,
    /// Where.
    pub at: &'static Location<'static>,
    /// What an isolating region does with failures.
    pub on_failure: Option<OnFailure>,
}

impl core::fmt::Debug for Open {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Open").field("kind", &self.kind).field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// A region.
pub struct Region {
    pub(crate) account: Account,
    pub(crate) id: RegionId,
    pub(crate) tag: u16,
    pub(crate) policy: Policy,
    pub(crate) after_grace: AfterGrace,
    pub(crate) kind: RegionKind,
    pub(crate) grace: Option<Duration>,
    pub(crate) parent: Option<Arc<Region>>,
    pub(crate) key: u32,
    pub(crate) at: &'static Location<'static>,
    pub(crate) body_task: Option<TaskId>,
    pub(crate) own_scope: Option<u64>,
    pub(crate) scopes_above: Vec<u64>,
    pub(crate) shielded: AtomicBool,
    pub(crate) phase: AtomicU8,
    /// Kind of the strongest request, 0 for none.
    pub(crate) requested: AtomicU8,
    pub(crate) requests: AtomicU32,
    pub(crate) failures: AtomicU64,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) sink: Option<Arc<dyn Sink>>,
    pub(crate) opened: AtomicU64,
    pub(crate) inner: Lock<Inner>,
}

#[derive(Default)]
pub(crate) struct Inner {
    /// Members that the current request has not been told, and those it has.
    pub(crate) untold: Members,
    pub(crate) told: Members,
    pub(crate) live: u32,
    pub(crate) daemons: u32,
    pub(crate) spawned: u32,
    pub(crate) children: BTreeMap<u32, Arc<Region>>,
    pub(crate) slot: Slot,
    pub(crate) body: Option<TaskRef>,
    pub(crate) closer: Option<Waiter>,
    pub(crate) finalizers: Vec<Finalizer>,
    pub(crate) registered: u64,
    /// Finished members whose outcome the close has to look at.
    pub(crate) unjoined: Vec<TaskRef>,
    pub(crate) ended: u64,
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

/// Mixes an id and an index into a new id (the finalizer of SplitMix64). Identity by path: the n-th thing a
/// region ever started has the same id in every run of the same program, whatever the schedule.
pub fn mix(id: u64, index: u64) -> u64 {
    let mut z = id ^ index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The identity of a task: its region's id and its index there.
pub fn task_id(region: RegionId, index: u32) -> TaskId {
    TaskId::from_u64(mix(region.as_u64(), u64::from(index)))
}

/// What a handle joins as whose spawn was refused by `region`.
pub fn refusal(region: &Region, at: &'static Location<'static>) -> Cancelled {
    Cancelled::new(CancelKind::SpawnRefused, Origin { scope: region.id.as_u64(), request: 0 })
        .why("the region it was spawned into no longer admits tasks")
        .at(at)
        .build()
}

unsafe fn account_is_zero(account: NonNull<Account>) {
    // SAFETY: `settle` counted the strong reference that this takes back.
    let region = unsafe { region_of_account(account) };
    let closer = region.inner.lock().closer.take();
    if let Some(closer) = closer {
        closer.wake()
    }
}

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
            shielded: false,
            within: None,
            scopes_above: Vec::new(),
            at,
            on_failure: None,
        };
        let region = Arc::new(Region::new(RegionId::from_u64(1), tag, None, 0, sink, open, now));
        region.emit_open(None);
        region
    }

    fn new(
        id: RegionId,
        tag: u16,
        parent: Option<Arc<Region>>,
        key: u32,
        sink: Option<Arc<dyn Sink>>,
        open: Open,
        now: Time,
    ) -> Region {
        let (body, body_task) = match open.body {
            Body::Task(task, id) => (Some(task), Some(id)),
            Body::Outside => (None, None),
        };
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
            grace: open.grace,
            parent,
            key,
            at: open.at,
            body_task,
            own_scope,
            scopes_above: open.scopes_above,
            shielded: AtomicBool::new(open.shielded),
            phase: AtomicU8::new(RegionPhase::Open as u8),
            requested: AtomicU8::new(0),
            requests: AtomicU32::new(0),
            failures: AtomicU64::new(0),
            on_failure: open.on_failure,
            sink,
            opened: AtomicU64::new(now.as_nanos()),
            inner: Lock::new(Inner { body, ..Inner::default() }),
        }
    }

    /// Opens a region below this one (`region.tree`, `region.no-admit`). A request on this one is inherited
    /// unless the new one is shielded (`cancel.down`).
    pub fn open_child(self: &Arc<Region>, open: Open, now: Time) -> Result<Arc<Region>, Refused> {
        let within = open.within;
        let mut inner = self.inner.lock();
        if !admits(self.phase(), Via::LiveTask) {
            return Err(Refused::NotOpen);
        }
        let key = inner.spawned;
        inner.spawned += 1;
        let id = RegionId::from_u64(mix(!self.id.as_u64(), u64::from(key)));
        let child = Arc::new(Region::new(id, self.tag, Some(self.clone()), key, self.sink.clone(), open, now));
        child.emit_open(within);
        if let (Some(request), false) = (inner.slot.request(), child.shielded.load(Relaxed)) {
            let mut below = child.inner.lock();
            below.slot.strengthen(request, inner.slot.deadline());
            child.requested.store(request.kind() as u8, Release);
            child.emit_request(&below.slot);
        }
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

    /// Admits a task as a member (`region.no-admit`): links it and counts it, or leaves it alone. A task that
    /// enters a cancelled region has the request pending from the start.
    ///
    /// # Safety
    /// `task` is a cell that was never started and names this region; if this returns `Ok` it must be
    /// started, or taken back with [`Region::withdraw`].
    pub unsafe fn admit(&self, task: NonNull<Header>, via: Via, daemon: bool) -> Result<TaskId, Refused> {
        // SAFETY: an allocated cell, says the caller.
        let header = unsafe { task.as_ref() };
        let mut inner = self.inner.lock();
        if !admits(self.phase(), via) {
            return Err(Refused::NotOpen);
        }
        let index = inner.spawned;
        inner.spawned += 1;
        header.index.store(index, Relaxed);
        inner.live += 1;
        if daemon {
            inner.daemons += 1;
            header.control.fetch_or(control::DAEMON, Relaxed);
        }
        let told = match inner.slot.kind() {
            Some(kind) => header.tell(kind as u8),
            None => false,
        };
        let list = if told { &inner.told } else { &inner.untold };
        // SAFETY: the cell is alive and in no list, says the caller.
        unsafe { list.push(task) };
        let id = task_id(self.id, index);
        if self.sink.is_some() {
            self.emit(None, || Label::TaskSpawn {
                task: id,
                region: self.id,
                daemon,
                site: Site::from(header.spawned_at),
            });
            if told {
                self.emit_task_request(id, &inner.slot);
            }
        }
        Ok(id)
    }

    /// Takes back a member that was never started.
    ///
    /// # Safety
    /// `task` was admitted here and not started.
    pub unsafe fn withdraw(&self, task: NonNull<Header>) {
        // SAFETY: says the caller.
        unsafe { self.leave(task, Verdict::Ok, false) }
    }

    /// A member has ended: unlinks it, keeps what the close must look at, and tells whoever waits for
    /// quiescence.
    ///
    /// # Safety
    /// `task` is a member, and this is called once.
    pub unsafe fn member_ended(&self, task: &Header, verdict: Verdict<'_>) {
        let index = task.index.load(Relaxed);
        let (mut failure, mut keep) = (false, false);
        if !matches!(verdict, Verdict::Ok) {
            failure = self.is_failure(task_id(self.id, index), verdict);
            keep = match verdict {
                // Visible later, unless it is a consequence of this region's own request or was asked of
                // this one task.
                Verdict::Cancelled(c) => failure || self.is_above(c.origin().scope),
                _ => true,
            };
        }
        if self.sink.is_some() {
            let end = match verdict {
                Verdict::Ok => End::Ok,
                Verdict::Err => End::Err,
                Verdict::Cancelled(c) => End::from(c),
                Verdict::Panicked => End::Panicked,
            };
            let consequential = end.origin().is_some_and(|o| self.is_own(o.scope));
            self.emit(Some(task_id(self.id, index)), || Label::TaskEnd {
                task: task_id(self.id, index),
                end,
                failure,
                consequential,
            });
        }
        if failure && self.policy == Policy::Isolate {
            self.isolate(task);
            keep = false;
        }
        // SAFETY: says the caller.
        unsafe { self.leave(NonNull::from(task), verdict, keep) }
    }

    unsafe fn leave(&self, task: NonNull<Header>, _verdict: Verdict<'_>, keep: bool) {
        // SAFETY: a member is alive until this returns.
        let header = unsafe { task.as_ref() };
        let mut inner = self.inner.lock();
        // SAFETY: it is linked in one of this region's lists.
        unsafe { Members::unlink(task) };
        inner.live -= 1;
        inner.ended += 1;
        if header.control() & control::DAEMON != 0 {
            inner.daemons -= 1;
        }
        if keep && !types::seeded!("region.failure-forgotten") {
            inner.unjoined.push(header.counted());
        }
        let closer = inner.closer_if_drained(self.phase());
        drop(inner);
        if let Some(closer) = closer {
            closer.wake()
        }
    }

    fn isolate(&self, task: &Header) {
        self.failures.fetch_add(1, Relaxed);
        if let Some(on_failure) = &self.on_failure {
            let loss = (task.control() & control::UNCLAIMED != 0).then(|| task.counted().take_loss()).flatten();
            let id = task_id(self.id, task.index.load(Relaxed));
            on_failure(&Isolated { task: id, spawned_at: task.spawned_at, loss })
        }
    }

    /// Whether a member's end is a failure: an error, a panic, or a cancellation that nobody asked of the
    /// task or of anything above it.
    pub fn is_failure(&self, task: TaskId, verdict: Verdict<'_>) -> bool {
        match verdict {
            Verdict::Ok => false,
            Verdict::Err | Verdict::Panicked => true,
            Verdict::Cancelled(c) => {
                let scope = c.origin().scope;
                scope != task.as_u64() && !self.is_own(scope) && !self.is_above(scope)
            }
        }
    }

    /// Whether a request made on `scope` was made on this very region: what it does to members is a
    /// consequence, not news (`region.outcome`).
    pub fn is_own(&self, scope: u64) -> bool {
        scope == self.id.as_u64() || self.own_scope == Some(scope)
    }

    /// Whether `scope` is above this region: an enclosing scope of its body's task, that task, a region
    /// further up, or the outside.
    pub fn is_above(&self, scope: u64) -> bool {
        let mut at = Some(self);
        while let Some(region) = at {
            let body = region.body_task.is_some_and(|t| t.as_u64() == scope);
            if body || region.scopes_above.contains(&scope) {
                return true;
            }
            at = region.parent.as_deref();
            if at.is_some_and(|r| r.is_own(scope)) {
                return true;
            }
        }
        scope == 0
    }

    /// An origin for the next request made on this region.
    pub fn next_origin(&self) -> Origin {
        Origin { scope: self.id.as_u64(), request: self.requests.fetch_add(1, Relaxed) + 1 }
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

    /// Cleanup budget of requests that bring none.
    pub fn grace(&self) -> Option<Duration> {
        let mut region = Some(self);
        while let Some(r) = region {
            if r.grace.is_some() {
                return r.grace;
            }
            region = r.parent.as_deref();
        }
        None
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

    /// The account that its obligations are counted in. It lives as long as the region, and the region's
    /// close waits for it.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How many failures an isolating region has had.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Whether a mask keeps requests from above away.
    pub fn is_shielded(&self) -> bool {
        self.shielded.load(Relaxed)
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

impl Inner {
    /// Whoever waits for quiescence, if it is reached: nobody left, or only daemons.
    pub(crate) fn closer_if_drained(&mut self, phase: RegionPhase) -> Option<Waiter> {
        let drained = self.live == self.daemons && self.children.is_empty();
        if phase == RegionPhase::Draining && drained { self.closer.take() } else { None }
    }
}
