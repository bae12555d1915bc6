//! The promises an engine makes to the kernel: where runnables go, and that its address and the root body's
//! borrows stay valid while tasks live.
use crate::executor::Executor;
use asupersync_cx::{All, Cx, RootTask};
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use task::engine::{EngineHead, EngineSlot};
use task::{Header, Runnable};

/// The entry points. One core and one queue: woken, requeued and cancelled tasks all go to its end.
pub(crate) const HEAD: EngineHead = EngineHead {
    schedule,
    schedule_new: schedule,
    requeue: schedule,
    schedule_cancelled,
    wake_foreign: asupersync_cx::wake_foreign,
};

/// # Safety
/// As [`EngineHead::schedule`]; `head` is that of a registered [`Executor`].
unsafe fn schedule(head: NonNull<EngineHead>, task: NonNull<Header>) {
    // SAFETY: the executor begins with its world, which begins with the head, and outlives its registration;
    // the runnable is given to it.
    unsafe { head.cast::<Executor>().as_ref().queue(Runnable::from_raw(task)) }
}

/// # Safety
/// As [`EngineHead::schedule_cancelled`]; `head` as in `schedule`.
unsafe fn schedule_cancelled(head: NonNull<EngineHead>, chain: NonNull<Header>) {
    let mut at = Some(chain);
    while let Some(task) = at {
        // SAFETY: a linked task is a runnable that is given to us: not complete, and its link ours until it is
        // queued. The rest as in `schedule`.
        unsafe {
            at = NonNull::new(task.as_ref().next.load(Relaxed));
            schedule(head, task)
        }
    }
}

/// Registers the executor, starts `body` as the root of a tree, and calls `drive`, which has to finish it.
pub(crate) fn with_root<T>(
    executor: &Executor,
    value: &mut Option<T>,
    body: impl AsyncFnOnce(&mut Cx<All>) -> T,
    drive: impl FnOnce(&RootTask),
) {
    /// The body's borrows end with this frame, and so does the executor's registration: a root that is still
    /// there would dangle. A panic while unwinding is how `core` spells abort.
    struct MustFinish;
    impl Drop for MustFinish {
        fn drop(&mut self) {
            panic!("the executor stopped before its root task had ended")
        }
    }
    let address = NonNull::from(executor).cast();
    // SAFETY: the executor is borrowed until the slot is dropped below, and no task outlives the root's end.
    let Some(slot) = (unsafe { EngineSlot::register(address) }) else { panic!("too many engines") };
    let guard = MustFinish;
    let root = executor.open_root(slot.tag());
    // SAFETY: there is one thread, this one, and this function does not return before the root has finished.
    let task = unsafe { root.start(Location::caller(), async |cx: &mut Cx<All>| body(cx).await, value) };
    drive(&task);
    assert!(task.is_finished(), "the root task has not ended");
    core::mem::forget(guard);
}
