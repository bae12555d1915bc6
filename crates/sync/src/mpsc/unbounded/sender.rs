//! The sending half: [`Sender`], [`WeakSender`], and a place in the line as an obligation: [`Permit`], [`OwnedPermit`].
//!
//! Not here: the line (`line`). Sending never waits.

use core::{future::Future, panic::Location};

use cx::{Access, Cx, Reserved, Row, Waiter};
use obligation::AlreadyLeaked;
use types::{Cancelled, ObligationKind};

use super::line::{Tx, WeakTx};
use crate::{Closed, Sent, wait::Fused};

/// Sends into an unbounded channel. Clones send into the same one.
///
/// The receiver sees the end of the channel when the last sender is gone and every value was received.
pub struct Sender<T> {
    tx: Tx<T, Waiter>,
}

impl<T> Sender<T> {
    pub(super) fn new(tx: Tx<T, Waiter>) -> Self {
        Self { tx }
    }

    /// Sends. Never waits, and isn't refused under cancellation. One short lock; now and then the line grows.
    ///
    /// # Errors
    /// The receiver has closed the channel or is gone: the value comes back.
    #[inline]
    pub fn send(&self, value: T) -> Result<(), T> {
        let sent = self.tx.send(value);
        self.tx.values().touch(if sent.is_ok() { Access::Send } else { Access::Read });
        sent
    }

    /// Reserves a place, as an obligation of the region that `cx` stands in. Never waits, and isn't refused under
    /// cancellation. A close by the receiver leaves the place alone.
    ///
    /// # Errors
    /// The receiver has closed the channel or is gone.
    #[track_caller]
    pub fn reserve<C: Row>(&self, cx: &Cx<C>) -> Result<Permit<'_, T>, Closed> {
        self.reserve_at(cx, Location::caller())
    }

    /// As [`reserve`](Self::reserve), for somebody else's line.
    pub(super) fn reserve_at<C: Row>(
        &self,
        cx: &Cx<C>,
        site: &'static Location<'static>,
    ) -> Result<Permit<'_, T>, Closed> {
        let reserved = self.tx.reserve();
        self.tx.values().touch(Access::Read);
        reserved?;
        let place = Place { sender: Some(Whose::Borrowed(self)) };
        Ok(Permit { record: cx.reserve(ObligationKind::SendPermit, site), place })
    }

    #[cfg(feature = "futures")]
    pub(super) fn values(&self) -> &cx::Object {
        self.tx.values()
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
        self.tx.leaving().wait(self.tx.values(), cx, Location::caller())
    }

    /// Whether sending is over: the receiver has closed the channel or is gone.
    pub fn is_closed(&self) -> bool {
        self.tx.values().touch(Access::Read);
        self.tx.is_closed()
    }

    /// Values sent and not received.
    pub fn len(&self) -> usize {
        self.tx.values().touch(Access::Read);
        self.tx.len()
    }

    /// Whether nothing is in the channel now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `other` sends into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.tx.same_channel(&other.tx)
    }

    /// A sender that doesn't keep the channel from ending.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { tx: self.tx.downgrade() }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone() }
    }
}

impl<T> core::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender").field("len", &self.tx.len()).finish()
    }
}

/// A sender that counts for nothing until it is upgraded: the channel ends without it.
pub struct WeakSender<T> {
    tx: WeakTx<T, Waiter>,
}

impl<T> WeakSender<T> {
    /// A sender, unless the last one is gone: a channel that has ended never begins again.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.tx.upgrade().map(Sender::new)
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone() }
    }
}

impl<T> core::fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WeakSender")
    }
}

/// A place in the line, as an obligation. Dropping it gives the place up.
#[derive(Debug)]
#[must_use = "dropping a permit gives the place up without sending"]
pub struct Permit<'a, T> {
    record: Reserved,
    place: Place<'a, T>,
}

/// As [`Permit`], with a sender of its own.
pub type OwnedPermit<T> = Permit<'static, T>;

/// A reserved place, given up when dropped.
#[derive(Debug)]
struct Place<'a, T> {
    /// `None` once the place was used.
    sender: Option<Whose<'a, T>>,
}

#[derive(Debug)]
enum Whose<'a, T> {
    Borrowed(&'a Sender<T>),
    Owned(Sender<T>),
}

impl<T> core::ops::Deref for Whose<'_, T> {
    type Target = Sender<T>;
    fn deref(&self) -> &Sender<T> {
        match self {
            Whose::Borrowed(sender) => sender,
            Whose::Owned(sender) => sender,
        }
    }
}

impl<T> Place<'_, T> {
    fn send(mut self, value: T) -> Result<(), T> {
        let sender = self.sender.take().expect("a place is used once");
        let sent = sender.tx.commit(value);
        sender.tx.values().touch(if sent.is_ok() { Access::Send } else { Access::Read });
        sent
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.tx.abort();
            // After a close this may have been what the end waited for.
            sender.tx.values().touch(Access::Close);
        }
    }
}

impl<T> Permit<'_, T> {
    /// Sends. Can't wait, fail or be cancelled. After the receiver has gone, [`Sent`] hands the value back; it may be
    /// ignored. (A receiver that only closed the channel still receives it.)
    ///
    /// # Panics
    /// With debug assertions, if the permit's region has closed over it and reported it as leaked. Otherwise the value
    /// comes back then.
    #[track_caller]
    pub fn send(self, value: T) -> Sent<T> {
        match self.record.commit() {
            Ok(()) => Sent::new(self.place.send(value)),
            Err(AlreadyLeaked) => {
                drop(self.place);
                Sent::too_late(value)
            }
        }
    }

    /// The same permit with a sender of its own, so that it may go to another task. [`rehome`](Self::rehome) it if that
    /// task's region isn't the one it was reserved in.
    pub fn into_owned(self) -> OwnedPermit<T>
    where
        T: 'static,
    {
        let Permit { record, mut place } = self;
        let sender = place.sender.take().map(|sender| Whose::Owned((*sender).clone()));
        Permit { record, place: Place { sender } }
    }

    /// Gives the place up. The same as dropping the permit.
    pub fn abort(self) {}

    /// Makes it an obligation of the region that `cx` stands in, before it is handed there.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.record.rehome(cx)
    }
}
