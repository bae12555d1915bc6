//! The value behind the lock, and the guard that reaches it.
//!
//! Invariant `mutex.guarded`: a [`Guard`] exists only while its lock word is locked on its behalf, and a locked word has
//! one guard (`mutex.exclusive`). The word is private to the mutex, so nobody else unlocks it.
//!
//! Not here: waiting with a `Cx` (`lock`), guards with a share of the mutex or for a part of the value (`guards`).

mod guards;

pub use guards::{MappedGuard, OwnedGuard, PartGuard};

use core::{
    cell::UnsafeCell,
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    task::Poll,
};

use cx::{Access, Hold, Object, ObjectKind, Waiter};

use super::lock_word::LockWord;
use crate::WaitNode;

/// A value that one party at a time has access to.
///
/// Uncontended, locking and unlocking cost one atomic operation each. Waiters are served in their order, but a lock that
/// is free may be taken by whoever runs: see [`lock_word`](super::lock_word) for why, and for the bound on it.
///
/// There is no poisoning: after a panic with the guard held the next one sees the value as it was left. The region's
/// failure says what happened; who keeps a state that must not be seen half changed takes it out and puts it back whole.
pub struct Mutex<T: ?Sized> {
    pub(super) word: LockWord<Waiter>,
    pub(super) object: Object,
    value: UnsafeCell<T>,
}

// SAFETY: a shared mutex gives out access to the value to one guard at a time (`mutex.guarded`), which moves it between
// threads at most: `T: Send` is enough.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A free lock around `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { word: LockWord::new(), object: Object::new(ObjectKind::Lock), value: UnsafeCell::new(value) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock if it's free, also past those who wait. Never waits, and isn't refused under cancellation.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let guard = self.take_free();
        self.object.touch(if guard.is_some() { Access::TryAcquire(1) } else { Access::Refused(1) });
        guard
    }

    /// The lock if it's free, for an operation that waits otherwise.
    #[inline]
    pub(super) fn take_free(&self) -> Option<Guard<'_, T>> {
        if self.word.try_lock() { Some(self.guard()) } else { None }
    }

    /// The value; no locking is needed, as nobody else can have the mutex.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// What exploration knows it by ([`Cx::step_to`](cx::Cx::step_to)).
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Whether somebody holds the lock now.
    pub fn is_locked(&self) -> bool {
        self.object.touch(Access::Read);
        self.word.is_locked()
    }

    /// See [`LockWord::poll_lock`].
    pub(super) fn poll_lock(&self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Guard<'_, T>> {
        self.word.poll_lock(node, make).map(|()| self.guard())
    }

    /// The caller has just locked the word (`mutex.guarded`).
    #[inline]
    fn guard(&self) -> Guard<'_, T> {
        Guard { mutex: self, _hold: None, value: PhantomData }
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.take_free() {
            Some(guard) => out.field("value", &&*guard).finish(),
            None => out.field("value", &format_args!("<locked>")).finish(),
        }
    }
}

/// Access to the value. Dropping it unlocks, which never waits and needs no `Cx`.
#[must_use = "the lock is held only as long as its guard"]
pub struct Guard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// Set where tasks are traced: it says who holds the lock. Dropped after the lock was given up.
    _hold: Option<Hold>,
    /// A shared guard gives out `&T`, so it's `Sync` only if `T` is.
    value: PhantomData<&'a mut T>,
}

impl<T: ?Sized> Guard<'_, T> {
    /// The guard, which remembers that the holder is known.
    #[inline]
    pub(super) fn noted(mut self, hold: Option<Hold>) -> Self {
        self._hold = hold;
        self
    }
}

impl<T: ?Sized> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held by this guard alone (`mutex.guarded`), which is borrowed shared.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held by this guard alone (`mutex.guarded`), which is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.word.unlock();
        self.mutex.object.touch(Access::Release(1));
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Guard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Guard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
