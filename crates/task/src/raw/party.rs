//! Which party a waker wakes, in one word, for telling whether another waker wakes the same one.
//!
//! [`Waker::will_wake`] needs the other waker, which whoever set a timer has given away. Its two addresses say the
//! same for as long as that waker is kept somewhere: until then nobody else can have them. Of our own tasks, whose
//! wakers share one table, one address is enough; others' are in a box.
//!
//! Not here: waking ([`Waiter`](super::waiter::Waiter)).
use super::waiter::header_of;
use alloc::boxed::Box;
use core::ptr::NonNull;
use core::task::Waker;

/// Which party a waker wakes. Keeps nobody alive: once that waker is gone, another one may be taken for it.
#[derive(Debug)]
pub struct Party(NonNull<()>);

/// Both addresses of a waker that is none of ours.
type Addresses = (usize, usize);

const FOREIGN: usize = 1;
const _: () = assert!(align_of::<Addresses>() > FOREIGN);

// SAFETY: it is an address that is only compared, or a box of numbers.
unsafe impl Send for Party {}
// SAFETY: as for `Send`.
unsafe impl Sync for Party {}

impl Party {
    /// The party behind `waker`. Free for a task of ours, a box for others.
    #[inline]
    pub fn of(waker: &Waker) -> Party {
        match header_of(waker) {
            Some(header) => Party(header.cast()),
            None => Party::foreign(waker),
        }
    }

    #[cold]
    fn foreign(waker: &Waker) -> Party {
        let kept = NonNull::from(Box::leak(Box::new(addresses(waker))));
        Party(kept.cast().map_addr(|a| a | FOREIGN))
    }

    /// Whether `waker` wakes this party too.
    #[inline]
    pub fn is_behind(&self, waker: &Waker) -> bool {
        match header_of(waker) {
            Some(header) => header.cast() == self.0,
            // SAFETY: the box is owned by this value.
            None => self.kept().is_some_and(|kept| unsafe { *kept.as_ref() } == addresses(waker)),
        }
    }

    /// The box, if the party is none of our tasks: a header's address is even.
    #[inline]
    fn kept(&self) -> Option<NonNull<Addresses>> {
        if self.0.addr().get() & FOREIGN == 0 {
            return None;
        }
        NonNull::new(self.0.as_ptr().map_addr(|a| a & !FOREIGN).cast())
    }
}

impl Drop for Party {
    #[inline]
    fn drop(&mut self) {
        if let Some(kept) = self.kept() {
            // SAFETY: it was leaked by `foreign`, and this value owns it.
            drop(unsafe { Box::from_raw(kept.as_ptr()) })
        }
    }
}

fn addresses(waker: &Waker) -> Addresses {
    (waker.data().addr(), core::ptr::from_ref(waker.vtable()).addr())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use alloc::sync::Arc;
    use alloc::task::Wake;

    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_foreign_waker_is_the_same_party_as_before_and_another_one_is_not() {
        let (one, other) = (Waker::from(Arc::new(Nothing)), Waker::from(Arc::new(Nothing)));
        let party = Party::of(&one);
        assert!(party.is_behind(&one) && Party::of(Waker::noop()).is_behind(Waker::noop()));
        assert!(!party.is_behind(&other) && !party.is_behind(Waker::noop()));
    }

    #[test]
    fn a_party_and_its_absence_fit_one_word() {
        assert_eq!(size_of::<Option<Party>>(), size_of::<usize>());
    }
}
