//! Waiting for the other side to leave ([`Leaving`]): what every sender's `closed` is made of.
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

    /// The wait until `is_gone` says so. It's asked under the line's lock too: it may take the channel's, inside of which the
    /// channel must not call [`tell`](Self::tell).
    pub(crate) fn once<F: Fn() -> bool>(&self, is_gone: F) -> Leaving<'_, W, F> {
        Leaving { gone: self, is_gone }
    }

    /// Nobody receives any more: the channel says so already.
    pub(crate) fn tell(&self) {
        self.line.tell(|()| ((), !types::seeded!("gone.untold")));
    }
}

/// That nobody receives any more, to be waited for: what the `leaving` of a core returns.
pub struct Leaving<'g, W: Wakes, F> {
    gone: &'g Gone<W>,
    is_gone: F,
}

impl<W: Wakes, F: Fn() -> bool> Leaving<'_, W, F> {
    /// Waits for it. A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<()> {
        if (self.is_gone)() {
            self.cancel(node);
            return Poll::Ready(());
        }
        self.gone.line.poll_with(node, make(), |()| (self.is_gone)().then_some(()))
    }

    /// Stops waiting.
    pub fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.gone.line.forget(node);
        }
    }
}

impl<W: Wakes, F> core::fmt::Debug for Leaving<'_, W, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Leaving")
    }
}

#[cfg(not(loom))]
mod face {
    use core::{future::Future, panic::Location, task::Poll};

    use cx::{Access, Cx, Object, Row, Waiter};
    use types::{Cancelled, WaitKind};

    use super::Leaving;
    use crate::{
        WaitNode,
        wait::{Fused, Pends, Wait},
    };

    static RECEIVED: WaitKind = WaitKind::new("closed (somebody receives)");

    /// That nobody receives from a sender's channel. By `somebody` exploration knows that one can.
    struct Closed<'g, F> {
        leaving: Leaving<'g, Waiter, F>,
        somebody: &'g Object,
    }

    impl<F: Fn() -> bool> Pends for Closed<'_, F> {
        type Ready = ();
        type Refused = Cancelled;

        fn kind(&self) -> &'static WaitKind {
            &RECEIVED
        }

        fn announces(&self) -> (&Object, Access) {
            (self.somebody, Access::Read)
        }

        fn poll(
            &mut self,
            node: &mut WaitNode,
            make: impl FnOnce() -> Waiter,
        ) -> Poll<Result<(), Cancelled>> {
            let polled = self.leaving.poll(node, make);
            self.somebody.touch(Access::Read);
            polled.map(Ok)
        }

        fn leave(&mut self, node: &mut WaitNode) {
            self.leaving.cancel(node);
        }
    }

    impl<'g, F: Fn() -> bool> Leaving<'g, Waiter, F> {
        /// What every `closed` returns.
        pub(crate) fn wait<'c, C: Row>(
            self,
            somebody: &'g Object,
            cx: &'c Cx<C>,
            site: &'static Location<'static>,
        ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'g, 'c, F, C> {
            Wait::new(Closed { leaving: self, somebody }, cx, site)
        }
    }
}
