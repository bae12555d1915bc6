//! The intrusive list of a region's members.
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, Ordering::*};
use task::Header;

/// Members of a region, linked through their headers. A member knows the address of the pointer that points
/// at it, so it leaves whichever list it is in without knowing which.
///
/// Invariant `members.linked`: a linked header is alive (its task is not complete, or its unlink has not
/// returned), and the list stays where it is while it is not empty. All calls are made under the region's
/// lock, so what they return is alive for as long as the guard is held.
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
        // SAFETY: says the caller, and linked headers are alive.
        unsafe {
            Members::detach(task);
            // Pairs with `has_left`.
            task.as_ref().prev_link.store(core::ptr::null_mut(), Release);
        }
    }

    /// Takes a member out of its list. Its own links stay as they are: whoever only moves to another list has never
    /// left (`has_left` looks without the lock).
    ///
    /// # Safety
    /// As `unlink`.
    unsafe fn detach(task: NonNull<Header>) {
        // SAFETY: linked headers are alive, and so is the list that a link may live in.
        unsafe {
            let header = task.as_ref();
            let next = header.next_sibling.load(Relaxed);
            let link = header.prev_link.load(Relaxed);
            (*link).store(next, Relaxed);
            if let Some(next) = next.as_ref() {
                next.prev_link.store(link, Relaxed);
            }
        }
    }

    /// Takes the first member out, to be put into another list.
    fn pop(&self) -> Option<NonNull<Header>> {
        let first = NonNull::new(self.0.load(Relaxed))?;
        // SAFETY: it is linked, and linked headers are alive (`members.linked`).
        unsafe {
            Members::detach(first);
            // A walk goes on with the next one: fetch what it will touch.
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

    /// Moves the first member to `other` and returns it.
    pub(crate) fn shift_to<'a>(&'a self, other: &Members) -> Option<&'a Header> {
        let task = self.pop()?;
        // SAFETY: it was linked a moment ago, so it is alive, and now it is in no list. The caller holds the lock
        // for as long as it uses the result: nobody unlinks meanwhile (`members.linked`).
        unsafe {
            other.push(task);
            Some(task.as_ref())
        }
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
