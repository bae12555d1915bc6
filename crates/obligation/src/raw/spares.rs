//! Free records that a thread keeps for itself, so that taking one and giving it back is no read-modify-write.
//!
//! A permit mostly ends on the thread that reserved it, and soon. So what is given back is kept, the newest on top, and
//! taken from there first; above a bound the newest half goes to the pool in one piece. Without `std` there is nothing
//! to keep them in, and each comes from the pool and goes there.
//!
//! Invariant `spares.alone`: a record that is kept is linked in one thread's list alone; nobody else has its index.
use super::pool::POOL;

#[cfg(all(feature = "std", not(loom)))]
pub(super) use kept::{give, take};
#[cfg(not(all(feature = "std", not(loom))))]
pub(super) use shared::{give, take};

#[cfg(not(all(feature = "std", not(loom))))]
mod shared {
    use super::POOL;

    /// A free record's index.
    ///
    /// # Panics
    /// With more than four million records in use.
    pub(in crate::raw) fn take() -> u32 {
        POOL.take()
    }

    /// Gives a free record back.
    pub(in crate::raw) fn give(index: u32) {
        POOL.give(index, index)
    }
}

#[cfg(all(feature = "std", not(loom)))]
mod kept {
    use super::POOL;
    use crate::sync::Ordering::Relaxed;
    use core::cell::Cell;
    use std::thread_local;

    /// How many a thread keeps at most, and how many of them it gives to the pool when it has more.
    const MOST: u32 = 64;
    const BATCH: u32 = MOST / 2;

    /// A thread's list.
    #[derive(Clone, Copy)]
    struct Spares {
        /// Index + 1 of the newest; the others are linked behind it.
        first: u32,
        len: u32,
        ending: Ending,
    }

    /// Whether the list is emptied when the thread ends.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Ending {
        /// Nobody has seen to it yet.
        Open,
        /// It will be.
        Arranged,
        /// It was: nothing is kept any more.
        Over,
    }

    thread_local! {
        // Constant and without a destructor, so that it is a plain thread-local access and works for as long as the
        // thread does.
        static SPARES: Cell<Spares> = const { Cell::new(Spares { first: 0, len: 0, ending: Ending::Open }) };
        // Touched once: gives everything back when the thread ends.
        static AT_EXIT: AtExit = const { AtExit };
    }

    struct AtExit;

    impl Drop for AtExit {
        fn drop(&mut self) {
            let spares = SPARES.replace(Spares { first: 0, len: 0, ending: Ending::Over });
            give_newest(spares, spares.len);
        }
    }

    /// A free record's index.
    ///
    /// # Panics
    /// With more than four million records in use.
    #[inline]
    pub(in crate::raw) fn take() -> u32 {
        let spares = SPARES.get();
        let Some(index) = spares.first.checked_sub(1) else { return POOL.take() };
        let next = POOL.record(index).next_free.load(Relaxed);
        SPARES.set(Spares { first: next, len: spares.len - 1, ..spares });
        index
    }

    /// Gives a free record back.
    #[inline]
    pub(in crate::raw) fn give(index: u32) {
        let spares = SPARES.get();
        if spares.len >= MOST || spares.ending != Ending::Arranged {
            return give_slowly(index, spares);
        }
        keep(index, spares)
    }

    #[inline]
    fn keep(index: u32, spares: Spares) {
        POOL.record(index).next_free.store(spares.first, Relaxed);
        SPARES.set(Spares { first: index + 1, len: spares.len + 1, ..spares })
    }

    #[cold]
    #[inline(never)]
    fn give_slowly(index: u32, spares: Spares) {
        match spares.ending {
            Ending::Over => POOL.give(index, index),
            Ending::Open if AT_EXIT.try_with(|_| ()).is_err() => POOL.give(index, index),
            Ending::Open => keep(index, Spares { ending: Ending::Arranged, ..spares }),
            Ending::Arranged => keep(index, give_newest(spares, BATCH)),
        }
    }

    /// Gives the newest `count` of a list to the pool, in one piece. Returns the rest.
    fn give_newest(spares: Spares, count: u32) -> Spares {
        let Some(first) = spares.first.checked_sub(1) else { return spares };
        let mut last = first;
        for _ in 1..count {
            last = POOL.record(last).next_free.load(Relaxed) - 1;
        }
        let rest = POOL.record(last).next_free.load(Relaxed);
        POOL.give(first, last);
        Spares { first: rest, len: spares.len - count, ..spares }
    }
}
