//! `core`'s cell with loom's interface, or loom's own, which notices two at a time.
#[cfg(loom)]
pub(crate) use loom::cell::{MutPtr, UnsafeCell};
#[cfg(not(loom))]
pub(crate) use plain::{MutPtr, UnsafeCell};

#[cfg(not(loom))]
mod plain {
    /// See `core::cell::UnsafeCell`.
    #[derive(Debug, Default)]
    pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> UnsafeCell<T> {
            UnsafeCell(core::cell::UnsafeCell::new(value))
        }

        /// The address of the value.
        #[inline(always)]
        pub(crate) fn get_mut(&self) -> MutPtr<T> {
            MutPtr(self.0.get())
        }
    }

    /// The address of a value in a cell.
    #[derive(Debug)]
    pub(crate) struct MutPtr<T>(*mut T);

    impl<T> MutPtr<T> {
        /// # Safety
        /// The caller has the value for itself, and ends one result's life before it asks for another.
        #[inline(always)]
        #[allow(clippy::mut_from_ref)]
        pub(crate) unsafe fn deref(&self) -> &mut T {
            // SAFETY: says the caller.
            unsafe { &mut *self.0 }
        }
    }
}
