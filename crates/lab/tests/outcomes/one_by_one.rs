//! Every schedule of a program and every answer to its choices, without any reduction.
//!
//! Not here: what is compared with it (`compare`, `eager`, and `overtaking` in the lab itself).
use ::explore::{Ended, Point, Scheduler, Step};
use trace::Choice;

/// Every schedule, one by one: a tree of decisions, of which the last one that can be is moved on.
#[derive(Default)]
pub(crate) struct OneByOne {
    /// What was taken, of how many.
    taken: Vec<(usize, usize)>,
    depth: usize,
}

impl OneByOne {
    pub(crate) fn next(&mut self) -> bool {
        while self.taken.pop_if(|(taken, of)| *taken + 1 == *of).is_some() {}
        self.taken.last_mut().map(|(taken, _)| *taken += 1).is_some()
    }
}

impl OneByOne {
    fn take(&mut self, of: usize) -> usize {
        if self.depth == self.taken.len() {
            self.taken.push((0, of))
        }
        self.depth += 1;
        self.taken[self.depth - 1].0
    }
}

impl Scheduler for OneByOne {
    fn begin(&mut self) {
        self.depth = 0
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        Some(self.take(point.candidates.len()))
    }
    fn choose(&mut self, _: Choice, options: u32, _: u32) -> u32 {
        self.take(options as usize) as u32
    }
    fn ran(&mut self, _: &Step<'_>) {}
    fn ended(&mut self, _: &Ended<'_>) {}
}
