//! The atomics and locks this crate is built on: the real ones, or loom's under `--cfg loom`.
//!
//! The loom models in `tests/` run the code of this crate itself, not a copy of it, so every
//! shared word goes through this facade. loom treats `SeqCst` accesses as `AcqRel`; wherever a
//! store must be ordered before a later load of another word, the code uses `fence(SeqCst)`,
//! which loom does model.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

#[cfg(not(loom))]
pub(crate) use real::{Mutex, MutexGuard};

/// std's mutex without poisoning: nothing a holder here does can panic half-way.
#[cfg(not(loom))]
mod real {
    pub(crate) use std::sync::MutexGuard;
    use std::sync::PoisonError;

    pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Mutex(std::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(loom)]
pub(crate) use model::{Mutex, MutexGuard};

/// loom's mutex with the same signature: a panicking holder ends the model anyway.
#[cfg(loom)]
mod model {
    pub(crate) use loom::sync::MutexGuard;

    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model thread panics while it holds this lock")
        }
    }
}
