//! [`SenderSink`]: a sender as a `Sink` of `futures-sink`, for code that expects one.
//!
//! There is nothing to reserve, so the sink has a hand of its own: `start_send` puts the item there, and `poll_flush` offers it and
//! waits until it was taken. `SinkExt::send` is both, and so the same as [`Sender::send`]. `poll_ready` is ready once the hand is
//! empty: a sink is one item ahead of its receiver at most.
//!
//! Not here: the offer (`hands`).

use core::{
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Row, Waiter};
use futures_sink::Sink;

use super::hands::{Handing, NOT_TAKEN, Sender};
use crate::{Closed, WaitError};

/// A sender as a sink: of [`Sender::sink`].
///
/// An item that was not taken, because of a request or because nothing is taken any more, comes back from
/// [`take_undelivered`](Self::take_undelivered); after a request the sink may be used again. Dropping the sink withdraws what
/// was not taken, and drops it. Closing it waits until its last item was taken; the channel stays open as long as its senders.
#[must_use = "sinks do nothing unless something is sent"]
pub struct SenderSink<'s, 'c, T, C> {
    /// Has an item from `start_send` until it was taken or came back.
    hand: Handing<'s, T>,
    cx: &'c Cx<C>,
    site: &'static Location<'static>,
    undelivered: Option<T>,
}

impl<T> Sender<T> {
    /// This sender as a `Sink` of `futures-sink`.
    ///
    /// ```
    /// use asupersync_sync::rendezvous;
    /// use futures_util::SinkExt;
    ///
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let (tx, mut rx) = rendezvous::channel();
    /// let mut takes = cx.spawn(async move |cx: &mut cx::Cx| rx.recv(cx).await);
    /// tx.sink(cx).send(7).await.unwrap(); // it was taken
    /// assert_eq!(takes.join(cx).await.unwrap(), 7);
    /// # });
    /// ```
    #[track_caller]
    pub fn sink<'s, 'c, C: Row>(&'s self, cx: &'c Cx<C>) -> SenderSink<'s, 'c, T, C> {
        SenderSink { hand: self.hand(None), cx, site: Location::caller(), undelivered: None }
    }
}

impl<T, C> SenderSink<'_, '_, T, C> {
    /// The last item that was not taken.
    pub fn take_undelivered(&mut self) -> Option<T> {
        self.undelivered.take()
    }
}

impl<T, C: Row> SenderSink<'_, '_, T, C> {
    /// Waits until the hand is empty.
    fn poll_empty(&mut self, context: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        if self.hand.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let Self { hand, cx, site, undelivered } = self;
        let refused = match ready!(cx.poll_operation(context, hand.object(), Access::Write, Some(site))) {
            Err(cancelled) => cancelled.into(),
            Ok(()) => match hand.poll(|| Waiter::from_waker(context.waker())) {
                Poll::Ready(true) => return Poll::Ready(Ok(())),
                Poll::Ready(false) => Closed.into(),
                Poll::Pending => {
                    cx.poll_wait(context, &NOT_TAKEN);
                    return Poll::Pending;
                }
            },
        };
        match hand.withdraw() {
            // It was taken before the request came.
            None => Poll::Ready(Ok(())),
            item => {
                *undelivered = item;
                Poll::Ready(Err(refused))
            }
        }
    }
}

impl<T, C> core::fmt::Debug for SenderSink<'_, '_, T, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SenderSink").field("holds", &!self.hand.is_empty()).finish_non_exhaustive()
    }
}

/// The items are moved, never pinned.
impl<T, C> Unpin for SenderSink<'_, '_, T, C> {}

impl<T, C: Row> Sink<T> for SenderSink<'_, '_, T, C> {
    type Error = WaitError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        let this = self.get_mut();
        ready!(this.poll_empty(context))?;
        ready!(this.cx.poll_operation(context, this.hand.object(), Access::Read, Some(this.site)))?;
        Poll::Ready(if this.hand.is_refused() { Err(Closed.into()) } else { Ok(()) })
    }

    /// # Panics
    /// If `poll_ready` was not ready before, and its hand is full.
    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), WaitError> {
        let this = self.get_mut();
        assert!(this.hand.is_empty(), "the sink made at {} was sent to before it was ready", this.site);
        this.hand.fill(item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        self.get_mut().poll_empty(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        self.poll_flush(context)
    }
}
