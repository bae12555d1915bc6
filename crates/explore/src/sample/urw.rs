//! [`Urw`]: the walk under which all interleavings are equally likely, as far as the tasks' lengths are known: the
//! uniform half of SURW (Zhao, Wolff, Mathur, Roychoudhury, "Selectively Uniform Concurrency Testing", ASPLOS'25).
use super::dice::Dice;
use super::roll::Roll;
use crate::scheduler::{Ended, Point, Scheduler, Step};
use trace::Choice;
use types::TaskId;

/// Each candidate runs with a probability in proportion to the steps that it, and the tasks it has yet to spawn, have
/// left.
///
/// With r steps left in all, of which r_t belong to task t, the share r_t / r of the (r)! / (r_1! ... r_n!)
/// interleavings begins with t; hence each interleaving is as likely as any other if the counts are right. With
/// spawning the same holds for the linear extensions of the tree of steps.
///
/// The counts come from the executions before: for each task, by its number (its spawn path), the mean of its steps
/// and its descendants'. The first execution knows nothing and is a plain random walk. Where a task's length depends
/// on the schedule, or tasks wait for one another, the walk is only near uniform.
///
/// Cost: a look at each candidate for each pick; at an execution's end, at each task it had. Choices are drawn
/// uniformly.
#[derive(Clone, Debug)]
pub struct Urw {
    dice: Dice,
    tasks: Roll<Lengths>,
    /// This execution's tasks in the order in which they were first seen: parents before children.
    order: Vec<TaskId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Lengths {
    /// Over the executions that had this task: how many, and how many steps it and its descendants took.
    executions: u64,
    total: u64,
    /// In this execution.
    seen: bool,
    parent: Option<TaskId>,
    /// Steps, then also those of the descendants that are counted up.
    steps: u64,
    /// Expected of it and of what it has yet to spawn.
    left: u64,
}

impl Lengths {
    /// The mean, rounded up: a task that sometimes goes on must not be taken for one that is over.
    fn mean(&self) -> u64 {
        self.total.div_ceil(self.executions.max(1))
    }
}

impl Urw {
    /// The walks of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Urw {
        Urw { dice: Dice::new(seed), tasks: Roll::new(), order: Vec::new() }
    }

    fn meet(&mut self, task: TaskId, parent: Option<TaskId>) {
        let lengths = self.tasks.of(task);
        if lengths.seen {
            return;
        }
        let mean = lengths.mean();
        (lengths.seen, lengths.parent, lengths.left) = (true, parent, mean);
        self.order.push(task);
        if let Some(parent) = parent {
            let parent = self.tasks.of(parent);
            parent.left = parent.left.saturating_sub(mean);
        }
    }

    /// How much a candidate weighs. One that is here has a step left, whatever was expected.
    fn weight(&self, task: TaskId) -> u64 {
        self.tasks.seen(task).map_or(1, |lengths| lengths.left.max(1))
    }
}

impl Scheduler for Urw {
    fn begin(&mut self) {
        self.dice.next_execution();
        self.order.clear();
        for lengths in self.tasks.all() {
            (lengths.seen, lengths.parent, lengths.steps, lengths.left) = (false, None, 0, 0);
        }
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let mut all = 0;
        for candidate in point.candidates {
            self.meet(candidate.task, None);
            all += self.weight(candidate.task);
        }
        let mut drawn = self.dice.below(all);
        for (at, candidate) in point.candidates.iter().enumerate() {
            match drawn.checked_sub(self.weight(candidate.task)) {
                Some(rest) => drawn = rest,
                None => return Some(at),
            }
        }
        unreachable!("the number drawn is below the sum of the weights")
    }

    fn choose(&mut self, _: Choice, options: u32, _: u32) -> u32 {
        self.dice.below(u64::from(options)) as u32
    }

    fn ran(&mut self, step: &Step<'_>) {
        let Some(task) = step.task else { return };
        self.meet(task, None);
        let lengths = self.tasks.of(task);
        lengths.steps += 1;
        lengths.left = lengths.left.saturating_sub(u64::from(!types::seeded!("sample.urw-left")));
        // Whom nobody has seen yet was spawned by this step; the others were woken.
        for &enabled in step.enabled {
            self.meet(enabled, Some(task));
        }
    }

    fn ended(&mut self, _: &Ended<'_>) {
        // Children stand behind their parents: from the back, each is complete before it is added to its parent.
        while let Some(task) = self.order.pop() {
            let lengths = self.tasks.of(task);
            lengths.executions += 1;
            lengths.total += lengths.steps;
            let (steps, parent) = (lengths.steps, lengths.parent);
            if let Some(parent) = parent {
                self.tasks.of(parent).steps += steps;
            }
        }
    }
}
