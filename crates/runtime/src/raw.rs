//! Starting the root body: the one promise the runtime makes that the compiler cannot check.
use cx::{All, Cx, Root, RootTask};
use sched::engine::MustFinish;
use std::future::Future;
use std::panic::Location;

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
    // SAFETY: pinned tasks are polled by worker 0 only, which `drive` runs on this thread; and this function
    // does not return, nor unwind, before the task is finished.
    let task = unsafe { root.start(at, body, value) };
    drive(&task);
    guard.check(&task);
    task
}

/// Spawns a task that need not be `Send`. Only called by [`crate::Local`], which exists on the home thread of the
/// runtime with this tag, and cannot leave it.
pub(crate) fn spawn_local<C, T, F>(
    tag: u16,
    cx: &Cx<C>,
    at: &'static Location<'static>,
    body: F,
) -> cx::TaskHandle<T::Ok, T::Err>
where
    C: cx::Row + cx::MaySpawn,
    T: types::TaskOutput,
    F: AsyncFnOnce(&mut Cx<C>) -> T + 'static,
{
    assert_eq!(cx.engine_tag(), tag, "a local task was spawned through a `Cx` of another runtime");
    // SAFETY: `Local` is neither `Send` nor `Sync` and is made on the home thread of its runtime, which runs the
    // context's task, as was just checked; pinned tasks are polled and dropped on that thread only.
    unsafe { cx.spawn_pinned(at, body) }
}
