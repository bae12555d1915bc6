//! From a reference to a region back to its `Arc`.
//!
//! Invariant `regions.in-arc`: a `Region` only ever exists inside an `Arc` made by [`in_arc`], which exposes the
//! address; so a borrowed region can be counted without carrying the `Arc` along.
use crate::region::Region;
use alloc::sync::Arc;

/// Puts a new region where regions live.
pub(crate) fn in_arc(region: Region) -> Arc<Region> {
    let region = Arc::new(region);
    let _ = Arc::as_ptr(&region).expose_provenance();
    region
}

impl Region {
    /// One more strong reference.
    pub fn counted(&self) -> Arc<Region> {
        let this = core::ptr::with_exposed_provenance::<Region>(core::ptr::from_ref(self).addr());
        // SAFETY: `regions.in-arc`; the region is alive, since it is borrowed.
        unsafe {
            Arc::increment_strong_count(this);
            Arc::from_raw(this)
        }
    }
}
