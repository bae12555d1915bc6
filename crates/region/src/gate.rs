//! Quiescence: who is in a region, who may still come in, and who is woken when nobody is left.
//!
//! The decision alone, without lists and labels: it lives under the region's lock, and
//! `tests/loom_quiescence.rs` runs it under that very lock with threads.
//!
//! Invariants: `region.no-admit` (a phase that does not admit never counts anybody), `region.waits` (the phase
//! leaves Draining only when members and children are zero, in the same critical section that found them so),
//! `gate.told` (whoever takes the last one out while a closer waits hands the closer to be woken).
// Public for the models in `tests/loom_quiescence.rs`, which build with `--cfg loom`.
#![cfg_attr(not(loom), allow(unreachable_pub))]
use crate::phase::{Via, admits};
use trace::RegionPhase;

/// See the module. `W` is whoever waits: a waker.
#[derive(Debug)]
pub struct Gate<W> {
    phase: RegionPhase,
    members: u32,
    daemons: u32,
    children: u32,
    /// Those of them that daemons have opened.
    of_daemons: u32,
    closer: Option<W>,
}

/// What is left in a draining region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// Daemons.
    OnlyDaemons,
    /// Somebody to wait for.
    Somebody,
}

impl<W> Default for Gate<W> {
    fn default() -> Gate<W> {
        Gate { phase: RegionPhase::Open, members: 0, daemons: 0, children: 0, of_daemons: 0, closer: None }
    }
}

impl<W> Gate<W> {
    /// The phase.
    pub fn phase(&self) -> RegionPhase {
        self.phase
    }

    /// How many live members there are.
    pub fn members(&self) -> u32 {
        self.members
    }

    /// Lets a member in. False, with nothing counted, if the phase does not admit.
    pub fn enter(&mut self, via: Via, daemon: bool) -> bool {
        if !admits(self.phase, via) {
            return false;
        }
        self.members += 1;
        self.daemons += u32::from(daemon);
        true
    }

    /// A member is gone. Returns the closer, if it waited for this.
    #[must_use]
    pub fn leave(&mut self, daemon: bool) -> Option<W> {
        self.members -= 1;
        self.daemons -= u32::from(daemon);
        self.closer_if_drained()
    }

    /// Lets a child region in, which a daemon of this region opened or not. False, with nothing counted, if the
    /// phase does not admit.
    pub fn open_child(&mut self, of_daemon: bool) -> bool {
        if !admits(self.phase, Via::LiveTask) {
            return false;
        }
        self.children += 1;
        self.of_daemons += u32::from(of_daemon);
        true
    }

    /// A child region has closed. Returns the closer, if it waited for this.
    #[must_use]
    pub fn close_child(&mut self, of_daemon: bool) -> Option<W> {
        self.children -= 1;
        self.of_daemons -= u32::from(of_daemon);
        self.closer_if_drained()
    }

    /// The body is over. False if that was known.
    pub fn end_body(&mut self) -> bool {
        let first = self.phase == RegionPhase::Open;
        if first {
            self.phase = RegionPhase::Draining;
        }
        first
    }

    /// Looks at who is left, once the body is over. With nothing left, the region goes on to Finalizing.
    pub fn look(&mut self) -> Left {
        debug_assert_ne!(self.phase, RegionPhase::Open, "an open region drains");
        // It was drained before, by somebody who is gone; who came since waits for a closure of a finalizer.
        if self.phase != RegionPhase::Draining {
            return Left::Nothing;
        }
        if self.is_empty() || types::seeded!("region.close-early") && self.children == 0 {
            self.phase = RegionPhase::Finalizing;
            return Left::Nothing;
        }
        if self.only_daemons() { Left::OnlyDaemons } else { Left::Somebody }
    }

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.members == 0 && self.children == 0
    }

    /// Whether nobody is left but daemons, and what they have opened.
    fn only_daemons(&self) -> bool {
        self.members == self.daemons && self.children == self.of_daemons
    }

    /// The closer that waits.
    pub fn closer(&self) -> Option<&W> {
        self.closer.as_ref()
    }

    /// Puts a closer in place; returns the one before. In the critical section of the [`Gate::look`] that found
    /// somebody.
    pub fn wait(&mut self, closer: W) -> Option<W> {
        self.closer.replace(closer)
    }

    /// Takes the closer out.
    pub fn take_closer(&mut self) -> Option<W> {
        self.closer.take()
    }

    /// The finalizers have run, and what they began has ended: no member is left.
    pub fn finalized(&mut self) -> bool {
        let first = self.phase == RegionPhase::Finalizing;
        if first {
            self.phase = RegionPhase::Settling;
        }
        first
    }

    /// Nothing is outstanding: closed for ever. Returns a closer that is still in place, to be dropped.
    pub fn close(&mut self) -> Option<W> {
        // With the mistake it's for whoever awaits the region to notice.
        debug_assert!(self.members == 0 || types::seeded!("region.close-early"), "closed over a live task");
        debug_assert_eq!(self.children, 0, "closed over an open region");
        self.phase = RegionPhase::Closed;
        self.closer.take()
    }

    fn closer_if_drained(&mut self) -> Option<W> {
        let waits = matches!(self.phase, RegionPhase::Draining | RegionPhase::Finalizing);
        if types::seeded!("gate.no-wake") || !waits || !self.only_daemons() {
            return None;
        }
        self.closer.take()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_last_member_hands_the_closer_over_and_nobody_else_does() {
        let mut gate = Gate::default();
        assert!(gate.enter(Via::Body, false) && gate.enter(Via::Body, false) && gate.open_child(false));
        assert!(gate.end_body() && !gate.end_body());
        assert!(!gate.enter(Via::Body, false), "a draining region admits nobody from its body");
        assert_eq!(gate.look(), Left::Somebody);
        gate.wait("closer");
        assert_eq!(gate.leave(false), None);
        assert_eq!(gate.leave(false), None, "a child is still open");
        assert_eq!(gate.close_child(false), Some("closer"));
        assert_eq!((gate.look(), gate.phase()), (Left::Nothing, RegionPhase::Finalizing));
        assert!(!gate.enter(Via::LiveTask, false) && !gate.open_child(false));
    }

    #[test]
    fn whoever_waits_for_a_closure_of_a_finalizer_hands_the_closer_over_when_it_leaves() {
        let mut gate = Gate::default();
        gate.end_body();
        assert_eq!((gate.look(), gate.phase()), (Left::Nothing, RegionPhase::Finalizing));
        assert!(gate.enter(Via::Closure, false));
        assert_eq!(gate.look(), Left::Nothing, "the finalizers after it run all the same");
        gate.wait("closer");
        assert_eq!((gate.leave(false), gate.members()), (Some("closer"), 0));
        assert!(gate.finalized() && !gate.enter(Via::Closure, false));
    }

    #[test]
    fn daemons_alone_wake_the_closer_who_asks_them_to_end() {
        let mut gate = Gate::default();
        assert!(gate.enter(Via::Body, true) && gate.enter(Via::Body, false));
        gate.end_body();
        assert_eq!(gate.look(), Left::Somebody);
        gate.wait(1);
        assert_eq!(gate.leave(false), Some(1));
        assert_eq!(gate.look(), Left::OnlyDaemons);
        gate.wait(2);
        assert_eq!(gate.leave(true), Some(2));
        assert_eq!(gate.look(), Left::Nothing);
    }
}
