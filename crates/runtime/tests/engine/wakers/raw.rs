//! A waker whose clone, wake and drop are somebody's code, as a table of its own may say. (The wakers that `std` makes of an
//! `Arc` are cloned without a call.)
//!
//! Invariant `hooked.counted`: each waker of this table owns one strong reference of its `Arc<H>`.
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// What a waker does.
pub(crate) trait Hooks: Send + Sync + 'static {
    /// It is about to be cloned.
    fn cloned(&self) {}
    /// It is woken.
    fn woken(&self) {}
    /// It is about to be dropped.
    fn dropped(&self) {}
}

/// A waker that does what `hooks` say.
pub(crate) fn waker<H: Hooks>(hooks: Arc<H>) -> Waker {
    // SAFETY: the table is made for an `Arc<H>`, of which the new waker owns a reference (`hooked.counted`).
    unsafe { Waker::from_raw(raw(hooks)) }
}

fn raw<H: Hooks>(hooks: Arc<H>) -> RawWaker {
    RawWaker::new(Arc::into_raw(hooks).cast(), Table::<H>::TABLE)
}

struct Table<H>(H);

impl<H: Hooks> Table<H> {
    const TABLE: &'static RawWakerVTable = &RawWakerVTable::new(
        |p| {
            // SAFETY: the waker that is cloned owns a reference, which it keeps.
            let hooks = unsafe { &*p.cast::<H>() };
            hooks.cloned();
            // SAFETY: as above; the reference that is counted here is the clone's.
            raw(unsafe {
                Arc::increment_strong_count(p.cast::<H>());
                Arc::from_raw(p.cast::<H>())
            })
        },
        // SAFETY: the waker gives its reference up.
        |p| unsafe { Arc::from_raw(p.cast::<H>()) }.woken(),
        // SAFETY: the waker owns a reference, which it keeps.
        |p| unsafe { &*p.cast::<H>() }.woken(),
        // SAFETY: the waker gives its reference up.
        |p| unsafe { Arc::from_raw(p.cast::<H>()) }.dropped(),
    );
}
