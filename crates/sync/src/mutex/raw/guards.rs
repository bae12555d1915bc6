//! Guards that own a share of their mutex, and guards of a part of the value.
//!
//! Each of them is made of a guard that held the lock and is dissolved; it unlocks in its stead (`mutex.guarded`). A
//! handle (`H`) is a reference or an `Arc`, so the value stays where it is while the guard moves.
//!
//! Not here: the plain guard (`raw`).

use core::{
    fmt,
    future::Future,
    ops::{Deref, DerefMut},
    panic::Location,
};
use std::sync::Arc;

use cx::{Access, Cx, Hold, Holding, Row};
use types::Cancelled;

use super::{Guard, Mutex};
use crate::wait::{Fused, Made};

/// Something that is locked.
pub trait Locked: sealed::Sealed {
    #[doc(hidden)]
    fn unlock(&self);
}

mod sealed {
    pub trait Sealed {}
    impl<T: ?Sized> Sealed for super::Mutex<T> {}
}

impl<T: ?Sized> Locked for Mutex<T> {
    fn unlock(&self) {
        self.word.unlock();
        self.object.touch(Access::Release(1));
    }
}

/// The lock, held until this is dropped.
struct Token<H: Deref<Target: Locked>> {
    handle: H,
    /// Set where tasks are traced: it says who took the lock. Dropped after the lock was given up.
    _hold: Option<Hold>,
}

impl<H: Deref<Target: Locked>> Drop for Token<H> {
    fn drop(&mut self) {
        self.handle.unlock();
    }
}

/// Access to the value of a mutex that is shared by `Arc` (`H` is `Arc<Mutex<T>>`), or to a part of it. It may go to
/// another task. Dropping it unlocks.
#[must_use = "the lock is held only as long as its guard"]
pub struct PartGuard<H: Deref<Target: Locked>, U: ?Sized> {
    value: *mut U,
    _token: Token<H>,
}

/// Access to the value of a mutex, with a share of it.
pub type OwnedGuard<T> = PartGuard<Arc<Mutex<T>>, T>;

/// Access to a part of a mutex's value.
pub type MappedGuard<'a, T, U> = PartGuard<&'a Mutex<T>, U>;

// SAFETY: a guard is a handle and the right to `&mut U`.
unsafe impl<H: Deref<Target: Locked> + Send, U: ?Sized + Send> Send for PartGuard<H, U> {}
// SAFETY: a shared guard gives out `&U` and nothing else.
unsafe impl<H: Deref<Target: Locked> + Sync, U: ?Sized + Sync> Sync for PartGuard<H, U> {}

impl<T: ?Sized> Mutex<T> {
    /// As [`lock`](Self::lock), with a guard that owns its share of the mutex and may go to another task.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn lock_owned<'a, C: Row>(
        self: &'a Arc<Self>,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<OwnedGuard<T>, Cancelled>> + Unpin + Fused + use<'a, T, C> {
        let wait = self.lock_at(cx, Location::caller(), Holding::ForAnybody);
        Made::of(wait, |locked| Ok(dissolved(locked?, self.clone())))
    }

    /// As [`try_lock`](Self::try_lock), with a guard that owns its share of the mutex and may go to another task.
    pub fn try_lock_owned(self: &Arc<Self>) -> Option<OwnedGuard<T>> {
        self.try_lock().map(|guard| dissolved(guard, self.clone()))
    }
}

/// The lock that `guard` holds, held by a guard with another handle to the same mutex.
fn dissolved<H: Deref<Target = Mutex<T>>, T: ?Sized>(mut guard: Guard<'_, T>, handle: H) -> PartGuard<H, T> {
    let value = guard.mutex.value.get();
    let _hold = guard._hold.take();
    debug_assert!(core::ptr::eq(guard.mutex, &*handle), "another mutex");
    core::mem::forget(guard);
    PartGuard { value, _token: Token { handle, _hold } }
}

impl<'a, T: ?Sized> Guard<'a, T> {
    /// The same lock, for a part of the value. (A function, so that it hides no method of the value.)
    pub fn map<U: ?Sized>(guard: Self, part: impl FnOnce(&mut T) -> &mut U) -> MappedGuard<'a, T, U> {
        let mutex = guard.mutex;
        PartGuard::map(dissolved(guard, mutex), part)
    }

    /// As [`map`](Self::map), for a part that may not be there.
    ///
    /// # Errors
    /// It isn't there: the guard comes back.
    pub fn try_map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedGuard<'a, T, U>, Self> {
        let Some(value) = part(&mut guard).map(|value| value as *mut U) else { return Err(guard) };
        let mutex = guard.mutex;
        Ok(PartGuard { value, _token: dissolved(guard, mutex)._token })
    }
}

impl<H: Deref<Target: Locked>, U: ?Sized> PartGuard<H, U> {
    /// The same lock, for a part of what this guard reaches.
    pub fn map<V: ?Sized>(mut guard: Self, part: impl FnOnce(&mut U) -> &mut V) -> PartGuard<H, V> {
        let value: *mut V = part(&mut guard);
        PartGuard { value, _token: guard._token }
    }

    /// As [`map`](Self::map), for a part that may not be there.
    ///
    /// # Errors
    /// It isn't there: the guard comes back.
    pub fn try_map<V: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<PartGuard<H, V>, Self> {
        let Some(value) = part(&mut guard).map(|value| value as *mut V) else { return Err(guard) };
        Ok(PartGuard { value, _token: guard._token })
    }
}

impl<H: Deref<Target: Locked>, U: ?Sized> Deref for PartGuard<H, U> {
    type Target = U;
    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the lock is held by this guard alone (`mutex.guarded`), which is borrowed shared; the value stays where
        // it is as long as the handle lives.
        unsafe { &*self.value }
    }
}

impl<H: Deref<Target: Locked>, U: ?Sized> DerefMut for PartGuard<H, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the lock is held by this guard alone (`mutex.guarded`), which is borrowed mutably.
        unsafe { &mut *self.value }
    }
}

impl<H: Deref<Target: Locked>, U: ?Sized + fmt::Debug> fmt::Debug for PartGuard<H, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
