//! The sending half, its permit, and one wait for a permit.
//!
//! Invariant `tx.counted`: the channel counts its sending halves; the last one to go tells the receiver.
//!
//! Not here: `Cx` and obligations.

use core::task::Poll;

use super::{
    credits::{Abort, TryReserveError},
    raw::Ring,
};
use crate::{
    Closed, WaitNode, Wakes,
    gone::Leaving,
    object::Access,
    sync::{AcqRel, Arc, Relaxed},
};

/// A value that was not sent, and why.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// The channel is full, or others wait already.
    Full(T),
    /// The receiver has closed the channel or is gone.
    Closed(T),
}

impl<T> TrySendError<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> core::fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> core::fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "channel full",
            Self::Closed(_) => "channel closed",
        })
    }
}

impl<T> core::error::Error for TrySendError<T> {}

/// The sending half. Clones send into the same channel.
pub struct Tx<T, W: Wakes> {
    ring: Arc<Ring<T, W>>,
}

impl<T, W: Wakes> Tx<T, W> {
    pub(super) fn new(ring: Arc<Ring<T, W>>) -> Self {
        Self { ring }
    }

    /// Sends if there's room and nobody waits for it. Never waits. Two atomic operations.
    ///
    /// # Errors
    /// Full or closed, with the value.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.ring.try_send(value).map_err(|(error, value)| match error {
            TryReserveError::Full => TrySendError::Full(value),
            TryReserveError::Closed => TrySendError::Closed(value),
        })
    }

    /// Reserves one credit, to be spent by [`commit`](Self::commit) or [`abort`](Self::abort). Never
    /// waits.
    ///
    /// # Errors
    /// Nothing was reserved: see [`TryReserveError`].
    #[inline]
    pub fn try_reserve(&self) -> Result<(), TryReserveError> {
        self.ring.credits.try_reserve(1)
    }

    /// Reserves `count` credits at once. Never waits.
    ///
    /// # Errors
    /// Nothing was reserved: see [`TryReserveError`].
    ///
    /// # Panics
    /// If there will never be that many: `count` exceeds the capacity.
    pub fn try_reserve_many(&self, count: u32) -> Result<(), TryReserveError> {
        assert!(count <= self.capacity(), "more room was asked for than the channel has");
        self.ring.credits.try_reserve(count)
    }

    /// Waits for a credit, in the order of first polls. After `Ready(Ok)` the caller owns one.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_reserve(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<Result<(), Closed>> {
        self.ring.credits.poll_reserve(node, 1, make)
    }

    /// Waits for `count` credits at once, in the order of first polls: who wants many is not overtaken by those who want
    /// few. After `Ready(Ok)` the caller owns that many.
    ///
    /// # Panics
    /// If there will never be that many: `count` exceeds the capacity.
    pub fn poll_reserve_many(
        &self,
        node: &mut WaitNode,
        count: u32,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<(), Closed>> {
        assert!(count <= self.capacity(), "more room was asked for than the channel has");
        self.ring.credits.poll_reserve(node, count, make)
    }

    /// What deadlock reports know its room by.
    #[cfg(not(loom))]
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref::<Ring<T, W>>(&self.ring).addr()
    }

    /// One of the credits that the caller owns, as a guard.
    pub fn permit_of_credit(&self) -> Permit<'_, T, W> {
        Permit { tx: self }
    }

    /// A sending half that doesn't keep the channel from ending.
    pub fn downgrade(&self) -> WeakTx<T, W> {
        WeakTx { ring: self.ring.clone() }
    }

    /// As [`poll_reserve`](Self::poll_reserve), with the credit as a guard.
    pub fn poll_permit(
        &self,
        node: &mut WaitNode,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<Permit<'_, T, W>, Closed>> {
        self.poll_reserve(node, make).map_ok(|()| Permit { tx: self })
    }

    /// Stops waiting. A credit that was assigned already goes to the next waiter.
    #[inline]
    pub fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.leave(node);
        }
    }

    #[cold]
    fn leave(&self, node: &mut WaitNode) {
        let abort = self.ring.credits.cancel(node);
        self.ring.room.touch(Access::Write);
        self.after(abort);
    }

    /// Sends with a credit. Cannot wait. Two atomic operations.
    ///
    /// # Errors
    /// The receiver is gone: the value comes back. The credit is spent either way.
    ///
    /// # Panics
    /// If no credit of this channel is outstanding.
    #[inline]
    pub fn commit(&self, value: T) -> Result<(), T> {
        self.ring.commit(value)
    }

    /// Gives a credit back, to the oldest waiter if there is one.
    ///
    /// # Panics
    /// If no credit of this channel is outstanding.
    pub fn abort(&self) {
        let abort = self.ring.credits.abort(1);
        self.ring.room.touch(Access::Release(1));
        self.after(abort);
    }

    /// A credit as a guard. Never waits.
    ///
    /// # Errors
    /// Nothing was reserved: see [`TryReserveError`].
    pub fn try_permit(&self) -> Result<Permit<'_, T, W>, TryReserveError> {
        self.try_reserve().map(|()| Permit { tx: self })
    }

    /// One wait for a permit, which cancels itself when dropped.
    pub fn reserve(&self) -> Reserve<'_, T, W> {
        Reserve { tx: self, node: WaitNode::new() }
    }

    /// Whether no credit will be given out any more.
    pub fn is_closed(&self) -> bool {
        self.ring.room.touch(Access::Read);
        self.ring.credits.is_closed()
    }

    /// That no credit will be given out any more, to be waited for.
    pub fn leaving(&self) -> Leaving<'_, W, impl Fn() -> bool> {
        self.ring.gone.once(|| self.ring.credits.is_closed())
    }

    /// Values sent and not received.
    pub fn len(&self) -> usize {
        self.ring.values.touch(Access::Read);
        self.ring.credits.len() as usize
    }

    /// Whether nothing is in the channel now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ring, &other.ring)
    }

    /// Room that is neither taken by values nor held by credits.
    pub fn free(&self) -> u32 {
        self.ring.room.touch(Access::Read);
        self.ring.credits.free()
    }

    /// The channel's capacity.
    pub fn capacity(&self) -> u32 {
        self.ring.credits.capacity()
    }

    /// What exploration knows the channel's room by.
    #[cfg(not(loom))]
    pub(in crate::mpsc) fn room(&self) -> &crate::object::Object {
        &self.ring.room
    }

    fn after(&self, abort: Abort) {
        match abort {
            Abort::Done => {}
            Abort::LastAfterClose => self.ring.wake_receiver(),
        }
    }
}

impl<T, W: Wakes> Clone for Tx<T, W> {
    fn clone(&self) -> Self {
        let before = self.ring.senders.fetch_add(1, Relaxed);
        assert!(before < usize::MAX / 2, "too many senders");
        Self { ring: self.ring.clone() }
    }
}

impl<T, W: Wakes> Drop for Tx<T, W> {
    fn drop(&mut self) {
        if self.ring.senders.fetch_sub(1, AcqRel) == 1 {
            self.ring.credits.senders_gone();
            self.ring.wake_receiver();
            self.ring.values.touch(Access::Close);
        } else {
            // One fewer: only who finds the end can tell.
            self.ring.values.touch(Access::Release(1));
        }
    }
}

impl<T, W: Wakes> core::fmt::Debug for Tx<T, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tx").field("len", &self.len()).field("capacity", &self.capacity()).finish()
    }
}

/// A sending half that counts for nothing until it's upgraded.
pub struct WeakTx<T, W: Wakes> {
    ring: Arc<Ring<T, W>>,
}

impl<T, W: Wakes> WeakTx<T, W> {
    /// A sending half, unless the last one is gone (`tx.counted`: a count of 0 is final).
    pub fn upgrade(&self) -> Option<Tx<T, W>> {
        let mut senders = self.ring.senders.load(Relaxed);
        loop {
            if senders == 0 && !types::seeded!("mpsc.upgrade-of-the-dead") {
                return None;
            }
            assert!(senders < usize::MAX / 2, "too many senders");
            match self.ring.senders.compare_exchange_weak(senders, senders + 1, Relaxed, Relaxed) {
                Ok(_) => return Some(Tx { ring: self.ring.clone() }),
                Err(now) => senders = now,
            }
        }
    }

    /// What exploration knows the channel's values by.
    #[cfg(not(loom))]
    pub(in crate::mpsc) fn values(&self) -> &crate::object::Object {
        &self.ring.values
    }
}

impl<T, W: Wakes> Clone for WeakTx<T, W> {
    fn clone(&self) -> Self {
        Self { ring: self.ring.clone() }
    }
}

impl<T, W: Wakes> core::fmt::Debug for WeakTx<T, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WeakTx")
    }
}

/// The right to send one value. Dropping it gives the credit back.
#[derive(Debug)]
#[must_use = "dropping a permit gives the capacity back without sending"]
pub struct Permit<'a, T, W: Wakes> {
    tx: &'a Tx<T, W>,
}

impl<'a, T, W: Wakes> Permit<'a, T, W> {
    /// Sends. Cannot wait or be cancelled.
    ///
    /// # Errors
    /// The receiver is gone: the value comes back.
    pub fn send(self, value: T) -> Result<(), T> {
        self.into_credit().commit(value)
    }

    /// The same credit, with a clone of the sending half.
    pub fn into_owned(self) -> OwnedPermit<T, W> {
        OwnedPermit { tx: Some(self.into_credit().clone()) }
    }

    /// Dissolves the guard: the caller owns the bare credit and spends it through the sender.
    pub fn into_credit(self) -> &'a Tx<T, W> {
        core::mem::ManuallyDrop::new(self).tx
    }
}

impl<T, W: Wakes> Drop for Permit<'_, T, W> {
    fn drop(&mut self) {
        self.tx.abort();
    }
}

/// As [`Permit`], with a sending half of its own.
#[derive(Debug)]
#[must_use = "dropping a permit gives the capacity back without sending"]
pub struct OwnedPermit<T, W: Wakes> {
    /// `None` once the credit was spent.
    tx: Option<Tx<T, W>>,
}

impl<T, W: Wakes> OwnedPermit<T, W> {
    /// See [`Permit::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send(mut self, value: T) -> Result<(), T> {
        self.tx.take().expect("a permit is spent once").commit(value)
    }
}

impl<T, W: Wakes> Drop for OwnedPermit<T, W> {
    fn drop(&mut self) {
        if let Some(tx) = &self.tx {
            tx.abort();
        }
    }
}

/// One wait for a permit, which cancels itself when dropped.
#[derive(Debug)]
pub struct Reserve<'a, T, W: Wakes> {
    tx: &'a Tx<T, W>,
    node: WaitNode,
}

impl<'a, T, W: Wakes> Reserve<'a, T, W> {
    /// See [`Tx::poll_reserve`].
    pub fn poll(&mut self, make: impl FnOnce() -> W) -> Poll<Result<Permit<'a, T, W>, Closed>> {
        self.tx.poll_permit(&mut self.node, make)
    }
}

impl<T, W: Wakes> Drop for Reserve<'_, T, W> {
    fn drop(&mut self) {
        self.tx.cancel(&mut self.node);
    }
}
