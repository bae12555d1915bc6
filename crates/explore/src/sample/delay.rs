//! [`Delay`]: production's schedule with a list of exceptions (Emmi, Qadeer, Rakamarić, "Delay-bounded scheduling",
//! POPL'11).
use crate::scheduler::{Crowd, Ended, Point, Scheduler, Step};
use trace::Choice;

/// Production's pick at every step, but for the delays: each one passes over the task that would have been next, and
/// the one after it in production's order takes the step. Where the one passed over stands afterwards is the
/// executor's affair.
///
/// Choices go as usual. Cost: none worth naming.
#[derive(Clone, Debug, Default)]
pub struct Delay {
    at: Vec<u64>,
    next: usize,
    step: u64,
}

impl Delay {
    /// Delays at these steps, counted from 0; a step that is listed twice passes over two.
    #[must_use]
    pub fn new(mut at: Vec<u64>) -> Delay {
        at.sort_unstable();
        Delay { at, next: 0, step: 0 }
    }

    /// The steps at which something is delayed, in order.
    #[must_use]
    pub fn at(&self) -> &[u64] {
        &self.at
    }
}

/// By how many of `candidates` a pick passes over production's: the number of delays it costs.
pub(crate) fn delays(candidates: usize, usual: usize, picked: usize) -> u64 {
    ((picked + candidates - usual) % candidates) as u64
}

impl Delay {
    /// Whom the list has take this step.
    fn next_pick(&mut self, candidates: usize, usual: usize) -> usize {
        let mut picked = usual;
        while self.at.get(self.next) == Some(&self.step) {
            picked = (picked + 1) % candidates;
            self.next += 1;
        }
        self.step += 1;
        picked
    }
}

impl Scheduler for Delay {
    fn begin(&mut self) {
        (self.next, self.step) = (0, 0);
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        Some(self.next_pick(point.candidates.len(), point.usual))
    }

    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        Some(self.next_pick(crowd.size(), crowd.usual()))
    }

    fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
        usual
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {}
}
