//! Starting a task: the cell, its admission, the first `Cx`, the queue.
use super::owner::{Kernel, RootBody};
use super::place::Address;
use crate::root::{Root, RootTask};
use crate::spawn::Task;
use crate::{All, Cx, Row};
use alloc::sync::Arc;
use core::future::Future;
use core::panic::Location;
use region::{Region, Via};
use task::control;
use task::raw::cell::{NewCell, Origin};
use task::raw::join::JoinRef;
use trace::Refused;
use types::{Never, TaskOutput};

/// The right to a started task's outcome, or the body back with the reason.
pub(crate) type Begun<T, F> = Result<JoinRef<<T as TaskOutput>::Ok, <T as TaskOutput>::Err>, (F, Refused)>;

/// How to start a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) at: &'static Location<'static>,
    pub(crate) via: Via,
    pub(crate) daemon: bool,
    pub(crate) control: u32,
}

/// The future type of a task body that is given a context for as long as it lives.
type Body<F, C> = <F as crate::spawn::TaskFn<'static, C>>::Fut;

/// Admits and starts `body` in `region`; gives it back if the region does not admit.
pub(crate) fn task<T, F, C>(
    region: &Region,
    start: Start,
    env: impl FnOnce(&task::Header),
    body: F,
) -> Begun<T, F>
where
    T: TaskOutput,
    C: Row,
    F: Task<T, C>,
{
    // SAFETY: `F: Task` proves its future `Send`, so any thread may poll it; the context it is given points at
    // the cell's header, which outlives the future inside the cell.
    unsafe { spawn_with(region, start, env, body, |f, cx: &'static mut Cx<C>| -> Body<F, C> { f(cx) }) }
}

impl Root {
    /// Starts the root body, which leaves its value in `value`. It is polled on the home thread only, may
    /// borrow from the caller, and need not be `Send`.
    ///
    /// # Safety
    /// The engine polls and drops pinned tasks (`control::PINNED`) on the calling thread only, and does not
    /// let `'a` end before the returned task is finished.
    pub unsafe fn start<'a, T, F, Fut>(
        &self,
        at: &'static Location<'static>,
        body: F,
        value: &mut Option<T>,
    ) -> RootTask
    where
        F: FnOnce(&'a mut Cx<All>) -> Fut,
        Fut: Future<Output = T>,
    {
        // SAFETY: says the caller.
        RootTask { join: unsafe { root_body(&self.region, at, body, value) } }
    }
}

impl<C: Row> Cx<C> {
    /// Spawns a task that only the home thread of the engine polls and drops: it need not be `Send`.
    ///
    /// # Safety
    /// The caller runs on the home thread of the engine that runs this context's task.
    pub unsafe fn spawn_pinned<T, F>(
        &self,
        at: &'static Location<'static>,
        body: F,
    ) -> crate::TaskHandle<T::Ok, T::Err>
    where
        C: crate::MaySpawn,
        T: TaskOutput,
        F: AsyncFnOnce(&mut Cx<C>) -> T + 'static,
    {
        let region = self.spawn_region();
        let start = Start { at, via: Via::Body, daemon: false, control: control::PINNED };
        let env = self.inherited_env();
        let give_env = |header: &task::Header| crate::spawn::give_env(header, env);
        // SAFETY: pinned to the home thread, where the body was made, says the caller.
        let started = unsafe { spawn_with(region, start, give_env, body, |f, cx: &'static mut Cx<C>| f(cx)) };
        crate::spawn::handle_or_refused::<T, F>(region, at, started)
    }
}

/// Starts the root body of a runtime.
///
/// # Safety
/// As `Root::start`.
unsafe fn root_body<'a, T, F, Fut>(
    region: &Arc<Region>,
    at: &'static Location<'static>,
    body: F,
    value: &mut Option<T>,
) -> JoinRef<(), Never>
where
    F: FnOnce(&'a mut Cx<All>) -> Fut,
    Fut: Future<Output = T>,
{
    // The body is called by the first poll: what it panics with is the task's outcome like any other.
    async fn keep<'a, T, F, Fut>(body: F, cx: &'a mut Cx<All>, value: &mut Option<T>)
    where
        F: FnOnce(&'a mut Cx<All>) -> Fut,
        Fut: Future<Output = T>,
    {
        *value = Some(body(cx).await)
    }
    let control = control::PINNED | control::ROOT | if region.is_traced() { control::TRACE } else { 0 };
    let origin = Origin { tag: region.tag(), region: Arc::as_ptr(region).cast(), control, at };
    // The types of `keep`'s future cannot be named: the cell is allocated for what `make` returns.
    fn start_as<Fu: Future<Output = ()>>(
        origin: Origin,
        region: &Arc<Region>,
        make: impl FnOnce(core::ptr::NonNull<task::Header>) -> Fu,
    ) -> JoinRef<(), Never> {
        let cell = NewCell::<Fu, (), RootBody>::allocate(origin);
        let header = cell.task();
        // SAFETY: just allocated.
        let h = unsafe { header.as_ref() };
        let _ = super::ext::make(h).set_implicit(region.clone());
        let future = make(header);
        // SAFETY: pinned to the caller's thread, and finished before its borrows end (`Root::start`).
        let (runnable, join) = unsafe { cell.start(future, crate::scope::task_id(h)) };
        region.set_body(h.counted());
        // SAFETY: the runnable is ours.
        unsafe { task::engine::schedule(runnable.into_raw()) };
        join
    }
    // SAFETY: the context's place is the header of the cell that owns the future.
    start_as(origin, region, |header| keep(body, unsafe { Address::of_task(header).cx() }, value))
}

/// # Safety
/// `Fut` may be polled and dropped where the engine will do so.
unsafe fn spawn_with<T, F, C, Fut>(
    region: &Region,
    start: Start,
    env: impl FnOnce(&task::Header),
    body: F,
    make: impl FnOnce(F, &'static mut Cx<C>) -> Fut,
) -> Begun<T, F>
where
    T: TaskOutput,
    C: Row,
    Fut: Future<Output = T>,
{
    let mut control = if region.is_traced() { start.control | control::TRACE } else { start.control };
    if region.after_grace() == types::AfterGrace::Abandon {
        control |= control::ABANDONABLE
    }
    let origin =
        Origin { tag: region.tag(), region: core::ptr::from_ref(region).cast(), control, at: start.at };
    let cell = NewCell::<Fut, T, Kernel>::allocate(origin);
    let header = cell.task();
    // SAFETY: a new cell that names this region, started below in any case.
    let id = match unsafe { region.admit(header, start.via, start.daemon) } {
        Ok(id) => id,
        Err(why) => return Err((body, why)),
    };
    // The body's constructor is user code: it may panic, and it may have spawned children of the task by then.
    // The task is a member, so it is started all the same, and ends as panicked once its children have ended.
    struct Unmade<F: Future<Output = T>, T: TaskOutput>(Option<NewCell<F, T, Kernel>>);
    impl<F: Future<Output = T>, T: TaskOutput> Drop for Unmade<F, T> {
        fn drop(&mut self) {
            let Some(cell) = self.0.take() else { return };
            let panic = types::Panic::new("the task's body panicked before it returned its future");
            // SAFETY: admitted above and not started; there is no future, so any thread may poll it.
            let runnable = unsafe { cell.start_ended(types::Outcome::Panicked(panic)) };
            // SAFETY: the runnable is ours.
            unsafe { task::engine::schedule(runnable.into_raw()) };
        }
    }
    let mut cell = Unmade(Some(cell));
    // SAFETY: the cell is alive.
    let task = unsafe { header.as_ref() };
    // Who asks the task alone may do so when the region is gone, so the task has to know.
    if let Some(grace) = region.grace_below_root() {
        super::ext::make(task).inner.lock().grace = Some(grace)
    }
    env(task);
    // SAFETY: the context's place is the header in the cell that will own the future. The body cannot keep
    // it longer: it is written for every lifetime.
    let future = make(body, unsafe { Address::of_task(header).cx::<C>() });
    let Some(cell) = cell.0.take() else { unreachable!("only the guard takes it") };
    // SAFETY: says the caller.
    let (runnable, join) = unsafe { cell.start(future, id) };
    // SAFETY: the runnable is ours.
    unsafe { task::engine::schedule_new(runnable.into_raw()) };
    Ok(join)
}

/// A handle for a task that was refused.
pub(crate) fn refused<T: TaskOutput>(
    region: &Region,
    at: &'static Location<'static>,
) -> JoinRef<T::Ok, T::Err> {
    let origin = Origin { tag: region.tag(), region: core::ptr::from_ref(region).cast(), control: 0, at };
    let cell = NewCell::<core::future::Pending<T>, T, Kernel>::allocate(origin);
    cell.refuse(types::Outcome::Cancelled(region::refusal(region, at)))
}

/// Opens an obligation in a region, unless that settles or is closed.
#[inline]
pub(crate) fn obligation(region: &Region, of: obligation::Outstanding<'_>) -> Option<obligation::Obligation> {
    debug_assert!(core::ptr::eq(of.account, region.account()));
    // SAFETY: a region is freed only after its close, which comes after its account, to which nothing is
    // admitted any more, was seen at zero (`close::settle`). A region that is never closed is never freed.
    unsafe { obligation::Obligation::open(of) }
}

/// Moves an obligation to a region, unless that settles or is closed.
pub(crate) fn rehome(
    record: &mut obligation::Obligation,
    region: &Region,
) -> Result<obligation::Rehomed, obligation::AlreadyLeaked> {
    // SAFETY: as in `obligation`.
    unsafe { record.rehome(region.account()) }
}

/// Calls `f` with the world of a task, if its engine is still there.
pub(crate) fn with_world(header: &task::Header, f: impl FnOnce(&crate::port::World)) {
    task::engine::visit(header.tag(), |engine| {
        // SAFETY: the visit keeps the engine registered; every engine's structure begins with its world.
        f(unsafe { engine.cast::<crate::port::World>().as_ref() })
    });
}

/// Calls `f` with the region's world, if the region is not closed and its engine is still there.
pub(crate) fn while_open(region: &Region, f: impl FnOnce(&crate::port::World)) {
    task::engine::visit(region.tag(), |engine| {
        // Looked at inside: a region that is not closed has its engine in the table, and not a successor.
        if region.phase() != trace::RegionPhase::Closed {
            // SAFETY: the visit keeps the engine registered; every engine's structure begins with its world.
            f(unsafe { engine.cast::<crate::port::World>().as_ref() })
        }
    });
}
