//! One wait of a task, for every structure whose core is polled with a [`WaitNode`]: [`Wait`] adds what they all owe to
//! their task.
//!
//! - `cancel.first`: a request that is effective is returned before the core is asked, and the place in its queue given up.
//! - A future that is dropped gives its place up too; the core passes on what had been assigned to it.
//! - Exploration hears of the operation before it happens, and dumps of what the task waits for.
//!
//! - A wait is over once: polled after that it panics, and touches nothing. (A stream's items are waits one after the
//!   other.) It knows that it is ([`Fused`]).
//! - What waits for something that is held says so ([`Pends::held`]), so that circles and futures left aside are told.
//!
//! Not here: who holds what is waited for (each lock). mpsc, oneshot, semaphore, mutex and notify, which are older and say
//! the same in futures of their own.

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Object, Row, Waiter, port::WaitOn};
use types::{Cancelled, WaitKind};

use crate::{
    WaitNode,
    items::{Receives, Refusal},
};

/// What [`Wait`] waits for.
pub(crate) trait Pends {
    type Ready;
    type Refused: From<Cancelled>;

    /// What the task waits for, in reports.
    fn kind(&self) -> &'static WaitKind;

    /// What exploration is told beforehand.
    fn announces(&self) -> (&Object, Access);

    /// Asks the core, and says to exploration what was done.
    fn poll(
        &mut self,
        node: &mut WaitNode,
        make: impl FnOnce() -> Waiter,
    ) -> Poll<Result<Self::Ready, Self::Refused>>;

    /// Gives up a node that stands in the queue.
    fn leave(&mut self, node: &mut WaitNode);

    /// Gives up what it has beside a node: it was refused, and may stay where it is for long.
    fn withdraw(&mut self) {}

    /// If only those who hold something can end the wait: its address, and how much of it is wanted.
    fn held(&self) -> Option<(usize, usize)> {
        None
    }
}

/// How far a wait has come that needs no place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing of it is left anywhere.
    Idle,
    /// A waiter of it may be in the channel.
    Waits,
    Over,
}

/// Somebody polls a wait that is over. What it would do is a second wait: take a second value, or one that is meant for
/// somebody else.
#[cold]
#[inline(never)]
pub(crate) fn polled_again() -> ! {
    panic!("polled after it was ready")
}

/// A wait that says when it is over, for `select!` of the futures crate: it must not be polled then.
#[cfg(feature = "futures")]
pub(crate) use futures_core::FusedFuture as Fused;

/// A wait that knows when it is over, and says so with the feature `futures`: it is the `FusedFuture` of futures-core then.
#[cfg(not(feature = "futures"))]
pub trait Fused {}

/// The future.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Wait<'c, P: Pends, C> {
    pends: P,
    /// `None` once it's over.
    cx: Option<&'c Cx<C>>,
    node: WaitNode,
    site: &'static Location<'static>,
    /// What its task is known to wait for ([`Pends::held`]).
    stands: Option<usize>,
}

impl<'c, P: Pends, C> Wait<'c, P, C> {
    #[inline]
    pub(crate) fn new(pends: P, cx: &'c Cx<C>, site: &'static Location<'static>) -> Self {
        Self { pends, cx: Some(cx), node: WaitNode::new(), site, stands: None }
    }

    /// What is waited for.
    #[inline]
    pub(crate) fn pends(&self) -> &P {
        &self.pends
    }

    #[inline]
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<Result<P::Ready, P::Refused>>
    where
        C: Row,
    {
        let Some(cx) = self.cx else { polled_again() };
        let (object, access) = self.pends.announces();
        if let Err(cancelled) = ready!(cx.poll_operation(context, object, access, Some(self.site))) {
            self.leave();
            self.pends.withdraw();
            return Poll::Ready(Err(cancelled.into()));
        }
        let polled = self.pends.poll(&mut self.node, || Waiter::from_waker(context.waker()));
        if polled.is_ready() {
            self.waits_no_more();
            return polled;
        }
        let held = self.pends.held();
        self.stands = held.map(|(resource, _)| resource);
        let on = held.map_or(WaitOn::Anybody, |(resource, wanted)| WaitOn::Held {
            resource,
            wanted,
            at: self.site,
        });
        cx.poll_wait_on(context, self.pends.kind(), on);
        polled
    }

    #[inline]
    fn leave(&mut self) {
        if self.node.is_queued() {
            self.pends.leave(&mut self.node);
        }
        self.waits_no_more();
    }

    #[inline]
    fn waits_no_more(&mut self) {
        if let Some(resource) = self.stands.take()
            && let Some(cx) = self.cx
        {
            cx.left(resource, self.site);
        }
    }
}

/// Nothing in it is pinned.
impl<P: Pends, C> Unpin for Wait<'_, P, C> {}

impl<P: Pends, C: Row> Future for Wait<'_, P, C> {
    type Output = Result<P::Ready, P::Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = this.poll_wait(context);
        if polled.is_ready() && !types::seeded!("wait.polled-again") {
            this.cx = None;
        }
        polled
    }
}

#[cfg(feature = "futures")]
impl<P: Pends, C: Row> Fused for Wait<'_, P, C> {
    fn is_terminated(&self) -> bool {
        self.cx.is_none()
    }
}

#[cfg(not(feature = "futures"))]
impl<P: Pends, C> Fused for Wait<'_, P, C> {}

/// A wait, and what is made of its end at once.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Made<W, F> {
    wait: W,
    /// `None` once it's over.
    make: Option<F>,
}

impl<W, F> Made<W, F> {
    #[inline]
    pub(crate) fn of(wait: W, make: F) -> Self {
        Self { wait, make: Some(make) }
    }
}

/// Nothing but the wait could be pinned.
impl<W: Unpin, F> Unpin for Made<W, F> {}

impl<W: Future + Unpin, F: FnOnce(W::Output) -> R, R> Future for Made<W, F> {
    type Output = R;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        if self.make.is_none() {
            polled_again();
        }
        let made_of = ready!(Pin::new(&mut self.wait).poll(context));
        let Some(make) = self.make.take() else { polled_again() };
        Poll::Ready(make(made_of))
    }
}

#[cfg(feature = "futures")]
impl<W: Future + Unpin, F: FnOnce(W::Output) -> R, R> Fused for Made<W, F> {
    fn is_terminated(&self) -> bool {
        self.make.is_none()
    }
}

#[cfg(not(feature = "futures"))]
impl<W, F> Fused for Made<W, F> {}

impl<P: Pends<Refused: Refusal>, C: Row> Receives for Wait<'_, P, C> {
    type Ready = P::Ready;
    type Refused = P::Refused;

    #[inline]
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<Result<P::Ready, P::Refused>> {
        self.poll_wait(context)
    }
}

impl<P: Pends, C> Drop for Wait<'_, P, C> {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}
