//! The one door to atomics, cells, locks and shared pointers, so that the loom models run this crate's real code.
//!
//! Under `--cfg loom` every name is loom's; otherwise it is the standard library's. The lock has one shape in
//! both worlds: `lock()` gives a guard, and a panic inside does not poison it.
//!
//! Not here: any structure.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Arc,
    atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize},
};

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
#[cfg(not(loom))]
pub(crate) use std::sync::Arc;

pub(crate) use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// Opening it is a plain store, where a lock that threads sleep at needs a second locked instruction: every wait takes a
/// queue's lock, and so does its wake, for a few instructions each.
#[cfg(not(loom))]
pub(crate) use cx::{Lock as Mutex, Locked as MutexGuard};

#[cfg(loom)]
pub(crate) use model::{Mutex, MutexGuard};

/// For sections in which a user's code runs: its threads sleep, as nobody knows how long that takes.
#[derive(Debug, Default)]
pub(crate) struct Slow(#[cfg(loom)] model::Mutex<()>, #[cfg(not(loom))] std::sync::Mutex<()>);

impl Slow {
    #[cfg(not(loom))]
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[cfg(loom)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, ()> {
        self.0.lock()
    }
}

#[cfg(loom)]
mod model {
    /// Loom's lock without poisoning. The one of ordinary builds has a model of its own, in `region`.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    pub(crate) type MutexGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

    impl Default for Mutex<()> {
        fn default() -> Self {
            Self::new(())
        }
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}

/// A cell reached through a raw pointer only, so that loom can see every access.
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(
    #[cfg(loom)] loom::cell::UnsafeCell<T>,
    #[cfg(not(loom))] core::cell::UnsafeCell<T>,
);

impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        #[cfg(loom)]
        return Self(loom::cell::UnsafeCell::new(value));
        #[cfg(not(loom))]
        return Self(core::cell::UnsafeCell::new(value));
    }

    /// Runs `f` with the address of the content. The caller of `f`'s dereference answers for exclusivity.
    #[inline]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        #[cfg(loom)]
        return self.0.with_mut(f);
        #[cfg(not(loom))]
        return f(self.0.get());
    }
}

/// Keeps what two sides write on lines of their own. 128 bytes, because x86 prefetches lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct CacheLine<T>(pub(crate) T);
