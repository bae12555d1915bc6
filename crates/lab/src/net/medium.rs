//! What every part of the simulated network shares: the clock and its timers, the decisions, the profile, and the
//! count of what happened.
use super::profile::{NetProfile, NetStats};
use crate::decisions::Decisions;
use crate::world::{VirtualClock, VirtualTimers, locked};
use cx::Waiter;
use cx::port::{Clock, Due, TimerKey, Timers};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;
use trace::Choice;
use types::Time;

/// See the module.
pub(super) struct Medium {
    pub(super) profile: NetProfile,
    clock: Arc<VirtualClock>,
    timers: Arc<VirtualTimers>,
    decisions: Arc<Decisions>,
    stats: Mutex<NetStats>,
}

/// The jitter's steps.
const STEPS: usize = 8;

impl Medium {
    pub(super) fn new(
        profile: NetProfile,
        clock: Arc<VirtualClock>,
        timers: Arc<VirtualTimers>,
        decisions: Arc<Decisions>,
    ) -> Medium {
        Medium { profile, clock, timers, decisions, stats: Mutex::default() }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(super) fn stats(&self) -> NetStats {
        *locked(&self.stats)
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut NetStats)) {
        change(&mut locked(&self.stats))
    }

    /// When a segment that is sent now arrives.
    pub(super) fn arrival(&self) -> Time {
        let NetProfile { latency, jitter, .. } = self.profile;
        let mut takes = latency;
        if jitter > Duration::ZERO {
            let step = self.decisions.choose(Choice::Io, STEPS, 0);
            takes += jitter * step as u32 / (STEPS as u32 - 1);
        }
        self.now().saturating_add(takes)
    }

    /// How many of `possible` bytes one read or write moves. The two questions are kept small, so that a search through
    /// the decisions can enumerate them.
    pub(super) fn portion(&self, possible: usize) -> usize {
        if !self.profile.chunking || possible < 2 {
            return possible;
        }
        match self.decisions.choose(Choice::Io, 4, 0) {
            0 => possible,
            1 => 1,
            2 => possible / 2,
            _ => 1 + self.decisions.choose(Choice::Io, possible - 1, 0),
        }
    }

    /// Whether a fault that comes once in `one_in` times comes now.
    pub(super) fn fault(&self, one_in: u32) -> bool {
        match one_in {
            0 => false,
            1 => true,
            n => self.decisions.choose(Choice::Fault, n as usize, 0) == 1,
        }
    }

    /// Has `event` woken at `at`.
    pub(super) fn set<E: Wake + Send + Sync + 'static>(&self, at: Time, event: E) -> TimerKey {
        self.timers.set(at, Due::wake(Waiter::from_waker(&Waker::from(Arc::new(event)))))
    }

    /// Takes an event back.
    pub(super) fn take(&self, key: TimerKey) {
        drop(self.timers.take(key))
    }
}

/// Waiters that were let go under a lock, and wait for its end (`simnet.unlocked-wakes`). Dropping it wakes and drops
/// them: declare it before the guard.
#[derive(Default)]
pub(super) struct Loose {
    /// Whoever may have to wait.
    fresh: Option<Waiter>,
    wake: Vec<Waiter>,
    forget: Vec<Waiter>,
}

impl Loose {
    /// For an operation that may wait through `waker`, which is cloned here and not under the lock: that may be code of
    /// others.
    pub(super) fn of(waker: &Waker) -> Loose {
        Loose { fresh: Some(Waiter::from_waker(waker)), wake: Vec::new(), forget: Vec::new() }
    }

    pub(super) fn wake(&mut self, waiter: Option<Waiter>) {
        self.wake.extend(waiter)
    }

    pub(super) fn forget(&mut self, waiter: Option<Waiter>) {
        self.forget.extend(waiter)
    }

    /// Stores who waits (the waker that it was made [of](Loose::of)), in the place of whoever did.
    pub(super) fn register(&mut self, slot: &mut Option<Waiter>, waker: &Waker) {
        if !slot.as_ref().is_some_and(|w| w.will_wake(waker))
            && let Some(fresh) = self.fresh.take()
        {
            self.forget(slot.replace(fresh))
        }
    }
}

impl Drop for Loose {
    fn drop(&mut self) {
        self.wake.drain(..).for_each(Waiter::wake);
        self.forget.clear();
    }
}
