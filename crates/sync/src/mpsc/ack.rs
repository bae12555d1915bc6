//! Receiving in two phases: [`RecvAck`] waits for a value, [`Ack`] shows it, and `ack` takes it.
//!
//! The value never leaves its place in the ring before it's acknowledged. So a refused one is the first in the channel
//! again without being moved there, it counts against the capacity all the time, and one whose `Ack` was forgotten
//! (`mem::forget`) is received again.
//!
//! Not here: values that are worked on side by side. One receiver has one `Ack` at a time.

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Reserved, Row, Waiter};
use obligation::AlreadyLeaked;
use types::ObligationKind;

use super::{Receiver, receiver::EMPTY, ring::Head};
use crate::{
    Closed, WaitError,
    sent::LATE,
    wait::{Stage, polled_again},
};

/// Waits for a value and leaves it in the channel: the future of [`Receiver::recv_ack`].
#[must_use = "futures do nothing unless awaited"]
pub struct RecvAck<'r, 'c, T, C> {
    /// `None` once the receiver went into an [`Ack`].
    receiver: Option<&'r mut Receiver<T>>,
    cx: &'c Cx<C>,
    stage: Stage,
    site: &'static Location<'static>,
}

impl<'r, 'c, T, C> RecvAck<'r, 'c, T, C> {
    pub(super) fn new(
        receiver: &'r mut Receiver<T>,
        cx: &'c Cx<C>,
        site: &'static Location<'static>,
    ) -> Self {
        Self { receiver: Some(receiver), cx, stage: Stage::Idle, site }
    }
}

impl<'r, T, C: Row> Future for RecvAck<'r, '_, T, C> {
    type Output = Result<Ack<'r, T>, WaitError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = this.poll_head(context);
        if polled.is_ready() {
            this.end();
        }
        polled
    }
}

impl<'r, T, C: Row> RecvAck<'r, '_, T, C> {
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<Ack<'r, T>, WaitError>> {
        let this = self;
        let rx = match &mut this.receiver {
            Some(receiver) if this.stage != Stage::Over => &mut receiver.rx,
            _ => polled_again(),
        };
        ready!(this.cx.poll_operation(context, rx.values(), Access::Receive, Some(this.site)))?;
        match rx.poll_head(|| Waiter::from_waker(context.waker())) {
            Poll::Ready(Some(_)) => {}
            Poll::Ready(None) => {
                this.stage = Stage::Idle;
                return Poll::Ready(Err(Closed.into()));
            }
            Poll::Pending => {
                this.stage = Stage::Waits;
                this.cx.poll_wait(context, &EMPTY);
                return Poll::Pending;
            }
        }
        let record = this.cx.reserve(ObligationKind::Ack, this.site);
        let head = this.receiver.take().and_then(|receiver| receiver.rx.head());
        Poll::Ready(Ok(Ack { record, head: head.expect("a value stays at the head until it's taken") }))
    }
}

impl<T, C> RecvAck<'_, '_, T, C> {
    fn end(&mut self) {
        if self.stage == Stage::Waits
            && let Some(receiver) = &mut self.receiver
        {
            receiver.rx.forget_waiter();
        }
        self.stage = Stage::Over;
    }
}

/// For `select!` of the futures crate: over means that it must not be polled.
#[cfg(feature = "futures")]
impl<T, C: Row> futures_core::FusedFuture for RecvAck<'_, '_, T, C> {
    fn is_terminated(&self) -> bool {
        self.stage == Stage::Over
    }
}

impl<T, C> Drop for RecvAck<'_, '_, T, C> {
    fn drop(&mut self) {
        self.end();
    }
}

/// The oldest value, to be taken ([`ack`](Self::ack)) or left to be received again ([`nack`](Self::nack), or dropping
/// this). `Deref` shows it.
#[must_use = "dropping it leaves the value in the channel"]
pub struct Ack<'r, T> {
    record: Reserved,
    head: Head<'r, T, Waiter>,
}

impl<T> Ack<'_, T> {
    /// Takes the value out of the channel: now it's received. Can't wait, fail or be cancelled.
    ///
    /// # Panics
    /// With debug assertions, if the region it belonged to has closed over it and reported it as leaked; the value stays
    /// in the channel then.
    #[track_caller]
    pub fn ack(self) -> T {
        if let Err(AlreadyLeaked) = self.record.commit() {
            debug_assert!(false, "{LATE}");
        }
        self.head.take()
    }

    /// Leaves the value first in the channel. The same as dropping this.
    pub fn nack(self) {}

    /// Makes it an obligation of the region that `cx` stands in.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.record.rehome(cx)
    }
}

impl<T> core::ops::Deref for Ack<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.head
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for Ack<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Ack").field(&**self).finish()
    }
}
