//! The receiving half: [`Receiver`], and its wait, [`Recv`].
//!
//! Not here: the word (`word`).

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Object, Row, Waiter};
use types::WaitKind;

use super::word::Rx;
use crate::{Closed, TryRecvError, WaitError, park};

static NOT_SENT: WaitKind = WaitKind::new("recv (oneshot not sent)");

/// Receives one value. Dropping it refuses the value: it goes back to the sender, or is dropped if it was sent.
#[derive(Debug)]
pub struct Receiver<T> {
    rx: Rx<T, Waiter>,
    end: End,
}

/// Says that nothing will be received any more. Dropped after the half it stands beside.
#[derive(Debug)]
struct End(Object);

impl Drop for End {
    #[inline]
    fn drop(&mut self) {
        self.0.touch(Access::Close)
    }
}

impl<T> Receiver<T> {
    #[inline]
    pub(super) fn new(rx: Rx<T, Waiter>, value: Object) -> Self {
        Self { rx, end: End(value) }
    }

    /// Waits for the value. A wait that was cancelled or dropped can be taken up again.
    ///
    /// # Errors
    /// Closed: the sender is gone, or the value was received before. Cancelled: a value that was sent stays there.
    #[inline]
    #[track_caller]
    pub fn recv<'r, 'c, C: Row>(&'r mut self, cx: &'c Cx<C>) -> Recv<'r, 'c, T, C> {
        Recv { receiver: self, cx, waits: false, site: Location::caller() }
    }

    /// Takes the value if it's there. Never waits, and isn't refused under cancellation.
    ///
    /// # Errors
    /// Not sent yet, or never will be, or received before.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let received = self.rx.try_recv();
        self.end.0.touch(match received {
            Ok(_) => Access::TryReceive,
            Err(TryRecvError::Empty) => Access::Empty,
            Err(TryRecvError::Closed) => Access::Read,
        });
        received
    }

    /// As [`recv`](Self::recv), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// The sender is gone, or the value was received before.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, Closed> {
        park::block_on("blocking_recv", |make| self.rx.poll_recv(make))
    }

    /// Refuses a value that was not sent yet; one that was can still be received.
    pub fn close(&mut self) {
        self.rx.close();
        self.end.0.touch(Access::Close);
    }
}

/// Waits for the value: the future of [`Receiver::recv`].
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'r, 'c, T, C> {
    receiver: &'r mut Receiver<T>,
    cx: &'c Cx<C>,
    /// Whether a waiter of ours may be in the channel.
    waits: bool,
    site: &'static Location<'static>,
}

impl<T, C: Row> Future for Recv<'_, '_, T, C> {
    type Output = Result<T, WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let value = &this.receiver.end.0;
        ready!(this.cx.poll_operation(context, value, Access::Receive, Some(this.site)))?;
        match this.receiver.rx.poll_recv(|| Waiter::from_waker(context.waker())) {
            Poll::Ready(result) => {
                this.waits = false;
                this.receiver
                    .end
                    .0
                    .touch_at(if result.is_ok() { Access::Receive } else { Access::Ended }, this.site);
                Poll::Ready(result.map_err(WaitError::from))
            }
            Poll::Pending => {
                this.waits = true;
                this.receiver.end.0.touch_at(Access::Empty, this.site);
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
