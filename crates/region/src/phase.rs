//! The pure part of a region's life: admission and the order of phases. No lock, no node.
use trace::RegionPhase;

/// How somebody wants in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A spawn through the region's body or a handle, or the registration of a finalizer.
    Body,
    /// A live task of the region opens a region of its own, or a janitor is needed to close one.
    LiveTask,
    /// A closure that blocks still runs, and the wait for it is gone: somebody has to wait in its place.
    Closure,
}

/// Whether a region in `phase` admits (`region.no-admit`).
pub fn admits(phase: RegionPhase, via: Via) -> bool {
    match phase {
        RegionPhase::Open => true,
        RegionPhase::Draining => via != Via::Body || types::seeded!("region.admit-while-draining"),
        // A finalizer may have begun it.
        RegionPhase::Finalizing => via == Via::Closure,
        RegionPhase::Settling | RegionPhase::Closed => false,
    }
}

/// The phase after `phase`, given what is left in the region. The body being over is what ends `Open`.
pub fn after(
    phase: RegionPhase,
    body_over: bool,
    members: bool,
    finalizers: bool,
    obligations: bool,
) -> RegionPhase {
    match phase {
        RegionPhase::Open if body_over => RegionPhase::Draining,
        RegionPhase::Draining if !members => RegionPhase::Finalizing,
        RegionPhase::Finalizing if !finalizers => RegionPhase::Settling,
        RegionPhase::Settling if !obligations => RegionPhase::Closed,
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RegionPhase::*;

    #[test]
    fn only_an_open_region_admits_from_outside() {
        assert!(admits(Open, Via::Body) && admits(Open, Via::LiveTask));
        assert!(!admits(Draining, Via::Body) && admits(Draining, Via::LiveTask));
        for late in [Finalizing, Settling, Closed] {
            assert!(!admits(late, Via::Body) && !admits(late, Via::LiveTask));
        }
    }

    #[test]
    fn whoever_waits_for_a_closure_is_admitted_until_the_region_settles() {
        assert!([Open, Draining, Finalizing].iter().all(|phase| admits(*phase, Via::Closure)));
        assert!(!admits(Settling, Via::Closure) && !admits(Closed, Via::Closure));
    }

    #[test]
    fn each_phase_waits_for_its_own_condition() {
        assert_eq!(after(Open, false, false, false, false), Open);
        assert_eq!(after(Draining, true, true, false, false), Draining);
        assert_eq!(after(Finalizing, true, false, true, false), Finalizing);
        assert_eq!(after(Settling, true, false, false, true), Settling);
        assert_eq!(after(Settling, true, false, false, false), Closed);
    }
}
