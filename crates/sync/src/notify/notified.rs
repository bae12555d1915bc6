//! [`Notify`], and its wait, [`Notified`].
//!
//! Not here: who is let go when (`signal`).

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Object, ObjectKind, Row, Waiter};
use types::{Cancelled, WaitKind};

use super::signal::Signal;
use crate::{WaitNode, wait::polled_again};

static NOT_NOTIFIED: WaitKind = WaitKind::new("notified");

/// Something that happened, for whoever waits for it.
#[derive(Debug)]
pub struct Notify {
    signal: Signal<Waiter>,
    object: Object,
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Self { signal: Signal::default(), object: Object::new(ObjectKind::Value) }
    }
}

impl Notify {
    /// Nothing stored, nobody waiting.
    #[track_caller]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the oldest waiter go; if nobody waits, the next one to come. Two calls with nobody waiting let one go.
    ///
    /// One atomic operation if nobody waits. What the caller did before is visible to whom it lets go.
    pub fn notify_one(&self) {
        self.signal.notify_one();
        self.object.touch(Access::Write);
    }

    /// Lets everybody go who waits now, and stores nothing. Who waits: was polled, or called [`Notified::enable`].
    ///
    /// One atomic operation if nobody does. A waiter that came too late for it sees what the caller did before, if it looks
    /// after it was enabled.
    pub fn notify_waiters(&self) {
        self.signal.notify_waiters();
        self.object.touch(Access::Write);
    }

    /// Waits for a notification.
    ///
    /// # Errors
    /// Cancelled: a notification that was meant for one went to the next.
    pub fn notified<'n, 'c, C: Row>(&'n self, cx: &'c Cx<C>) -> Notified<'n, 'c, C> {
        Notified { notify: self, cx, node: WaitNode::new(), taken: false, over: false }
    }
}

/// Waits for a notification: the future of [`Notify::notified`].
#[must_use = "futures do nothing unless awaited"]
pub struct Notified<'n, 'c, C> {
    notify: &'n Notify,
    cx: &'c Cx<C>,
    node: WaitNode,
    /// Whether [`enable`](Self::enable) has taken a stored notification that was not given out yet.
    taken: bool,
    over: bool,
}

impl<C> Notified<'_, '_, C> {
    /// Takes a place in the queue without waiting yet: what is notified from here on reaches this future. True if a stored
    /// notification was there, so that the next poll is ready.
    ///
    /// Does nothing if the place was taken before.
    ///
    /// # Panics
    /// If this was ready already.
    pub fn enable(&mut self) -> bool {
        if self.over {
            polled_again();
        }
        self.notify.object.touch(Access::Write);
        self.taken = self.taken || self.notify.signal.enable(&mut self.node);
        self.taken
    }

    /// Gives up the place; what had been meant for one goes to the next.
    fn leave(&mut self) {
        if core::mem::take(&mut self.taken) {
            self.notify.notify_one();
        }
        if self.node.is_queued() {
            self.notify.signal.cancel(&mut self.node);
            self.notify.object.touch(Access::Write);
        }
    }
}

impl<C: Row> Future for Notified<'_, '_, C> {
    type Output = Result<(), Cancelled>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.over {
            polled_again();
        }
        if let Err(cancelled) = ready!(this.cx.poll_proceed(context)) {
            this.leave();
            this.over = true;
            return Poll::Ready(Err(cancelled));
        }
        if core::mem::take(&mut this.taken) {
            this.over = true;
            return Poll::Ready(Ok(()));
        }
        this.notify.object.touch(Access::Write);
        let polled = this.notify.signal.poll_notified(&mut this.node, || Waiter::from_waker(context.waker()));
        if polled.is_pending() {
            this.cx.poll_wait(context, &NOT_NOTIFIED);
        } else {
            this.over = true;
        }
        polled.map(Ok)
    }
}

/// For `select!` of the futures crate: over means that it must not be polled.
#[cfg(feature = "futures")]
impl<C: Row> futures_core::FusedFuture for Notified<'_, '_, C> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<C> Drop for Notified<'_, '_, C> {
    fn drop(&mut self) {
        self.leave();
    }
}
