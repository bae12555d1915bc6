//! The receiving half: [`Receiver`], and its wait, [`Recv`].
//!
//! Not here: the word (`word`).

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Cx, Row, Waiter};
use types::WaitKind;

use super::word::Rx;
use crate::{TryRecvError, WaitError};

static NOT_SENT: WaitKind = WaitKind::new("recv (oneshot not sent)");

/// Receives one value. Dropping it refuses the value: it goes back to the sender, or is dropped if it was sent.
#[derive(Debug)]
pub struct Receiver<T> {
    rx: Rx<T, Waiter>,
}

impl<T> Receiver<T> {
    pub(super) fn new(rx: Rx<T, Waiter>) -> Self {
        Self { rx }
    }

    /// Waits for the value. A wait that was cancelled or dropped can be taken up again.
    ///
    /// # Errors
    /// Closed: the sender is gone, or the value was received before. Cancelled: a value that was sent stays there.
    #[inline]
    pub fn recv<'r, 'c, C: Row>(&'r mut self, cx: &'c Cx<C>) -> Recv<'r, 'c, T, C> {
        Recv { receiver: self, cx, waits: false }
    }

    /// Takes the value if it's there. Never waits, and isn't refused under cancellation.
    ///
    /// # Errors
    /// Not sent yet, or never will be, or received before.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.rx.try_recv()
    }

    /// Refuses a value that was not sent yet; one that was can still be received.
    pub fn close(&mut self) {
        self.rx.close();
    }
}

/// Waits for the value: the future of [`Receiver::recv`].
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'r, 'c, T, C> {
    receiver: &'r mut Receiver<T>,
    cx: &'c Cx<C>,
    /// Whether a waiter of ours may be in the channel.
    waits: bool,
}

impl<T, C: Row> Future for Recv<'_, '_, T, C> {
    type Output = Result<T, WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        ready!(this.cx.poll_proceed(context))?;
        match this.receiver.rx.poll_recv(|| Waiter::from_waker(context.waker())) {
            Poll::Ready(result) => {
                this.waits = false;
                Poll::Ready(result.map_err(WaitError::from))
            }
            Poll::Pending => {
                this.waits = true;
                this.cx.poll_wait(context, &NOT_SENT);
                Poll::Pending
            }
        }
    }
}

impl<T, C> Drop for Recv<'_, '_, T, C> {
    fn drop(&mut self) {
        if self.waits {
            self.receiver.rx.forget_waiter();
        }
    }
}
