//! One waiting party in eight bytes: a task of ours, or anybody's `Waker` in a box.
//!
//! `Waker` is two words with two indirect calls for clone and drop. Our primitives mostly wait on behalf of
//! our own tasks, whose waker data is a header that counts references: that pointer is enough. Foreign
//! wakers (`FuturesUnordered`, `select!`, another executor) are boxed and tagged in the lowest bit; what they panic with
//! goes no further (`waiter.contained`).
use super::header::Header;
use super::run::{WAKER_VTABLE, drop_waiter_ref, wake_by_value};
use crate::contained::{PanicPayload, catch, contain};
use alloc::boxed::Box;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use core::task::Waker;

/// Somebody to wake, once. Dropping it forgets them.
#[derive(Debug)]
pub struct Waiter(NonNull<()>);

// SAFETY: it is a counted header pointer or an owned `Waker`, both `Send`.
unsafe impl Send for Waiter {}
// SAFETY: nothing is done through a shared reference but comparing addresses.
unsafe impl Sync for Waiter {}

const FOREIGN: usize = 1;

impl Waiter {
    /// The party behind `waker`. One atomic add for a task of ours, a box for others.
    ///
    /// Call it without any lock: others' wakers are cloned, which is code of theirs. It may come back to whatever the
    /// waiter is for.
    ///
    /// # Panics
    /// With what that clone panics with.
    #[inline]
    pub fn from_waker(waker: &Waker) -> Waiter {
        Waiter::of_task(waker).unwrap_or_else(|| {
            let p = Box::into_raw(Box::new(waker.clone()));
            // SAFETY: a box is not null, and `Waker` is aligned to more than two bytes.
            Waiter(unsafe { NonNull::new_unchecked(p.map_addr(|a| a | FOREIGN).cast()) })
        })
    }

    /// As [`Waiter::from_waker`] if the party is one of our tasks: no code of others runs, so a lock may be held.
    #[inline]
    pub fn of_task(waker: &Waker) -> Option<Waiter> {
        let header = header_of(waker)?;
        // SAFETY: the waker holds a reference to this header.
        unsafe { header.as_ref() }.acquire_for_waiter();
        Some(Waiter(header.cast()))
    }

    /// Whether waking this wakes the same party as `waker` does.
    #[inline]
    pub fn will_wake(&self, waker: &Waker) -> bool {
        match self.foreign() {
            None => header_of(waker).is_some_and(|h| h.cast() == self.0),
            // SAFETY: the box is owned by this value.
            Some(w) => unsafe { w.as_ref() }.will_wake(waker),
        }
    }

    /// Whether `raw` is one of our own tasks, and the one behind `waker`. Looks at nothing but addresses: the
    /// waiter may be gone by now.
    #[inline]
    pub(crate) fn is_own_task(raw: *mut (), waker: &Waker) -> bool {
        header_of(waker).is_some_and(|h| h.as_ptr().cast() == raw)
    }

    /// Wakes the party. What a foreign waker panics with goes no further (`waiter.contained`).
    #[inline]
    pub fn wake(self) {
        let this = ManuallyDrop::new(self);
        match this.foreign() {
            // SAFETY: the reference counted in `from_waker` is given up.
            None => unsafe { wake_by_value(this.0.cast()) },
            // SAFETY: the box made in `from_waker` is consumed once.
            Some(w) => contain(unsafe { foreign_wake(w) }),
        }
    }

    /// As [`Waiter::wake`], for who tells of a panic.
    ///
    /// # Errors
    /// What a foreign waker panicked with, where panics can be caught.
    pub fn try_wake(self) -> Result<(), PanicPayload> {
        let this = ManuallyDrop::new(self);
        match this.foreign() {
            // SAFETY: the reference counted in `from_waker` is given up.
            None => unsafe { wake_by_value(this.0.cast()) },
            // SAFETY: the box made in `from_waker` is consumed once.
            Some(w) => catch(unsafe { foreign_wake(w) })?,
        }
        Ok(())
    }

    /// Whether this is one of our own tasks.
    pub fn is_task(&self) -> bool {
        self.0.addr().get() & FOREIGN == 0
    }

    /// The header, if this is one of our own tasks.
    pub fn header(&self) -> Option<&Header> {
        // SAFETY: an untagged waiter is a counted header pointer.
        self.is_task().then(|| unsafe { self.0.cast::<Header>().as_ref() })
    }

    /// Fetches what waking will touch, for callers that are about to wake many.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(self.0.as_ptr().cast())
    }

    /// Fetches what the task's next poll will touch, and its last one: the rest of its cell, and the members beside
    /// it, from which it unlinks itself. Some time after [`Waiter::prefetch`], as it looks into the header.
    #[inline]
    pub fn prefetch_cell(&self) {
        if let Some(header) = self.header() {
            let cell = self.0.as_ptr().cast::<u8>();
            prefetch(cell.wrapping_add(64));
            prefetch(cell.wrapping_add(128));
            prefetch(cell.wrapping_add(192));
            prefetch(header.prev_link.load(Relaxed).cast());
            // The link that points back lies in another cache line than the begin of that header, as often as not.
            let next = header.next_sibling.load(Relaxed).cast::<u8>();
            prefetch(next.wrapping_add(core::mem::offset_of!(Header, prev_link)));
        }
    }

    /// The word itself, for an atomic slot.
    pub fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).0
    }

    /// Takes back what `into_raw` gave.
    ///
    /// # Safety
    /// `raw` came from `into_raw` and is taken back once.
    pub unsafe fn from_raw(raw: NonNull<()>) -> Waiter {
        Waiter(raw)
    }

    #[inline]
    fn foreign(&self) -> Option<NonNull<Waker>> {
        if self.is_task() {
            return None;
        }
        let p = self.0.as_ptr().map_addr(|a| a & !FOREIGN).cast();
        // SAFETY: the tag was added to a pointer that was not null and not 1.
        Some(unsafe { NonNull::new_unchecked(p) })
    }
}

impl Drop for Waiter {
    #[inline]
    fn drop(&mut self) {
        match self.foreign() {
            // SAFETY: the reference counted in `from_waker` is given up.
            None => unsafe { drop_waiter_ref(self.0.cast()) },
            Some(w) => contain(|| {
                // SAFETY: the box made in `from_waker` is consumed once.
                drop(unsafe { Box::from_raw(w.as_ptr()) })
            }),
        }
    }
}

/// The wake of a foreign waker in its box.
///
/// # Safety
/// The box was made in `Waiter::from_waker`, and the caller gives it up.
#[inline]
unsafe fn foreign_wake(waker: NonNull<Waker>) -> impl FnOnce() {
    // SAFETY: says the caller.
    let waker = unsafe { Box::from_raw(waker.as_ptr()) };
    move || waker.wake()
}

/// Fetches a cache line, wherever it is.
#[inline]
fn prefetch(address: *mut u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address is harmless.
    unsafe {
        core::arch::x86_64::_mm_prefetch(address.cast_const().cast(), core::arch::x86_64::_MM_HINT_T0)
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// The header behind `waker`, if it is one of ours.
#[inline]
pub fn header_of(waker: &Waker) -> Option<NonNull<Header>> {
    core::ptr::eq(waker.vtable(), &WAKER_VTABLE).then(|| {
        // SAFETY: wakers with our vtable carry a header pointer, never null.
        unsafe { NonNull::new_unchecked(waker.data().cast_mut().cast()) }
    })
}
