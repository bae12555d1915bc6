//! A waker whose clone is somebody's code, as a table of its own may say. (The wakers that `std` makes of an `Arc` are cloned
//! without a call.)
//!
//! Invariant `hooked.counted`: each waker of this table owns one strong reference of its `Arc<F>`.
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A waker that calls `cloned` whenever it is cloned, and does nothing else.
pub(super) fn calls_when_cloned<F: Fn() + Send + Sync + 'static>(cloned: Arc<F>) -> Waker {
    // SAFETY: the table is made for an `Arc<F>`, of which the new waker owns a reference (`hooked.counted`).
    unsafe { Waker::from_raw(raw(cloned)) }
}

fn raw<F: Fn() + Send + Sync + 'static>(cloned: Arc<F>) -> RawWaker {
    RawWaker::new(Arc::into_raw(cloned).cast(), Table::<F>::TABLE)
}

struct Table<F>(F);

impl<F: Fn() + Send + Sync + 'static> Table<F> {
    const TABLE: &'static RawWakerVTable = &RawWakerVTable::new(
        |p| {
            // SAFETY: the waker that is cloned owns a reference, which it keeps.
            (unsafe { &*p.cast::<F>() })();
            // SAFETY: as above; the reference that is counted here is the clone's.
            raw(unsafe {
                Arc::increment_strong_count(p.cast::<F>());
                Arc::from_raw(p.cast::<F>())
            })
        },
        // SAFETY: the waker gives its reference up.
        |p| drop(unsafe { Arc::from_raw(p.cast::<F>()) }),
        |_| {},
        // SAFETY: the waker gives its reference up.
        |p| drop(unsafe { Arc::from_raw(p.cast::<F>()) }),
    );
}
