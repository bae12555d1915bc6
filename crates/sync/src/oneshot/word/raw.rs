//! The oneshot's core: one word, one allocation, freed by whichever side is second to finish.
//!
//! ```text
//!                 poll_recv: CAS                   send: swap
//!        EMPTY ──────────────────▶ waiter ─────────────────────────▶ VALUE     receiver reads it and frees
//!          │  └──────────────────────┼── send: swap ────────────────▶ VALUE
//!          └─ either side's drop or close: swap ─▶ CLOSED            the other side sees it and frees
//! ```
//!
//! Invariants:
//! - `oneshot.value-owner`: the value's place belongs to the sender until its swap to `VALUE`, then to the receiver;
//!   if that swap finds `CLOSED`, it stays the sender's.
//! - `oneshot.second-frees`: of the two final swaps (`VALUE` or `CLOSED`) the second frees the allocation; a side that
//!   did its swap first never touches the allocation again, except the receiver that has a `VALUE` to read.
//! - `oneshot.waiter`: a waiter word is only put there, replaced and taken back by the receiver, by CAS.
//!
//! A oneshot is made and gone as often as a task, so it lies in the memory of task cells: where a thread has a free block, that
//! is half of what the system's allocator takes.
//!
//! Not here: waiting for the receiver to go away; [`Tx::is_closed`] only looks.

use core::{marker::PhantomData, mem::MaybeUninit, ptr::NonNull, task::Poll};

use crate::{
    Closed, TryRecvError,
    sync::{AcqRel, Acquire, AtomicPtr, UnsafeCell},
    wakes::{LOWEST_WORD, Wakes},
};

#[cfg(not(loom))]
use cx::memory::{discard, put};
#[cfg(loom)]
use model::{discard, put};

const EMPTY: usize = 0;
const VALUE: usize = 1;
const CLOSED: usize = 2;

struct Shared<T> {
    word: AtomicPtr<()>,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// The sending half.
pub struct Tx<T, W: Wakes> {
    /// `None` once this side did its final swap.
    shared: Option<NonNull<Shared<T>>>,
    owns: PhantomData<(T, W)>,
}

/// The receiving half.
pub struct Rx<T, W: Wakes> {
    /// `None` once this side did its final swap or read the value.
    shared: Option<NonNull<Shared<T>>>,
    owns: PhantomData<(T, W)>,
}

// SAFETY: the two halves hand `T` and `W` over by value, one way each, ordered by the word's `AcqRel` operations
// (`oneshot.value-owner`, `oneshot.waiter`). A shared reference to either half only reads the word.
unsafe impl<T: Send, W: Wakes> Send for Tx<T, W> {}
// SAFETY: as above.
unsafe impl<T: Send, W: Wakes> Sync for Tx<T, W> {}
// SAFETY: as above.
unsafe impl<T: Send, W: Wakes> Send for Rx<T, W> {}
// SAFETY: as above.
unsafe impl<T: Send, W: Wakes> Sync for Rx<T, W> {}

/// The two halves of a new channel. One allocation.
#[inline]
pub fn channel<T, W: Wakes>() -> (Tx<T, W>, Rx<T, W>) {
    let shared = Some(put(Shared {
        word: AtomicPtr::new(core::ptr::without_provenance_mut(EMPTY)),
        value: UnsafeCell::new(MaybeUninit::uninit()),
    }));
    (Tx { shared, owns: PhantomData }, Rx { shared, owns: PhantomData })
}

impl<T, W: Wakes> Tx<T, W> {
    /// Sends the value and wakes the receiver. Cannot wait or be cancelled.
    ///
    /// # Errors
    /// The receiver is gone: the value comes back.
    #[inline]
    pub fn send(mut self, value: T) -> Result<(), T> {
        let shared = self.shared.take().expect("a sender exists until it has sent");
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let place = unsafe { shared.as_ref() };
        let announce = || place.word.swap(core::ptr::without_provenance_mut(VALUE), AcqRel);
        let early = types::seeded!("oneshot.send-before-write").then(announce);
        // SAFETY: the place is the sender's until the swap below (`oneshot.value-owner`).
        place.value.with_mut(|slot| unsafe { (*slot).write(value) });
        let before = early.unwrap_or_else(announce);
        match before.addr() {
            EMPTY => Ok(()),
            CLOSED => {
                // SAFETY: the receiver did its final swap first, so place and allocation are ours alone; the value was
                // written above and is read once.
                let value = unsafe { take_value(shared) };
                // SAFETY: as above, we are second (`oneshot.second-frees`).
                unsafe { free(shared) };
                Err(value)
            }
            _ => {
                // SAFETY: any other word is a waiter, and our swap took it out (`oneshot.waiter`).
                unsafe { own_waiter::<W>(before) }.wake();
                Ok(())
            }
        }
    }

    /// Whether the receiver is gone or has closed, so that [`send`](Self::send) would give the value back.
    pub fn is_closed(&self) -> bool {
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        self.shared.is_none_or(|shared| unsafe { shared.as_ref() }.word.load(Acquire).addr() == CLOSED)
    }
}

impl<T, W: Wakes> Drop for Tx<T, W> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let before = unsafe { shared.as_ref() }.word.swap(core::ptr::without_provenance_mut(CLOSED), AcqRel);
        match before.addr() {
            EMPTY => {}
            // SAFETY: the receiver swapped first; we are second (`oneshot.second-frees`). No value was written.
            CLOSED => unsafe { free(shared) },
            _ => {
                // SAFETY: any other word is a waiter (only the sender stores `VALUE`), and our swap took it out.
                let waiter = unsafe { own_waiter::<W>(before) };
                if types::seeded!("oneshot.drop-unheard") {
                    return drop(waiter);
                }
                waiter.wake()
            }
        }
    }
}

impl<T, W: Wakes> Rx<T, W> {
    /// Takes the value if it's there. Never waits.
    ///
    /// # Errors
    /// There is none yet, or never will be.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(shared) = self.shared else { return Err(TryRecvError::Closed) };
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        match unsafe { shared.as_ref() }.word.load(Acquire).addr() {
            VALUE => {
                self.shared = None;
                // SAFETY: the sender did its final swap; value and allocation are ours alone (`oneshot.value-owner`),
                // and forgetting the pointer makes this the only read.
                let value = unsafe { take_value(shared) };
                // SAFETY: as above.
                unsafe { free(shared) };
                Ok(value)
            }
            CLOSED => {
                self.shared = None;
                // SAFETY: the sender did its final swap; we are second (`oneshot.second-frees`). There is no value.
                unsafe { free(shared) };
                Err(TryRecvError::Closed)
            }
            _ => Err(TryRecvError::Empty),
        }
    }

    /// Waits for the value, or for the sender to go away.
    pub fn poll_recv(&mut self, make: impl FnOnce() -> W) -> Poll<Result<T, Closed>> {
        match self.try_recv() {
            Ok(value) => return Poll::Ready(Ok(value)),
            Err(TryRecvError::Closed) => return Poll::Ready(Err(Closed)),
            Err(TryRecvError::Empty) => {}
        }
        if self.register(make()) {
            return Poll::Pending;
        }
        Poll::Ready(self.try_recv().map_err(|_| Closed))
    }

    /// Takes back the waiter that a `Pending` left behind, so that the channel doesn't keep its task's cell alive.
    pub fn forget_waiter(&mut self) {
        let Some(shared) = self.shared else { return };
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let word = &unsafe { shared.as_ref() }.word;
        let now = word.load(Acquire);
        // A CAS that fails has met the sender's final swap, which took the waiter.
        if now.addr() >= LOWEST_WORD
            && word.compare_exchange(now, core::ptr::without_provenance_mut(EMPTY), AcqRel, Acquire).is_ok()
        {
            // SAFETY: our CAS took the waiter out (`oneshot.waiter`).
            drop(unsafe { own_waiter::<W>(now) });
        }
    }

    /// Refuses a value that was not sent yet; one that was can still be received.
    pub fn close(&mut self) {
        let Some(shared) = self.shared else { return };
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let word = &unsafe { shared.as_ref() }.word;
        let mut now = word.load(Acquire);
        while now.addr() != VALUE && now.addr() != CLOSED {
            match word.compare_exchange(now, core::ptr::without_provenance_mut(CLOSED), AcqRel, Acquire) {
                Ok(_) => {
                    // This was our final swap: the sender frees.
                    self.shared = None;
                    // SAFETY: our CAS took the word out, and if it isn't `EMPTY` it's a waiter (`oneshot.waiter`).
                    drop((now.addr() >= LOWEST_WORD).then(|| unsafe { own_waiter::<W>(now) }));
                    return;
                }
                Err(other) => now = other,
            }
        }
    }

    /// Puts the waiter into the word; false if the sender has done its final swap.
    fn register(&mut self, waiter: W) -> bool {
        let shared = self.shared.expect("looked empty, so it was not consumed");
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let word = &unsafe { shared.as_ref() }.word;
        let fresh = waiter.into_raw().as_ptr();
        assert!(fresh.addr() >= LOWEST_WORD, "a waiter's word is at least 8");
        let mut now = word.load(Acquire);
        loop {
            if (now.addr() == VALUE || now.addr() == CLOSED) && !types::seeded!("oneshot.register-overwrites")
            {
                // SAFETY: `fresh` was not stored anywhere.
                drop(unsafe { own_waiter::<W>(fresh) });
                return false;
            }
            match word.compare_exchange(now, fresh, AcqRel, Acquire) {
                Ok(_) => {
                    // SAFETY: our CAS took the word out, and if it isn't `EMPTY` it's a waiter (`oneshot.waiter`).
                    drop((now.addr() >= LOWEST_WORD).then(|| unsafe { own_waiter::<W>(now) }));
                    return true;
                }
                Err(other) => now = other,
            }
        }
    }
}

impl<T, W: Wakes> Drop for Rx<T, W> {
    fn drop(&mut self) {
        self.close();
        // Still here: the sender has finished. What it left is ours to take and drop, and so is the allocation.
        drop(self.try_recv());
    }
}

impl<T, W: Wakes> core::fmt::Debug for Tx<T, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tx").field("closed", &self.is_closed()).finish()
    }
}

impl<T, W: Wakes> core::fmt::Debug for Rx<T, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Rx").field("finished", &self.shared.is_none()).finish()
    }
}

/// # Safety
/// A value was written, the caller owns the place (`oneshot.value-owner`), and reads it once.
unsafe fn take_value<T>(shared: NonNull<Shared<T>>) -> T {
    // SAFETY: the caller's promise.
    unsafe { shared.as_ref() }.value.with_mut(|slot| unsafe { (*slot).assume_init_read() })
}

/// # Safety
/// The caller is the second side to finish (`oneshot.second-frees`) and has taken the value, if there was one.
unsafe fn free<T>(shared: NonNull<Shared<T>>) {
    // SAFETY: the caller's promise; the place came from `put` in `channel`.
    unsafe { discard(shared) }
}

/// # Safety
/// `word` is a waiter's word that the caller alone took out of the channel.
unsafe fn own_waiter<W: Wakes>(word: *mut ()) -> W {
    // SAFETY: the caller's promise is that of `from_raw`; a waiter's word is not null.
    unsafe { W::from_raw(NonNull::new_unchecked(word)) }
}

/// In models there are no task cells: loom counts what is allocated and not freed.
#[cfg(loom)]
mod model {
    use core::ptr::NonNull;

    pub(super) fn put<T>(value: T) -> NonNull<T> {
        NonNull::from(Box::leak(Box::new(value)))
    }

    /// # Safety
    /// `place` came from [`put`] and is not used again.
    pub(super) unsafe fn discard<T>(place: NonNull<T>) {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(place.as_ptr()) });
    }
}
