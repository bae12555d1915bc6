//! The sending half: [`Sender`], and its two waits, [`Reserve`] and [`Delivery`].
//!
//! Not here: what a permit does (`permit`), who gets room when (`ring::credits`).

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Row, Waiter, port::WaitOn};
use types::{Cancelled, IntoStop, Stop, WaitKind};

use super::{
    Permit,
    permit::Owed,
    ring::{TryReserveError, TrySendError, Tx},
};
use crate::{
    Closed, WaitError, WaitNode,
    wait::{Fused, polled_again},
};

pub(super) static FULL: WaitKind = WaitKind::new("send (channel full)");

/// Sends into a channel. Clones send into the same one.
///
/// The receiver sees the end of the channel when the last sender is gone and every value was received.
pub struct Sender<T> {
    pub(super) tx: Tx<T, Waiter>,
}

impl<T> Sender<T> {
    pub(super) fn new(tx: Tx<T, Waiter>) -> Self {
        Self { tx }
    }

    /// Waits for room, in the order of first polls, and holds it in a permit.
    ///
    /// The permit is an obligation of the region that `cx` stands in. It doesn't borrow `cx`.
    ///
    /// # Errors
    /// Closed, or cancelled: then no room is held, and room that had been assigned went to the next in line.
    #[track_caller]
    pub fn reserve<'s, 'c, C: Row>(&'s self, cx: &'c Cx<C>) -> Reserve<'s, 'c, T, C> {
        self.reserve_at(cx, Location::caller())
    }

    /// As [`reserve`](Self::reserve), for somebody else's line.
    pub(super) fn reserve_at<'s, 'c, C: Row>(
        &'s self,
        cx: &'c Cx<C>,
        site: &'static Location<'static>,
    ) -> Reserve<'s, 'c, T, C> {
        Reserve { sender: self, cx: Some(cx), node: WaitNode::new(), site }
    }

    /// Waits for room and sends. Where there's room this is two atomic operations, and no obligation is opened, as
    /// nothing can come between the phases.
    ///
    /// # Errors
    /// Closed, or cancelled, with the value.
    #[track_caller]
    pub fn send<'s, 'c, C: Row>(&'s self, cx: &'c Cx<C>, value: T) -> Delivery<'s, 'c, T, C> {
        Delivery { sender: self, cx, node: WaitNode::new(), value: Some(value), site: Location::caller() }
    }

    /// Sends if there's room and nobody waits for it. Never waits, and isn't refused under cancellation.
    ///
    /// # Errors
    /// Full or closed, with the value.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let sent = self.tx.try_send(value);
        self.tx.room().touch(match sent {
            Ok(()) => Access::TryAcquire(1),
            Err(TrySendError::Full(_)) => Access::Refused(1),
            Err(TrySendError::Closed(_)) => Access::Read,
        });
        sent
    }

    /// A permit, if there's room and nobody waits for it. Never waits, and isn't refused under cancellation: `cx` says
    /// whose obligation it is.
    ///
    /// # Errors
    /// Full or closed.
    #[track_caller]
    pub fn try_reserve<C: Row>(&self, cx: &Cx<C>) -> Result<Permit<'_, T>, TryReserveError> {
        let credit = self.tx.try_permit();
        self.tx.room().touch(match credit {
            Ok(_) => Access::TryAcquire(1),
            Err(TryReserveError::Full) => Access::Refused(1),
            Err(TryReserveError::Closed) => Access::Read,
        });
        let credit = credit?;
        Ok(Permit::new(Owed::new(&self.tx, cx, Location::caller()), credit))
    }

    /// Waits until the receiver has closed the channel or is gone, so that nothing that would be sent is received: to stop
    /// work whose results nobody wants.
    ///
    /// # Errors
    /// Cancelled.
    #[track_caller]
    pub fn closed<'s, 'c, C: Row>(
        &'s self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'s, 'c, T, C> {
        self.tx.leaving().wait(self.tx.room(), cx, Location::caller())
    }

    /// Says that a task waits for room, where it does. Who holds some is known, but a receive makes room as well.
    #[inline]
    fn waits<C: Row>(&self, cx: &Cx<C>, context: &Context<'_>, site: &'static Location<'static>) {
        let resource = self.tx.address();
        cx.poll_wait_on(context, &FULL, WaitOn::Held { resource, wanted: 1, at: site });
    }

    /// Gives a place in the queue up, if it's there.
    #[inline]
    fn leave<C>(&self, node: &mut WaitNode, cx: &Cx<C>, site: &'static Location<'static>) {
        if node.is_queued() {
            self.tx.cancel(node);
            cx.left(self.tx.address(), site);
        }
    }

    /// Whether sending is over: the receiver has closed the channel or is gone.
    pub fn is_closed(&self) -> bool {
        self.tx.is_closed()
    }

    /// Values sent and not received. Outstanding permits don't count.
    pub fn len(&self) -> usize {
        self.tx.len()
    }

    /// Whether nothing is in the channel now.
    pub fn is_empty(&self) -> bool {
        self.tx.is_empty()
    }

    /// Room that is free now: neither taken by values nor held by permits. Some of it may be spoken for by those who
    /// wait for more.
    pub fn available(&self) -> usize {
        self.tx.free() as usize
    }

    /// Whether `other` sends into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.tx.same_channel(&other.tx)
    }

    /// How many values and outstanding permits the channel holds at most.
    pub fn capacity(&self) -> usize {
        self.tx.capacity() as usize
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone() }
    }
}

impl<T> core::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender").field("len", &self.len()).field("capacity", &self.capacity()).finish()
    }
}

/// Waits for room: the future of [`Sender::reserve`].
#[must_use = "futures do nothing unless awaited"]
pub struct Reserve<'s, 'c, T, C> {
    sender: &'s Sender<T>,
    /// `None` once it's over.
    cx: Option<&'c Cx<C>>,
    node: WaitNode,
    site: &'static Location<'static>,
}

impl<'s, T, C: Row> Future for Reserve<'s, '_, T, C> {
    type Output = Result<Permit<'s, T>, WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { sender, cx: until_over, node, site } = self.get_mut();
        let Some(cx) = *until_over else { polled_again() };
        let room = sender.tx.room();
        if let Err(cancelled) = ready!(cx.poll_operation(context, room, Access::Acquire(1), Some(site))) {
            sender.leave(node, cx, site);
            *until_over = None;
            return Poll::Ready(Err(cancelled.into()));
        }
        match sender.tx.poll_permit(node, || Waiter::from_waker(context.waker())) {
            Poll::Ready(Ok(credit)) => {
                *until_over = None;
                room.touch_at(Access::Acquire(1), site);
                Poll::Ready(Ok(Permit::new(Owed::new(&sender.tx, cx, site), credit)))
            }
            Poll::Ready(Err(closed)) => {
                *until_over = None;
                room.touch_at(Access::Read, site);
                cx.left(sender.tx.address(), site);
                Poll::Ready(Err(closed.into()))
            }
            Poll::Pending => {
                room.touch_at(Access::Write, site);
                sender.waits(cx, context, site);
                Poll::Pending
            }
        }
    }
}

/// For `select!` of the futures crate: over means that it must not be polled.
#[cfg(feature = "futures")]
impl<T, C: Row> futures_core::FusedFuture for Reserve<'_, '_, T, C> {
    fn is_terminated(&self) -> bool {
        self.cx.is_none()
    }
}

impl<T, C> Drop for Reserve<'_, '_, T, C> {
    fn drop(&mut self) {
        if let Some(cx) = self.cx {
            self.sender.leave(&mut self.node, cx, self.site);
        }
    }
}

/// Waits for room and sends: the future of [`Sender::send`]. Dropping it before it's ready drops the value.
#[must_use = "futures do nothing unless awaited"]
pub struct Delivery<'s, 'c, T, C> {
    sender: &'s Sender<T>,
    cx: &'c Cx<C>,
    node: WaitNode,
    /// Until it was sent or handed back.
    value: Option<T>,
    site: &'static Location<'static>,
}

/// The value is moved, never pinned.
impl<T, C> Unpin for Delivery<'_, '_, T, C> {}

impl<T, C> Delivery<'_, '_, T, C> {
    fn take(&mut self) -> T {
        self.value.take().expect("polled after it was ready")
    }
}

impl<T, C: Row> Future for Delivery<'_, '_, T, C> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.value.is_none() {
            polled_again();
        }
        let (tx, site) = (&this.sender.tx, this.site);
        let room = tx.room();
        if let Err(cancelled) = ready!(this.cx.poll_operation(context, room, Access::Acquire(1), Some(site)))
        {
            this.sender.leave(&mut this.node, this.cx, site);
            return Poll::Ready(Err(SendError::Cancelled(this.take(), cancelled)));
        }
        if !this.node.is_queued() {
            match tx.try_send(this.take()) {
                Ok(()) => {
                    room.touch_at(Access::Acquire(1), site);
                    return Poll::Ready(Ok(()));
                }
                Err(TrySendError::Closed(value)) => {
                    room.touch_at(Access::Read, site);
                    return Poll::Ready(Err(SendError::Closed(value)));
                }
                Err(TrySendError::Full(value)) => this.value = Some(value),
            }
        }
        let polled = tx.poll_permit(&mut this.node, || Waiter::from_waker(context.waker()));
        if polled.is_ready() {
            this.cx.left(tx.address(), site);
        }
        match polled {
            Poll::Ready(Ok(credit)) => {
                room.touch_at(Access::Acquire(1), site);
                Poll::Ready(credit.send(this.take()).map_err(SendError::Closed))
            }
            Poll::Ready(Err(Closed)) => {
                room.touch_at(Access::Read, site);
                Poll::Ready(Err(SendError::Closed(this.take())))
            }
            Poll::Pending => {
                room.touch_at(Access::Write, site);
                this.sender.waits(this.cx, context, site);
                Poll::Pending
            }
        }
    }
}

/// For `select!` of the futures crate: once it was ready it has no value left, and must not be polled.
#[cfg(feature = "futures")]
impl<T, C: Row> futures_core::FusedFuture for Delivery<'_, '_, T, C> {
    fn is_terminated(&self) -> bool {
        self.value.is_none()
    }
}

impl<T, C> Drop for Delivery<'_, '_, T, C> {
    fn drop(&mut self) {
        self.sender.leave(&mut self.node, self.cx, self.site);
    }
}

/// A value that was not sent, and why.
///
/// No [`core::error::Error`], see [`WaitError`]; `?` drops the value.
pub enum SendError<T> {
    /// The receiver has closed the channel or is gone.
    Closed(T),
    /// A cancellation was effective before the value was sent.
    Cancelled(T, Cancelled),
}

impl<T> SendError<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        match self {
            Self::Closed(value) | Self::Cancelled(value, _) => value,
        }
    }

    /// Whether the send was cancelled.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(..))
    }
}

impl<T> core::fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("Closed(..)"),
            Self::Cancelled(_, cancelled) => write!(f, "Cancelled(.., {cancelled:?})"),
        }
    }
}

impl<T> core::fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("channel closed"),
            Self::Cancelled(_, cancelled) => cancelled.fmt(f),
        }
    }
}

impl<T> From<SendError<T>> for WaitError {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Closed(_) => WaitError::Closed,
            SendError::Cancelled(_, cancelled) => WaitError::Cancelled(cancelled),
        }
    }
}

impl<T, E: From<Closed>> From<SendError<T>> for Stop<E> {
    fn from(error: SendError<T>) -> Self {
        WaitError::from(error).into()
    }
}

/// So that a task may return `Result<_, SendError<T>>`.
impl<T: Send + 'static> IntoStop for SendError<T> {
    type App = Closed;
    fn into_stop(self) -> Stop<Closed> {
        self.into()
    }
}
