//! Waiting for a mutex: [`Lock`].
//!
//! Not here: the value and its guard (`raw`).

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cx::{Access, Cx, Holding, Row, Waiter, port::WaitOn};
use types::{Cancelled, WaitKind};

use super::{Guard, Mutex};
use crate::{WaitNode, park, wait::polled_again};

static LOCKED: WaitKind = WaitKind::new("lock (mutex held)");

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock. The guard doesn't borrow `cx`.
    ///
    /// # Errors
    /// Cancelled: the lock is not held, and one that had been handed over went to the next in line.
    #[inline]
    #[track_caller]
    pub fn lock<'m, 'c, C: Row>(&'m self, cx: &'c Cx<C>) -> Lock<'m, 'c, T, C> {
        self.lock_at(cx, Location::caller(), Holding::ForItself)
    }

    /// As [`lock`](Self::lock), for somebody else's line, and for a guard that may go to another task.
    #[inline]
    pub(crate) fn lock_at<'m, 'c, C: Row>(
        &'m self,
        cx: &'c Cx<C>,
        site: &'static Location<'static>,
        holding: Holding,
    ) -> Lock<'m, 'c, T, C> {
        Lock { mutex: self, cx, node: WaitNode::new(), site, holding, over: false }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// As [`lock`](Self::lock), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_lock(&self) -> Guard<'_, T> {
        let mut node = WaitNode::new();
        park::block_on("blocking_lock", |make| self.poll_lock(&mut node, make))
    }

    /// Stops waiting in the queue.
    #[inline]
    fn leave(&self, node: &mut WaitNode) {
        self.word.cancel(node);
        self.object.touch(Access::Write);
    }

    /// What this mutex is known by in deadlock reports.
    fn address(&self) -> usize {
        core::ptr::from_ref(&self.word).addr()
    }
}

/// Waits for a mutex: the future of [`Mutex::lock`].
#[must_use = "futures do nothing unless awaited"]
pub struct Lock<'m, 'c, T: ?Sized, C> {
    mutex: &'m Mutex<T>,
    cx: &'c Cx<C>,
    node: WaitNode,
    site: &'static Location<'static>,
    /// Who will unlock it.
    holding: Holding,
    over: bool,
}

impl<'m, T: ?Sized, C: Row> Future for Lock<'m, '_, T, C> {
    type Output = Result<Guard<'m, T>, Cancelled>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { mutex, cx, node, site, holding, over } = self.get_mut();
        if *over {
            polled_again();
        }
        if let Err(cancelled) =
            ready!(cx.poll_operation(context, &mutex.object, Access::Acquire(1), Some(site)))
        {
            if node.is_queued() {
                mutex.leave(node);
                cx.left(mutex.address(), site);
            }
            *over = true;
            return Poll::Ready(Err(cancelled));
        }
        let resource = mutex.address();
        let polled = if !node.is_queued()
            && let Some(guard) = mutex.take_free()
        {
            Poll::Ready(guard)
        } else {
            mutex.poll_lock(node, || Waiter::from_waker(context.waker()))
        };
        match polled {
            Poll::Ready(guard) => {
                *over = true;
                mutex.object.touch_at(Access::Acquire(1), site);
                Poll::Ready(Ok(guard.noted(cx.hold(resource, "the mutex", site, *holding, || 0))))
            }
            Poll::Pending => {
                mutex.object.touch_at(Access::Write, site);
                cx.poll_wait_on(context, &LOCKED, WaitOn::Held { resource, wanted: 1, at: site });
                Poll::Pending
            }
        }
    }
}

/// For `select!` of the futures crate: over means that it must not be polled.
#[cfg(feature = "futures")]
impl<T: ?Sized, C: Row> futures_core::FusedFuture for Lock<'_, '_, T, C> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<T: ?Sized, C> Drop for Lock<'_, '_, T, C> {
    #[inline]
    fn drop(&mut self) {
        if self.node.is_queued() {
            self.mutex.leave(&mut self.node);
            self.cx.left(self.mutex.address(), self.site);
        }
    }
}
