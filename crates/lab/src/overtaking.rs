//! Eager time: the clock may overtake tasks that could run, so often at most as it was given.
//!
//! | who picks the steps | when the clock is one of those who could be next |
//! |---|---|
//! | a sampler, a list, a search within delays | while a timer of the program is due next, and some overtakings are left |
//! | an exploration of every class | while a timer is due next that was decided to be fast when it was set |
//!
//! The second way is for the reduction: whether the clock can move must not depend on whether others can run, or two
//! steps that have nothing to do with each other could not be swapped. So it is decided beforehand which timers may overtake,
//! each decision is a branch, and the clock's move is a step of a task of its own, [`CLOCK`], whenever it comes. In the
//! first way the clock's move is such a step only if it overtakes somebody; else it is the world's.
//!
//! Invariants:
//! - `overtaking.bounded`: at most so many moves of the clock come before a task that could run.
//! - `overtaking.same`: both ways have the same runs, apart from what is decided about timers that overtake nobody.
//! - `overtaking.seen`: a step that looks at the clock, or sets a timer or takes one back, looks at one object, which the
//!   clock's step changes; a step that decides about a timer looks at how many may still be fast, or changes it.
//!
//! Not here: the clock's step (`engine::clock`), the timers (`world`).
use crate::config::LabConfig;
use crate::decisions::Decisions;
use crate::watch;
use explore::{Stuck, Touch};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use trace::{Access, Choice, ObjectKind};
use types::{TaskId, Time};

/// Whose the clock's steps are.
pub(crate) const CLOCK: TaskId = TaskId::from_u64(0x7468_6520_636C_6F63);

/// See the module.
pub(crate) struct Overtaking {
    /// How often, in a run.
    budget: u32,
    left: AtomicU32,
    /// Whether each timer is decided about when it is set.
    decided: bool,
    decisions: Arc<Decisions>,
}

impl Overtaking {
    pub(crate) fn new(config: &LabConfig, decisions: Arc<Decisions>) -> Overtaking {
        let (budget, decided) = (config.overtakings, config.decides_overtakings);
        Overtaking { budget, left: AtomicU32::new(budget), decided, decisions }
    }

    /// As before the run.
    pub(crate) fn renew(&self) {
        self.left.store(self.budget, Relaxed)
    }

    /// Whether timers that are fast may overtake tasks now.
    #[inline]
    pub(crate) fn may(&self) -> bool {
        self.budget > 0 && (self.decided || self.left.load(Relaxed) > 0)
    }

    pub(crate) fn is_decided(&self) -> bool {
        self.budget > 0 && self.decided
    }

    /// The clock has overtaken somebody.
    pub(crate) fn overtook(&self) {
        if !self.decided {
            self.left.fetch_sub(1, Relaxed);
        }
    }

    /// Whether the timer that is being set may overtake tasks.
    pub(crate) fn is_fast(&self) -> bool {
        if !self.decided {
            return self.budget > 0;
        }
        // What the world does by itself is no branch: nobody could have come before.
        if self.budget == 0 || !watch::in_a_step() {
            return false;
        }
        let fast = self.left.load(Relaxed) > 0 && self.decisions.choose(Choice::Time, 2, 0) == 1;
        if fast {
            self.left.fetch_sub(1, Relaxed);
        }
        watch::spends_overtaking(fast);
        fast
    }

    /// At the end of a run: the clock could have moved before, if there was a timer that it never came to.
    pub(crate) fn stuck(&self) -> Option<Stuck> {
        if types::seeded!("lab.timers-forgotten") {
            return None;
        }
        let was_any = self.decided && self.left.load(Relaxed) < self.budget;
        let moves = Touch { object: watch::TIME, kind: ObjectKind::Value, access: Access::Write, at: None };
        was_any.then_some(Stuck { task: CLOCK, announced: Some(moves), request: None })
    }
}

/// The timers that may overtake tasks.
#[derive(Default)]
pub(crate) struct Fast {
    /// By their entries in the wheel.
    timers: BTreeMap<u64, Time>,
    /// How many there are at an instant.
    instants: BTreeMap<Time, u32>,
}

impl Fast {
    pub(crate) fn add(&mut self, entry: u64, at: Time) {
        self.timers.insert(entry, at);
        *self.instants.entry(at).or_default() += 1
    }

    /// The timer of this entry is taken back.
    pub(crate) fn forget(&mut self, entry: u64) {
        let Some(at) = self.timers.remove(&entry) else { return };
        if let Some(count) = self.instants.get_mut(&at) {
            *count -= 1;
            if *count == 0 {
                self.instants.remove(&at);
            }
        }
    }

    /// All timers up to `now` have gone off.
    pub(crate) fn forget_until(&mut self, now: Time) {
        if self.instants.first_key_value().is_some_and(|(first, _)| *first <= now) {
            self.timers.retain(|_, at| *at > now);
            self.instants.retain(|at, _| *at > now)
        }
    }

    /// Whether there is one at this instant.
    pub(crate) fn has(&self, at: Time) -> bool {
        self.instants.contains_key(&at)
    }
}

#[cfg(test)]
mod tests;
