//! [`Census`]: how many classes of executions a program has, from random walks.
//!
//! A walk gives execution s with a probability P(s), which is known when it is over: the shares that those who ran had
//! among the candidates. Let q be any distribution over the orders in which the steps of the class of s could happen.
//! Then q(s) / P(s) has the number of classes as its mean, since P times that, summed over one class, is the sum of q,
//! which is one. Here q is the same walk within the class, among the steps that are first of those left. So the weight
//! of an execution is, multiplied over its steps,
//!
//! ```text
//! what all candidates weigh  /  what those weigh whose next step happens after none that is left
//! ```
//! and a task weighs the square root of the steps it is expected to have left, from the executions before. (Weighing all
//! alike, a short task hardly ever waits for a long one; weighing the steps themselves, all interleavings are equally
//! likely, and most are of a few large classes. The root is between, and scatters least on the programs of the tests.)
//!
//! It is an estimate by importance sampling in the manner of Knuth (Math. Comp. 29, 1975), over executions instead of
//! paths of the exploration's tree; no walk is wasted on a branch that was explored elsewhere.
//!
//! Invariants:
//! - `census.unbiased`: the mean over executions that ended is the number of classes, for any number of executions, as
//!   long as none is broken off.
//!
//! What it can't do: weights scatter more the more steps race, by a factor for each. The error that is given says so
//! only if the rare heavy executions were met; with some ten racing steps they are, with a hundred they aren't. Where
//! one execution has a fiftieth of the sum, [`Count::is_settled`] says no, and the number is rather too low.
use crate::causality::Causality;
use crate::sample::Dice;
use crate::scheduler::{Ended, Point, Scheduler, Step};
use std::fmt;
use trace::Choice;
use types::TaskId;

/// Counts classes by random walks. Run executions under it, and ask for the [`count`](Census::count).
///
/// Cost: that of the happens-before order of each execution, and a look at every task for every step.
///
/// ```
/// # use asupersync_explore::{Census, mini};
/// let program = mini::Program::parse("Wx=42 || *8 Rx").unwrap();
/// let mut machine = mini::Machine::new(&program);
/// let mut census = Census::new(1);
/// for _ in 0..1000 {
///     machine.run(&mut census);
/// }
/// let count = census.count();
/// assert!(count.is_settled());
/// // There are 2^8.
/// assert!((count.classes - 256.0).abs() < 3.0 * count.error);
/// ```
#[derive(Clone, Debug)]
pub struct Census {
    dice: Dice,
    branching: Vec<Choice>,
    causality: Causality,
    /// What the step that runs chose.
    choices: Vec<u32>,
    /// The logarithm of the execution's probability: shares among the candidates, and among options.
    chance: f64,
    /// By the tasks' numbers.
    lengths: Vec<Length>,
    /// The depths of each task's steps, one task after the other, and where each task's begin.
    order: Vec<u32>,
    starts: Vec<usize>,
    executions: u64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
    heaviest: f64,
}

/// How long a task is.
#[derive(Clone, Copy, Debug, Default)]
struct Length {
    /// Over the executions before that had the task: how many, and how many steps it took.
    executions: u32,
    total: f64,
    /// Steps it has taken, in the execution that runs or is weighed.
    taken: u32,
}

impl Length {
    fn weight(&self) -> f64 {
        let mean = self.total / f64::from(self.executions.max(1));
        (mean - f64::from(self.taken)).max(1.0).sqrt()
    }
}

/// How many classes there are, by estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// The estimate.
    pub classes: f64,
    /// Its standard error: off by at most twice this in 19 of 20 cases, if the count is settled.
    pub error: f64,
    /// How many executions it is made of.
    pub executions: u64,
    /// The share of the heaviest execution in the sum.
    pub heaviest: f64,
}

impl Census {
    /// By the walks of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Census {
        Census {
            dice: Dice::new(seed),
            branching: Vec::new(),
            causality: Causality::new(),
            choices: Vec::new(),
            chance: 0.0,
            lengths: Vec::new(),
            order: Vec::new(),
            starts: Vec::new(),
            executions: 0,
            mean: 0.0,
            squares: 0.0,
            heaviest: 0.0,
        }
    }

    /// Executions that differ in choices of this kind are of different classes. Otherwise such choices go as usual.
    #[must_use]
    pub fn branch_on(mut self, what: Choice) -> Census {
        self.branching.push(what);
        self
    }

    /// The estimate so far.
    #[must_use]
    pub fn count(&self) -> Count {
        let n = self.executions as f64;
        let error = if self.executions > 1 { (self.squares / (n - 1.0) / n).sqrt() } else { f64::INFINITY };
        let heaviest = if self.executions > 0 { self.heaviest / (n * self.mean) } else { 1.0 };
        Count { classes: self.mean, error, executions: self.executions, heaviest }
    }

    /// The logarithm of the probability of this order among those of its class, by the walk within the class.
    fn within_class(&mut self) -> f64 {
        self.sort_by_task();
        self.lengths.iter_mut().for_each(|length| length.taken = 0);
        let mut chance = 0.0;
        for event in &self.causality.events {
            let mut all = 0.0;
            for task in 0..self.starts.len() - 1 {
                let place = self.starts[task] + self.lengths[task].taken as usize;
                let first =
                    |depth: u32| types::seeded!("estimate.orders") || self.is_first(task, depth as usize);
                if place < self.starts[task + 1] && first(self.order[place]) {
                    all += self.lengths[task].weight();
                }
            }
            let length = &mut self.lengths[event.task as usize];
            chance += (length.weight() / all).ln();
            length.taken += 1;
        }
        chance
    }

    /// Whether all that happens before the task's step at this depth has happened.
    fn is_first(&self, task: usize, depth: usize) -> bool {
        let clock = self.causality.clock(depth).iter().zip(&self.lengths).enumerate();
        clock.into_iter().all(|(other, (needed, length))| *needed <= length.taken || other == task)
    }

    /// The place of the task in `lengths`.
    fn number(&mut self, task: TaskId) -> usize {
        let number = self.causality.task(task) as usize;
        self.make_room();
        number
    }

    fn make_room(&mut self) {
        if self.lengths.len() < self.causality.tasks.len() {
            self.lengths.resize_with(self.causality.tasks.len(), Length::default);
        }
    }

    fn sort_by_task(&mut self) {
        self.make_room();
        let tasks = self.causality.tasks.len();
        self.starts.clear();
        self.starts.resize(tasks + 1, 0);
        for event in &self.causality.events {
            self.starts[event.task as usize + 1] += 1;
        }
        for task in 0..tasks {
            self.starts[task + 1] += self.starts[task];
        }
        self.order.clear();
        self.order.resize(self.causality.events.len(), 0);
        for (depth, event) in self.causality.events.iter().enumerate() {
            self.order[self.starts[event.task as usize] + event.index as usize - 1] = depth as u32;
        }
    }
}

impl Scheduler for Census {
    fn begin(&mut self) {
        self.dice.next_execution();
        self.causality.truncate(0);
        self.choices.clear();
        self.chance = 0.0;
        self.lengths.iter_mut().for_each(|length| length.taken = 0);
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let mut all = 0.0;
        for candidate in point.candidates {
            let number = self.number(candidate.task);
            all += self.lengths[number].weight();
        }
        // 53 bits are all that a number between 0 and 1 has.
        let mut drawn = (self.dice.next() >> 11) as f64 / (1u64 << 53) as f64 * all;
        let mut picked = point.candidates.len() - 1;
        for (at, candidate) in point.candidates.iter().enumerate() {
            let number = self.number(candidate.task);
            drawn -= self.lengths[number].weight();
            if drawn < 0.0 {
                picked = at;
                break;
            }
        }
        let number = self.number(point.candidates[picked].task);
        self.chance += (self.lengths[number].weight() / all).ln();
        Some(picked)
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        if !self.branching.contains(&what) {
            return usual;
        }
        self.chance -= f64::from(options).ln();
        let chosen = self.dice.below(u64::from(options)) as u32;
        self.choices.push(chosen);
        chosen
    }

    fn ran(&mut self, step: &Step<'_>) {
        if let Some(task) = step.task {
            let number = self.number(task);
            self.lengths[number].taken += 1;
        }
        self.causality.push(step.task, step.touches, step.enabled, &self.choices);
        self.causality.races.clear();
        self.choices.clear();
    }

    fn ended(&mut self, _: &Ended<'_>) {
        // Beyond any number of executions, and sums of it still are numbers.
        let weight = (self.within_class() - self.chance).exp().min(1e290);
        self.executions += 1;
        // Welford's recurrence: no cancellation, however far the weights are from 0.
        let distance = weight - self.mean;
        self.mean += distance / self.executions as f64;
        self.squares += distance * (weight - self.mean);
        self.heaviest = self.heaviest.max(weight);
        // Only now: while an execution is weighed, lengths are those it was drawn with.
        for length in self.lengths.iter_mut().filter(|length| length.taken > 0) {
            length.executions += 1;
            length.total += f64::from(length.taken);
        }
    }
}

impl Count {
    /// Whether the error means anything: at least 100 executions, none of them with more than a fiftieth of the sum.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.executions >= 100 && self.heaviest <= 0.02
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_settled() {
            write!(f, "about {:.0} classes, give or take {:.0}", self.classes, 2.0 * self.error)
        } else {
            write!(
                f,
                "some {:.0} classes or more, by {} executions that disagree",
                self.classes, self.executions
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mini::{Machine, Program, table};
    use crate::scheduler::Candidate;

    /// The sum, over all executions that go on from here, of their probabilities within their classes.
    fn whole(machine: &Machine, steps: &mut Vec<Candidate>, census: &mut Census, sum: &mut f64) {
        if machine.candidates().is_empty() {
            census.begin();
            for step in steps.iter() {
                let touch = step.announced.expect("what was done");
                census.ran(&Step { task: Some(step.task), touches: &[touch], enabled: &[] });
            }
            *sum += census.within_class().exp();
        }
        for picked in 0..machine.candidates().len() {
            let mut next = machine.clone();
            let (task, touch) = next.step(picked);
            steps.push(Candidate::announcing(task, touch));
            whole(&next, steps, census, sum);
            steps.pop();
        }
    }

    #[test]
    fn probabilities_within_classes_add_up_to_the_number_of_classes() {
        let table = include_str!("../../tests/data/lab-programs.tsv");
        let rows: Vec<table::Row<'_>> = table::read(table).expect("a table");
        let few =
            |row: &&table::Row<'_>| row.interleavings.is_some_and(|interleavings| interleavings <= 1000);
        let mut tried = 0;
        for row in rows.iter().filter(few) {
            let (mut census, mut sum) = (Census::new(0), 0.0);
            whole(&Machine::new(&row.program), &mut Vec::new(), &mut census, &mut sum);
            assert!(
                (sum - row.traces as f64).abs() < 1e-6 * sum,
                "{}: {sum} instead of {}",
                row.name,
                row.traces
            );
            tried += 1;
        }
        assert!(tried > 40, "{tried}");
    }

    #[test]
    fn nothing_is_said_before_there_is_something_to_say() {
        let mut census = Census::new(0);
        assert!(!census.count().is_settled());
        let program = Program::parse("*3 Fx+1").expect("a program");
        (0..100).for_each(|_| _ = Machine::new(&program).run(&mut census));
        assert_eq!(census.count().to_string(), "about 6 classes, give or take 0");
    }
}
