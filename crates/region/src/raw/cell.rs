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
    pub(crate) struct MutPtr<T>(pub(super) *mut T);
}

/// Looks at the value. Not through an exclusive reference, not even for a moment: several results may be about.
///
/// # Safety
/// Nobody changes the value while the result lives.
#[inline(always)]
pub(crate) unsafe fn shared<T>(at: &MutPtr<T>) -> &T {
    // SAFETY: says the caller.
    unsafe {
        #[cfg(not(loom))]
        return &*at.0;
        #[cfg(loom)]
        return at.deref();
    }
}

/// The value, to be changed.
///
/// # Safety
/// The caller has the value for itself.
#[inline(always)]
pub(crate) unsafe fn exclusive<T>(at: &mut MutPtr<T>) -> &mut T {
    // SAFETY: says the caller.
    unsafe {
        #[cfg(not(loom))]
        return &mut *at.0;
        #[cfg(loom)]
        return at.deref();
    }
}
