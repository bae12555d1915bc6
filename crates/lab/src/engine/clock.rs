//! The clock moves, and what is due is served: because nothing else can happen, or, where it may overtake tasks, before
//! somebody who could go on.
//!
//! Not here: when it may overtake (`overtaking`), how long a run may wait for nothing but the clock (`runtime`).
use super::Engine;
use crate::overtaking::CLOCK;
use crate::watch;
use explore::{Candidate, Point, Step};
use std::sync::atomic::Ordering::Relaxed;
use trace::Label;
use types::Time;

impl Engine {
    /// Nothing can run: moves the clock to the next timer and serves everything that is due there. False if there is
    /// none, or if it is beyond `limit`.
    pub(crate) fn advance(&self, limit: Time) -> bool {
        let Some(next) = self.timers.next() else { return false };
        if next > limit {
            return false;
        }
        if self.timers.next_was_decided() && self.clock_is_picked() {
            let log = &mut self.stepping.get().log;
            self.step_of_the_clock(log);
            return true;
        }
        self.move_to(next);
        self.moved();
        true
    }

    /// The clock has been picked, before tasks that could go on.
    #[cold]
    pub(super) fn overtake(&self, log: &mut Box<watch::StepLog>) {
        self.timers.overtaking().overtook();
        self.step_of_the_clock(log)
    }

    /// Has it picked as the only one who could be next; nobody asks in a run that is over. If whoever picks gives the run
    /// up, the next step tells.
    fn clock_is_picked(&self) -> bool {
        if self.stepping.get().over || self.given_up.load(Relaxed) {
            return false;
        }
        let alone = [Candidate::silent(CLOCK)];
        let picked = self.decisions.pick(1, |s| s.pick(&Point { candidates: &alone, usual: 0 }));
        if picked.is_none() {
            self.given_up.store(true, Relaxed)
        }
        picked.is_some()
    }

    fn step_of_the_clock(&self, log: &mut Box<watch::StepLog>) {
        let Some(next) = self.timers.next() else { return };
        watch::clock_steps(CLOCK);
        self.move_to(next);
        watch::ended(log);
        let step = Step { task: Some(CLOCK), touches: &log.touches, enabled: &log.enabled };
        self.decisions.ask(|s| s.ran(&step));
    }

    fn move_to(&self, next: Time) {
        if next > self.clock.reading() {
            self.clock.set(next);
            self.world.recent.store(next.as_nanos(), Relaxed);
            self.emit(Label::TimeAdvance { to: next });
            self.lasso.get().forget();
        }
        let due = self.timers.due(next);
        self.firing.store(true, Relaxed);
        due.into_iter().for_each(|d| self.world.serve(d));
        self.firing.store(false, Relaxed);
    }
}
