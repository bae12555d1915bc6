//! [`Joins`]: what a handle on a task can do, for what joins many of them whoever they are.
//!
//! Not here: the handles. [`TaskHandle`] is this crate's; those on tasks that stay on a thread are the runtime's.
use crate::{Cx, Row, TaskHandle};
use core::panic::Location;
use core::task::Waker;
use types::{Outcome, TaskId};

/// A handle on a task, for authors of sets and combinators. Its methods are those of [`TaskHandle`].
pub trait Joins {
    /// The value of the outcome.
    type Ok;
    /// The application error of the outcome.
    type Err;

    /// The task's identity.
    fn id(&self) -> TaskId;

    /// The outcome, if the task has ended and nobody took it. Never waits.
    fn try_join<C: Row>(&mut self, cx: &Cx<C>) -> Option<Outcome<Self::Ok, Self::Err>>;

    /// Has `waker` woken once, at the end; false if that has come.
    fn wake_at_end(&mut self, waker: &Waker) -> bool;

    /// Asks the task to end, on behalf of the code at `at`.
    fn cancel_at(&self, why: &'static str, at: &'static Location<'static>);
}

impl<T, E> Joins for TaskHandle<T, E> {
    type Ok = T;
    type Err = E;

    fn id(&self) -> TaskId {
        TaskHandle::id(self)
    }

    fn try_join<C: Row>(&mut self, cx: &Cx<C>) -> Option<Outcome<T, E>> {
        TaskHandle::try_join(self, cx)
    }

    fn wake_at_end(&mut self, waker: &Waker) -> bool {
        TaskHandle::wake_at_end(self, waker)
    }

    fn cancel_at(&self, why: &'static str, at: &'static Location<'static>) {
        TaskHandle::cancel_at(self, why, at)
    }
}
