//! [`Items`]: what is received, as a stream: what every `stream` of a receiver is. And [`Owned`], a receiver that has become one.
//!
//! Its items are what the wait ends in, one wait after the other; the end of the channel is the end of the stream. A request
//! is an item too, the last one: nothing was taken, and who goes on makes another stream. For consumers that know no `Cx`
//! (`while let Some(item) = items.next().await`) must come to an end under cancellation.
//!
//! Invariant `items.refused-once`: once there was a refusal of the task, or the end, the wait is gone, and with it its
//! place in the channel. Polled again the stream is at its end.
//!
//! An owned stream has no `Cx`, so it is no cancellation point: whoever consumes it is.
//!
//! Not here: the waits (`wait`, and those of mpsc and oneshot), receivers that are streams themselves.

use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::Waiter;
use types::{Cancelled, FusedStream, Stream};

use crate::{WaitError, WaitNode};

/// A wait that may be polled on for the next thing once it was ready.
pub(crate) trait Receives {
    type Ready;
    type Refused: Refusal;

    /// Polls for one more, whether or not there was one before.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<Result<Self::Ready, Self::Refused>>;
}

/// How the refusal of a wait shows in a stream.
pub(crate) trait Refusal {
    /// The error of an item.
    type Shown;

    fn shown(self) -> Shown<Self::Shown>;
}

pub(crate) enum Shown<E> {
    /// As an item, and there are more.
    Between(E),
    /// As the last item.
    Last(E),
    /// As the end.
    End,
}

impl Refusal for WaitError {
    type Shown = Cancelled;

    fn shown(self) -> Shown<Cancelled> {
        match self {
            WaitError::Closed => Shown::End,
            WaitError::Cancelled(cancelled) => Shown::Last(cancelled),
        }
    }
}

/// The stream.
#[must_use = "streams do nothing unless polled"]
pub(crate) struct Items<N> {
    /// `None` once it's over.
    next: Option<N>,
}

impl<N: Receives> Items<N> {
    pub(crate) fn new(next: N) -> Self {
        Self { next: Some(next) }
    }
}

/// Nothing in it is pinned.
impl<N> Unpin for Items<N> {}

impl<N: Receives> Stream for Items<N> {
    type Item = Result<N::Ready, <N::Refused as Refusal>::Shown>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(next) = &mut this.next else { return Poll::Ready(None) };
        let (item, over) = match ready!(next.poll_more(context)).map_err(Refusal::shown) {
            Ok(value) => (Some(Ok(value)), false),
            Err(Shown::Between(error)) => (Some(Err(error)), false),
            Err(Shown::Last(error)) => (Some(Err(error)), !types::seeded!("items.refused-for-ever")),
            Err(Shown::End) => (None, true),
        };
        if over {
            this.next = None;
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, if self.next.is_some() { None } else { Some(0) })
    }
}

impl<N: Receives> FusedStream for Items<N> {
    fn is_terminated(&self) -> bool {
        self.next.is_none()
    }
}

/// A receiver that can be polled without a `Cx`.
pub(crate) trait Source {
    type Item;

    /// A node that returned `Pending` must be polled here again or given to [`leave`](Self::leave).
    fn poll_source(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter)
    -> Poll<Option<Self::Item>>;

    /// Gives up a node that stands in the queue.
    fn leave(&mut self, node: &mut WaitNode);
}

/// What `into_stream` of a receiver is.
#[must_use = "streams do nothing unless polled"]
pub(crate) struct Owned<S: Source> {
    source: S,
    node: WaitNode,
    over: bool,
}

impl<S: Source> Owned<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, node: WaitNode::new(), over: false }
    }
}

/// Nothing in it is pinned.
impl<S: Source> Unpin for Owned<S> {}

impl<S: Source> Stream for Owned<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let Self { source, node, over } = self.get_mut();
        if *over {
            return Poll::Ready(None);
        }
        let item = ready!(source.poll_source(node, || Waiter::from_waker(context.waker())));
        *over = item.is_none();
        Poll::Ready(item)
    }
}

impl<S: Source> FusedStream for Owned<S> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<S: Source> Drop for Owned<S> {
    fn drop(&mut self) {
        if self.node.is_queued() {
            self.source.leave(&mut self.node);
        }
    }
}
