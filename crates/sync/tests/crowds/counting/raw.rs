//! The allocator of this test: the system's, with a count of bytes.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// See the module.
pub(crate) struct Counting(AtomicUsize);

impl Counting {
    pub(crate) const fn new() -> Counting {
        Counting(AtomicUsize::new(0))
    }

    /// Bytes that were taken and not given back.
    pub(crate) fn live(&self) -> usize {
        self.0.load(Relaxed)
    }
}

// SAFETY: every call goes to `System` unchanged; the counter touches no memory that is handed out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(layout.size(), Relaxed);
        // SAFETY: says the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Relaxed);
        // SAFETY: says the caller.
        unsafe { System.dealloc(at, layout) }
    }
}
