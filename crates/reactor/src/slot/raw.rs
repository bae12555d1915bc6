//! The raw form of a waiter, and the atomic place that holds one.
//!
//! Invariant `waiter.once`: a word that came from [`Wakes::into_raw`] goes through [`Wakes::from_raw`] exactly once.
//!
//! Not here: readiness.

use core::{marker::PhantomData, ptr::NonNull, task::Waker};

use crate::sync::{AcqRel, AtomicPtr};

/// Somebody who can be woken once, from any thread. Dropping it without waking releases what it holds.
pub trait Wakes: Send + Sized {
    /// Wakes, and gives up what this waiter holds. Must not panic.
    fn wake(self);

    /// Turns the waiter into one word, which then owns what the waiter owned.
    fn into_raw(self) -> NonNull<()>;

    /// The reverse of [`into_raw`](Self::into_raw).
    ///
    /// # Safety
    /// `raw` came from `into_raw` of this same type and has not been given to `from_raw` before.
    unsafe fn from_raw(raw: NonNull<()>) -> Self;
}

/// A foreign waker: one allocation each time it is stored. Tasks of this runtime have a cheaper waiter.
impl Wakes for Waker {
    fn wake(self) {
        Waker::wake(self);
    }

    fn into_raw(self) -> NonNull<()> {
        NonNull::from(Box::leak(Box::new(self))).cast()
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: the caller keeps `waiter.once`, so `raw` is a box leaked above that nobody else owns.
        *unsafe { Box::from_raw(raw.cast::<Waker>().as_ptr()) }
    }
}

/// A task's own waiter is its counted header: one atomic add, no allocation.
#[cfg(not(loom))]
impl Wakes for cx::Waiter {
    fn wake(self) {
        if self.is_task() {
            return cx::Waiter::wake(self);
        }
        // Somebody else's waker may panic. That is its own affair: the worker that turns the driver goes on.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cx::Waiter::wake(self)));
    }

    fn into_raw(self) -> NonNull<()> {
        cx::Waiter::into_raw(self)
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: the caller keeps `waiter.once`, which is what the inherent function asks for.
        unsafe { cx::Waiter::from_raw(raw) }
    }
}

/// A place for one waiter. Every access is a read-modify-write with `AcqRel`, also a take that finds nothing: that is
/// what orders "store the waiter, then look again" against "publish, then take the waiter" without fences.
pub(crate) struct Place<W: Wakes> {
    word: AtomicPtr<()>,
    // Waiters only pass through by value, and `Wakes` is `Send`: sharing the place asks for no `Sync`.
    owns: PhantomData<fn() -> W>,
}

impl<W: Wakes> Place<W> {
    pub(crate) fn new() -> Self {
        Self { word: AtomicPtr::new(core::ptr::null_mut()), owns: PhantomData }
    }

    /// Stores a waiter; returns the one it replaces.
    pub(crate) fn put(&self, waiter: W) -> Option<W> {
        Self::own(self.word.swap(waiter.into_raw().as_ptr(), AcqRel))
    }

    /// Takes the waiter out.
    pub(crate) fn take(&self) -> Option<W> {
        Self::own(self.word.swap(core::ptr::null_mut(), AcqRel))
    }

    fn own(word: *mut ()) -> Option<W> {
        // SAFETY: only `put` stores words that are not null, each from `into_raw` of this `W`; a swap takes a word out
        // for exactly one caller (`waiter.once`).
        NonNull::new(word).map(|raw| unsafe { W::from_raw(raw) })
    }
}

impl<W: Wakes> Drop for Place<W> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
