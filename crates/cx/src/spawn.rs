//! Tasks: what may be spawned, the handle, joining.
use crate::port::{Due, WaitOn, World};
use crate::raw::ext;
use crate::raw::start::{self, Start};
use crate::{Cx, MaySpawn, Row};
use alloc::sync::Arc;
use core::any::Any;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::sync::atomic::Ordering::*;
use core::task::Poll;
use core::time::Duration;
use region::{Region, Via};
use task::raw::join::JoinRef;
use task::{Header, TaskRef, control};
use trace::{Label, Refused};
use types::{CancelKind, Cancelled, Origin, Outcome, Stop, TaskId, TaskOutput, Time, WaitKind};

/// Proof that a task's body is `Send`, whatever the lifetime of its context. Implemented for every closure
/// and function that fits; nobody implements it by hand.
pub trait TaskFn<'a, C: 'a>: FnOnce(&'a mut Cx<C>) -> <Self as TaskFn<'a, C>>::Fut {
    /// The future of the body.
    type Fut: Future<Output = <Self as TaskFn<'a, C>>::Out> + Send + 'a;
    /// What it returns.
    type Out;
}
// Recommended on purpose, here and below: only so does the compiler look into the future, and name the value
// that is not `Send` and the await it is held across.
impl<'a, C: 'a, F, Fu> TaskFn<'a, C> for F
where
    F: FnOnce(&'a mut Cx<C>) -> Fu,
    Fu: Future + Send + 'a,
{
    type Fut = Fu;
    type Out = Fu::Output;
}

/// What `spawn` accepts: an `async fn(&mut Cx<_>) -> T` or an `async |cx| ..` closure, `Send + 'static`. The
/// `AsyncFnOnce` half drives inference, the [`TaskFn`] half proves `Send`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    label = "expected an `async fn(&mut Cx) -> _` item or an `async |cx| ..` closure",
    note = "to spawn a plain future write `spawn(async move |_cx| fut.await)`"
)]
pub trait Task<T, C: Row = crate::All>:
    AsyncFnOnce(&mut Cx<C>) -> T + for<'a> TaskFn<'a, C, Out = T> + Send + 'static
{
}
impl<T, C: Row, F> Task<T, C> for F where
    F: AsyncFnOnce(&mut Cx<C>) -> T + for<'a> TaskFn<'a, C, Out = T> + Send + 'static
{
}

/// A task that was spawned. Dropping the handle neither stops the task nor lets it go: its region waits for
/// it. Not `#[must_use]`: an unjoined failure reaches the region.
#[derive(Debug)]
pub struct TaskHandle<T, E> {
    join: JoinRef<T, E>,
}

static JOINING: WaitKind = WaitKind::new("a task to finish");

impl<C: Row> Cx<C> {
    /// Spawns a task into the region of this context: the frame's, the branch's, or the task's own. It runs
    /// in parallel, and the region does not close before it has ended.
    ///
    /// If the region no longer admits tasks, the handle joins as `Cancelled` with kind `SpawnRefused`; see
    /// [`Cx::try_spawn`]. In a cancelled region the task is admitted with the request pending, and runs to
    /// its first checkpoint.
    #[track_caller]
    #[inline]
    pub fn spawn<T: TaskOutput, F: Task<T, C>>(&self, body: F) -> TaskHandle<T::Ok, T::Err>
    where
        C: MaySpawn,
    {
        self.spawn_at(Location::caller(), false, body)
    }

    /// As [`Cx::spawn`], for a task that serves the others: when only daemons are left in a draining region
    /// they are cancelled.
    #[track_caller]
    pub fn spawn_daemon<T: TaskOutput, F: Task<T, C>>(&self, body: F) -> TaskHandle<T::Ok, T::Err>
    where
        C: MaySpawn,
    {
        self.spawn_at(Location::caller(), true, body)
    }

    /// As [`Cx::spawn`], but gives the body back if the region no longer admits tasks.
    #[track_caller]
    pub fn try_spawn<T: TaskOutput, F: Task<T, C>>(&self, body: F) -> Result<TaskHandle<T::Ok, T::Err>, F>
    where
        C: MaySpawn,
    {
        self.try_spawn_at(Location::caller(), body)
    }

    /// As [`Cx::try_spawn`], for somebody else's line: what spawns later than it was called (a stream) says where that was.
    pub fn try_spawn_at<T: TaskOutput, F: Task<T, C>>(
        &self,
        at: &'static Location<'static>,
        body: F,
    ) -> Result<TaskHandle<T::Ok, T::Err>, F>
    where
        C: MaySpawn,
    {
        let start = Start { at, via: Via::Body, daemon: false, control: 0 };
        start_in(self.spawn_region(), start, self.inherited_env(), body).map_err(|(body, _)| body)
    }

    /// Spawns a task with a row of its own, which must grant nothing that this context does not.
    #[track_caller]
    pub fn spawn_as<D, T, F>(&self, body: F) -> TaskHandle<T::Ok, T::Err>
    where
        C: MaySpawn,
        D: Row + crate::NarrowOf<C>,
        T: TaskOutput,
        F: Task<T, D>,
    {
        let at = Location::caller();
        let region = self.spawn_region();
        let start = Start { at, via: Via::Body, daemon: false, control: 0 };
        // The row of the new task is narrower, so its root context may carry it.
        started_or_refused::<T, F>(region, at, start_in(region, start, self.inherited_env(), body))
    }

    /// Spawns a task that borrows data the region owns: the task holds the `Arc`, the body gets `&D`.
    #[track_caller]
    pub fn spawn_with<T, D, F>(&self, data: &Arc<D>, body: F) -> TaskHandle<T::Ok, T::Err>
    where
        C: MaySpawn,
        T: TaskOutput,
        D: Send + Sync + 'static,
        F: AsyncFnOnce(&mut Cx<C>, &D) -> T + for<'a> TaskFnWith<'a, C, D, Out = T> + Send + 'static,
    {
        let data = data.clone();
        self.spawn_at(Location::caller(), false, async move |cx: &mut Cx<C>| {
            <F as TaskFnWith<'_, C, D>>::Fut::from(body(cx, &data)).await
        })
    }

    fn spawn_at<T: TaskOutput, F: Task<T, C>>(
        &self,
        at: &'static Location<'static>,
        daemon: bool,
        body: F,
    ) -> TaskHandle<T::Ok, T::Err> {
        let region = self.spawn_region();
        let start = Start { at, via: Via::Body, daemon, control: 0 };
        started_or_refused::<T, F>(region, at, start_in(region, start, self.inherited_env(), body))
    }
}

/// As [`TaskFn`] for a body with borrowed data.
pub trait TaskFnWith<'a, C: 'a, D: 'a>:
    FnOnce(&'a mut Cx<C>, &'a D) -> <Self as TaskFnWith<'a, C, D>>::Fut
{
    /// The future of the body.
    type Fut: Future<Output = <Self as TaskFnWith<'a, C, D>>::Out> + Send + 'a;
    /// What it returns.
    type Out;
}
impl<'a, C: 'a, D: 'a, F, Fu> TaskFnWith<'a, C, D> for F
where
    F: FnOnce(&'a mut Cx<C>, &'a D) -> Fu,
    Fu: Future + Send + 'a,
{
    type Fut = Fu;
    type Out = Fu::Output;
}

pub(crate) type Env = Option<Arc<dyn Any + Send + Sync>>;
type Started<T, F> = Result<TaskHandle<<T as TaskOutput>::Ok, <T as TaskOutput>::Err>, (F, Refused)>;

#[inline]
pub(crate) fn start_in<T: TaskOutput, C: Row, F: Task<T, C>>(
    region: &Region,
    start: Start,
    env: Env,
    body: F,
) -> Started<T, F> {
    Ok(TaskHandle { join: start::task::<T, F, C>(region, start, |header| give_env(header, env), body)? })
}

/// Hands a task that is about to start the user value that is within reach of its spawner.
#[inline]
pub(crate) fn give_env(header: &Header, env: Env) {
    if let Some(env) = env {
        ext::make(header).inner.lock().env = Some(env)
    }
}

pub(crate) fn handle_or_refused<T: TaskOutput, F>(
    region: &Region,
    at: &'static Location<'static>,
    started: start::Begun<T, F>,
) -> TaskHandle<T::Ok, T::Err> {
    started_or_refused::<T, F>(region, at, started.map(|join| TaskHandle { join }))
}

pub(crate) fn started_or_refused<T: TaskOutput, F>(
    region: &Region,
    at: &'static Location<'static>,
    started: Started<T, F>,
) -> TaskHandle<T::Ok, T::Err> {
    started.unwrap_or_else(|(body, why)| {
        drop(body);
        region.emit(None, || Label::SpawnRefused {
            region: region.id(),
            origin: Origin { scope: region.id().as_u64(), request: 0 },
            why,
        });
        TaskHandle { join: start::refused::<T>(region, at) }
    })
}

impl<T, E> TaskHandle<T, E> {
    /// The task's identity; 0 for one that was refused.
    pub fn id(&self) -> TaskId {
        self.join.id()
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        crate::object::looked_at(self.id());
        self.join.is_finished()
    }

    /// Waits for the task's outcome and takes it: it is handled, and no longer concerns the region.
    ///
    /// The outcome of a finished task is never refused, even under cancellation. If the joiner is cancelled
    /// first, this returns that `Cancelled`, and the handle can join again. A joiner that is cancelled because this very
    /// task failed, and for nothing else, waits on, until the children of the task have ended too: the outcome says more. A second join after
    /// the outcome was taken returns a `Cancelled` that says so.
    pub async fn join<C: Row>(&mut self, cx: &Cx<C>) -> Outcome<T, E> {
        poll_fn(|context| {
            if cx.announces_join(context, self.id()) || cx.poll_budget(context).is_pending() {
                return Poll::Pending;
            }
            if !types::seeded!("task.join-refused")
                && let Some(outcome) = self.take(cx)
            {
                return Poll::Ready(outcome);
            }
            if !self.is_why(cx)
                && let Err(c) = cx.checkpoint()
            {
                // A moment later the outcome may have been there.
                crate::object::looked_at(self.id());
                return Poll::Ready(Outcome::Cancelled(c));
            }
            if self.join.register(context.waker()) {
                cx.poll_wait_on(context, &JOINING, WaitOn::Task(self.id()));
                return Poll::Pending;
            }
            // It ended between the two looks.
            match self.take(cx) {
                Some(outcome) => Poll::Ready(outcome),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Whether all that was asked here was asked because this task failed. A task's region hears of its failure before its
    /// handle does: without this the threads would decide what a join returns. Who has lost a race, or is late, besides,
    /// does not wait.
    #[inline]
    fn is_why<C: Row>(&self, cx: &Cx<C>) -> bool {
        cx.header().control() & control::ATTENTION != 0
            && !types::seeded!("task.join-tells-the-consequence")
            && crate::scope::only(cx.place(), |c| {
                c.kind() == CancelKind::SiblingFailed && c.by() == Some(self.id())
            })
    }

    /// The outcome, if the task has ended and nobody took it. Never waits.
    pub fn try_join<C: Row>(&mut self, cx: &Cx<C>) -> Option<Outcome<T, E>> {
        if self.is_finished() { self.take(cx) } else { None }
    }

    fn take<C: Row>(&mut self, cx: &Cx<C>) -> Option<Outcome<T, E>> {
        let traced = cx.header().control() & control::TRACE != 0 && self.id().as_u64() != 0;
        let outcome = if traced { self.take_traced(cx.header()) } else { self.join.try_take() };
        if outcome.is_some() {
            return outcome;
        }
        self.join.is_taken().then(|| self.taken_before())
    }

    /// Takes the outcome and says so at once, after the task's end was said (`event.linear`): the outcome is there a
    /// moment before.
    #[cold]
    fn take_traced(&mut self, by: &Header) -> Option<Outcome<T, E>> {
        if !self.join.is_finished() {
            return None;
        }
        // What happens meanwhile on the task's thread waits for nobody, but for an `on_failure` that does.
        while !region::has_left(self.join.task()) {
            core::hint::spin_loop()
        }
        let (owner, task, by) = (crate::raw::place::owner_of(by), self.id(), crate::scope::actor(by));
        let mut outcome = None;
        owner.step(by, || {
            outcome = self.join.try_take();
            outcome.is_some().then_some(Label::TaskJoined { task, by })
        });
        outcome
    }

    /// Asks the task to end. It learns of it at its next checkpoint; everything it owns is asked as well.
    /// May be called from any thread.
    #[track_caller]
    pub fn cancel(&self, why: &'static str) {
        self.cancel_at(why, Location::caller())
    }

    /// As [`Cx::step`], for code that will call [`cancel`](Self::cancel) next: exploration then knows beforehand what the
    /// step is about, and tries less ([`Cx::step_to`]).
    #[track_caller]
    pub fn step_to_cancel<'c, C: Row>(&self, cx: &'c Cx<C>) -> impl Future<Output = ()> + use<'c, T, E, C> {
        crate::object::step_to_ask(cx, self.id(), Location::caller())
    }

    /// Joins and turns the outcome into a result that `?` understands; a child's panic is resumed here.
    pub async fn ok<C: Row>(&mut self, cx: &Cx<C>) -> Result<T, Stop<E>> {
        match self.join(cx).await {
            Outcome::Panicked(p) => (cx.world().unwinding.resume)(p.into_payload()),
            other => other.ok(),
        }
    }
}

/// For whoever is no task, and has no context.
impl<T, E> TaskHandle<T, E> {
    /// The outcome, if the task has ended: as [`TaskHandle::try_join`] would give it.
    pub(crate) fn take_outside(&mut self) -> Option<Outcome<T, E>> {
        if !self.join.is_finished() {
            return None;
        }
        let mut outcome = None;
        if self.join.task().control() & control::TRACE != 0 {
            let (task, join) = (self.id(), &mut self.join);
            // See `take_traced`.
            while !region::has_left(join.task()) {
                core::hint::spin_loop()
            }
            let header = join.task().clone();
            start::with_world(&header, |world| {
                if let Some(sink) = &world.sink {
                    sink.step(None, &mut || {
                        outcome = join.try_take();
                        outcome.is_some().then_some(Label::TaskJoined { task, by: None })
                    })
                }
            });
        }
        let outcome = outcome.or_else(|| self.join.try_take());
        // A region that has closed over a failure has taken it.
        outcome.or_else(|| self.join.is_taken().then(|| self.taken_before()))
    }

    /// Has `waker` woken once, at the end, which takes nothing; false if that has come. For authors of combinators: the last
    /// waker that was given is woken, a join's among them, and a request does not wake it.
    pub fn wake_at_end(&mut self, waker: &core::task::Waker) -> bool {
        self.join.register(waker)
    }

    /// As [`TaskHandle::cancel`], on behalf of the code at `at`.
    pub fn cancel_at(&self, why: &'static str, at: &'static Location<'static>) {
        let header: &Header = self.join.task();
        crate::object::asks(self.id());
        if header.word.is_complete() {
            return;
        }
        let ask = Ask { kind: CancelKind::Explicit, why, at, grace: None };
        start::with_world(header, |world| request(self.join.task(), self.id(), world, ask));
    }

    fn taken_before(&self) -> Outcome<T, E> {
        Outcome::Cancelled(
            Cancelled::new(CancelKind::ChildFailed, Origin { scope: self.id().as_u64(), request: 0 })
                .why("its outcome was taken before: by an earlier join, or by its region when it closed")
                .build(),
        )
    }
}

/// What is asked of a task by itself.
pub(crate) struct Ask {
    pub(crate) kind: CancelKind,
    pub(crate) why: &'static str,
    pub(crate) at: &'static Location<'static>,
    pub(crate) grace: Option<Duration>,
}

/// Asks one task and everything it owns to end (`cancel.down`). From any thread.
pub(crate) fn request(task: &TaskRef, id: TaskId, world: &World, ask: Ask) {
    let ext = ext::make(task);
    let n = ext.requests.fetch_add(1, Relaxed);
    let now = world.clock.now();
    let of_region = ext.inner.lock().grace;
    let deadline = cancel::cleanup_deadline(now, ask.grace, of_region, world.grace);
    let c = Cancelled::new(ask.kind, Origin { scope: id.as_u64(), request: n + 1 })
        .why(ask.why)
        .at(ask.at)
        .when(now)
        .build();
    let mut inner = ext.inner.lock();
    if ext::is_over(task) || !inner.slot.strengthen(&c, Some(deadline)).any() {
        return;
    }
    if let Some(sink) = &world.sink {
        let (kind, origin) = (c.kind(), c.origin());
        sink.emit(None, Label::TaskRequest { task: id, kind, origin, deadline })
    }
    task.tell(c.kind() as u8);
    // Read after the bit is set, under the lock that a region is noted under: one that is opened later sees the request.
    let owned = ext.regions_in(&inner);
    drop(inner);
    for region in owned.into_iter().filter(|r| r.hears_task()) {
        region.request(&c, Some(deadline));
    }
    if deadline < Time::MAX {
        let key = world.timers.set(deadline, Due::stop(task.clone()));
        let before = ext.inner.lock().stop.replace(key);
        // The end of the task takes the timer back, and the reference in it; one that ended meanwhile has
        // looked before.
        let stale = if task.word.is_complete() { ext.inner.lock().stop.take() } else { None };
        for key in before.into_iter().chain(stale) {
            drop(world.timers.take(key))
        }
    }
    if task.control() & control::FOREIGN != 0 {
        crate::wake_foreign(task)
    }
    task.wake_by_ref();
}
