//! [`SenderSink`]: a sender as a `Sink` of `futures-sink`, for code that expects one.
//!
//! Sending never waits, and so the sink never does for long: it gives way when the task's budget is spent, and sees requests. A
//! sink comes in two phases, and they are the channel's: `poll_ready` reserves a place, as an obligation, and `start_send` sends
//! with the permit. There is nothing to flush.
//!
//! Not here: the sink that waits for room (`mpsc::sink`).

use core::{
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Row};
use futures_sink::Sink;

use super::{Permit, Sender};
use crate::{Closed, WaitError};

/// A sender as a sink: of [`Sender::sink`].
///
/// Cancelled, `poll_ready` says so, and no place is held: the sink may be used again. An item that its receiver did not wait for
/// comes back from [`take_undelivered`](Self::take_undelivered). Closing the sink gives up the place it holds; the channel
/// stays open as long as its senders.
#[must_use = "sinks do nothing unless something is sent"]
pub struct SenderSink<'s, 'c, T, C> {
    sender: &'s Sender<T>,
    cx: &'c Cx<C>,
    site: &'static Location<'static>,
    place: Option<Permit<'s, T>>,
    undelivered: Option<T>,
}

impl<T> Sender<T> {
    /// This sender as a `Sink` of `futures-sink`. Its permits are obligations of the region that `cx` stands in, reserved at
    /// this line.
    ///
    /// ```
    /// use asupersync_sync::mpsc;
    /// use futures_util::{SinkExt, stream};
    ///
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let (tx, mut rx) = mpsc::unbounded();
    /// tx.sink(cx).send_all(&mut stream::iter([Ok(1), Ok(2)])).await.unwrap();
    /// assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
    /// # });
    /// ```
    #[track_caller]
    pub fn sink<'s, 'c, C: Row>(&'s self, cx: &'c Cx<C>) -> SenderSink<'s, 'c, T, C> {
        SenderSink { sender: self, cx, site: Location::caller(), place: None, undelivered: None }
    }
}

impl<T, C> SenderSink<'_, '_, T, C> {
    /// The last item that went to a receiver which had left meanwhile.
    pub fn take_undelivered(&mut self) -> Option<T> {
        self.undelivered.take()
    }
}

impl<T, C> core::fmt::Debug for SenderSink<'_, '_, T, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SenderSink").field("sender", self.sender).finish_non_exhaustive()
    }
}

/// The items are moved, never pinned.
impl<T, C> Unpin for SenderSink<'_, '_, T, C> {}

impl<T, C: Row> Sink<T> for SenderSink<'_, '_, T, C> {
    type Error = WaitError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        let Self { sender, cx, site, place, .. } = self.get_mut();
        if place.is_none() {
            ready!(cx.poll_operation(context, sender.values(), Access::Read, Some(site)))?;
            *place = Some(sender.reserve_at(cx, site)?);
        }
        Poll::Ready(Ok(()))
    }

    /// # Errors
    /// Closed: the item went to a receiver that had left, and is kept ([`SenderSink::take_undelivered`]).
    ///
    /// # Panics
    /// If `poll_ready` was not ready before.
    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), WaitError> {
        let this = self.get_mut();
        let Some(permit) = this.place.take() else {
            panic!("the sink made at {} was sent to before it was ready", this.site)
        };
        match permit.send(item).into_undelivered() {
            None => Ok(()),
            undelivered => {
                this.undelivered = undelivered;
                Err(Closed.into())
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        self.get_mut().place = None;
        Poll::Ready(Ok(()))
    }
}
