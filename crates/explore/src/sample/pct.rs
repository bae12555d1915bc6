//! [`Pct`]: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS'10).
use super::dice::Dice;
use super::roll::Roll;
use crate::scheduler::{Ended, Point, Scheduler, Step};
use trace::Choice;

/// The candidate of highest priority runs. Tasks draw their priorities when they are first seen, above those of all
/// change points; at each of `depth - 1` change points, drawn among the steps, the task that would run gets that
/// point's own low priority instead.
///
/// A bug that needs `depth` orderings between steps is hit with probability at least `1 / (n * k^(depth - 1))` in each
/// execution, n being the number of tasks and k an upper bound of the steps of an execution. k is learnt: it is the
/// longest execution so far, and before that the estimate given. The bound therefore holds from the execution on that
/// k has reached the program's longest.
///
/// The change points are not sorted by priority: a later one may leave its task above an earlier one's. The bound
/// needs both orders.
///
/// Cost: a look at each candidate's priority. Choices are drawn uniformly.
#[derive(Clone, Debug)]
pub struct Pct {
    dice: Dice,
    steps: u64,
    /// At which step (from 0) whoever would run falls to which priority, by step.
    changes: Vec<(u64, u64)>,
    depth: u32,
    next_change: usize,
    step: u64,
    priorities: Roll<u64>,
}

impl Pct {
    /// For bugs of this `depth` (at least 1), expecting `steps` steps in the first execution.
    #[must_use]
    pub fn new(seed: u64, depth: u32, steps: u64) -> Pct {
        Pct {
            dice: Dice::new(seed),
            steps: steps.max(1),
            changes: Vec::new(),
            depth: depth.max(1),
            next_change: 0,
            step: 0,
            priorities: Roll::new(),
        }
    }

    /// The upper bound of an execution's steps as known so far: k of the bound.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    fn highest(&mut self, point: &Point<'_>) -> Option<usize> {
        let mut best: Option<(u64, usize)> = None;
        for (at, candidate) in point.candidates.iter().enumerate() {
            let priority = self.priorities.of(candidate.task);
            if *priority == 0 {
                // Not seen in this execution yet. The top bit keeps it above all change points; two equal draws among
                // 2^63 are settled by production's order.
                *priority = self.dice.next() | 1 << 63;
            }
            if best.is_none_or(|(highest, _)| *priority > highest) {
                best = Some((*priority, at));
            }
        }
        best.map(|(_, at)| at)
    }
}

impl Scheduler for Pct {
    fn begin(&mut self) {
        self.dice.next_execution();
        self.priorities.all().for_each(|priority| *priority = 0);
        self.changes.clear();
        for priority in 1..u64::from(self.depth) {
            self.changes.push((self.dice.below(self.steps), priority));
        }
        self.changes.sort_unstable();
        if types::seeded!("sample.pct-ranked") {
            // Later change points get lower priorities, always.
            (1..).zip(self.changes.iter_mut().rev()).for_each(|(priority, change)| change.1 = priority);
        }
        self.next_change = 0;
        self.step = 0;
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let mut picked = self.highest(point)?;
        while let Some(&(_, priority)) = self.changes.get(self.next_change).filter(|(at, _)| *at == self.step)
        {
            *self.priorities.of(point.candidates[picked].task) = priority;
            self.next_change += 1;
            picked = self.highest(point)?;
        }
        self.step += 1;
        Some(picked)
    }

    fn choose(&mut self, _: Choice, options: u32, _: u32) -> u32 {
        self.dice.below(u64::from(options)) as u32
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {
        self.steps = self.steps.max(self.step);
    }
}
