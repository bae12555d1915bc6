//! The receiving half: [`Receiver`], which is a stream too, and its wait ([`Recv`]).
//!
//! Not here: the word (`word`).

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Object, Row, Waiter};
use types::{Cancelled, FusedStream, Stream, WaitKind};

use super::word::Rx;
use crate::{
    Closed, TryRecvError, WaitError,
    items::{Items, Receives},
    park,
    wait::{Stage, polled_again},
};

static NOT_SENT: WaitKind = WaitKind::new("recv (oneshot not sent)");

/// Receives one value. Dropping it refuses the value: it goes back to the sender, or is dropped if it was sent.
#[derive(Debug)]
pub struct Receiver<T> {
    rx: Rx<T, Waiter>,
    end: End,
}

/// The value is moved, never pinned.
impl<T> Unpin for Receiver<T> {}

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
        Recv { receiver: self, cx, stage: Stage::Idle, site: Location::caller() }
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

    /// The value as a stream of one, or of none if the sender goes without sending. Where a cancellation is effective its item
    /// says so, with nothing taken, and is the last one.
    #[track_caller]
    pub fn stream<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl FusedStream<Item = Result<T, Cancelled>> + Unpin + use<'r, 'c, T, C> {
        Items::new(self.recv(cx))
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
        if polled.is_ready() {
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
        let value = &this.receiver.end.0;
        ready!(this.cx.poll_operation(context, value, Access::Receive, Some(this.site)))?;
        match this.receiver.rx.poll_recv(|| Waiter::from_waker(context.waker())) {
            Poll::Ready(result) => {
                this.stage = Stage::Idle;
                this.receiver
                    .end
                    .0
                    .touch_at(if result.is_ok() { Access::Receive } else { Access::Ended }, this.site);
                Poll::Ready(result.map_err(WaitError::from))
            }
            Poll::Pending => {
                this.stage = Stage::Waits;
                this.receiver.end.0.touch_at(Access::Empty, this.site);
                this.cx.poll_wait(context, &NOT_SENT);
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

/// The receiver itself is a stream too, of the value alone. It has no `Cx`, so it is no cancellation point: whoever consumes
/// the stream is. A waiter that a poll left behind is replaced by the next one, and gone with the receiver.
impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        let polled = this.rx.poll_recv(|| Waiter::from_waker(context.waker()));
        this.end.0.touch(match polled {
            Poll::Ready(Ok(_)) => Access::Receive,
            Poll::Ready(Err(Closed)) => Access::Ended,
            Poll::Pending => Access::Empty,
        });
        polled.map(Result::ok)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(1))
    }
}
