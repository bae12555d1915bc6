//! [`Delay`]: production's schedule with a list of exceptions (Emmi, Qadeer, Rakamarić, "Delay-bounded scheduling",
//! POPL'11).
use crate::scheduler::{Ended, Point, Scheduler, Step};
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

/// By how many candidates a pick passes over production's: the number of delays it costs.
pub(crate) fn delays(point: &Point<'_>, picked: usize) -> u64 {
    let candidates = point.candidates.len();
    ((picked + candidates - point.usual) % candidates) as u64
}

impl Scheduler for Delay {
    fn begin(&mut self) {
        (self.next, self.step) = (0, 0);
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let mut picked = point.usual;
        while self.at.get(self.next) == Some(&self.step) {
            picked = (picked + 1) % point.candidates.len();
            self.next += 1;
        }
        self.step += 1;
        Some(picked)
    }

    fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
        usual
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {}
}
