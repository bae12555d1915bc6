//! The allocator of this test: the system's, with a count of bytes.
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::*};

/// See the module.
pub(crate) struct Counting {
    taken: AtomicUsize,
    live: AtomicUsize,
}

impl Counting {
    pub(crate) const fn new() -> Counting {
        Counting { taken: AtomicUsize::new(0), live: AtomicUsize::new(0) }
    }

    /// Bytes that were ever taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(SeqCst)
    }

    /// Bytes that were taken and not given back.
    pub(crate) fn live(&self) -> usize {
        self.live.load(SeqCst)
    }
}

// SAFETY: every call goes to `System` unchanged; the counters touch no memory that is handed out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.taken.fetch_add(layout.size(), Relaxed);
        self.live.fetch_add(layout.size(), Relaxed);
        // SAFETY: says the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size(), Relaxed);
        // SAFETY: says the caller.
        unsafe { System.dealloc(at, layout) }
    }
}
