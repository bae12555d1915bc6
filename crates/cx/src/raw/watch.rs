//! The process's one [`Watcher`]: a pointer that is set at most once.
//!
//! Invariant `watch.once`: the pointer is null, or the address of a reference that lives for ever.
use crate::object::Watcher;
use core::sync::atomic::{AtomicPtr, Ordering::*};

static WATCHER: AtomicPtr<&'static dyn Watcher> = AtomicPtr::new(core::ptr::null_mut());

/// Sets the watcher, if there is none yet. Whether it is this one.
pub(crate) fn install(watcher: &'static &'static dyn Watcher) -> bool {
    let new = core::ptr::from_ref(watcher).cast_mut();
    if core::ptr::eq(WATCHER.load(Acquire), new) {
        return true;
    }
    match WATCHER.compare_exchange(core::ptr::null_mut(), new, AcqRel, Acquire) {
        Ok(_) => true,
        Err(present) => core::ptr::eq(present, new),
    }
}

/// The watcher, if one was ever set.
#[inline]
pub(crate) fn watcher() -> Option<&'static dyn Watcher> {
    let present = WATCHER.load(Acquire);
    if present.is_null() {
        return None;
    }
    // SAFETY: `watch.once`: not null, so `install` stored it, from a reference that lives for ever; nobody writes
    // through the pointer.
    Some(unsafe { *present })
}
