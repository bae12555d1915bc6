//! Atomics of `core`, or loom's when a model is checked, and how a contended lock waits. The cell is in
//! `raw/cell.rs`.
#[cfg(not(loom))]
pub(crate) use core::sync::atomic::AtomicBool;
#[cfg(loom)]
pub(crate) use loom::sync::atomic::AtomicBool;
#[cfg(loom)]
pub(crate) use model::Parking;
#[cfg(not(loom))]
pub(crate) use spinning::Parking;

pub(crate) use core::sync::atomic::Ordering;

#[cfg(not(loom))]
mod spinning {
    use super::{AtomicBool, Ordering::Relaxed};

    /// Nothing: whoever waits spins.
    #[derive(Debug, Default)]
    pub(crate) struct Parking;

    impl Parking {
        pub(crate) const fn new() -> Parking {
            Parking
        }

        /// Waits until `locked` is seen to be false, giving the processor away after a while.
        pub(crate) fn wait_while(&self, locked: &AtomicBool) {
            let mut spins = 0u32;
            while locked.load(Relaxed) {
                spins = spins.saturating_add(1);
                #[cfg(feature = "std")]
                if spins > 64 {
                    std::thread::yield_now();
                }
                core::hint::spin_loop();
            }
        }

        /// The lock was opened.
        #[inline(always)]
        pub(crate) fn unlocked(&self) {}
    }
}

#[cfg(loom)]
mod model {
    use super::{AtomicBool, Ordering::Relaxed};
    use loom::sync::{Condvar, Mutex};

    /// Loom cannot follow spinning: a model sleeps instead. The sleep orders what comes after it, but a lock that
    /// is free is taken without it, so a missing order still shows.
    #[derive(Debug, Default)]
    pub(crate) struct Parking {
        gate: Mutex<()>,
        changed: Condvar,
    }

    impl Parking {
        pub(crate) fn new() -> Parking {
            Parking { gate: Mutex::new(()), changed: Condvar::new() }
        }

        pub(crate) fn wait_while(&self, locked: &AtomicBool) {
            let mut gate = self.gate.lock().expect("nobody panics in here");
            while locked.load(Relaxed) {
                gate = self.changed.wait(gate).expect("nobody panics in here");
            }
        }

        pub(crate) fn unlocked(&self) {
            let _gate = self.gate.lock().expect("nobody panics in here");
            self.changed.notify_all();
        }
    }
}
