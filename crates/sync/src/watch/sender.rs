//! Who changes the value: [`Sender`], [`WeakSender`].
//!
//! Not here: the value (`latest`). Sending never waits.

use core::{future::Future, panic::Location};
use std::sync::Arc;

use cx::{Access, Cx, Object, Row, Waiter};
use types::Cancelled;

use super::{Receiver, latest::Latest};
use crate::wait::Fused;

/// Changes a value that others watch. Clones change the same one. Receivers see the end when the last is gone.
pub struct Sender<T> {
    core: Arc<Latest<T, Waiter>>,
    object: Object,
}

impl<T> Sender<T> {
    pub(super) fn new(core: Arc<Latest<T, Waiter>>, object: Object) -> Self {
        Self { core, object }
    }

    /// Replaces the value and wakes who waits for a change. Never waits; also without receivers, for those to come. The
    /// value before is dropped, unless somebody still looks at it.
    pub fn send(&self, value: T) {
        drop(self.replace(value));
    }

    /// As [`send`](Self::send); the value before.
    pub fn replace(&self, value: T) -> Arc<T> {
        let before = self.core.replace(value);
        self.object.touch(Access::Write);
        before
    }

    /// Changes the value in place (or a copy, if somebody looks at it just then), and wakes who waits for a change if
    /// `change` returns true. Otherwise nobody is told, and receivers count it as the version that they have seen.
    ///
    /// While `change` runs, others who change the value or look at it wait, with their threads: it should be short, and must
    /// not do either itself (a deadlock, or a panic). The copy is made, and what it replaces is dropped, under no lock:
    /// `T`'s code may use the channel. If `change` panics, the value is as it was left, and nobody is told.
    pub fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        let changed = self.core.modify(change);
        self.object.touch(Access::Write);
        changed
    }

    /// The value.
    pub fn borrow(&self) -> Arc<T> {
        self.object.touch(Access::Read);
        self.core.look().0
    }

    /// One more receiver, which has seen the present value.
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.core.join_receivers();
        // One more to be counted.
        self.object.touch(Access::Write);
        Receiver::new(self.core.clone(), self.object.clone(), seen)
    }

    /// Waits until there is no receiver, so that nobody looks at what would be sent. One that
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

    /// Whether no receiver is left.
    pub fn is_closed(&self) -> bool {
        self.receivers() == 0
    }

    /// How many receivers there are.
    pub fn receivers(&self) -> usize {
        self.object.touch(Access::Read);
        self.core.parties().1
    }

    /// Whether `other` changes the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }

    /// A sender that doesn't keep receivers from seeing the end.
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

impl<T: core::fmt::Debug> core::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Sender").field(&self.core.look().0).finish()
    }
}

/// A sender that counts for nothing until it is upgraded: receivers see the end without it. It keeps the value, as every
/// receiver does.
pub struct WeakSender<T> {
    core: Arc<Latest<T, Waiter>>,
    object: Object,
}

impl<T> WeakSender<T> {
    /// A sender, unless the last one is gone: an end is final. One short lock.
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
