//! [`Guest`]: a task of a region as a future that any executor may poll.
//!
//! ```text
//! a thread outside, tokio, a test ──await──▶ Guest ┄┄joins┄┄▶ task, a member of the region
//!                                 ──drop───▶ the task is asked to end, and the region waits for it
//! ```
//! The body runs where every task of the region runs, with a context of its own; what the foreign executor polls is
//! the wait for its outcome. So a body never runs on a thread that the runtime does not know, and a foreign
//! executor that forgets the future, or stops polling it, cannot keep a region from closing.
//!
//! Not here: spawning from outside without waiting ([`RegionHandle::try_spawn`]), futures of others inside a task
//! (they are awaited like any other).
use crate::spawn::{Task, TaskHandle};
use crate::{MaySpawn, RegionHandle, Row};
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use types::{Outcome, TaskId, TaskOutput};

/// Waits for a task's outcome and takes it, wherever it is polled; made by [`RegionHandle::guest`].
///
/// The outcome is handled by that, and no longer concerns the region. Dropped before, it asks the task to end; what
/// the task ends in then is the region's, by its policy.
#[derive(Debug)]
#[must_use = "dropping a guest asks its task to end"]
pub struct Guest<T, E> {
    task: TaskHandle<T, E>,
    at: &'static Location<'static>,
    over: bool,
}

// Nothing in it is ever pinned: the future that it waits for is in its task.
impl<T, E> Unpin for Guest<T, E> {}

impl<C: Row> RegionHandle<C> {
    /// Spawns a task, as [`RegionHandle::try_spawn`] does, and returns a future of its outcome that needs no `Cx`: for
    /// threads outside and for executors of others.
    ///
    /// The task runs on this region's runtime whether or not the future is polled. Its `Send` bounds are those of
    /// every task.
    ///
    /// # Errors
    /// Gives the body back if the region no longer admits tasks, or is gone.
    #[track_caller]
    pub fn guest<T: TaskOutput, F: Task<T, C>>(&self, body: F) -> Result<Guest<T::Ok, T::Err>, F>
    where
        C: MaySpawn,
    {
        let at = Location::caller();
        self.try_spawn(body).map(|task| Guest { task, at, over: false })
    }
}

impl<T, E> Guest<T, E> {
    /// The task's identity.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }
}

impl<T, E> Future for Guest<T, E> {
    type Output = Outcome<T, E>;

    /// Wakes the waker of the last poll when the task has ended.
    ///
    /// # Panics
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<T, E>> {
        let this = self.get_mut();
        assert!(!this.over, "the guest made at {} was polled after it was ready", this.at);
        let outcome = match this.task.take_outside() {
            None if this.task.wake_at_end(context.waker()) => return Poll::Pending,
            // It ended between the two looks.
            None => this.task.take_outside(),
            taken => taken,
        };
        let Some(outcome) = outcome else { unreachable!("a task that has ended has an outcome, or had one") };
        this.over = true;
        Poll::Ready(outcome)
    }
}

impl<T, E> Drop for Guest<T, E> {
    fn drop(&mut self) {
        if !self.over {
            self.task.cancel_at("nobody waits for it any more: its guest was dropped", self.at)
        }
    }
}
