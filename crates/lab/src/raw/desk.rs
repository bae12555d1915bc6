//! [`Desk`]: a thread's own box of state, reached many times a step: one load where a `RefCell` in a thread-local with a
//! destructor costs a dozen instructions.
//!
//! Invariants:
//! - `desk.owns`: the pointer on a desk came from `Box::into_raw`, and nobody else has it.
//! - `desk.exclusive`: it is off the desk for as long as a reference to what it points to exists.
//!
//! Not here: what lies on it (`watch`).
use std::cell::Cell;
use std::ptr::NonNull;

/// See the module. For statics of a thread: what lies on it when the thread ends is leaked.
pub(crate) struct Desk<T>(Cell<Option<NonNull<T>>>);

/// Lays it back, also when a call unwinds.
struct LayBack<'d, T>(&'d Desk<T>, NonNull<T>);

impl<T> Drop for LayBack<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.set(Some(self.1))
    }
}

impl<T> Desk<T> {
    /// With nothing on it.
    pub(crate) const fn new() -> Desk<T> {
        Desk(Cell::new(None))
    }

    /// Lays this there; returns what was there.
    pub(crate) fn put(&self, value: Box<T>) -> Option<Box<T>> {
        let before = self.take();
        self.0.set(Some(NonNull::from(Box::leak(value))));
        before
    }

    /// Takes what is there.
    pub(crate) fn take(&self) -> Option<Box<T>> {
        // SAFETY: `desk.owns`, and it is off the desk now.
        self.0.take().map(|there| unsafe { Box::from_raw(there.as_ptr()) })
    }

    /// Works on what is there; not if somebody further up the stack does.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let there = self.0.take()?;
        let mut back = LayBack(self, there);
        // SAFETY: `desk.owns`, `desk.exclusive`: it is laid back when `f` has returned or unwound, and `f` cannot keep
        // the reference.
        Some(f(unsafe { back.1.as_mut() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn what_is_laid_down_is_there_until_it_is_taken() {
        let desk = Desk::new();
        assert_eq!(desk.with(|n: &mut i32| *n), None);
        assert_eq!(desk.put(Box::new(1)), None);
        assert_eq!(desk.with(|n| std::mem::replace(n, 2)), Some(1));
        assert_eq!(desk.put(Box::new(3)), Some(Box::new(2)));
        assert_eq!((desk.take(), desk.take()), (Some(Box::new(3)), None));
    }

    #[test]
    fn it_is_out_of_reach_for_whoever_is_called_meanwhile_and_back_after_a_panic() {
        let desk = Desk::new();
        desk.put(Box::new(1));
        let nested = desk.with(|_| desk.with(|n| *n).or_else(|| desk.take().map(|n| *n)));
        assert_eq!(nested, Some(None));
        let panics = catch_unwind(AssertUnwindSafe(|| desk.with(|_| panic!("as planned"))));
        assert!(panics.is_err());
        assert_eq!(desk.take(), Some(Box::new(1)));
    }
}
