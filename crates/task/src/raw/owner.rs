//! The layer above, as the cell calls it. Static dispatch: the cell's code is compiled with it, and nothing
//! here knows what a region is.
use super::header::Header;
use super::waiter::Waiter;
use crate::{Raise, Verdict};
use core::task::{Context, Poll};
use types::{Failure, TaskId};

/// Which task something was left by, as far as whoever drops it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// One that has not left its owner.
    Member,
    /// One that may have left it, known by this.
    Known(TaskId),
    /// One whose memory is freed: its owner may be gone, and nobody else knows it.
    Gone,
}

/// What the layer above does when a task's body ends and when the task ends.
///
/// # Safety
/// `ended` must remove every link to the header that does not hold a reference: the cell may be freed as
/// soon as it returns. `release` must not use the header after it returns.
pub unsafe trait Owner {
    /// The body returned `verdict`. Called once, by the polling thread, and must not unwind: the process would
    /// end. True if the task owns children that have to end first. A plain `Ok` of a task without extension
    /// and trace is not told.
    fn body_ended(task: &Header, verdict: Verdict<'_>) -> bool;
    /// The future is about to be dropped, as it was ordered to be ([`control::ABANDON`](crate::control::ABANDON)). Called
    /// at most once, before [`Owner::body_ended`], and must not unwind.
    fn abandoned(task: &Header) {
        let _ = task;
    }
    /// Polls the end of the children of a task whose body ended with `verdict`.
    fn poll_drain(task: &Header, verdict: Verdict<'_>, context: &mut Context<'_>) -> Poll<Raise>;
    /// The task has ended with `verdict` and its outcome is in the cell. Called once, and must not unwind: the
    /// process would end. Returns somebody to wake once the task is complete.
    fn ended(task: &Header, verdict: Verdict<'_>) -> Option<Waiter>;
    /// The error that the body returned is no longer the task's outcome, because of what became of its children: to be told.
    /// Called at most once, before [`Owner::ended`], and must not unwind.
    fn outdone(task: &Header, failure: Failure);
    /// Drops what a task has left and nobody takes, by calling `drop` once: an outcome, or a future that panicked. Its
    /// code is the user's. What it panics with must go no further, and for a [`Whose::Member`] the process would end if it
    /// did. May be called on any thread.
    fn discard(task: &Header, whose: Whose, drop: &mut dyn FnMut());
    /// Frees what the layer above hung on the header. No other reference to it is left.
    fn release(task: &Header);
}
