//! The receiving half: [`Receiver`], and its wait.
//!
//! Not here: the line (`line`).

use core::{future::Future, panic::Location, task::Poll};

use cx::{Access, Cx, Object, Row, Waiter};
use types::{Cancelled, FusedStream, WaitKind};

use super::line::Rx;
use crate::{
    Closed, TryRecvError, WaitError, WaitNode,
    items::{Items, Owned, Source},
    park,
    wait::{Fused, Pends, Wait},
};

pub(super) static EMPTY: WaitKind = WaitKind::new("recv (channel empty)");

/// Receives what the channel's senders send.
///
/// Dropping it closes the channel and drops what is in it; a permit that is used later has its value handed back.
pub struct Receiver<T> {
    pub(super) rx: Rx<T, Waiter>,
}

/// The next value.
struct Next<'r, T>(&'r mut Receiver<T>);

impl<T> Pends for Next<'_, T> {
    type Ready = T;
    type Refused = WaitError;

    fn kind(&self) -> &'static WaitKind {
        &EMPTY
    }

    fn announces(&self) -> (&Object, Access) {
        (self.0.rx.values(), Access::Receive)
    }

    fn poll(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<T, WaitError>> {
        let polled = self.0.rx.poll_recv(node, make);
        self.0.rx.values().touch(match polled {
            Poll::Ready(Some(_)) => Access::Receive,
            Poll::Ready(None) => Access::Ended,
            Poll::Pending => Access::Empty,
        });
        polled.map(|value| value.ok_or(Closed.into()))
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.0.rx.cancel(node);
    }
}

impl<T> Source for Receiver<T> {
    type Item = T;

    fn poll_source(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Option<T>> {
        Next(self).poll(node, make).map(Result::ok)
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.rx.cancel(node);
    }
}

impl<T> Receiver<T> {
    pub(super) fn new(rx: Rx<T, Waiter>) -> Self {
        Self { rx }
    }

    /// Waits for the oldest value and takes it. A value that was taken is the caller's: a later `?` drops it.
    ///
    /// # Errors
    /// Closed: nothing is in the channel, and nothing will come. Cancelled: what is in the channel stays there.
    #[track_caller]
    pub fn recv<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<T, WaitError>> + Unpin + Fused + use<'r, 'c, T, C> {
        Wait::new(Next(self), cx, Location::caller())
    }

    /// Waits for a value and takes it with all that are behind it, `limit` at most, to the end of `into`; how many.
    /// One cancellation point, before the first is taken.
    ///
    /// # Errors
    /// As [`recv`](Self::recv): then `into` is as it was.
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    pub fn recv_many<'a, C: Row>(
        &'a mut self,
        cx: &'a Cx<C>,
        into: &'a mut Vec<T>,
        limit: usize,
    ) -> impl Future<Output = Result<usize, WaitError>> + use<'a, T, C> {
        assert!(limit > 0, "receiving at most 0 values would wait for nothing");
        let site = Location::caller();
        async move {
            into.push(Wait::new(Next(self), cx, site).await?);
            let mut taken = 1;
            while taken < limit
                && let Ok(value) = self.try_recv()
            {
                into.push(value);
                taken += 1;
            }
            Ok(taken)
        }
    }

    /// Takes the oldest value if there is one. Never waits, and isn't refused under cancellation.
    ///
    /// # Errors
    /// Empty now, or nothing will come.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let received = self.rx.try_recv();
        self.rx.values().touch(match received {
            Ok(_) => Access::TryReceive,
            Err(TryRecvError::Empty) => Access::Empty,
            Err(TryRecvError::Closed) => Access::Read,
        });
        received
    }

    /// As [`recv`](Self::recv), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// Nothing is in the channel, and nothing will come.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, Closed> {
        let mut node = WaitNode::new();
        park::block_on("blocking_recv", |make| self.rx.poll_recv(&mut node, make)).ok_or(Closed)
    }

    /// The values as a stream that ends with the channel. Where a cancellation is effective its item says so, with nothing
    /// taken, and is the last one.
    #[track_caller]
    pub fn stream<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl FusedStream<Item = Result<T, Cancelled>> + Unpin + use<'r, 'c, T, C> {
        Items::new(Wait::new(Next(self), cx, Location::caller()))
    }

    /// The values as a stream that owns the receiver and ends with the channel. It has no `Cx`, so it is no cancellation point:
    /// whoever consumes it is, and what was not taken is the next item.
    pub fn into_stream(self) -> impl FusedStream<Item = T> + Unpin + use<T> {
        Owned::new(self)
    }

    /// Refuses what was not reserved before. What is in the channel, and what permits given out before will send, can
    /// still be received; after that the channel is at its end. So `close` and `recv` until [`Closed`] drain it.
    pub fn close(&mut self) {
        self.rx.close();
        self.rx.values().touch(Access::Close);
    }

    /// What exploration knows the channel's values by ([`Cx::step_to`](cx::Cx::step_to)).
    pub fn object(&self) -> &Object {
        self.rx.values()
    }

    /// Values sent and not received.
    pub fn len(&self) -> usize {
        self.rx.values().touch(Access::Read);
        self.rx.len()
    }

    /// Whether nothing is in the channel now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> core::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiver").field("len", &self.rx.len()).finish()
    }
}
