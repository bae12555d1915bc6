//! Waiting for a read-write lock, and the forms that don't wait.
//!
//! Not here: the value and its guards (`raw`).

use core::{
    future::Future,
    ops::Deref,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::sync::Arc;

use cx::{Access, Cx, Holding, Object, Row, Waiter};
use types::{Cancelled, WaitKind};

use super::{ReadGuard, RwLock, UpgradableGuard, WriteGuard, raw::Token, share::Mode};
use crate::{
    WaitNode, park,
    wait::{Fused, Pends, Wait},
};

static READ: WaitKind = WaitKind::new("read (lock held)");
static WRITE: WaitKind = WaitKind::new("write (lock held)");
static UPGRADABLE: WaitKind = WaitKind::new("upgradable (lock held)");
static UPGRADE: WaitKind = WaitKind::new("upgrade (readers left)");

/// The lock in some mode.
struct Acquire<'l, T: ?Sized> {
    lock: &'l RwLock<T>,
    mode: Mode,
}

impl<T: ?Sized> Pends for Acquire<'_, T> {
    type Ready = ();
    type Refused = Cancelled;

    fn kind(&self) -> &'static WaitKind {
        match self.mode {
            Mode::Read => &READ,
            Mode::Upgradable => &UPGRADABLE,
            Mode::Write => &WRITE,
        }
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.lock.object, taken(self.mode))
    }

    #[inline]
    fn poll(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<(), Cancelled>> {
        let polled = self.lock.share.poll_acquire(node, self.mode, make);
        // Who waits holds others up, and so changes the lock.
        self.lock.object.touch(if polled.is_ready() { taken(self.mode) } else { Access::Write });
        polled.map(Ok)
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.lock.share.cancel(node);
        self.lock.object.touch(Access::Write);
    }

    fn held(&self) -> Option<(usize, usize)> {
        Some((self.lock.address(), self.mode.wanted()))
    }
}

/// What is done to the lock by who takes it. Those who only look don't notice each other.
fn taken(mode: Mode) -> Access {
    if mode == Mode::Read { Access::Read } else { Access::Write }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits to look at the value. Don't while holding a guard of the same lock: see the [module](super).
    ///
    /// # Errors
    /// Cancelled: nothing is held, and a hold that had been assigned went to the next in line.
    #[inline]
    #[track_caller]
    pub fn read<'a, C: Row>(
        &'a self,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<ReadGuard<&'a Self, T>, Cancelled>> + Unpin + Fused + use<'a, T, C> {
        self.taking(self, cx, Mode::Read, Holding::ForItself, ReadGuard::new)
    }

    /// As [`read`](Self::read), with a guard that owns its share of the lock and may go to another task.
    ///
    /// # Errors
    /// As there.
    #[inline]
    #[track_caller]
    pub fn read_owned<'a, C: Row>(
        self: &'a Arc<Self>,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<ReadGuard<Arc<Self>, T>, Cancelled>> + Unpin + Fused + use<'a, T, C>
    {
        self.taking(self.clone(), cx, Mode::Read, Holding::ForAnybody, ReadGuard::new)
    }

    /// Waits to change the value.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[inline]
    #[track_caller]
    pub fn write<'a, C: Row>(
        &'a self,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<WriteGuard<&'a Self, T>, Cancelled>> + Unpin + Fused + use<'a, T, C>
    {
        self.taking(self, cx, Mode::Write, Holding::ForItself, WriteGuard::new)
    }

    /// As [`write`](Self::write), with a guard that owns its share of the lock and may go to another task.
    ///
    /// # Errors
    /// As there.
    #[inline]
    #[track_caller]
    pub fn write_owned<'a, C: Row>(
        self: &'a Arc<Self>,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<WriteGuard<Arc<Self>, T>, Cancelled>> + Unpin + Fused + use<'a, T, C>
    {
        self.taking(self.clone(), cx, Mode::Write, Holding::ForAnybody, WriteGuard::new)
    }

    /// Waits to look at the value as the only one that may go on to change it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[inline]
    #[track_caller]
    pub fn upgradable<'a, C: Row>(
        &'a self,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<UpgradableGuard<&'a Self, T>, Cancelled>> + Unpin + Fused + use<'a, T, C>
    {
        self.taking(self, cx, Mode::Upgradable, Holding::ForItself, UpgradableGuard::new)
    }

    /// As [`upgradable`](Self::upgradable), with a guard that owns its share of the lock and may go to another task.
    ///
    /// # Errors
    /// As there.
    #[inline]
    #[track_caller]
    pub fn upgradable_owned<'a, C: Row>(
        self: &'a Arc<Self>,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<UpgradableGuard<Arc<Self>, T>, Cancelled>> + Unpin + Fused + use<'a, T, C>
    {
        self.taking(self.clone(), cx, Mode::Upgradable, Holding::ForAnybody, UpgradableGuard::new)
    }

    /// As [`read`](Self::read), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_read(&self) -> ReadGuard<&Self, T> {
        ReadGuard::new(self.blocking("blocking_read", Mode::Read))
    }

    /// As [`write`](Self::write), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_write(&self) -> WriteGuard<&Self, T> {
        WriteGuard::new(self.blocking("blocking_write", Mode::Write))
    }

    #[track_caller]
    fn blocking(&self, what: &str, mode: Mode) -> Token<&Self> {
        let mut node = WaitNode::new();
        park::block_on(what, |make| self.share.poll_acquire(&mut node, mode, make));
        Token::new(self, mode, None)
    }

    /// Looks at the value if that's possible and nobody waits. Never waits, and isn't refused under cancellation.
    pub fn try_read(&self) -> Option<ReadGuard<&Self, T>> {
        self.tried(self, Mode::Read).map(ReadGuard::new)
    }

    /// As [`try_read`](Self::try_read), with a guard that owns its share of the lock and may go to another task.
    pub fn try_read_owned(self: &Arc<Self>) -> Option<ReadGuard<Arc<Self>, T>> {
        self.tried(self.clone(), Mode::Read).map(ReadGuard::new)
    }

    /// Changes the value if that's possible and nobody waits. Never waits, and isn't refused under cancellation.
    pub fn try_write(&self) -> Option<WriteGuard<&Self, T>> {
        self.tried(self, Mode::Write).map(WriteGuard::new)
    }

    /// As [`try_write`](Self::try_write), with a guard that owns its share of the lock and may go to another task.
    pub fn try_write_owned(self: &Arc<Self>) -> Option<WriteGuard<Arc<Self>, T>> {
        self.tried(self.clone(), Mode::Write).map(WriteGuard::new)
    }

    /// Looks at the value as the only one that may go on to change it, if that's possible and nobody waits. Never waits,
    /// and isn't refused under cancellation.
    pub fn try_upgradable(&self) -> Option<UpgradableGuard<&Self, T>> {
        self.tried(self, Mode::Upgradable).map(UpgradableGuard::new)
    }

    /// As [`try_upgradable`](Self::try_upgradable), with a guard that owns its share of the lock and may go to another
    /// task.
    pub fn try_upgradable_owned(self: &Arc<Self>) -> Option<UpgradableGuard<Arc<Self>, T>> {
        self.tried(self.clone(), Mode::Upgradable).map(UpgradableGuard::new)
    }

    /// What this lock is known by in deadlock reports.
    fn address(&self) -> usize {
        core::ptr::from_ref(&self.share).addr()
    }

    fn tried<H: Deref<Target = Self>>(&self, handle: H, mode: Mode) -> Option<Token<H>> {
        let got = self.share.try_acquire(mode);
        // Who is refused beside those who look would have had the lock before them or after, and all that they do to it is
        // to look: so a refusal passes for what was tried.
        self.object.touch(taken(mode));
        got.then(|| Token::new(handle, mode, None))
    }

    /// The wait for a mode, on behalf of whoever holds `handle`; `guard` makes what is returned.
    #[inline]
    #[track_caller]
    fn taking<'a, H: Deref<Target = Self>, C: Row, G>(
        &'a self,
        handle: H,
        cx: &'a Cx<C>,
        mode: Mode,
        holding: Holding,
        guard: impl FnOnce(Token<H>) -> G,
    ) -> impl Future<Output = Result<G, Cancelled>> + Unpin + Fused {
        let site = Location::caller();
        let wait = Wait::new(Acquire { lock: self, mode }, cx, site);
        Taking { wait, cx, site, holding, made_of: Some((handle, guard)) }
    }
}

/// Waits for the lock and makes a guard. Spelt out: as nested `async` blocks it cost more than the lock.
struct Taking<'a, H, T: ?Sized, C, F> {
    wait: Wait<'a, Acquire<'a, T>, C>,
    cx: &'a Cx<C>,
    site: &'static Location<'static>,
    holding: Holding,
    /// `None` once it's made.
    made_of: Option<(H, F)>,
}

/// Nothing in it is pinned.
impl<H, T: ?Sized, C, F> Unpin for Taking<'_, H, T, C, F> {}

impl<H, T, C, F, G> Future for Taking<'_, H, T, C, F>
where
    H: Deref<Target = RwLock<T>>,
    T: ?Sized,
    C: Row,
    F: FnOnce(Token<H>) -> G,
{
    type Output = Result<G, Cancelled>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { wait, cx, site, holding, made_of } = self.get_mut();
        let mode = wait.pends().mode;
        ready!(Pin::new(wait).poll(context))?;
        let (handle, guard) = made_of.take().expect("polled after it was ready");
        let hold = cx.hold(handle.address(), "the lock", site, *holding, || handle.share.left());
        Poll::Ready(Ok(guard(Token::new(handle, mode, hold))))
    }
}

#[cfg(feature = "futures")]
impl<H, T, C, F, G> Fused for Taking<'_, H, T, C, F>
where
    H: Deref<Target = RwLock<T>>,
    T: ?Sized,
    C: Row,
    F: FnOnce(Token<H>) -> G,
{
    fn is_terminated(&self) -> bool {
        self.wait.is_terminated()
    }
}

#[cfg(not(feature = "futures"))]
impl<H, T: ?Sized, C, F> Fused for Taking<'_, H, T, C, F> {}

/// That the readers are gone.
struct Alone<H: Deref<Target = RwLock<T>>, T: ?Sized> {
    /// `None` once it was upgraded.
    guard: Option<UpgradableGuard<H, T>>,
    waits: bool,
}

impl<H: Deref<Target = RwLock<T>>, T: ?Sized> Alone<H, T> {
    fn lock(&self) -> &RwLock<T> {
        self.guard.as_ref().expect("polled after it was ready").lock()
    }
}

impl<H: Deref<Target = RwLock<T>>, T: ?Sized> Pends for Alone<H, T> {
    type Ready = WriteGuard<H, T>;
    type Refused = Cancelled;

    fn kind(&self) -> &'static WaitKind {
        &UPGRADE
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.lock().object, Access::Write)
    }

    /// There is one upgrade at a time, which needs no place in a queue.
    fn poll(
        &mut self,
        _: &mut WaitNode,
        make: impl FnOnce() -> Waiter,
    ) -> Poll<Result<Self::Ready, Cancelled>> {
        let polled = self.lock().share.poll_upgrade(make);
        self.lock().object.touch(Access::Write);
        self.waits = polled.is_pending();
        if self.waits
            && let Some(guard) = &self.guard
        {
            guard.asks();
        }
        polled.map(|()| Ok(self.guard.take().expect("polled after it was ready").upgraded()))
    }

    fn leave(&mut self, _: &mut WaitNode) {}

    fn withdraw(&mut self) {
        if let Some(guard) = self.guard.take()
            && self.waits
        {
            guard.lock().share.cancel_upgrade();
            guard.lock().object.touch(Access::Write);
        }
    }

    fn held(&self) -> Option<(usize, usize)> {
        Some((self.lock().address(), Mode::Write.wanted()))
    }
}

impl<H: Deref<Target = RwLock<T>>, T: ?Sized> Drop for Alone<H, T> {
    fn drop(&mut self) {
        self.withdraw()
    }
}

impl<H: Deref<Target = RwLock<T>>, T: ?Sized> UpgradableGuard<H, T> {
    /// Waits until those who look are gone, before everybody in line; nobody writes in between. Nobody new is let in
    /// meanwhile.
    ///
    /// # Errors
    /// Cancelled: the guard is dropped.
    #[track_caller]
    pub fn upgrade<'c, C: Row>(
        self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<WriteGuard<H, T>, Cancelled>> + Unpin + Fused + use<'c, H, T, C> {
        Wait::new(Alone { guard: Some(self), waits: false }, cx, Location::caller())
    }

    /// Writes from now on, if nobody else looks. Never waits, and isn't refused under cancellation. One short lock.
    ///
    /// # Errors
    /// Somebody looks: the guard comes back.
    pub fn try_upgrade(self) -> Result<WriteGuard<H, T>, Self> {
        let alone = self.lock().share.try_upgrade();
        self.lock().object.touch(Access::Write);
        if alone { Ok(self.upgraded()) } else { Err(self) }
    }
}
