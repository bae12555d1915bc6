//! [`Leg`]: one branch on its way through a combinator.
//!
//! ```text
//! Running ──body returned, panicked or was dropped when overdue──▶ Draining ──children ended──▶ Drained
//! ```
//! A leg holds a pinned future wherever that lives: on the combinator's frame for the forms with two
//! branches, in a box for those with many.
//!
//! Not here: what a return means for the others (`tally`, `drive`).
use core::future::Future;
use core::ops::{Deref, DerefMut};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use cx::{Branch, Combinator, Row, Verdict};
use types::{AfterGrace, CancelKind, Cancelled, Panic, Res, Stop};

/// How a body's value looks from outside.
pub(crate) type Judge<T> = for<'v> fn(&'v T) -> Verdict<'v>;

/// Whatever a body returns is as good as anything else.
pub(crate) fn any<T>(_: &T) -> Verdict<'_> {
    Verdict::Ok
}

/// A body that returns a [`Res`] may fail.
pub(crate) fn res<T, E>(value: &Res<T, E>) -> Verdict<'_> {
    match value {
        Ok(_) => Verdict::Ok,
        Err(Stop::Err(_)) => Verdict::Err,
        Err(Stop::Cancelled(c)) => Verdict::Cancelled(c),
    }
}

/// See the module. `B` is a pointer to the branch, and `P` a pinned one to the body's future, which is taken out when it is
/// over.
pub(crate) struct Leg<B, P, T> {
    branch: B,
    body: Pin<P>,
    judge: Judge<T>,
    result: Option<Result<T, Panic>>,
    drained: bool,
    /// The body was dropped at its cleanup deadline.
    forced: bool,
}

impl<'p, C: Row, B, P, F, T> Leg<B, P, T>
where
    C: 'p,
    B: Deref<Target = Branch<'p, C>>,
    P: DerefMut<Target = Option<F>>,
    F: Future<Output = Result<T, Panic>>,
{
    pub(crate) fn new(branch: B, body: Pin<P>, judge: Judge<T>) -> Self {
        Leg { branch, body, judge, result: None, drained: false, forced: false }
    }

    /// Body and drain at once, for a combinator with one branch, which decides itself what becomes of a
    /// cancellation that a child acknowledged. It polls again after a request.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Cancelled>> {
        if self.poll_body(context) == Step::Waiting {
            return Poll::Pending;
        }
        self.branch.poll_drain(self.verdict(), context)
    }

    fn verdict(&self) -> Verdict<'_> {
        match &self.result {
            Some(Ok(value)) => (self.judge)(value),
            _ => Verdict::Panicked,
        }
    }
}

impl<B, P, T> Leg<B, P, T> {
    /// What the body returned; its panic was taken before. `None` if it was dropped.
    pub(crate) fn value(&mut self) -> Option<T> {
        self.result.take()?.ok()
    }

    /// How the body ended. `None` if it was dropped.
    pub(crate) fn result(&mut self) -> Option<Result<T, Panic>> {
        self.result.take()
    }
}

/// What polling a leg found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It waits.
    Waiting,
    /// It has been over before.
    Over,
    /// It is over now. For a body: it returned, and this says whether it succeeded.
    Now(bool),
}

/// A leg whose types do not matter.
pub(crate) trait Member<C> {
    /// Polls the body. `Now(success)` when it returns; a panic is `Now(false)` and left in the leg.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Step;
    /// Polls the end of what the body spawned, once it is over. `Now(true)` if there was any.
    fn poll_drain(&mut self, frame: &Combinator<'_, C>, context: &mut Context<'_>) -> Step;
    /// Whether body and children have ended.
    fn is_drained(&self) -> bool;
    /// Whether the body returned a success.
    fn has_succeeded(&self) -> bool;
    /// Asks the branch to end, unless it has ended.
    fn ask(&self, kind: CancelKind, why: &'static str, at: &'static Location<'static>);
    /// Enforces the cleanup deadline of a branch that was asked to stop. True if it has to be polled again.
    fn poll_overdue(&mut self, frame: &Combinator<'_, C>, context: &mut Context<'_>) -> bool;
    /// What the body panicked with.
    fn take_panic(&mut self) -> Option<Panic>;
    /// Says that the branch has won.
    fn won(&self, frame: &Combinator<'_, C>);
    /// The branch is over. Idempotent.
    fn close(&self);
}

impl<'p, C: Row, B, P, F, T> Member<C> for Leg<B, P, T>
where
    C: 'p,
    B: Deref<Target = Branch<'p, C>>,
    P: DerefMut<Target = Option<F>>,
    F: Future<Output = Result<T, Panic>>,
{
    fn poll_body(&mut self, context: &mut Context<'_>) -> Step {
        let Some(body) = self.body.as_mut().as_pin_mut() else { return Step::Over };
        let Poll::Ready(result) = body.poll(context) else { return Step::Waiting };
        self.result = Some(result);
        self.body.set(None);
        Step::Now(self.has_succeeded())
    }

    fn poll_drain(&mut self, frame: &Combinator<'_, C>, context: &mut Context<'_>) -> Step {
        if self.drained || self.body.is_some() {
            return if self.drained { Step::Over } else { Step::Waiting };
        }
        let Poll::Ready(visible) = self.branch.poll_drain(self.verdict(), context) else {
            return Step::Waiting;
        };
        self.drained = true;
        frame.leave(&self.branch, visible);
        Step::Now(self.branch.has_children())
    }

    fn is_drained(&self) -> bool {
        self.drained
    }

    fn has_succeeded(&self) -> bool {
        matches!(&self.result, Some(Ok(value)) if matches!((self.judge)(value), Verdict::Ok))
    }

    fn ask(&self, kind: CancelKind, why: &'static str, at: &'static Location<'static>) {
        if !self.drained {
            self.branch.request(kind, why, at, None)
        }
    }

    fn poll_overdue(&mut self, frame: &Combinator<'_, C>, context: &mut Context<'_>) -> bool {
        if self.drained {
            return false;
        }
        let Poll::Ready(after) = self.branch.poll_overdue(context) else { return false };
        if after == AfterGrace::Abandon && self.body.is_some() {
            self.forced = true;
            frame.drop_caught(|| self.body.set(None));
        }
        true
    }

    fn take_panic(&mut self) -> Option<Panic> {
        self.result.take_if(|r| r.is_err())?.err()
    }

    fn won(&self, frame: &Combinator<'_, C>) {
        frame.won(&self.branch)
    }

    fn close(&self) {
        if self.forced { self.branch.close_forced() } else { self.branch.close() }
    }
}
