//! Receiving in two phases: [`Ack`] shows the oldest value, and `ack` takes it.
//!
//! The value never leaves its place in line before it's acknowledged. So a refused one is the first in the channel again
//! without being moved there, and one whose `Ack` was forgotten (`mem::forget`) is received again.
//!
//! Not here: values that are worked on side by side. One receiver has one `Ack` at a time.

use core::{future::Future, panic::Location, task::Poll};

use cx::{Access, Cx, Object, Reserved, Row, Waiter};
use obligation::AlreadyLeaked;
use types::{ObligationKind, WaitKind};

use super::{Receiver, receiver::EMPTY};
use crate::{
    Closed, WaitError, WaitNode,
    sent::LATE,
    wait::{Fused, Made, Pends, Wait},
};

/// A value at the head.
struct Look<'r, T> {
    /// `None` once it was given to an [`Ack`].
    receiver: Option<&'r mut Receiver<T>>,
}

impl<T> Look<'_, T> {
    fn receiver(&self) -> &Receiver<T> {
        self.receiver.as_deref().expect("polled after it was ready")
    }
}

impl<'r, T> Pends for Look<'r, T> {
    type Ready = &'r mut Receiver<T>;
    type Refused = WaitError;

    fn kind(&self) -> &'static WaitKind {
        &EMPTY
    }

    fn announces(&self) -> (&Object, Access) {
        (self.receiver().rx.values(), Access::Receive)
    }

    fn poll(
        &mut self,
        node: &mut WaitNode,
        make: impl FnOnce() -> Waiter,
    ) -> Poll<Result<Self::Ready, WaitError>> {
        let receiver = self.receiver.as_deref_mut().expect("polled after it was ready");
        let polled = receiver.rx.poll_head(node, make);
        receiver.rx.values().touch(match polled {
            Poll::Ready(true) => Access::Read,
            Poll::Ready(false) => Access::Ended,
            Poll::Pending => Access::Empty,
        });
        match polled {
            Poll::Ready(true) => Poll::Ready(self.receiver.take().ok_or(Closed.into())),
            Poll::Ready(false) => Poll::Ready(Err(Closed.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn leave(&mut self, node: &mut WaitNode) {
        if let Some(receiver) = &mut self.receiver {
            receiver.rx.cancel(node);
        }
    }
}

impl<T> Receiver<T> {
    /// Waits for the oldest value and leaves it where it is until it's acknowledged.
    ///
    /// The [`Ack`] is an obligation of the region that `cx` stands in. It doesn't borrow `cx`.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    #[track_caller]
    pub fn recv_ack<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<Ack<'r, T>, WaitError>> + Unpin + Fused + use<'r, 'c, T, C> {
        let site = Location::caller();
        let wait = Wait::new(Look { receiver: Some(self) }, cx, site);
        Made::of(wait, move |there| {
            Ok(Ack { receiver: there?, record: cx.reserve(ObligationKind::Ack, site) })
        })
    }
}

/// The oldest value, to be taken ([`ack`](Self::ack)) or left to be received again ([`nack`](Self::nack), or dropping
/// this). `Deref` shows it.
#[must_use = "dropping it leaves the value in the channel"]
pub struct Ack<'r, T> {
    record: Reserved,
    /// It has a value at its head.
    receiver: &'r mut Receiver<T>,
}

const THERE: &str = "a value stays at the head until it's taken";

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
        let value = self.receiver.rx.take_head().expect(THERE);
        self.receiver.rx.values().touch(Access::TryReceive);
        value
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
        self.receiver.rx.head().expect(THERE)
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for Ack<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Ack").field(&**self).finish()
    }
}
