//! The raw form of a waiter, and the atomic slot that holds one.
//!
//! Invariants:
//! - `waiter.once`: a word that came from [`Wakes::into_raw`] goes through [`Wakes::from_raw`] exactly once.
//! - `waiter.aligned`: words below [`LOWEST_WORD`] are never waiters, and a waiter's [`SPARE_BIT`] is never set; structures
//!   use them for their own states.

use core::{marker::PhantomData, ptr::NonNull, task::Waker};

use crate::sync::{AcqRel, AtomicPtr};

/// The smallest address that may stand for a waiter.
pub(crate) const LOWEST_WORD: usize = 8;

/// A bit that no waiter's word has: tasks and boxes are aligned to four bytes at least, and only the lowest bit tells them
/// apart.
pub(crate) const SPARE_BIT: usize = 2;

/// Somebody who can be woken once, from any thread.
///
/// Dropping it without waking releases what it holds.
pub trait Wakes: Send + Sized {
    /// Wakes, and gives up what this waiter holds. Must not panic; a structure survives it if it does, but an
    /// unrelated operation will see the panic.
    fn wake(self);

    /// Turns the waiter into one word of at least 8, in which the second lowest bit isn't set, and which then owns what the
    /// waiter owned.
    fn into_raw(self) -> NonNull<()>;

    /// The reverse of [`into_raw`](Self::into_raw).
    ///
    /// # Safety
    /// `raw` came from `into_raw` of this same type and has not been given to `from_raw` before.
    unsafe fn from_raw(raw: NonNull<()>) -> Self;
}

/// A task of this runtime, or a foreign waker in a box: what all asynchronous faces store. What a foreign one panics with
/// goes no further (`waiter.contained`), so that a value which was just taken is not lost with it.
#[cfg(not(loom))]
impl Wakes for cx::Waiter {
    #[inline]
    fn wake(self) {
        cx::Waiter::wake(self);
    }

    #[inline]
    fn into_raw(self) -> NonNull<()> {
        cx::Waiter::into_raw(self)
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: the caller keeps `waiter.once`.
        unsafe { cx::Waiter::from_raw(raw) }
    }
}

/// A foreign waker: one allocation each time it is stored as a word. Tasks of this runtime have a cheaper one.
impl Wakes for Waker {
    fn wake(self) {
        Waker::wake(self);
    }

    fn into_raw(self) -> NonNull<()> {
        // The two-word waker is aligned to a pointer, which is 8 only on 64-bit machines; the wrapper makes it so.
        NonNull::from(Box::leak(Box::new(BoxedWaker(self)))).cast()
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: the caller keeps `waiter.once`, so `raw` is a box leaked above that nobody else owns.
        unsafe { Box::from_raw(raw.cast::<BoxedWaker>().as_ptr()) }.0
    }
}

#[repr(align(8))]
struct BoxedWaker(Waker);

/// A place for one waiter, shared by the one who sleeps and those who wake.
///
/// Both sides use read-modify-write operations with `AcqRel`. That is what makes "store the waiter, then look again"
/// safe without fences: of the two operations one comes first. If it's the waker's, the sleeper's swap reads from it
/// and so sees what the waker did before; otherwise the waker gets the waiter.
pub(crate) struct WaiterSlot<W: Wakes> {
    word: AtomicPtr<()>,
    // Waiters only pass through by value, and `Wakes` is `Send`: sharing the slot asks for no `Sync`.
    owns: PhantomData<fn() -> W>,
}

impl<W: Wakes> WaiterSlot<W> {
    pub(crate) fn new() -> Self {
        Self { word: AtomicPtr::new(core::ptr::null_mut()), owns: PhantomData }
    }

    /// Stores a waiter; returns the one it replaces, to be dropped by the caller.
    pub(crate) fn put(&self, waiter: W) -> Option<W> {
        Self::own(self.word.swap(waiter.into_raw().as_ptr(), AcqRel))
    }

    /// Takes the waiter out. Always a read-modify-write, also when the slot is empty: see the type's documentation.
    pub(crate) fn take(&self) -> Option<W> {
        Self::own(self.word.swap(core::ptr::null_mut(), AcqRel))
    }

    /// Takes the waiter out and wakes it.
    pub(crate) fn wake(&self) {
        if let Some(waiter) = self.take() {
            waiter.wake();
        }
    }

    fn own(word: *mut ()) -> Option<W> {
        // SAFETY: only `put` stores words that are not null, each from `into_raw` of this `W`; a swap takes a word out
        // for exactly one caller (`waiter.once`).
        NonNull::new(word).map(|raw| unsafe { W::from_raw(raw) })
    }
}

impl<W: Wakes> Drop for WaiterSlot<W> {
    #[inline]
    fn drop(&mut self) {
        // Nobody else has the slot: no read-modify-write is needed.
        #[cfg(not(loom))]
        let left = *self.word.get_mut();
        #[cfg(loom)]
        let left = self.word.with_mut(|word| *word);
        drop(Self::own(left));
    }
}

impl<W: Wakes> core::fmt::Debug for WaiterSlot<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WaiterSlot")
    }
}
