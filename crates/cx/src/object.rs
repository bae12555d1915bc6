//! What tasks share, for worlds that explore schedules: an [`Object`] inside each lock, channel and cell says what is
//! done to it, and [`Cx::poll_operation`] says what a task is about to do. For authors of primitives.
//!
//! In production nobody watches: an object is the number 0, and every report is one branch on it. An object has a
//! number only if a [`Watcher`] was there, on the thread and at the time of its creation.
//!
//! Invariant `object.whole`: a primitive reports every operation that another task could notice, after it happened
//! and in the step in which it did.
//!
//! Not here: how operations commute (`explore`), what is done with the reports (`lab`).
use crate::port::WaitOn;
use crate::raw::watch;
use crate::{Cx, Row, Waiter};
use core::future::Future;
use core::panic::Location;
use core::task::{Context, Poll};
use task::control;
use task::raw::waiter::header_of;
use trace::{Access, ObjectId, ObjectKind};
use types::{Cancelled, RegionId, TaskId};

/// Whether an announced operation is refused, because its task was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heed {
    /// It looks for no request, or is masked.
    Never,
    /// As soon as a request is made.
    OnceAsked,
    /// A request is effective already.
    Now,
}

/// What of a region somebody looks at without waiting for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionLook {
    /// Its phase, or whether it still admits tasks.
    Phase,
    /// How many failures it has had.
    Failures,
    /// A [`RegionView`](region::RegionView): the above and its members, obligations and requests, for it and everything
    /// below.
    View,
}

/// Who wants to know what is done to shared objects. One for the whole process; it tells runs apart by thread.
pub trait Watcher: Sync {
    /// An object is created. Returns its number, or `None` if nobody on this thread explores.
    fn created(&self, kind: ObjectKind, at: &'static Location<'static>) -> Option<ObjectId>;
    /// Something was done to an object, in the step that runs on this thread.
    fn touched(&self, object: ObjectId, access: Access, at: Option<&'static Location<'static>>);
    /// Somebody looked whether this task had ended, other than by waiting for it.
    fn looked(&self, task: TaskId);
    /// Somebody looked at a region from outside, other than by waiting for it. Default: nobody wants to know.
    fn looked_at_region(&self, region: RegionId, at: RegionLook) {
        let _ = (region, at);
    }
    /// The task that is polled on this thread has gone by what time it is without asking the clock or setting a timer:
    /// a timer of its own is over. Default: nobody wants to know.
    fn looked_at_time(&self) {}
    /// The task that is polled on this thread has to wait: for a task or a region, or for whatever it has touched last.
    /// Default: nobody wants to know.
    fn waits(&self, on: WaitOn) {
        let _ = on;
    }
    /// The task that is polled on this thread does now what it had announced, or need not announce this. Asked first, as it is
    /// the end of each announcement. Default: no.
    fn goes_on(&self, object: ObjectId, access: Access) -> bool {
        let _ = (object, access);
        false
    }
    /// The task that is polled on this thread will do this next. `true` if it is to do so in a later poll, when it
    /// need not wait for it: the waiter MUST be woken then, or at once. `false` if it may go on as if nobody watched.
    fn announced(
        &self,
        task: Waiter,
        object: ObjectId,
        access: Access,
        at: Option<&'static Location<'static>>,
        heed: Heed,
    ) -> bool;
    /// A task is asked to end, or would be if it had not ended or been asked before. Default: nobody wants to know.
    fn asks(&self, task: TaskId) {
        let _ = task;
    }
    /// As [`Watcher::asks`], of everybody in a region and below it.
    fn asks_region(&self, region: RegionId) {
        let _ = region;
    }
    /// The object that is written when this task is asked to end, if anybody on this thread explores. Default: there is
    /// none.
    fn request_of(&self, task: TaskId) -> Option<ObjectId> {
        let _ = task;
        None
    }
    /// The object of this task's end, which whoever joins it announces, if anybody on this thread explores. Default: there
    /// is none.
    fn end_of(&self, task: TaskId) -> Option<ObjectId> {
        let _ = task;
        None
    }
}

/// Has objects that are created from now on reported to `watcher`. The first one stays; returns whether it is this
/// one.
pub fn watch_objects(watcher: &'static &'static dyn Watcher) -> bool {
    watch::install(watcher)
}

/// The identity of something that tasks share. Its clones are the same object, for things with several halves.
#[derive(Clone, Debug)]
pub struct Object(u64);

impl Object {
    /// A new object. One load and a branch where nobody ever explored.
    #[inline]
    #[track_caller]
    pub fn new(kind: ObjectKind) -> Object {
        match watch::watcher() {
            None => Object(0),
            Some(watcher) => Object::watched(watcher, kind, Location::caller()),
        }
    }

    #[cold]
    fn watched(watcher: &dyn Watcher, kind: ObjectKind, at: &'static Location<'static>) -> Object {
        Object(watcher.created(kind, at).map_or(0, |id| id.0))
    }

    /// An object that nobody will ever watch, for constants.
    pub const fn unwatched() -> Object {
        Object(0)
    }

    /// Whether somebody watches: for reports that cost something to prepare.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.0 != 0
    }

    /// This was done to it.
    #[inline]
    pub fn touch(&self, access: Access) {
        if self.0 != 0 {
            touched(self.0, access, None)
        }
    }

    /// This was done to it, by the code at `at`.
    #[inline]
    pub fn touch_at(&self, access: Access, at: &'static Location<'static>) {
        if self.0 != 0 {
            touched(self.0, access, Some(at))
        }
    }
}

#[cold]
#[inline(never)]
fn touched(object: u64, access: Access, at: Option<&'static Location<'static>>) {
    if let Some(watcher) = watch::watcher() {
        watcher.touched(ObjectId(object), access, at)
    }
}

/// Somebody looks whether a task has ended, other than by waiting for it.
#[inline]
pub(crate) fn looked_at(task: TaskId) {
    if let Some(watcher) = watch::watcher() {
        watcher.looked(task)
    }
}

/// Somebody looks at a region, other than by waiting for it.
#[inline]
pub(crate) fn looked_at_region(region: RegionId, at: RegionLook) {
    if types::seeded!("cx.region-looks-untold") {
        return;
    }
    if let Some(watcher) = watch::watcher() {
        watcher.looked_at_region(region, at)
    }
}

/// Somebody asks a task to end.
#[inline]
pub(crate) fn asks(task: TaskId) {
    if let Some(watcher) = watch::watcher() {
        watcher.asks(task)
    }
}

/// Somebody asks a region to end.
#[inline]
pub(crate) fn asks_region(region: RegionId) {
    if let Some(watcher) = watch::watcher() {
        watcher.asks_region(region)
    }
}

/// As [`Cx::step_to`], for code that will ask this task to end next.
pub(crate) async fn step_to_ask<C: Row>(cx: &Cx<C>, task: TaskId, at: &'static Location<'static>) {
    let request = watch::watcher().and_then(|watcher| watcher.request_of(task));
    cx.step_on(request.map_or(0, |object| object.0), Access::Write, at).await
}

/// The running task goes by what time it is, and has not asked the clock.
#[inline]
pub(crate) fn looked_at_time() {
    if let Some(watcher) = watch::watcher() {
        watcher.looked_at_time()
    }
}

/// The running task has to wait.
pub(crate) fn waits(on: WaitOn) {
    if let Some(watcher) = watch::watcher() {
        watcher.waits(on)
    }
}

impl<C: Row> Cx<C> {
    /// As [`Cx::poll_proceed`], for an operation that begins with `access` to `object`: where schedules are explored,
    /// the task is not polled again before that is possible, or before something else wakes it.
    #[inline]
    pub fn poll_operation(
        &self,
        context: &mut Context<'_>,
        object: &Object,
        access: Access,
        at: Option<&'static Location<'static>>,
    ) -> Poll<Result<(), Cancelled>> {
        if object.is_watched() && self.announce(context, object.0, access, at, true) {
            return Poll::Pending;
        }
        self.poll_proceed(context)
    }

    /// As [`Cx::step`], for code that will do `access` to `object` next without awaiting anything: `try_lock`, a look
    /// at a shared value. Exploration then knows beforehand what the step is about, and tries less.
    #[track_caller]
    pub fn step_to(&self, object: &Object, access: Access) -> impl Future<Output = ()> {
        self.step_on(object.0, access, Location::caller())
    }

    fn step_on(
        &self,
        object: u64,
        access: Access,
        at: &'static Location<'static>,
    ) -> impl Future<Output = ()> + use<'_, C> {
        core::future::poll_fn(move |context| {
            if object != 0 && self.announce(context, object, access, Some(at), false) {
                return Poll::Pending;
            }
            self.poll_budget(context)
        })
    }

    /// As [`Cx::poll_operation`], of a join: whether it is to go on in a later poll, when the task has ended.
    #[inline]
    pub(crate) fn announces_join(&self, context: &Context<'_>, of: TaskId) -> bool {
        let watcher = watch::watcher().filter(|_| of.as_u64() != 0);
        let end = watcher.and_then(|watcher| watcher.end_of(of));
        end.is_some_and(|end| self.announce(context, end.0, Access::Observe, None, true))
    }

    /// `checks`: the operation looks for a request before it happens. It pauses even if there is one: the steps of a task
    /// are the same whoever asked it to end, and when.
    #[cold]
    fn announce(
        &self,
        context: &Context<'_>,
        object: u64,
        access: Access,
        at: Option<&'static Location<'static>>,
        checks: bool,
    ) -> bool {
        // Who is polled through somebody else's waker is not woken by a note here.
        let own = header_of(context.waker()).is_some_and(|h| core::ptr::eq(h.as_ptr(), self.header()));
        let heed = if checks { self.heed() } else { Some(Heed::Never) };
        let (true, Some(heed), Some(watcher)) = (own, heed, watch::watcher()) else { return false };
        let object = ObjectId(object);
        !watcher.goes_on(object, access)
            && watcher.announced(Waiter::from_waker(context.waker()), object, access, at, heed)
    }

    /// Whether an operation that is announced now is refused. Nothing if that is because of what the task asked of a scope
    /// of its own, in the same step perhaps: then there is nothing to pause for.
    fn heed(&self) -> Option<Heed> {
        let control = self.header().control();
        if control & control::ATTENTION != 0 && crate::scope::effective(self.place()).is_some() {
            return (control & control::TOLD != 0).then_some(Heed::Now);
        }
        Some(if crate::scope::is_masked(self.place()) { Heed::Never } else { Heed::OnceAsked })
    }
}
