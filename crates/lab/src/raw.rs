//! The lab engine's entry points for the kernel, its registration, and the root body.
pub(crate) mod desk;
pub(crate) mod home;

use crate::engine::Engine;
use cx::{All, Cx, Root, RootTask};
use sched::engine::MustFinish;
use std::future::Future;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use task::engine::{EngineHead, EngineSlot};
use task::{Header, Runnable};

/// # Safety
/// The head is that of a registered lab engine.
unsafe fn engine<'a>(head: NonNull<EngineHead>) -> &'a Engine {
    // SAFETY: a lab engine begins with its world, which begins with the head; it is alive while registered.
    unsafe { head.cast::<Engine>().as_ref() }
}

/// # Safety
/// As [`EngineHead::schedule`].
unsafe fn schedule(head: NonNull<EngineHead>, task: NonNull<Header>) {
    // SAFETY: the runnable is given to us.
    unsafe { engine(head).woken(Runnable::from_raw(task)) }
}

/// # Safety
/// As [`EngineHead::schedule_new`].
unsafe fn schedule_new(head: NonNull<EngineHead>, task: NonNull<Header>) {
    // SAFETY: the runnable is given to us.
    unsafe { engine(head).spawned(Runnable::from_raw(task)) }
}

/// # Safety
/// As [`EngineHead::requeue`].
unsafe fn requeue(head: NonNull<EngineHead>, task: NonNull<Header>) {
    // SAFETY: the runnable is given to us.
    unsafe { engine(head).requeued(Runnable::from_raw(task)) }
}

/// # Safety
/// As [`EngineHead::schedule_cancelled`].
unsafe fn schedule_cancelled(head: NonNull<EngineHead>, chain: NonNull<Header>) {
    let mut at = Some(chain);
    while let Some(task) = at {
        // SAFETY: the chain's runnables are given to us; the link is read before the runnable is given on.
        unsafe {
            at = NonNull::new(task.as_ref().next.load(Relaxed));
            engine(head).cancelled(Runnable::from_raw(task))
        }
    }
}

/// The head of a lab engine.
pub(crate) const HEAD: EngineHead =
    EngineHead { schedule, schedule_new, requeue, schedule_cancelled, wake_foreign: cx::wake_foreign };

/// Registers an engine that stays where it is until the slot is dropped.
pub(crate) fn register(engine: &Arc<Engine>) -> Option<EngineSlot> {
    // SAFETY: `LabRuntime` drops its slot before its engine, and its tasks are complete by then: a run ends
    // with its root task, or aborts.
    unsafe { EngineSlot::register(NonNull::from(&**engine).cast()) }
}

/// Starts `body` and runs `drive`, after which the root task must be finished.
pub(crate) fn with_root<'l, T, F, Fut>(
    root: &Root,
    at: &'static Location<'static>,
    body: F,
    value: &mut Option<T>,
    drive: impl FnOnce(&RootTask),
) -> RootTask
where
    F: FnOnce(&'l mut Cx<All>) -> Fut,
    Fut: Future<Output = T>,
{
    let guard = MustFinish::new("asupersync lab: a task could not be dropped after a failed run: aborting");
    // SAFETY: the lab polls on this thread only; this function neither returns nor unwinds before the task is
    // finished; the caller keeps the task for `'l`.
    let task = unsafe { root.start(at, body, value) };
    drive(&task);
    guard.check(&task);
    task
}
