//! The receiving half: [`Receiver`], and what it may be told instead of a value.
//!
//! Not here: the ring (`tape`).

use core::{future::Future, panic::Location, task::Poll};
use std::sync::Arc;

use cx::{Access, Cx, Object, Row, Waiter};
use types::{Cancelled, FusedStream, WaitKind};

use super::tape::{Cursor, Missed, Tape};
use crate::{
    WaitNode,
    items::{Items, Owned, Refusal, Shown, Source},
    park,
    wait::{Fused, Pends, Wait},
};

static NOTHING_NEW: WaitKind = WaitKind::new("recv (broadcast)");

/// Why there was no value.
#[derive(Debug)]
pub enum RecvError {
    /// So many values were overwritten before they were received. The next receive gets the oldest that is kept.
    Lagged(u64),
    /// Every sender is gone, and all was received.
    Closed,
    /// A cancellation was effective. The next value is still the next.
    Cancelled(Cancelled),
}

impl core::fmt::Display for RecvError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Lagged(lost) => write!(f, "{lost} values were lost"),
            Self::Closed => f.write_str("channel closed"),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl From<Cancelled> for RecvError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

impl Refusal for RecvError {
    type Shown = Self;

    fn shown(self) -> Shown<Self> {
        match self {
            Self::Lagged(_) => Shown::Between(self),
            Self::Cancelled(_) => Shown::Last(self),
            Self::Closed => Shown::End,
        }
    }
}

impl From<Missed> for RecvError {
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Lagged(lost) => Self::Lagged(lost),
            Missed::Closed => Self::Closed,
        }
    }
}

/// Why there was no value at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// As [`RecvError::Lagged`].
    Lagged(u64),
    /// Nothing is there now.
    Empty,
    /// Nothing will come.
    Closed,
}

impl core::fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Lagged(lost) => write!(f, "{lost} values were lost"),
            Self::Empty => f.write_str("channel empty"),
            Self::Closed => f.write_str("channel closed"),
        }
    }
}

impl core::error::Error for TryRecvError {}

/// Receives what is sent after it came. A clone is where its original is.
pub struct Receiver<T> {
    core: Arc<Tape<T, Waiter>>,
    object: Object,
    cursor: Cursor<T>,
}

/// The next value.
struct Next<'r, T>(&'r mut Receiver<T>);

impl<T: Clone> Pends for Next<'_, T> {
    type Ready = T;
    type Refused = RecvError;

    fn kind(&self) -> &'static WaitKind {
        &NOTHING_NEW
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.0.object, Access::Read)
    }

    fn poll(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<T, RecvError>> {
        let Receiver { core, object, cursor } = self.0;
        let polled = core.poll_recv(node, cursor, make);
        object.touch(Access::Read);
        polled.map_err(RecvError::from)
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.0.core.cancel(node);
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value, a clone of what was sent.
    ///
    /// # Errors
    /// Lagged: how many were lost. Closed, or cancelled: the next value is still the next.
    #[track_caller]
    pub fn recv<'a, C: Row>(
        &'a mut self,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<T, RecvError>> + Unpin + Fused + use<'a, T, C> {
        Wait::new(Next(self), cx, Location::caller())
    }

    /// The next value if there is one. Never waits, and isn't refused under cancellation.
    ///
    /// # Errors
    /// Lagged, empty or closed.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let found = self.core.try_recv(&mut self.cursor);
        self.object.touch(Access::Read);
        match found {
            None => Err(TryRecvError::Empty),
            Some(Ok(value)) => Ok(value),
            Some(Err(Missed::Lagged(lost))) => Err(TryRecvError::Lagged(lost)),
            Some(Err(Missed::Closed)) => Err(TryRecvError::Closed),
        }
    }

    /// As [`recv`](Self::recv), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// Lagged: how many were lost. Closed.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, Missed> {
        let (mut node, Self { core, cursor, .. }) = (WaitNode::new(), self);
        park::block_on("blocking_recv", |make| {
            // A look first: the wait makes its waiter before it has looked at all.
            let found = if node.is_queued() { None } else { core.try_recv(cursor) };
            found.map_or_else(|| core.poll_recv(&mut node, cursor, make), Poll::Ready)
        })
    }

    /// The values as a stream that ends with the channel. Its items are errors where values were lost. Where a cancellation is
    /// effective its item says so, with nothing taken, and is the last one.
    #[track_caller]
    pub fn stream<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl FusedStream<Item = Result<T, RecvError>> + Unpin + use<'r, 'c, T, C> {
        Items::new(Wait::new(Next(self), cx, Location::caller()))
    }

    /// As [`stream`](Self::stream), with a stream that owns the receiver: items are errors only where values were lost. It has no
    /// `Cx`, so it is no cancellation point: whoever consumes it is, and the next value is still the next.
    pub fn into_stream(self) -> impl FusedStream<Item = Result<T, RecvError>> + Unpin + use<T> {
        Owned::new(self)
    }
}

impl<T> Receiver<T> {
    pub(super) fn new(core: Arc<Tape<T, Waiter>>, object: Object, cursor: Cursor<T>) -> Self {
        Self { core, object, cursor }
    }

    /// Another receiver, which gets everything that is sent from now on.
    pub fn resubscribe(&self) -> Receiver<T> {
        let cursor = self.core.join_receivers();
        self.object.touch(Access::Write);
        Receiver::new(self.core.clone(), self.object.clone(), cursor)
    }

    /// How many values were sent and not received, the lost ones included.
    pub fn len(&self) -> u64 {
        self.object.touch(Access::Read);
        self.core.ahead_of(&self.cursor)
    }

    /// Whether there is nothing to receive now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `other` receives from the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }

    /// How many values are kept at most.
    pub fn capacity(&self) -> usize {
        self.core.capacity()
    }

    /// Whether every sender is gone. What was sent before can still be received.
    pub fn is_closed(&self) -> bool {
        self.object.touch(Access::Read);
        self.core.parties().0 == 0
    }
}

impl<T: Clone> Source for Receiver<T> {
    type Item = Result<T, RecvError>;

    fn poll_source(
        &mut self,
        node: &mut WaitNode,
        make: impl FnOnce() -> Waiter,
    ) -> Poll<Option<Self::Item>> {
        let polled = Next(self).poll(node, make);
        polled.map(|received| (!matches!(received, Err(RecvError::Closed))).then_some(received))
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.core.cancel(node);
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let _ = self.core.join_receivers();
        self.object.touch(Access::Write);
        Self { core: self.core.clone(), object: self.object.clone(), cursor: self.cursor.clone() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.core.leave_receivers();
        self.object.touch(Access::Write);
    }
}

impl<T> core::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiver").field("next", &self.cursor.next()).finish_non_exhaustive()
    }
}
