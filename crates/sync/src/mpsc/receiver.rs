//! The receiving half: [`Receiver`], and its plain wait, [`Recv`].
//!
//! Not here: receiving in two phases (`ack`).

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Row, Waiter};
use types::WaitKind;

use super::{RecvAck, ring::Rx};
use crate::{
    Closed, TryRecvError, WaitError,
    items::Receives,
    wait::{Stage, polled_again},
};

pub(super) static EMPTY: WaitKind = WaitKind::new("recv (channel empty)");

/// Receives what the channel's senders send.
///
/// Dropping it closes the channel and drops what is in it; a permit that is used later has its value handed back.
pub struct Receiver<T> {
    pub(super) rx: Rx<T, Waiter>,
}

impl<T> Receiver<T> {
    pub(super) fn new(rx: Rx<T, Waiter>) -> Self {
        Self { rx }
    }

    /// Waits for the oldest value and takes it.
    ///
    /// A value that was taken is the caller's: a later `?` drops it. Where that matters, use
    /// [`recv_ack`](Self::recv_ack).
    ///
    /// # Errors
    /// Closed: nothing is in the channel, and nothing will come. Cancelled: what is in the channel stays there.
    #[inline]
    #[track_caller]
    pub fn recv<'r, 'c, C: Row>(&'r mut self, cx: &'c Cx<C>) -> Recv<'r, 'c, T, C> {
        self.recv_at(cx, Location::caller())
    }

    /// As [`recv`](Self::recv), for somebody else's line.
    #[inline]
    pub(super) fn recv_at<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
        site: &'static Location<'static>,
    ) -> Recv<'r, 'c, T, C> {
        Recv { receiver: self, cx, stage: Stage::Idle, site }
    }

    /// Waits for the oldest value and leaves it where it is until it's acknowledged.
    ///
    /// The [`Ack`](super::Ack) is an obligation of the region that `cx` stands in. It doesn't borrow `cx`.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    #[track_caller]
    pub fn recv_ack<'r, 'c, C: Row>(&'r mut self, cx: &'c Cx<C>) -> RecvAck<'r, 'c, T, C> {
        RecvAck::new(self, cx, Location::caller())
    }

    /// Takes the oldest value if there is one. Never waits, and isn't refused under cancellation. One atomic operation.
    ///
    /// # Errors
    /// Empty now, or nothing will come.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.rx.try_recv()
    }

    /// Gives out no more room and refuses those who wait for some. What was sent, and what permits given out before will
    /// send, can still be received; after that the channel is at its end.
    pub fn close(&mut self) {
        self.rx.close();
    }

    /// What exploration knows the channel's values by ([`Cx::step_to`](cx::Cx::step_to)).
    pub fn object(&self) -> &cx::Object {
        self.rx.values()
    }

    /// Values sent and not received. Outstanding permits don't count.
    pub fn len(&self) -> usize {
        self.rx.len()
    }

    /// Whether nothing is in the channel now.
    pub fn is_empty(&self) -> bool {
        self.rx.is_empty()
    }

    /// How many values and outstanding permits the channel holds at most.
    pub fn capacity(&self) -> usize {
        self.rx.capacity() as usize
    }
}

impl<T> core::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiver").field("len", &self.len()).field("capacity", &self.capacity()).finish()
    }
}

/// Waits for a value and takes it: the future of [`Receiver::recv`].
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'r, 'c, T, C> {
    receiver: &'r mut Receiver<T>,
    cx: &'c Cx<C>,
    stage: Stage,
    site: &'static Location<'static>,
}

impl<T, C: Row> Future for Recv<'_, '_, T, C> {
    type Output = Result<T, WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.stage == Stage::Over {
            polled_again();
        }
        let polled = this.poll_more(context);
        if polled.is_ready() && !types::seeded!("mpsc.received-again") {
            this.end();
        }
        polled
    }
}

impl<T, C: Row> Receives for Recv<'_, '_, T, C> {
    type Ready = T;
    type Refused = WaitError;

    #[inline]
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<Result<T, WaitError>> {
        let this = self;
        let values = this.receiver.rx.values();
        ready!(this.cx.poll_operation(context, values, Access::Receive, Some(this.site)))?;
        match this.receiver.rx.poll_recv(|| Waiter::from_waker(context.waker())) {
            Poll::Ready(value) => {
                this.stage = Stage::Idle;
                Poll::Ready(value.ok_or(Closed.into()))
            }
            Poll::Pending => {
                this.stage = Stage::Waits;
                this.cx.poll_wait(context, &EMPTY);
                Poll::Pending
            }
        }
    }
}

impl<T, C> Recv<'_, '_, T, C> {
    #[inline]
    fn forget_waiter(&mut self) {
        if self.stage == Stage::Waits {
            self.receiver.rx.forget_waiter();
        }
    }

    /// It's over: refused with a waiter in the channel, or ready.
    #[inline]
    fn end(&mut self) {
        self.forget_waiter();
        self.stage = Stage::Over;
    }
}

/// For `select!` of the futures crate: over means that it must not be polled.
#[cfg(feature = "futures")]
impl<T, C: Row> futures_core::FusedFuture for Recv<'_, '_, T, C> {
    fn is_terminated(&self) -> bool {
        self.stage == Stage::Over
    }
}

impl<T, C> Drop for Recv<'_, '_, T, C> {
    fn drop(&mut self) {
        self.forget_waiter();
    }
}
