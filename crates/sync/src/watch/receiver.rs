//! Who waits for changes: [`Receiver`].
//!
//! Not here: the value (`latest`).

use core::{future::Future, panic::Location, task::Poll};
use std::sync::Arc;

use cx::{Access, Cx, Object, Row, Waiter};
use types::{Cancelled, FusedStream, WaitKind};

use super::latest::Latest;
use crate::{
    Closed, WaitError, WaitNode,
    items::{Items, Owned, Source},
    park,
    wait::{Fused, Pends, Wait},
};

static UNCHANGED: WaitKind = WaitKind::new("changed (watch)");

/// Watches a value. A clone has seen what its original has.
pub struct Receiver<T> {
    core: Arc<Latest<T, Waiter>>,
    object: Object,
    seen: u64,
}

/// A version that was not seen yet.
struct Change<'r, T>(&'r mut Receiver<T>);

impl<T> Pends for Change<'_, T> {
    type Ready = ();
    type Refused = WaitError;

    fn kind(&self) -> &'static WaitKind {
        &UNCHANGED
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.0.object, Access::Read)
    }

    fn poll(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<(), WaitError>> {
        let Receiver { core, object, seen } = self.0;
        let polled = core.poll_changed(node, *seen, make);
        object.touch(Access::Read);
        polled.map(|version| {
            *seen = version?;
            Ok(())
        })
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.0.core.cancel(node);
    }
}

/// The present value, if it's wanted. An operation as any other, which doesn't wait: `wait_for` begins with it.
struct Present<'r, T, F>(&'r mut Receiver<T>, F);

impl<T, F: FnMut(&T) -> bool> Pends for Present<'_, T, F> {
    type Ready = Option<Arc<T>>;
    type Refused = WaitError;

    fn kind(&self) -> &'static WaitKind {
        &UNCHANGED
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.0.object, Access::Read)
    }

    fn poll(&mut self, _: &mut WaitNode, _: impl FnOnce() -> Waiter) -> Poll<Result<Self::Ready, WaitError>> {
        let value = self.0.borrow_and_update();
        Poll::Ready(Ok((self.1)(&value).then_some(value)))
    }

    fn leave(&mut self, _: &mut WaitNode) {}
}

impl<T> Receiver<T> {
    pub(super) fn new(core: Arc<Latest<T, Waiter>>, object: Object, seen: u64) -> Self {
        Self { core, object, seen }
    }

    /// Waits for a value that was not seen yet, and counts it as seen.
    ///
    /// # Errors
    /// Closed: every sender is gone, and the last value was seen. Cancelled: what was not seen still counts as that.
    #[track_caller]
    pub fn changed<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), WaitError>> + Unpin + Fused + use<'r, 'c, T, C> {
        Wait::new(Change(self), cx, Location::caller())
    }

    /// Waits until the value is as `wanted` says, beginning with the present one; that value, counted as seen. Values that
    /// were replaced before this task ran are not looked at. A cancellation point, and one operation of the task's budget at
    /// least, also if the present value is wanted.
    ///
    /// # Errors
    /// As [`changed`](Self::changed).
    #[track_caller]
    pub fn wait_for<'a, C: Row>(
        &'a mut self,
        cx: &'a Cx<C>,
        mut wanted: impl FnMut(&T) -> bool + 'a,
    ) -> impl Future<Output = Result<Arc<T>, WaitError>> + 'a
    where
        T: 'a,
    {
        let site = Location::caller();
        async move {
            if types::seeded!("watch.looks-before-proceeding") {
                let value = self.borrow_and_update();
                if wanted(&value) {
                    return Ok(value);
                }
            } else if let Some(value) = Wait::new(Present(self, &mut wanted), cx, site).await? {
                return Ok(value);
            }
            loop {
                Wait::new(Change(self), cx, site).await?;
                let value = self.borrow_and_update();
                if wanted(&value) {
                    return Ok(value);
                }
            }
        }
    }

    /// As [`changed`](Self::changed), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// Every sender is gone, and the last value was seen.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_changed(&mut self) -> Result<(), Closed> {
        let (mut node, Self { core, seen, .. }) = (WaitNode::new(), self);
        let version = park::block_on("blocking_changed", |make| {
            // A look first, which the wait takes only once it has its waiter. After the end nothing changes any more.
            if !node.is_queued() && core.parties().0 == 0 && core.version() == *seen {
                return Poll::Ready(Err(Closed));
            }
            core.poll_changed(&mut node, *seen, make)
        })?;
        *seen = version;
        Ok(())
    }

    /// Every value that was not seen yet, the present one too, as a stream that ends with the last sender. Values that
    /// were replaced before this task ran are left out. Where a cancellation is effective its item says so, with nothing seen,
    /// and is the last one.
    ///
    /// A receiver that has just been made has seen the present value: call
    /// [`mark_unseen`](Self::mark_unseen) to begin with that.
    #[track_caller]
    pub fn stream<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl FusedStream<Item = Result<Arc<T>, Cancelled>> + Unpin + use<'r, 'c, T, C> {
        Items::new(Wait::new(Next(Change(self)), cx, Location::caller()))
    }

    /// As [`stream`](Self::stream), with a stream that owns the receiver. It has no `Cx`, so it is no cancellation point: whoever
    /// consumes it is, and what was not seen is the next item.
    pub fn into_stream(self) -> impl FusedStream<Item = Arc<T>> + Unpin + use<T> {
        Owned::new(self)
    }

    /// Counts the present value as not seen: the next wait for a change ends at once.
    pub fn mark_unseen(&mut self) {
        // Versions only grow, so no later one is this one.
        self.seen = u64::MAX;
    }

    /// The value. Whether it counts as seen stays as it was.
    pub fn borrow(&self) -> Arc<T> {
        self.object.touch(Access::Read);
        self.core.look().0
    }

    /// The value, counted as seen.
    pub fn borrow_and_update(&mut self) -> Arc<T> {
        self.object.touch(Access::Read);
        let (value, version) = self.core.look();
        self.seen = version;
        value
    }

    /// Whether there is a value that was not seen yet.
    pub fn has_changed(&self) -> bool {
        self.object.touch(Access::Read);
        self.core.version() != self.seen
    }

    /// Whether `other` watches the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }

    /// Whether every sender is gone.
    pub fn is_closed(&self) -> bool {
        self.object.touch(Access::Read);
        self.core.parties().0 == 0
    }
}

/// A value that was not seen yet, with that value.
struct Next<'r, T>(Change<'r, T>);

impl<T> Pends for Next<'_, T> {
    type Ready = Arc<T>;
    type Refused = WaitError;

    fn kind(&self) -> &'static WaitKind {
        self.0.kind()
    }

    fn announces(&self) -> (&Object, Access) {
        self.0.announces()
    }

    fn poll(
        &mut self,
        node: &mut WaitNode,
        make: impl FnOnce() -> Waiter,
    ) -> Poll<Result<Arc<T>, WaitError>> {
        self.0.poll(node, make).map_ok(|()| self.0.0.borrow_and_update())
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.0.leave(node);
    }
}

impl<T> Source for Receiver<T> {
    type Item = Arc<T>;

    fn poll_source(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Option<Arc<T>>> {
        Next(Change(self)).poll(node, make).map(Result::ok)
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.core.cancel(node);
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let _ = self.core.join_receivers();
        self.object.touch(Access::Write);
        Self { core: self.core.clone(), object: self.object.clone(), seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.core.leave_receivers();
        self.object.touch(Access::Write);
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Receiver").field(&self.core.look().0).finish()
    }
}
