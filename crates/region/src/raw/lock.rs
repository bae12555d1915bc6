//! The lock of a region, and of the layer above: for sections of a few instructions.
//!
//! Invariant `lock.last-touch`: unlocking is one store to the lock's own byte, after which the unlocking
//! thread does not look at the lock again. Whoever takes it next may free it.
use super::cell::{MutPtr, UnsafeCell, exclusive, shared};
use crate::sync::{AtomicBool, Ordering::*, Parking};
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

/// A lock for sections of a few instructions: one byte, spinning, giving the processor away (with `std`)
/// when it takes longer. Not re-entrant; never held across a wake or a call into user code.
#[derive(Debug, Default)]
pub struct Lock<T> {
    locked: AtomicBool,
    parking: Parking,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands out one reference at a time.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// An open lock around `value`.
    #[cfg(not(loom))]
    pub const fn new(value: T) -> Lock<T> {
        Lock { locked: AtomicBool::new(false), parking: Parking::new(), value: UnsafeCell::new(value) }
    }

    /// As in an ordinary build; loom's atomics have no constants.
    #[cfg(loom)]
    pub fn new(value: T) -> Lock<T> {
        Lock { locked: AtomicBool::new(false), parking: Parking::new(), value: UnsafeCell::new(value) }
    }

    /// Waits until the lock is ours.
    #[inline]
    pub fn lock(&self) -> Locked<'_, T> {
        if self.locked.compare_exchange(false, true, Acquire, Relaxed).is_err() {
            self.contended()
        }
        Locked { lock: self, value: ManuallyDrop::new(self.value.get_mut()) }
    }

    #[cold]
    fn contended(&self) {
        loop {
            self.parking.wait_while(&self.locked);
            if self.locked.compare_exchange_weak(false, true, Acquire, Relaxed).is_ok() {
                return;
            }
        }
    }
}

/// The held lock.
#[derive(Debug)]
pub struct Locked<'a, T> {
    lock: &'a Lock<T>,
    value: ManuallyDrop<MutPtr<T>>,
}

// SAFETY: it is an exclusive reference; any thread may open the lock again.
unsafe impl<T: Send> Send for Locked<'_, T> {}
// SAFETY: through a shared guard only a shared reference is reached.
unsafe impl<T: Sync> Sync for Locked<'_, T> {}

impl<T> Locked<'_, T> {
    /// Whether it is this lock that is held.
    pub(crate) fn is_of(&self, lock: &Lock<T>) -> bool {
        core::ptr::eq(self.lock, lock)
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held by this guard alone, which is borrowed: nobody changes anything.
        unsafe { shared(&self.value) }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held by this guard alone, which is borrowed exclusively.
        unsafe { exclusive(&mut self.value) }
    }
}

impl<T> Drop for Locked<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: not used again.
        unsafe { ManuallyDrop::drop(&mut self.value) }
        let order = if types::seeded!("lock.relaxed-unlock") { Relaxed } else { Release };
        self.lock.locked.store(false, order);
        self.lock.parking.unlocked()
    }
}
