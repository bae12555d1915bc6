//! Waiting for the other side to leave: what every sender's `closed` is made of.
//!
//! Each channel knows by itself whether somebody can still receive. Here is the line of those who wait until nobody can,
//! which stands beside the channel's own, so that whoever waits for the end isn't woken by every value.
//!
//! Invariant `gone.told`: a channel changes first and tells then, and who waits looks at the channel under the lock of this
//! line. So it sees the change, or stands in the line when that is told.
//!
//! Not here: the oneshot, which has one sender and keeps its waiter in the channel's own cell.

use core::task::Poll;

use crate::{WaitNode, Wakes, wait_queue::WaitQueue};

/// Those who wait until nobody receives any more.
pub(crate) struct Gone<W: Wakes> {
    line: WaitQueue<W>,
}

impl<W: Wakes> Gone<W> {
    pub(crate) fn new() -> Self {
        Self { line: WaitQueue::new() }
    }

    /// Waits until `is_gone` says so. It's asked under the line's lock too: it may take the channel's, inside of which the
    /// channel must not call [`tell`](Self::tell).
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub(crate) fn poll(
        &self,
        node: &mut WaitNode,
        make: impl FnOnce() -> W,
        is_gone: impl Fn() -> bool,
    ) -> Poll<()> {
        if is_gone() {
            self.cancel(node);
            return Poll::Ready(());
        }
        self.line.poll_with(node, make(), |()| is_gone().then_some(()))
    }

    /// Stops waiting.
    pub(crate) fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.line.forget(node);
        }
    }

    /// Nobody receives any more: the channel says so already.
    pub(crate) fn tell(&self) {
        self.line.tell(|()| ((), !types::seeded!("gone.untold")));
    }
}

#[cfg(not(loom))]
pub(crate) use face::{Closing, closed};

#[cfg(not(loom))]
mod face {
    use core::{future::Future, panic::Location, task::Poll};

    use cx::{Access, Cx, Object, Row, Waiter};
    use types::{Cancelled, WaitKind};

    use crate::{
        WaitNode,
        wait::{Pends, Wait},
    };

    static RECEIVED: WaitKind = WaitKind::new("closed (somebody receives)");

    /// A sender whose channel has such a line.
    pub(crate) trait Closing {
        /// See [`Gone::poll`](super::Gone::poll).
        fn poll_closed(&self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<()>;

        /// See [`Gone::cancel`](super::Gone::cancel).
        fn cancel_closed(&self, node: &mut WaitNode);

        /// By what exploration knows that somebody can receive.
        fn object(&self) -> &Object;
    }

    /// That nobody receives from a sender's channel.
    struct Closed<'s, S>(&'s S);

    impl<S: Closing> Pends for Closed<'_, S> {
        type Ready = ();
        type Refused = Cancelled;

        fn kind(&self) -> &'static WaitKind {
            &RECEIVED
        }

        fn announces(&self) -> (&Object, Access) {
            (self.0.object(), Access::Read)
        }

        fn poll(
            &mut self,
            node: &mut WaitNode,
            make: impl FnOnce() -> Waiter,
        ) -> Poll<Result<(), Cancelled>> {
            let polled = self.0.poll_closed(node, make);
            self.0.object().touch(Access::Read);
            polled.map(Ok)
        }

        fn leave(&mut self, node: &mut WaitNode) {
            self.0.cancel_closed(node);
        }
    }

    /// What every `closed` returns.
    pub(crate) fn closed<'s, 'c, S: Closing, C: Row>(
        sender: &'s S,
        cx: &'c Cx<C>,
        site: &'static Location<'static>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + use<'s, 'c, S, C> {
        Wait::new(Closed(sender), cx, site)
    }
}
