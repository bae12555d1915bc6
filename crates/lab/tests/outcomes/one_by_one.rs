//! Every schedule of a program and every answer to its choices, without any reduction but one on request.
//!
//! Not here: what is compared with it (`compare`, `eager`, and `overtaking` in the lab itself).
use ::explore::{Ended, Point, Scheduler, Step};
use std::collections::BTreeSet;
use trace::Choice;
use types::TaskId;

/// Every schedule, one by one: a tree of decisions, of which the last one that can be is moved on.
#[derive(Default)]
pub(crate) struct OneByOne {
    /// What was taken, of how many.
    taken: Vec<(usize, usize)>,
    depth: usize,
    /// Where in `taken` it was decided who takes the step that runs.
    picked: usize,
    /// Which tasks have begun in this execution, if it matters.
    begun: Option<BTreeSet<TaskId>>,
}

impl OneByOne {
    /// A task's first step that does nothing to anything, since all that the task does comes later, is not tried both before
    /// and after the others'. For programs in which the clock waits for everybody.
    #[allow(dead_code, reason = "not all who run every schedule run many")]
    pub(crate) fn with_empty_beginnings_first() -> Self {
        OneByOne { begun: Some(BTreeSet::new()), ..OneByOne::default() }
    }

    pub(crate) fn next(&mut self) -> bool {
        while self.taken.pop_if(|(taken, of)| *taken + 1 == *of).is_some() {}
        self.taken.last_mut().map(|(taken, _)| *taken += 1).is_some()
    }

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
        self.depth = 0;
        if let Some(begun) = &mut self.begun {
            begun.clear()
        }
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.picked = self.depth;
        Some(self.take(point.candidates.len()))
    }
    fn choose(&mut self, _: Choice, options: u32, _: u32) -> u32 {
        self.take(options as usize) as u32
    }
    fn ran(&mut self, step: &Step<'_>) {
        let (Some(begun), Some(task)) = (&mut self.begun, step.task) else { return };
        let chose = self.depth > self.picked + 1;
        if begun.insert(task) && step.touches.is_empty() && step.enabled.is_empty() && !chose {
            let (taken, of) = &mut self.taken[self.picked];
            *of = *taken + 1
        }
    }
    fn ended(&mut self, _: &Ended<'_>) {}
}
