//! Starting the root body: the one promise the runtime makes that the compiler cannot check.
use cx::{All, Cx, Root, RootTask};
use sched::engine::MustFinish;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::task::Waker;
use types::{LocalOutput, Outcome};

/// Starts `body` as the root of `root`'s tree and runs `drive`, which must not return before the task has
/// finished.
///
/// If it does return before, or unwinds, the process is aborted: the body's borrows are about to end.
pub(crate) fn with_root<'a, T, F, Fut>(
    root: &Root,
    at: &'static Location<'static>,
    body: F,
    value: &mut Option<T>,
    drive: impl FnOnce(&RootTask),
) -> RootTask
where
    F: FnOnce(&'a mut Cx<All>) -> Fut,
    Fut: Future<Output = T>,
{
    let guard = MustFinish::new("asupersync: the engine ended before its root body did: aborting");
    // SAFETY: pinned tasks are polled by worker 0 only, or by the home alone where that is apart: `drive` runs whichever it is on
    // this thread; and this function does not return, nor unwind, before the task is finished.
    let task = unsafe { root.start(at, body, value) };
    drive(&task);
    guard.check(&task);
    task
}

/// A value of a task that stays on its thread.
#[derive(Debug)]
pub(crate) struct Stays<T>(T);

// SAFETY: `local.stays`: a value is made by a pinned task, which is polled on the home thread only, and leaves its cell in one
// of three ways, all there: the `LocalHandle` takes it, which isn't `Send`; that handle drops it; or the task's end does,
// when there is no handle any more. A region never asks for an `Ok` (`TaskRef::take_loss`), and a cell that is freed
// elsewhere holds none: while a handle exists it counts a reference.
unsafe impl<T> Send for Stays<T> {}

impl<T> Stays<T> {
    /// The value, for its thread.
    fn into_inner(self) -> T {
        self.0
    }
}

/// A handle on a task of this thread, which it doesn't leave (`local.stays`).
#[derive(Debug)]
pub(crate) struct LocalTask<T, E> {
    task: cx::TaskHandle<Stays<T>, E>,
    here: PhantomData<*const ()>,
}

impl<T, E> LocalTask<T, E> {
    /// The task, for what concerns any thread.
    pub(crate) fn task(&self) -> &cx::TaskHandle<Stays<T>, E> {
        &self.task
    }

    /// Its outcome, if it has ended.
    pub(crate) fn try_join<C: cx::Row>(&mut self, cx: &Cx<C>) -> Option<Outcome<T, E>> {
        Some(self.task.try_join(cx)?.map(Stays::into_inner))
    }

    /// As [`TaskHandle::wake_at_end`](cx::TaskHandle::wake_at_end).
    pub(crate) fn wake_at_end(&mut self, waker: &Waker) -> bool {
        self.task.wake_at_end(waker)
    }

    /// Waits for its outcome.
    pub(crate) async fn join<C: cx::Row>(&mut self, cx: &Cx<C>) -> Outcome<T, E> {
        self.task.join(cx).await.map(Stays::into_inner)
    }
}

/// Spawns a task that need not be `Send`. Only called by [`crate::Local`], which exists on the home thread of the
/// runtime with this tag, and cannot leave it.
pub(crate) fn spawn_local<C, T, F>(
    tag: u16,
    cx: &Cx<C>,
    at: &'static Location<'static>,
    body: F,
) -> LocalTask<T::Ok, T::Err>
where
    C: cx::Row + cx::MaySpawn,
    T: LocalOutput,
    F: AsyncFnOnce(&mut Cx<C>) -> T + 'static,
{
    assert_eq!(cx.engine_tag(), tag, "a local task was spawned through a `Cx` of another runtime");
    // SAFETY: `Local` is neither `Send` nor `Sync` and is made on the home thread of its runtime, which runs the
    // context's task, as was just checked; pinned tasks are polled and dropped on that thread only.
    let task =
        unsafe { cx.spawn_pinned(at, async move |cx: &mut Cx<C>| body(cx).await.into_outcome().map(Stays)) };
    LocalTask { task, here: PhantomData }
}
