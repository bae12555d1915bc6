//! [`Semaphore`], and its wait, [`Acquire`].
//!
//! Not here: who gets permits when (`permits`), giving them back (`permit`).

use core::{
    future::Future,
    ops::Deref,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::sync::Arc;

use cx::{Access, Cx, Object, ObjectKind, Row, Waiter, port::WaitOn};
use types::{ObligationKind, WaitKind};

use super::{Permit, TryAcquireError, permit::Held, permits::Permits};
use crate::{
    Closed, WaitError, WaitNode, park,
    sync::{AtomicUsize, Relaxed},
    wait::polled_again,
};

static NO_PERMITS: WaitKind = WaitKind::new("acquire (no permits)");

/// A number of permits, and those who wait for some.
#[derive(Debug)]
pub struct Semaphore {
    pub(super) permits: Permits<Waiter>,
    /// How many there are, free or not. All of them may come back, so there are never more than [`MAX`](Self::MAX).
    total: AtomicUsize,
    pub(super) object: Object,
}

impl Semaphore {
    /// The most permits one semaphore can hold.
    pub const MAX: usize = Permits::<Waiter>::MAX;

    /// A semaphore with `permits` free.
    ///
    /// # Panics
    /// If `permits` exceeds [`MAX`](Self::MAX).
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        let object = Object::new(ObjectKind::Permits { total: weight(permits) });
        Self { permits: Permits::new(permits), total: AtomicUsize::new(permits), object }
    }

    /// What exploration knows it by ([`Cx::step_to`](cx::Cx::step_to)).
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Waits for `count` permits, in the order of first polls. Who wants many is not overtaken by those who want few; more
    /// than will ever exist is waited for until the semaphore is closed.
    ///
    /// What is acquired is an obligation of the region that `cx` stands in. It doesn't borrow `cx`.
    ///
    /// # Errors
    /// Closed, or cancelled: then nothing is held, and permits that had been assigned went to the next in line.
    #[track_caller]
    pub fn acquire<'s, 'c, C: Row>(&'s self, cx: &'c Cx<C>, count: usize) -> Acquire<'c, &'s Semaphore, C> {
        self.acquire_at(cx, count, ObligationKind::Semaphore, Location::caller())
    }

    /// As [`acquire`](Self::acquire), for authors of what is built on a semaphore: `kind` says what the permit stands for,
    /// and `site` where their own caller asked, as leaks and deadlocks are reported by it.
    ///
    /// # Errors
    /// As there.
    pub fn acquire_at<'s, 'c, C: Row>(
        &'s self,
        cx: &'c Cx<C>,
        count: usize,
        kind: ObligationKind,
        site: &'static Location<'static>,
    ) -> Acquire<'c, &'s Semaphore, C> {
        Acquire { semaphore: self, cx, count, node: WaitNode::new(), kind, site, movable: false, over: false }
    }

    /// As [`acquire`](Self::acquire), with a permit that owns its share of the semaphore and may go to another task.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn acquire_owned<'c, C: Row>(
        self: &Arc<Self>,
        cx: &'c Cx<C>,
        count: usize,
    ) -> Acquire<'c, Arc<Semaphore>, C> {
        self.acquire_owned_at(cx, count, ObligationKind::Semaphore, Location::caller())
    }

    /// As [`acquire_at`](Self::acquire_at), with a permit that owns its share of the semaphore.
    ///
    /// # Errors
    /// As there.
    pub fn acquire_owned_at<'c, C: Row>(
        self: &Arc<Self>,
        cx: &'c Cx<C>,
        count: usize,
        kind: ObligationKind,
        site: &'static Location<'static>,
    ) -> Acquire<'c, Arc<Semaphore>, C> {
        let semaphore = self.clone();
        Acquire { semaphore, cx, count, node: WaitNode::new(), kind, site, movable: true, over: false }
    }

    /// As [`acquire`](Self::acquire), for a thread that polls no tasks: it sleeps meanwhile. A thread stands in no region, so
    /// the permit is no obligation until somebody [`rehome`](Permit::rehome)s it.
    ///
    /// # Errors
    /// Closed.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_acquire(&self, count: usize) -> Result<Permit<&Semaphore>, Closed> {
        self.blocking("blocking_acquire", count)?;
        Ok(Permit::of_a_thread(self, count, Location::caller()))
    }

    /// As [`blocking_acquire`](Self::blocking_acquire), with a permit that owns its share of the semaphore.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn blocking_acquire_owned(self: &Arc<Self>, count: usize) -> Result<Permit<Arc<Semaphore>>, Closed> {
        self.blocking("blocking_acquire_owned", count)?;
        Ok(Permit::of_a_thread(self.clone(), count, Location::caller()))
    }

    #[track_caller]
    fn blocking(&self, what: &str, count: usize) -> Result<(), Closed> {
        let mut node = WaitNode::new();
        park::block_on(what, |make| self.permits.poll_acquire(&mut node, count, make))
    }

    /// Takes `count` permits if they are free and nobody waits. Never waits, and isn't refused under cancellation: `cx`
    /// says whose obligation it is.
    ///
    /// # Errors
    /// Nothing was taken: see [`TryAcquireError`].
    #[track_caller]
    pub fn try_acquire<C: Row>(
        &self,
        cx: &Cx<C>,
        count: usize,
    ) -> Result<Permit<&Semaphore>, TryAcquireError> {
        self.try_acquire_at(cx, count, ObligationKind::Semaphore, Location::caller())
    }

    /// As [`try_acquire`](Self::try_acquire), for authors of what is built on a semaphore: see
    /// [`acquire_at`](Self::acquire_at).
    ///
    /// # Errors
    /// As there.
    pub fn try_acquire_at<C: Row>(
        &self,
        cx: &Cx<C>,
        count: usize,
        kind: ObligationKind,
        site: &'static Location<'static>,
    ) -> Result<Permit<&Semaphore>, TryAcquireError> {
        self.take_free(count)?;
        let held = Held::new(self, cx, count, site, false);
        Ok(Permit::new(cx.reserve(kind, site), held))
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that owns its share of the semaphore and may go to another
    /// task.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn try_acquire_owned<C: Row>(
        self: &Arc<Self>,
        cx: &Cx<C>,
        count: usize,
    ) -> Result<Permit<Arc<Semaphore>>, TryAcquireError> {
        self.try_acquire_owned_at(cx, count, ObligationKind::Semaphore, Location::caller())
    }

    /// As [`try_acquire_at`](Self::try_acquire_at), with a permit that owns its share of the semaphore.
    ///
    /// # Errors
    /// As there.
    pub fn try_acquire_owned_at<C: Row>(
        self: &Arc<Self>,
        cx: &Cx<C>,
        count: usize,
        kind: ObligationKind,
        site: &'static Location<'static>,
    ) -> Result<Permit<Arc<Semaphore>>, TryAcquireError> {
        self.take_free(count)?;
        let held = Held::new(self.clone(), cx, count, site, true);
        Ok(Permit::new(cx.reserve(kind, site), held))
    }

    /// Takes `count` permits if they are there, and says whether they were.
    fn take_free(&self, count: usize) -> Result<(), TryAcquireError> {
        let taken = self.permits.try_acquire(count);
        self.object.touch(match taken {
            Ok(()) => Access::TryAcquire(weight(count)),
            Err(TryAcquireError::NoPermits) => Access::Refused(weight(count)),
            Err(TryAcquireError::Closed) => Access::Read,
        });
        taken
    }

    /// Stops waiting in the queue.
    #[inline]
    fn leave(&self, node: &mut WaitNode) {
        self.permits.cancel(node);
        self.object.touch(Access::Write);
    }

    /// What this semaphore is known by in deadlock reports.
    pub(super) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Puts `permits` new ones in.
    ///
    /// # Panics
    /// If there would be more than [`MAX`](Self::MAX), those that are held now included; nothing is put in then.
    pub fn add(&self, permits: usize) {
        let more = |total: usize| total.checked_add(permits).filter(|total| *total <= Self::MAX);
        assert!(
            self.total.fetch_update(Relaxed, Relaxed, more).is_ok(),
            "too many permits for a semaphore, with those that are held"
        );
        self.permits.release(permits);
        self.object.touch(Access::Release(weight(permits)));
    }

    /// So many are gone for good.
    pub(super) fn retired(&self, permits: usize) {
        self.total.fetch_sub(permits, Relaxed);
    }

    /// Refuses everybody who waits or comes later: no `acquire` ends with a permit after this, also none to which one was
    /// assigned before. Permits that are held stay so, and are given back as before.
    pub fn close(&self) {
        self.permits.close();
        self.object.touch(Access::Close);
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.object.touch(Access::Read);
        self.permits.is_closed()
    }

    /// Permits that are free now, also those that are saved up for somebody who wants more.
    pub fn available(&self) -> usize {
        self.object.touch(Access::Read);
        self.permits.available()
    }
}

/// Waits for permits: the future of [`Semaphore::acquire`] (`H` is `&Semaphore`) and
/// [`acquire_owned`](Semaphore::acquire_owned) (`H` is `Arc<Semaphore>`).
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<'c, H: Deref<Target = Semaphore>, C> {
    semaphore: H,
    cx: &'c Cx<C>,
    count: usize,
    node: WaitNode,
    /// What the permit stands for.
    kind: ObligationKind,
    site: &'static Location<'static>,
    /// Whether the permit may go to another task.
    movable: bool,
    over: bool,
}

impl<H: Deref<Target = Semaphore> + Clone + Unpin, C: Row> Future for Acquire<'_, H, C> {
    type Output = Result<Permit<H>, WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { semaphore, cx, count, node, kind, site, movable, over } = self.get_mut();
        if *over {
            polled_again();
        }
        let (object, acquire) = (&semaphore.object, Access::Acquire(weight(*count)));
        if let Err(cancelled) = ready!(cx.poll_operation(context, object, acquire, Some(site))) {
            if node.is_queued() {
                semaphore.leave(node);
                cx.left(semaphore.address(), site);
            }
            *over = true;
            return Poll::Ready(Err(cancelled.into()));
        }
        // Whose grant came too late gives it back, which can be seen; the others only look.
        let refused = if node.is_queued() { Access::Write } else { Access::Read };
        match semaphore.permits.poll_acquire(node, *count, || Waiter::from_waker(context.waker())) {
            Poll::Ready(Ok(())) => {
                *over = true;
                object.touch_at(acquire, site);
                let held = Held::new(semaphore.clone(), cx, *count, site, *movable);
                Poll::Ready(Ok(Permit::new(cx.reserve(*kind, site), held)))
            }
            Poll::Ready(Err(closed)) => {
                *over = true;
                object.touch_at(refused, site);
                cx.left(semaphore.address(), site);
                Poll::Ready(Err(closed.into()))
            }
            Poll::Pending => {
                object.touch_at(Access::Write, site);
                let resource = semaphore.address();
                cx.poll_wait_on(context, &NO_PERMITS, WaitOn::Held { resource, wanted: *count, at: site });
                Poll::Pending
            }
        }
    }
}

/// For `select!` of the futures crate: over means that it must not be polled.
#[cfg(feature = "futures")]
impl<H: Deref<Target = Semaphore> + Clone + Unpin, C: Row> futures_core::FusedFuture for Acquire<'_, H, C> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<H: Deref<Target = Semaphore>, C> Drop for Acquire<'_, H, C> {
    #[inline]
    fn drop(&mut self) {
        if self.node.is_queued() {
            self.semaphore.leave(&mut self.node);
            self.cx.left(self.semaphore.address(), self.site);
        }
    }
}

/// A number of permits as exploration counts them.
pub(super) fn weight(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(u32::MAX)
}
