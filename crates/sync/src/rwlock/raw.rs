//! The value behind the lock, and the guards that reach it.
//!
//! Invariants:
//! - `rwlock.guarded`: a guard holds the lock in its mode from its making to its drop (a [`Token`] does, which only waits
//!   and tries make). So beside a reader nobody writes, and beside a writer there is nobody (`rwlock.exclusive`).
//! - `rwlock.stable`: a handle (`H`) is a reference or an `Arc`: the value stays where it is while the handle moves.
//!
//! Not here: waiting (`wait`).

use core::{
    cell::UnsafeCell,
    fmt,
    ops::{Deref, DerefMut},
};

use cx::{Access, Hold, Object, ObjectKind, Waiter};

use super::share::{Mode, Share};

/// A value that many may look at, or one may change. See the [module](super) for who comes next.
pub struct RwLock<T: ?Sized> {
    pub(super) share: Share<Waiter>,
    pub(super) object: Object,
    value: UnsafeCell<T>,
}

// SAFETY: a shared lock gives out `&T` to several threads at a time (`T: Sync`), and `&mut T` to one, which may move the
// value to its own (`T: Send`), never both at a time (`rwlock.guarded`).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A free lock around `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let object = Object::new(ObjectKind::Value);
        Self { share: Share::default(), object, value: UnsafeCell::new(value) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// The value; no locking is needed, as nobody else can have the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        if self.share.try_acquire(Mode::Read) {
            let guard = ReadGuard::<_, T>::new(Token::new(self, Mode::Read, None));
            out.field("value", &&*guard).finish()
        } else {
            out.field("value", &format_args!("<locked>")).finish()
        }
    }
}

/// What a handle leads to: a lock, whatever its value.
pub trait Locked: sealed::Sealed {
    #[doc(hidden)]
    fn give_up(&self, mode: Mode);
    #[doc(hidden)]
    fn left(&self) -> usize;
}

mod sealed {
    pub trait Sealed {}
    impl<T: ?Sized> Sealed for super::RwLock<T> {}
}

impl<T: ?Sized> Locked for RwLock<T> {
    #[inline]
    fn give_up(&self, mode: Mode) {
        // Who looked changes nothing for others that look, whichever of them goes first; but for who waits until they are gone.
        let looks = mode == Mode::Read && !(self.object.is_watched() && self.share.is_crowded());
        self.share.release(mode);
        self.object.touch(if looks { Access::Read } else { Access::Write });
    }

    fn left(&self) -> usize {
        self.share.left()
    }
}

/// One hold of the lock, given up when dropped.
pub(super) struct Token<H: Deref<Target: Locked>> {
    handle: H,
    mode: Mode,
    /// Set where tasks are traced: it says who holds the lock.
    hold: Option<Hold>,
}

impl<H: Deref<Target: Locked>> Token<H> {
    /// The caller has just acquired the lock in this mode.
    #[inline]
    pub(super) fn new(handle: H, mode: Mode, hold: Option<Hold>) -> Self {
        Self { handle, mode, hold }
    }

    /// The lock is held in another mode now.
    fn turned(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self.noted(false);
        self
    }

    /// Says to reports how the lock is held now, and whether the holder waits for the others.
    fn noted(&self, asks: bool) {
        if let Some(hold) = &self.hold {
            hold.changed(self.handle.left(), asks);
        }
    }
}

impl<H: Deref<Target: Locked>> Drop for Token<H> {
    #[inline]
    fn drop(&mut self) {
        self.handle.give_up(self.mode);
        if let Some(hold) = self.hold.take() {
            hold.release(self.handle.left());
        }
    }
}

/// Looks at the value, or a part of it ([`map`](Self::map)). Dropping it gives the hold up, which never waits and needs
/// no `Cx`.
#[must_use = "the lock is held only as long as its guard"]
pub struct ReadGuard<H: Deref<Target: Locked>, U: ?Sized> {
    value: *const U,
    token: Token<H>,
}

/// Changes the value. Dropping it gives the lock up, which never waits and needs no `Cx`.
#[must_use = "the lock is held only as long as its guard"]
pub struct WriteGuard<H: Deref<Target: Locked>, U: ?Sized> {
    value: *mut U,
    token: Token<H>,
}

/// Changes a part of the value. It can't be [downgraded](WriteGuard::downgrade): the way to the part may have relied on
/// nobody else being there.
#[must_use = "the lock is held only as long as its guard"]
pub struct MappedWriteGuard<H: Deref<Target: Locked>, U: ?Sized> {
    value: *mut U,
    _token: Token<H>,
}

/// Looks at the value, and may go on to change it. Dropping it gives the hold up, which never waits and needs no `Cx`.
#[must_use = "the lock is held only as long as its guard"]
pub struct UpgradableGuard<H: Deref<Target: Locked>, U: ?Sized> {
    value: *const U,
    token: Token<H>,
}

// SAFETY: a guard is a handle and the right to `&U`; both may go to another thread if `H: Send` and `U: Sync`.
unsafe impl<H: Deref<Target: Locked> + Send, U: ?Sized + Sync> Send for ReadGuard<H, U> {}
// SAFETY: a shared guard gives out `&U` and nothing else.
unsafe impl<H: Deref<Target: Locked> + Sync, U: ?Sized + Sync> Sync for ReadGuard<H, U> {}
// SAFETY: a guard is a handle and the right to `&mut U`.
unsafe impl<H: Deref<Target: Locked> + Send, U: ?Sized + Send> Send for WriteGuard<H, U> {}
// SAFETY: a shared guard gives out `&U` and nothing else.
unsafe impl<H: Deref<Target: Locked> + Sync, U: ?Sized + Sync> Sync for WriteGuard<H, U> {}
// SAFETY: as `WriteGuard`.
unsafe impl<H: Deref<Target: Locked> + Send, U: ?Sized + Send> Send for MappedWriteGuard<H, U> {}
// SAFETY: as `WriteGuard`.
unsafe impl<H: Deref<Target: Locked> + Sync, U: ?Sized + Sync> Sync for MappedWriteGuard<H, U> {}
// SAFETY: a guard is a handle and the right to `&U`, later to `&mut U`.
unsafe impl<H: Deref<Target: Locked> + Send, U: ?Sized + Send + Sync> Send for UpgradableGuard<H, U> {}
// SAFETY: a shared guard gives out `&U` and nothing else.
unsafe impl<H: Deref<Target: Locked> + Sync, U: ?Sized + Sync> Sync for UpgradableGuard<H, U> {}

impl<H: Deref<Target = RwLock<T>>, T: ?Sized> ReadGuard<H, T> {
    #[inline]
    pub(super) fn new(token: Token<H>) -> Self {
        Self { value: token.handle.value.get(), token }
    }
}

impl<H: Deref<Target: Locked>, U: ?Sized> ReadGuard<H, U> {
    /// The same hold, for a part of what it shows. (A function, so that it hides no method of the value.)
    pub fn map<V: ?Sized>(guard: Self, part: impl FnOnce(&U) -> &V) -> ReadGuard<H, V> {
        let value: *const V = part(&guard);
        ReadGuard { value, token: guard.token }
    }

    /// As [`map`](Self::map), for a part that may not be there.
    ///
    /// # Errors
    /// It isn't there: the guard comes back.
    pub fn try_map<V: ?Sized>(
        guard: Self,
        part: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<ReadGuard<H, V>, Self> {
        let Some(value) = part(&guard).map(|value| value as *const V) else { return Err(guard) };
        Ok(ReadGuard { value, token: guard.token })
    }
}

impl<H: Deref<Target = RwLock<T>>, T: ?Sized> WriteGuard<H, T> {
    #[inline]
    pub(super) fn new(token: Token<H>) -> Self {
        Self { value: token.handle.value.get(), token }
    }

    /// Looks from now on, together with those who wait to look and are first in line. Nobody writes in between.
    pub fn downgrade(guard: Self) -> ReadGuard<H, T> {
        guard.token.handle.share.downgrade();
        guard.token.handle.object.touch(Access::Write);
        ReadGuard::new(guard.token.turned(Mode::Read))
    }

    /// The same hold, for a part of the value.
    pub fn map<V: ?Sized>(mut guard: Self, part: impl FnOnce(&mut T) -> &mut V) -> MappedWriteGuard<H, V> {
        let value: *mut V = part(&mut guard);
        MappedWriteGuard { value, _token: guard.token }
    }

    /// As [`map`](Self::map), for a part that may not be there.
    ///
    /// # Errors
    /// It isn't there: the guard comes back.
    pub fn try_map<V: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> Option<&mut V>,
    ) -> Result<MappedWriteGuard<H, V>, Self> {
        let Some(value) = part(&mut guard).map(|value| value as *mut V) else { return Err(guard) };
        Ok(MappedWriteGuard { value, _token: guard.token })
    }
}

impl<H: Deref<Target: Locked>, U: ?Sized> MappedWriteGuard<H, U> {
    /// The same hold, for a part of this part.
    pub fn map<V: ?Sized>(mut guard: Self, part: impl FnOnce(&mut U) -> &mut V) -> MappedWriteGuard<H, V> {
        let value: *mut V = part(&mut guard);
        MappedWriteGuard { value, _token: guard._token }
    }

    /// As [`map`](Self::map), for a part that may not be there.
    ///
    /// # Errors
    /// It isn't there: the guard comes back.
    pub fn try_map<V: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<MappedWriteGuard<H, V>, Self> {
        let Some(value) = part(&mut guard).map(|value| value as *mut V) else { return Err(guard) };
        Ok(MappedWriteGuard { value, _token: guard._token })
    }
}

impl<H: Deref<Target = RwLock<T>>, T: ?Sized> UpgradableGuard<H, T> {
    #[inline]
    pub(super) fn new(token: Token<H>) -> Self {
        Self { value: token.handle.value.get(), token }
    }

    /// The lock that is held.
    pub(super) fn lock(&self) -> &RwLock<T> {
        &self.token.handle
    }

    /// The holder waits for the readers.
    pub(super) fn asks(&self) {
        self.token.noted(true);
    }

    /// The core has made this holder the writer.
    pub(super) fn upgraded(self) -> WriteGuard<H, T> {
        WriteGuard::new(self.token.turned(Mode::Write))
    }

    /// Only looks from now on, so that another one may become upgradable.
    pub fn settle_for_reading(guard: Self) -> ReadGuard<H, T> {
        guard.token.handle.share.settle_for_reading();
        guard.token.handle.object.touch(Access::Write);
        ReadGuard::new(guard.token.turned(Mode::Read))
    }
}

macro_rules! shows {
    ($($guard:ident)*) => {$(
        impl<H: Deref<Target: Locked>, U: ?Sized> Deref for $guard<H, U> {
            type Target = U;
            #[inline]
            fn deref(&self) -> &U {
                // SAFETY: the lock is held for this guard in a mode that lets it look (`rwlock.guarded`); the value stays
                // where it is (`rwlock.stable`), and a part that was derived from a reference to it does too.
                unsafe { &*self.value }
            }
        }

        impl<H: Deref<Target: Locked>, U: ?Sized + fmt::Debug> fmt::Debug for $guard<H, U> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    )*};
}

shows! { ReadGuard WriteGuard MappedWriteGuard UpgradableGuard }

macro_rules! changes {
    ($($guard:ident)*) => {$(
        impl<H: Deref<Target: Locked>, U: ?Sized> DerefMut for $guard<H, U> {
            #[inline]
            fn deref_mut(&mut self) -> &mut U {
                // SAFETY: the lock is held for this guard alone (`rwlock.guarded`), which is borrowed mutably.
                unsafe { &mut *self.value }
            }
        }
    )*};
}

changes! { WriteGuard MappedWriteGuard }
