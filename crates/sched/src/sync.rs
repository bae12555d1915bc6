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
pub(crate) use parking_lot::{Mutex, MutexGuard};

#[cfg(loom)]
pub(crate) use model::{Mutex, MutexGuard};

/// loom's mutex with the signature of `parking_lot`'s: a panicking holder ends the model anyway.
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
