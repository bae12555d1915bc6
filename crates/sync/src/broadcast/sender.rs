//! The sending half: [`Sender`], [`WeakSender`], and [`Permit`], a value that is owed.
//!
//! Not here: the ring (`tape`). Sending never waits.

use core::{future::Future, panic::Location};
use std::sync::Arc;

use cx::{Access, Cx, Object, Reserved, Row, Waiter};
use obligation::AlreadyLeaked;
use types::{Cancelled, ObligationKind};

use super::{Receiver, tape::Tape};
use crate::{Sent, wait::Fused};

/// Sends to every receiver. Clones send into the same channel. Receivers see the end when the last is gone.
pub struct Sender<T> {
    core: Arc<Tape<T, Waiter>>,
    object: Object,
}

impl<T> Sender<T> {
    pub(super) fn new(core: Arc<Tape<T, Waiter>>, object: Object) -> Self {
        Self { core, object }
    }

    /// Sends to everybody who receives now; how many they are. Never waits: a full ring loses its oldest value, and who
    /// had not received that one is told. One short lock, and an allocation every 32 values.
    ///
    /// # Errors
    /// There is no receiver: the value comes back.
    pub fn send(&self, value: T) -> Result<usize, T> {
        let sent = self.core.send(value);
        self.object.touch(Access::Write);
        sent
    }

    /// Owes a value, as an obligation of the region that `cx` stands in. Never waits, and isn't refused under
    /// cancellation. No room is set aside: none is needed.
    #[track_caller]
    pub fn reserve<C: Row>(&self, cx: &Cx<C>) -> Permit<T> {
        Permit { record: cx.reserve(ObligationKind::SendPermit, Location::caller()), sender: self.clone() }
    }

    /// One more receiver: it gets everything that is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let cursor = self.core.join_receivers();
        self.object.touch(Access::Write);
        Receiver::new(self.core.clone(), self.object.clone(), cursor)
    }

    /// Waits until there is no receiver, so that nobody gets what would be sent. One that
    /// [subscribes](Self::subscribe) later is none of this wait's business: it isn't final.
    ///
    /// # Errors
    /// Cancelled.
    #[track_caller]
    pub fn closed<'s, 'c, C: Row>(
        &'s self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'s, 'c, T, C> {
        self.core.leaving().wait(&self.object, cx, Location::caller())
    }

    /// How many receivers there are.
    pub fn receivers(&self) -> usize {
        self.object.touch(Access::Read);
        self.core.parties().1
    }

    /// How many values are kept now: what the slowest receiver could still get.
    pub fn len(&self) -> usize {
        self.object.touch(Access::Read);
        self.core.len()
    }

    /// Whether nothing is kept: nothing was sent yet, or every receiver has gone since.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are kept at most.
    pub fn capacity(&self) -> usize {
        self.core.capacity()
    }

    /// Whether `other` sends into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }

    /// A sender that doesn't keep the channel from ending.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { core: self.core.clone(), object: self.object.clone() }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.core.join_senders();
        Self { core: self.core.clone(), object: self.object.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.core.leave_senders();
        self.object.touch(Access::Write);
    }
}

impl<T> core::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender").field("capacity", &self.core.capacity()).finish_non_exhaustive()
    }
}

/// A sender that counts for nothing until it is upgraded: receivers see the end without it.
pub struct WeakSender<T> {
    core: Arc<Tape<T, Waiter>>,
    object: Object,
}

impl<T> WeakSender<T> {
    /// A sender, unless the last one is gone: a channel that has ended never begins again. One short lock.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let lives = self.core.rejoin_senders();
        self.object.touch(if lives { Access::Write } else { Access::Read });
        lives.then(|| Sender::new(self.core.clone(), self.object.clone()))
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), object: self.object.clone() }
    }
}

impl<T> core::fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WeakSender")
    }
}

/// A value that is owed. It keeps the channel open, and may go to another task. Dropping it owes nothing any more.
#[derive(Debug)]
#[must_use = "dropping a permit sends nothing"]
pub struct Permit<T> {
    record: Reserved,
    sender: Sender<T>,
}

impl<T> Permit<T> {
    /// Sends. Can't wait, fail or be cancelled. Without receivers [`Sent`] hands the value back; it may be ignored.
    ///
    /// # Panics
    /// With debug assertions, if the permit's region has closed over it and reported it as leaked. Otherwise the value
    /// comes back then.
    #[track_caller]
    pub fn send(self, value: T) -> Sent<T> {
        match self.record.commit() {
            Ok(()) => Sent::new(self.sender.send(value).map(drop)),
            Err(AlreadyLeaked) => Sent::too_late(value),
        }
    }

    /// Sends nothing. The same as dropping the permit.
    pub fn abort(self) {}

    /// Makes it an obligation of the region that `cx` stands in.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.record.rehome(cx)
    }
}
