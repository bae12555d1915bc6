//! The oneshot's core: one word, one allocation, freed by whichever side is second to finish.
//!
//! ```text
//!                 poll_recv: CAS                   send: swap
//!        EMPTY ──────────────────▶ waiter ─────────────────────────▶ VALUE     receiver reads it and frees
//!          │  └──────────────────────┼── send: swap ────────────────▶ VALUE
//!          └─ either side's drop or close: swap ─▶ CLOSED            the other side sees it and frees
//! ```
//!
//! A sender that waits for the receiver to leave puts its waiter into a slot beside the value and adds `WATCHED` to the word.
//! Whoever leaves as the receiver can't look into the slot afterwards (`oneshot.second-frees`), so it looks before: it takes
//! the flag out, then the waiter, then closes, and begins again if the flag is back by then.
//!
//! Invariants:
//! - `oneshot.value-owner`: the value's place belongs to the sender until its swap to `VALUE`, then to the receiver;
//!   if that swap finds `CLOSED`, it stays the sender's.
//! - `oneshot.second-frees`: of the two final swaps (`VALUE` or `CLOSED`) the second frees the allocation; a side that
//!   did its swap first never touches the allocation again, except the receiver that has a `VALUE` to read.
//! - `oneshot.waiter`: a waiter word is only put there, replaced and taken back by the receiver, by CAS.
//! - `oneshot.watched`: the sender adds `WATCHED` by a CAS after it has put its waiter into the slot. So a receiver whose
//!   CAS to `CLOSED` found no flag has taken the waiter of every flag before it.
//!
//! A oneshot is made and gone as often as a task, so it lies in the memory of task cells: where a thread has a free block, that
//! is half of what the system's allocator takes.
//!
//! Not here: obligations and `Cx`.

use core::{marker::PhantomData, mem::MaybeUninit, ptr::NonNull, task::Poll};

use crate::{
    Closed, TryRecvError,
    sync::{AcqRel, Acquire, AtomicPtr, UnsafeCell},
    wakes::{LOWEST_WORD, SPARE_BIT, WaiterSlot, Wakes},
};

#[cfg(not(loom))]
use cx::memory::{discard, put};
#[cfg(loom)]
use model::{discard, put};

const EMPTY: usize = 0;
const VALUE: usize = 1;
const CLOSED: usize = 4;

/// The sender's waiter is in the slot. Goes with `EMPTY` and with a waiter.
const WATCHED: usize = SPARE_BIT;

struct Shared<T, W: Wakes> {
    word: AtomicPtr<()>,
    /// The sender's, while it waits for the receiver to leave.
    sender: WaiterSlot<W>,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// The sending half.
pub struct Tx<T, W: Wakes> {
    /// `None` once this side did its final swap.
    shared: Option<NonNull<Shared<T, W>>>,
    owns: PhantomData<(T, W)>,
}

/// The receiving half.
pub struct Rx<T, W: Wakes> {
    /// `None` once this side did its final swap or read the value.
    shared: Option<NonNull<Shared<T, W>>>,
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
        sender: WaiterSlot::new(),
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
        match state(before) {
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

    /// Waits until the receiver is gone or has closed.
    pub fn poll_closed(&mut self, make: impl FnOnce() -> W) -> Poll<()> {
        let Some(shared) = self.shared else { return Poll::Ready(()) };
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let place = unsafe { shared.as_ref() };
        let mut now = place.word.load(Acquire);
        if now.addr() == CLOSED {
            return Poll::Ready(());
        }
        drop(place.sender.put(make()));
        while now.addr() != CLOSED {
            let flagged = now.map_addr(|word| word | WATCHED);
            if flagged == now && types::seeded!("oneshot.flag-trusted") {
                return Poll::Pending;
            }
            // Also if the flag is set from before: this is what orders the new waiter with the receiver's look.
            match place.word.compare_exchange(now, flagged, AcqRel, Acquire) {
                Ok(_) => return Poll::Pending,
                Err(other) => now = other,
            }
        }
        self.forget_closed();
        Poll::Ready(())
    }

    /// Takes back the waiter that a `Pending` of [`poll_closed`](Self::poll_closed) left behind. The flag stays, and costs the
    /// receiver one look.
    pub fn forget_closed(&mut self) {
        if let Some(shared) = self.shared {
            // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
            drop(unsafe { shared.as_ref() }.sender.take());
        }
    }
}

impl<T, W: Wakes> Drop for Tx<T, W> {
    /// One look where it has sent.
    #[inline]
    fn drop(&mut self) {
        if self.shared.is_some() {
            self.leave()
        }
    }
}

impl<T, W: Wakes> Tx<T, W> {
    #[inline(never)]
    fn leave(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let before = unsafe { shared.as_ref() }.word.swap(core::ptr::without_provenance_mut(CLOSED), AcqRel);
        match state(before) {
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
    #[inline]
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
        let mut now = word.load(Acquire);
        // A CAS that fails has met the sender's final swap, which took the waiter, or its flag.
        while now.addr() >= LOWEST_WORD {
            let empty = core::ptr::without_provenance_mut(EMPTY | now.addr() & WATCHED);
            match word.compare_exchange(now, empty, AcqRel, Acquire) {
                // SAFETY: our CAS took the waiter out (`oneshot.waiter`).
                Ok(_) => return drop(unsafe { own_waiter::<W>(now) }),
                Err(other) => now = other,
            }
        }
    }

    /// Refuses a value that was not sent yet; one that was can still be received.
    pub fn close(&mut self) {
        let Some(shared) = self.shared else { return };
        // SAFETY: this half has not done its final swap, so the allocation lives (`oneshot.second-frees`).
        let place = unsafe { shared.as_ref() };
        let word = &place.word;
        let mut sender = None;
        let mut now = word.load(Acquire);
        while now.addr() != VALUE && now.addr() != CLOSED {
            if now.addr() & WATCHED != 0 && !types::seeded!("oneshot.leaves-unheard") {
                let unflagged = now.map_addr(|word| word & !WATCHED);
                match word.compare_exchange(now, unflagged, AcqRel, Acquire) {
                    Ok(_) => {
                        // An older one was replaced by its own task.
                        sender = place.sender.take().or(sender);
                        now = unflagged;
                    }
                    Err(other) => now = other,
                }
                continue;
            }
            match word.compare_exchange(now, core::ptr::without_provenance_mut(CLOSED), AcqRel, Acquire) {
                Ok(_) => {
                    // This was our final swap: the sender frees.
                    self.shared = None;
                    // SAFETY: our CAS took the word out, and if it isn't `EMPTY` it's a waiter (`oneshot.waiter`).
                    drop((now.addr() >= LOWEST_WORD).then(|| unsafe { own_waiter::<W>(now) }));
                    if let Some(sender) = sender {
                        sender.wake();
                    }
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
        assert!(fresh.addr() >= LOWEST_WORD && fresh.addr() & WATCHED == 0, "not a waiter's word");
        let mut now = word.load(Acquire);
        loop {
            if (now.addr() == VALUE || now.addr() == CLOSED) && !types::seeded!("oneshot.register-overwrites")
            {
                // SAFETY: `fresh` was not stored anywhere.
                drop(unsafe { own_waiter::<W>(fresh) });
                return false;
            }
            let kept = fresh.map_addr(|word| word | now.addr() & WATCHED);
            match word.compare_exchange(now, kept, AcqRel, Acquire) {
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
    /// One look where it has received.
    #[inline]
    fn drop(&mut self) {
        if self.shared.is_some() {
            self.leave()
        }
    }
}

impl<T, W: Wakes> Rx<T, W> {
    #[inline(never)]
    fn leave(&mut self) {
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
unsafe fn take_value<T, W: Wakes>(shared: NonNull<Shared<T, W>>) -> T {
    // SAFETY: the caller's promise.
    unsafe { shared.as_ref() }.value.with_mut(|slot| unsafe { (*slot).assume_init_read() })
}

/// # Safety
/// The caller is the second side to finish (`oneshot.second-frees`) and has taken the value, if there was one.
unsafe fn free<T, W: Wakes>(shared: NonNull<Shared<T, W>>) {
    // SAFETY: the caller's promise; the place came from `put` in `channel`.
    unsafe { discard(shared) }
}

/// A word without the sender's flag.
fn state(word: *mut ()) -> usize {
    word.addr() & !WATCHED
}

/// # Safety
/// `word` is a waiter's word, with the sender's flag or without, that the caller alone took out of the channel.
unsafe fn own_waiter<W: Wakes>(word: *mut ()) -> W {
    // SAFETY: the caller's promise is that of `from_raw`; a waiter's word is not null, and has no bit where the flag was
    // (`waiter.aligned`).
    unsafe { W::from_raw(NonNull::new_unchecked(word.map_addr(|word| word & !WATCHED))) }
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
