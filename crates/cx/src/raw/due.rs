//! What happens when a timer is due, in one word: a million timers are a million of these.
//!
//! | lowest bits | the rest of the word |
//! |---|---|
//! | 1 | a waiter that is not a task of ours (its own tag, see `task`'s `raw/waiter.rs`) |
//! | 000 | a waiter that is a task |
//! | 010 | a region, weakly: its cleanup deadline |
//! | 100 | a task: the cleanup deadline of what was asked of it alone |
//! | 110 | a region, weakly: a slow drain to report |
//!
//! Invariant `due.owns`: the word owns the reference it was made from, and gives it up once: to whoever takes it
//! apart ([`Due::into_what`]), or when it is dropped.
//!
//! Not here: what is then done (`due`, one level up), wheels (`time`).
use alloc::sync::{Arc, Weak};
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use region::Region;
use task::{Header, TaskRef, Waiter};

/// What happens when a timer is due: one word that owns a reference. Dropping it forgets about it.
pub struct Due(NonNull<()>);

/// A [`Due`], taken apart.
#[derive(Debug)]
pub enum What {
    /// Wake somebody.
    Wake(Waiter),
    /// A region's cleanup deadline: escalate there, if it is still about.
    Cleanup(Weak<Region>),
    /// The cleanup deadline of a task that was asked to end by itself: escalate there, if it is still about.
    Stop(TaskRef),
    /// A region drains without a request: report who is left, if that is still so.
    Report(Weak<Region>),
}

// SAFETY: it is one of the four of `What` (`due.owns`), which are all `Send`.
unsafe impl Send for Due {}
// SAFETY: a shared reference gives out no more than a shared reference to a header, which is `Sync`.
unsafe impl Sync for Due {}

const FOREIGN: usize = 0b001;
const TAG: usize = 0b110;
const WAKE: usize = 0b000;
const CLEANUP: usize = 0b010;
const STOP: usize = 0b100;
const REPORT: usize = 0b110;

// The tags need three bits of an address, a foreign waiter's only one.
const _: () = assert!(align_of::<Header>() >= 8 && align_of::<Region>() >= 8);

impl Due {
    /// Wakes `waiter`.
    #[inline]
    pub fn wake(waiter: Waiter) -> Due {
        Due(waiter.into_raw())
    }

    /// The cleanup deadline of `region`, if it is still about.
    pub fn cleanup(region: &Arc<Region>) -> Due {
        Due::weak(region, CLEANUP)
    }

    /// A look at whether `region` still drains, if it is still about.
    pub fn report(region: &Arc<Region>) -> Due {
        Due::weak(region, REPORT)
    }

    /// The cleanup deadline of what was asked of `task` alone.
    pub fn stop(task: TaskRef) -> Due {
        Due(tagged(task.into_raw().cast(), STOP))
    }

    fn weak(region: &Arc<Region>, tag: usize) -> Due {
        let address = Weak::into_raw(Arc::downgrade(region)).cast_mut().cast();
        // SAFETY: the weak reference is to a region that exists, so its address is not null.
        Due(tagged(unsafe { NonNull::new_unchecked(address) }, tag))
    }

    /// Takes it apart.
    #[inline]
    pub fn into_what(self) -> What {
        let word = ManuallyDrop::new(self).0;
        // SAFETY: `due.owns`: the reference is taken back once, as this word is given up.
        unsafe { what(word) }
    }

    /// The task that this wakes or stops, if it is one of ours.
    pub fn task(&self) -> Option<&Header> {
        let tag = self.tag();
        // SAFETY: `due.owns`: with either of these tags the word owns a counted reference to a header.
        (tag == WAKE || tag == STOP).then(|| unsafe { untagged(self.0, tag).cast::<Header>().as_ref() })
    }

    /// Whether this wakes somebody, of ours or not: it is no deadline that the kernel has set for itself.
    pub fn is_wake(&self) -> bool {
        matches!(self.tag(), WAKE | FOREIGN)
    }

    /// Fetches what waking will touch, for callers that are about to wake many.
    #[inline]
    pub fn prefetch(&self) {
        self.as_waiter(Waiter::prefetch)
    }

    /// Fetches what the woken task's next poll will touch. Some time after [`Due::prefetch`], as it looks into the
    /// header.
    #[inline]
    pub fn prefetch_cell(&self) {
        self.as_waiter(Waiter::prefetch_cell)
    }

    #[inline]
    fn as_waiter(&self, look: impl FnOnce(&Waiter)) {
        if self.tag() == WAKE {
            // SAFETY: `due.owns`, and with this tag the word is the waiter's. It is not dropped here.
            look(&ManuallyDrop::new(unsafe { Waiter::from_raw(self.0) }))
        }
    }

    /// The three lowest bits, of which the foreign one alone decides where it is set.
    #[inline]
    fn tag(&self) -> usize {
        let bits = self.0.addr().get();
        if bits & FOREIGN != 0 { FOREIGN } else { bits & TAG }
    }
}

impl core::fmt::Debug for Due {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self.tag() {
            CLEANUP => "Due::cleanup",
            STOP => "Due::stop",
            REPORT => "Due::report",
            _ => "Due::wake",
        })
    }
}

impl Drop for Due {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `due.owns`: the word is not looked at again.
        drop(unsafe { what(self.0) })
    }
}

/// What a word stands for.
///
/// # Safety
/// The word is a [`Due`]'s, which gives it up.
#[inline]
unsafe fn what(word: NonNull<()>) -> What {
    let bits = word.addr().get();
    if bits & FOREIGN != 0 || bits & TAG == WAKE {
        // SAFETY: made by `Due::wake`, and given up, says the caller.
        return What::Wake(unsafe { Waiter::from_raw(word) });
    }
    let tag = bits & TAG;
    let address = untagged(word, tag);
    // SAFETY: the tag says which of the constructors made it, and it is given up, says the caller.
    unsafe {
        match tag {
            STOP => What::Stop(TaskRef::from_raw(address.cast())),
            CLEANUP => What::Cleanup(Weak::from_raw(address.as_ptr().cast())),
            _ => What::Report(Weak::from_raw(address.as_ptr().cast())),
        }
    }
}

fn tagged(address: NonNull<()>, tag: usize) -> NonNull<()> {
    address.map_addr(|a| a | tag)
}

fn untagged(word: NonNull<()>, tag: usize) -> NonNull<()> {
    let address = word.as_ptr().map_addr(|a| a & !tag);
    // SAFETY: the address before the tag came from a reference.
    unsafe { NonNull::new_unchecked(address) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::task::Wake;
    use core::task::Waker;

    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_foreign_waiter_is_owned_once_whether_it_is_taken_apart_or_dropped() {
        let party = Arc::new(Nothing);
        let waker = Waker::from(party.clone());
        let due = || Due::wake(Waiter::from_waker(&waker));
        let (kept, dropped) = (due(), due());
        assert_eq!(Arc::strong_count(&party), 4);
        assert!(kept.task().is_none());
        drop(dropped);
        assert_eq!(Arc::strong_count(&party), 3);
        let What::Wake(waiter) = kept.into_what() else { panic!("it was made to wake") };
        waiter.wake();
        assert_eq!(Arc::strong_count(&party), 2);
    }

    #[test]
    fn a_timer_costs_one_word() {
        assert_eq!(size_of::<Option<Due>>(), size_of::<usize>());
    }
}
