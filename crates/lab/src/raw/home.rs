//! [`HomeCell`]: state that one thread works with, of a thing that other threads may hold too. Looking at it costs the
//! home thread two plain loads; a mutex that nobody contends for costs two read-modify-writes, several times a step.
//!
//! [`Lent`]: a scheduler that the caller has locked once, for the length of a whole execution.
//!
//! Invariants:
//! - `home.one`: a cell's home is set once, to the number of the thread that claims it; no two threads of the process
//!   ever have the same number.
//! - `home.exclusive`: at most one [`HomeRef`] of a cell exists at a time, and only the home thread makes any.
//! - `lent.scoped`: what is lent is taken back before the call that lent it returns or unwinds.
//!
//! Not here: what other threads do instead (`engine::arrivals`).
use explore::Scheduler;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A thread that has no number yet.
const UNNUMBERED: u64 = 0;
/// No thread has this number: the home of a cell that nobody has claimed.
const NOBODY: u64 = u64::MAX;

thread_local! {
    static HERE: Cell<u64> = const { Cell::new(UNNUMBERED) };
}

/// This thread's number; it has one from now on.
fn here() -> u64 {
    match HERE.get() {
        UNNUMBERED => number_thread(),
        here => here,
    }
}

#[cold]
fn number_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(UNNUMBERED + 1);
    let number = NEXT.fetch_add(1, Relaxed);
    HERE.set(number);
    number
}

/// See the module.
#[derive(Debug)]
pub(crate) struct HomeCell<T> {
    home: AtomicU64,
    taken: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: `home.exclusive`: through a shared reference, `taken` and `value` are touched by the home thread only, so no
// two threads touch them at a time. The value may have been made, and may be dropped, on other threads: `T: Send`.
unsafe impl<T: Send> Sync for HomeCell<T> {}

impl<T> HomeCell<T> {
    /// A cell that nobody has claimed.
    pub(crate) fn new(value: T) -> HomeCell<T> {
        HomeCell { home: AtomicU64::new(NOBODY), taken: Cell::new(false), value: UnsafeCell::new(value) }
    }

    /// Makes this thread the cell's home, if it has none. True if that was so.
    pub(crate) fn claim(&self) -> bool {
        // Whoever is here was handed the cell, and with it whatever happened to it before.
        !self.is_home() && self.home.compare_exchange(NOBODY, here(), Relaxed, Relaxed).is_ok()
    }

    /// Whether this thread is its home.
    #[inline]
    pub(crate) fn is_home(&self) -> bool {
        // A thread without a number has claimed nothing, and nothing has the home of one.
        self.home.load(Relaxed) == HERE.get()
    }

    /// The state, on the home thread; `None` on any other.
    ///
    /// # Panics
    /// If the home thread has it already.
    #[inline]
    #[track_caller]
    pub(crate) fn reach(&self) -> Option<HomeRef<'_, T>> {
        if !self.is_home() {
            return None;
        }
        assert!(!self.taken.replace(true), "lab: this state is in use further up the stack");
        Some(HomeRef { cell: self, on_this_thread: PhantomData })
    }

    /// The state.
    ///
    /// # Panics
    /// On any other thread, and if the home thread has it already.
    #[inline]
    #[track_caller]
    pub(crate) fn get(&self) -> HomeRef<'_, T> {
        match self.reach() {
            Some(state) => state,
            None => panic!("lab: this is for the thread on which the lab runs"),
        }
    }
}

/// The state of a [`HomeCell`], until it is dropped.
pub(crate) struct HomeRef<'c, T> {
    cell: &'c HomeCell<T>,
    /// It does not leave the home thread.
    on_this_thread: PhantomData<*const ()>,
}

impl<T> Deref for HomeRef<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `home.exclusive`: this is the only reference, and nobody else gets at the value.
        unsafe { &*self.cell.value.get() }
    }
}

impl<T> DerefMut for HomeRef<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and this reference is borrowed mutably.
        unsafe { &mut *self.cell.value.get() }
    }
}

impl<T> Drop for HomeRef<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.cell.taken.set(false)
    }
}

/// A pointer to what was lent.
struct Loan(NonNull<dyn Scheduler + Send>);

// SAFETY: as `&mut (dyn Scheduler + Send)`, which may go to another thread.
unsafe impl Send for Loan {}

/// See the module.
pub(crate) struct Lent(HomeCell<Option<Loan>>);

impl Lent {
    pub(crate) fn new() -> Lent {
        Lent(HomeCell::new(None))
    }

    /// Runs `f` with `scheduler` there for [`Lent::with`], on this thread. Another one that is there comes back
    /// afterwards.
    pub(crate) fn lend<R>(
        &self,
        scheduler: &mut (dyn Scheduler + Send + 'static),
        f: impl FnOnce() -> R,
    ) -> R {
        struct TakeBack<'l>(&'l Lent, Option<Loan>);
        impl Drop for TakeBack<'_> {
            fn drop(&mut self) {
                *self.0.0.get() = self.1.take();
            }
        }
        self.0.claim();
        let loan = Loan(NonNull::from(scheduler));
        let before = self.0.get().replace(loan);
        let _back = TakeBack(self, before);
        f()
    }

    /// What is lent, if anything is, and this is the thread on which it is.
    ///
    /// # Panics
    /// If the scheduler is asked from inside the scheduler.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut (dyn Scheduler + Send)) -> R) -> Option<R> {
        let mut lent = self.0.reach()?;
        let Loan(scheduler) = lent.as_mut()?;
        // SAFETY: `lent.scoped`: the call that borrowed the scheduler mutably is further up this thread's stack and
        // takes it back before it ends. It doesn't use it meanwhile, and nobody else gets at the loan while `lent` is
        // held.
        Some(f(unsafe { scheduler.as_mut() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use explore::Fifo;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use trace::Choice;

    #[allow(clippy::disallowed_methods, reason = "a thread stands for what is outside the lab")]
    #[test]
    fn only_the_thread_that_claimed_a_cell_reaches_it() {
        let cell = HomeCell::new(1);
        assert!(cell.reach().is_none(), "nobody has claimed it");
        cell.claim();
        *cell.get() += 1;
        std::thread::scope(|s| {
            s.spawn(|| {
                cell.claim();
                assert!(cell.reach().is_none() && !cell.is_home());
            });
        });
        assert_eq!(cell.reach().map(|state| *state), Some(2));
    }

    #[test]
    fn a_second_reference_is_refused_and_a_later_one_is_not() {
        let cell = HomeCell::new(());
        cell.claim();
        let first = cell.get();
        assert!(catch_unwind(AssertUnwindSafe(|| drop(cell.get()))).is_err());
        drop(first);
        drop(cell.get());
    }

    #[test]
    fn what_is_lent_is_gone_after_the_call_even_if_it_panics() {
        let lent = Lent::new();
        let ask = || lent.with(|s| s.choose(Choice::Io, 3, 1));
        assert_eq!(ask(), None);
        assert_eq!(lent.lend(&mut Fifo, ask), Some(1));
        assert_eq!(ask(), None);
        let panics = || lent.lend(&mut Fifo, || panic!("as planned"));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(ask(), None);
    }
}
