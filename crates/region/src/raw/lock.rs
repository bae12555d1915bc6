//! The lock of a region, and of the layer above: for sections of a few instructions.
//!
//! Invariant `lock.last-touch`: unlocking is one store to the lock's own byte, after which the unlocking
//! thread does not look at the lock again. Whoever takes it next may free it.
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering::*};

/// A lock for sections of a few instructions: one byte, spinning, giving the processor away (with `std`)
/// when it takes longer. Not re-entrant; never held across a wake or a call into user code.
#[derive(Debug, Default)]
pub struct Lock<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands out one reference at a time.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// An open lock around `value`.
    pub const fn new(value: T) -> Lock<T> {
        Lock { locked: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Waits until the lock is ours.
    #[inline]
    pub fn lock(&self) -> Locked<'_, T> {
        if self.locked.compare_exchange(false, true, Acquire, Relaxed).is_err() {
            self.contended()
        }
        Locked(self)
    }

    #[cold]
    fn contended(&self) {
        let mut spins = 0u32;
        loop {
            while self.locked.load(Relaxed) {
                spins += 1;
                if spins > 64 {
                    #[cfg(feature = "std")]
                    std::thread::yield_now();
                }
                core::hint::spin_loop();
            }
            if self.locked.compare_exchange_weak(false, true, Acquire, Relaxed).is_ok() {
                return;
            }
        }
    }
}

/// The held lock.
#[derive(Debug)]
pub struct Locked<'a, T>(&'a Lock<T>);

impl<T> Deref for Locked<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and this guard is the only one.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.locked.store(false, Release)
    }
}
