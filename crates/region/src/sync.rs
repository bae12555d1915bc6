//! Atomics of `core`, or loom's when a model is checked. The cell is in `raw/cell.rs`.
#[cfg(not(loom))]
pub(crate) use core::sync::atomic::AtomicBool;
#[cfg(loom)]
pub(crate) use loom::sync::atomic::AtomicBool;

pub(crate) use core::sync::atomic::Ordering;

/// Waits a moment for somebody else: gives the processor away after a while, where that is possible.
#[inline]
pub(crate) fn spin(spins: u32) {
    #[cfg(all(feature = "std", not(loom)))]
    if spins > 64 {
        std::thread::yield_now();
    }
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    core::hint::spin_loop();
    let _ = spins;
}
