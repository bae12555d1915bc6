//! References that a task keeps for its own waiters, so that waiting costs no locked instruction.
//!
//! A task that waits puts a counted reference of itself somewhere: into a channel, a timer, a join slot. Counting is
//! a read-modify-write, and giving it back when the wait is given up is another. So the first wait takes several at
//! once and the task keeps the rest, as it keeps what it gets back; they are given up with the live reference, which
//! holds the cell for that long anyway.
//!
//! The number of those kept is the poller's alone. Who that is, is noted per thread while a body is polled. The note
//! is no ambient context: nothing can be done through it, and code that meets it or does not behaves the same.
//!
//! Invariant `spare.poller`: the number is read and written by the thread that polls the body, during that poll, and
//! at the task's end by the same thread; one poll happens before the next one (`task.single-poller`).
use super::header::Header;

/// How many references the first wait takes beyond its own.
pub(crate) const BATCH: u64 = 7;

#[cfg(all(feature = "std", not(loom)))]
pub(crate) use noted::{Noted, is_polled};
#[cfg(all(feature = "std", not(loom)))]
pub use noted::{is_inside_inline, is_inside_task, run_inline};
#[cfg(not(all(feature = "std", not(loom))))]
pub(crate) use unknown::{Noted, is_polled};
#[cfg(not(all(feature = "std", not(loom))))]
pub use unknown::{is_inside_inline, is_inside_task, run_inline};

#[cfg(all(feature = "std", not(loom)))]
mod noted {
    use super::Header;
    use core::cell::Cell;

    std::thread_local! {
        // Constant and without a destructor: a plain thread-local access. Only addresses are compared.
        static POLLED: Cell<*const Header> = const { Cell::new(core::ptr::null()) };
    }

    /// Takes the note back when dropped: a task may be polled inside another one, by an engine that runs in it.
    pub(crate) struct Noted(*const Header);

    impl Noted {
        /// # Safety
        /// The caller polls the body of this task, and drops the result before the poll is over.
        #[inline]
        pub(crate) unsafe fn new(task: &Header) -> Noted {
            Noted(POLLED.replace(task))
        }
    }

    impl Drop for Noted {
        #[inline]
        fn drop(&mut self) {
            POLLED.set(self.0)
        }
    }

    /// Whether this thread is polling the body of this task.
    #[inline]
    pub(crate) fn is_polled(task: &Header) -> bool {
        core::ptr::eq(POLLED.get(), task)
    }

    /// What is noted while a closure runs that may block: no task's address.
    const INLINE: *const Header = core::ptr::without_provenance(1);

    /// Whether this thread is polling the body of some task right now, so that blocking it would stop others. Only for
    /// refusing to block: nothing else may depend on it.
    #[inline]
    pub fn is_inside_task() -> bool {
        let polled = POLLED.get();
        !polled.is_null() && polled != INLINE
    }

    /// Whether this thread runs a closure by [`run_inline`]: as [`is_inside_task`].
    #[inline]
    pub fn is_inside_inline() -> bool {
        POLLED.get() == INLINE
    }

    /// Runs a closure that is written for a thread of its own, on one that polls a task: it may do what never waits in the
    /// form that may block.
    pub fn run_inline<R>(run: impl FnOnce() -> R) -> R {
        let _noted = Noted(POLLED.replace(INLINE));
        run()
    }
}

#[cfg(not(all(feature = "std", not(loom))))]
mod unknown {
    use super::Header;

    /// Nothing: there is no place to note it.
    pub(crate) struct Noted;

    impl Noted {
        /// # Safety
        /// As with `std`.
        #[inline]
        pub(crate) unsafe fn new(_: &Header) -> Noted {
            Noted
        }
    }

    /// Nobody can tell.
    #[inline]
    pub(crate) fn is_polled(_: &Header) -> bool {
        false
    }

    /// Nobody can tell.
    #[inline]
    pub fn is_inside_task() -> bool {
        false
    }

    /// Nobody can tell.
    #[inline]
    pub fn is_inside_inline() -> bool {
        false
    }

    /// Runs the closure.
    pub fn run_inline<R>(run: impl FnOnce() -> R) -> R {
        run()
    }
}
