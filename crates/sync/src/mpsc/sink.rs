//! [`SenderSink`]: a sender as a `Sink` of `futures-sink`, for code that expects one.
//!
//! A sink comes in two phases too, and they are the channel's: `poll_ready` reserves room, as an obligation, and `start_send`
//! sends with the permit. There is nothing to flush.
//!
//! Not here: receivers as streams (`many`, and `combinator::stream` for those of `futures-core`).

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Cx, Row};
use futures_sink::Sink;

use super::{Permit, Reserve, Sender};
use crate::{Closed, WaitError};

/// A sender as a sink: of [`Sender::sink`].
///
/// Cancelled, `poll_ready` says so, and no room is held: the sink may be used again. An item that its receiver did not wait for
/// comes back from [`take_undelivered`](Self::take_undelivered). Closing the sink gives up the room it holds; the channel
/// stays open as long as its senders.
#[must_use = "sinks do nothing unless something is sent"]
pub struct SenderSink<'s, 'c, T, C> {
    sender: &'s Sender<T>,
    cx: &'c Cx<C>,
    site: &'static Location<'static>,
    room: Room<'s, 'c, T, C>,
    undelivered: Option<T>,
}

enum Room<'s, 'c, T, C> {
    None,
    Awaited(Reserve<'s, 'c, T, C>),
    Held(Permit<'s, T>),
}

impl<T> Sender<T> {
    /// This sender as a `Sink` of `futures-sink`. Its permits are obligations of the region that `cx` stands in, reserved at
    /// this line.
    ///
    /// ```
    /// use asupersync_sync::mpsc;
    /// use futures_util::SinkExt;
    ///
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let (tx, mut rx) = mpsc::channel(4);
    /// tx.sink(cx).send(7).await.unwrap();
    /// assert_eq!(rx.try_recv(), Ok(7));
    /// # });
    /// ```
    #[track_caller]
    pub fn sink<'s, 'c, C: Row>(&'s self, cx: &'c Cx<C>) -> SenderSink<'s, 'c, T, C> {
        SenderSink { sender: self, cx, site: Location::caller(), room: Room::None, undelivered: None }
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
        let this = self.get_mut();
        if matches!(this.room, Room::None) {
            this.room = Room::Awaited(this.sender.reserve_at(this.cx, this.site));
        }
        if let Room::Awaited(reserve) = &mut this.room {
            let reserved = ready!(Pin::new(reserve).poll(context));
            this.room = Room::None;
            this.room = Room::Held(reserved?);
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
        let Room::Held(permit) = core::mem::replace(&mut this.room, Room::None) else {
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
        self.get_mut().room = Room::None;
        Poll::Ready(Ok(()))
    }
}
