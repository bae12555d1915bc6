//! The lock of a region, and the intrusive list of its members.
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering::*};
use task::Header;

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

/// Members of a region, linked through their headers. A member knows the address of the pointer that points
/// at it, so it leaves whichever list it is in without knowing which.
///
/// Invariant `members.linked`: a linked header is alive (its task is not complete, or its unlink has not
/// returned), and the list stays where it is while it is not empty. All calls are made under the region's
/// lock.
#[derive(Debug, Default)]
pub(crate) struct Members(AtomicPtr<Header>);

impl Members {
    /// # Safety
    /// `task` is alive and in no list.
    pub(crate) unsafe fn push(&self, task: NonNull<Header>) {
        // SAFETY: linked headers are alive (`members.linked`).
        unsafe {
            let header = task.as_ref();
            let first = self.0.load(Relaxed);
            header.next_sibling.store(first, Relaxed);
            header.prev_link.store(core::ptr::from_ref(&self.0).cast_mut(), Relaxed);
            if let Some(first) = first.as_ref() {
                first.prev_link.store(core::ptr::from_ref(&header.next_sibling).cast_mut(), Relaxed);
            }
            self.0.store(task.as_ptr(), Relaxed);
        }
    }

    /// # Safety
    /// `task` is in a list of this region.
    pub(crate) unsafe fn unlink(task: NonNull<Header>) {
        // SAFETY: linked headers are alive, and so is the list that a link may live in.
        unsafe {
            let header = task.as_ref();
            let next = header.next_sibling.load(Relaxed);
            let link = header.prev_link.load(Relaxed);
            (*link).store(next, Relaxed);
            if let Some(next) = next.as_ref() {
                next.prev_link.store(link, Relaxed);
            }
            header.prev_link.store(core::ptr::null_mut(), Relaxed);
        }
    }

    /// Takes the first member out.
    pub(crate) fn pop(&self) -> Option<NonNull<Header>> {
        let first = NonNull::new(self.0.load(Relaxed))?;
        // SAFETY: it is linked.
        unsafe {
            Members::unlink(first);
            // The walk goes on with the next one: fetch what it will touch.
            #[cfg(target_arch = "x86_64")]
            if let Some(next) = self.0.load(Relaxed).as_ref() {
                core::arch::x86_64::_mm_prefetch(
                    next.next_sibling.load(Relaxed).cast_const().cast(),
                    core::arch::x86_64::_MM_HINT_T0,
                );
            }
        }
        Some(first)
    }

    /// Calls `f` with each member.
    pub(crate) fn each(&self, mut f: impl FnMut(&Header)) {
        let mut at = self.0.load(Relaxed);
        // SAFETY: linked headers are alive; the caller holds the lock.
        while let Some(header) = unsafe { at.as_ref() } {
            at = header.next_sibling.load(Relaxed);
            f(header)
        }
    }
}

/// A chain of runnables linked through `next`, for the cancel lane.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    first: Option<NonNull<Header>>,
    last: Option<NonNull<Header>>,
}

impl Chain {
    /// # Safety
    /// The caller owns the runnable and gives it to the chain.
    pub(crate) unsafe fn push(&mut self, task: NonNull<Header>) {
        // SAFETY: whoever holds a runnable may use its link.
        unsafe {
            task.as_ref().next.store(core::ptr::null_mut(), Relaxed);
            match self.last {
                Some(last) => last.as_ref().next.store(task.as_ptr(), Relaxed),
                None => self.first = Some(task),
            }
        }
        self.last = Some(task);
    }

    /// Gives the runnables to the engine with this tag.
    ///
    /// # Safety
    /// All of them are tasks of that engine.
    pub(crate) unsafe fn schedule(self, tag: u16) {
        if let Some(first) = self.first {
            // SAFETY: an engine with live tasks is registered; the chain owns its runnables.
            unsafe {
                let engine = task::engine::of(tag);
                (engine.as_ref().schedule_cancelled)(engine, first)
            }
        }
    }
}

/// The region around its account: the account is the first field of `Shared`, see `region.rs`.
///
/// # Safety
/// `account` is the `account` field of a `Region` inside an `Arc` that counts one strong reference for this
/// very call.
pub(crate) unsafe fn region_of_account(account: NonNull<obligation::Account>) -> alloc::sync::Arc<crate::Region> {
    let offset = core::mem::offset_of!(crate::Region, account);
    // SAFETY: says the caller.
    unsafe { alloc::sync::Arc::from_raw(account.as_ptr().byte_sub(offset).cast::<crate::Region>()) }
}

/// Links a new task (see `Members::push`), wakes it as a request does, or unlinks one: the few calls of
/// `region.rs` and `walk.rs` that need a promise.
pub(crate) mod promise {
    use super::*;

    /// Wakes a linked task; true if the caller now owns its runnable.
    pub(crate) fn claim(task: NonNull<Header>) -> bool {
        // SAFETY: called under the lock for a linked header, which is alive.
        unsafe { task.as_ref() }.word.wake_by_ref()
    }

    /// The header of a linked member.
    ///
    /// # Safety
    /// The region's lock is held for as long as the result is used.
    pub(crate) unsafe fn header<'a>(task: NonNull<Header>) -> &'a Header {
        // SAFETY: linked headers are alive, says the caller.
        unsafe { task.as_ref() }
    }
}

/// Drops a strong reference that was counted for `settle` and is not needed.
pub(crate) fn take_back(counted: *const crate::Region) {
    // SAFETY: the only caller has just made it with `Arc::into_raw`, and nobody was given it.
    drop(unsafe { alloc::sync::Arc::from_raw(counted) })
}

/// Leaks what is outstanding in a region's account.
pub(crate) fn leak_all(account: &obligation::Account) -> alloc::vec::Vec<obligation::Note> {
    // SAFETY: the caller holds the region in an `Arc` during the call.
    unsafe { account.leak_all() }
}

/// Moves what the body of `from` reserved and still holds to the region that waits for it.
pub(crate) fn move_up(from: &crate::Region, to: &crate::Region) -> usize {
    // SAFETY: both regions are held by their callers' `Arc`s during the call.
    unsafe { from.account.move_body_obligations(&to.account) }
}
