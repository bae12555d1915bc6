//! A chain of runnables on their way to the cancel lane, linked through their headers: no allocation.
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use task::Header;

/// Runnables of one engine, linked through `next`, in the order in which they were woken.
///
/// Invariant `chain.owned`: every header in it was woken from zero by [`Chain::wake`], so the chain owns its
/// runnable: nobody polls the task, it cannot complete, and its link is the chain's (`task.single-poller`).
#[derive(Debug, Default)]
pub(crate) struct Chain {
    first: Option<NonNull<Header>>,
    last: Option<NonNull<Header>>,
}

impl Chain {
    /// Wakes a task; if that made it runnable, the chain owns the runnable.
    pub(crate) fn wake(&mut self, task: &Header) {
        if !task.word.wake_by_ref() {
            return;
        }
        let new = task.cell();
        task.next.store(core::ptr::null_mut(), Relaxed);
        match self.last {
            // SAFETY: `chain.owned`: the last one is a task that is not complete, so its cell is allocated.
            Some(last) => unsafe { last.as_ref() }.next.store(new.as_ptr(), Relaxed),
            None => self.first = Some(new),
        }
        self.last = Some(new);
    }

    /// Gives the runnables to their engine.
    pub(crate) fn schedule(self) {
        let Some(first) = self.first else { return };
        // SAFETY: `chain.owned`: the tasks are not complete, so their cells are allocated and their engine is
        // registered; it is one engine, because the members of a region are. The chain gives the runnables up.
        unsafe {
            let engine = task::engine::of(first.as_ref().tag());
            (engine.as_ref().schedule_cancelled)(engine, first)
        }
    }
}
