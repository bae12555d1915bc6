//! [`Survey`]: how many executions an exhaustive exploration has left, guessed from the tree it has walked so far.
//!
//! ```text
//!            root          a level of the path: children that are done, with their sizes; the one we are in;
//!          /   |  \        children that are known and not begun; children nobody knows of yet
//!       done  here  ?
//!            / | \
//!        done here  known
//! ```
//! From the inside out: a level is as big as its children that are done and the one we are in, times what is still to
//! come. How much comes behind how many known children is not assumed (siblings may grow, shrink, and be found only
//! later, since a partial-order reduction finds its branches while it goes) but learnt, by a linear regression over the
//! finished nodes of about the same depth: of `ln(size in the end / size so far)` on `ln(children known / children
//! begun)`. Before there are any, siblings are taken to be alike, which is the weighted backtrack estimator (Kilby,
//! Slaney, Thiébaux, Walsh, AAAI'06). Knuth's estimator needs random descents of a tree whose width is known beforehand,
//! and is useless here.
//!
//! How far off the guess may be is the regression's own error, added up over the levels.
//!
//! What it can't do:
//! - It knows nothing before the first few backtracks: the guess is then of the order of what was explored. (Over the
//!   first twentieth of the tests' programs it was off by a factor of 5 in the geometric mean, and said 12; up to a fifth,
//!   by 1.6, and said 5; up to a half, by 1.5, and said 3.)
//! - It believes that what comes is like what came. If the first half of a tree is a hundred times smaller than the
//!   second (one task's branch opens another world), it finds out when it gets there; only [`Estimate::at_least`] is
//!   certain.
//! - The stated error is measured, not proved: see the tests for on how many programs and moments it held.
//!
//! Not here: the exploration, which feeds it. What a sampler hasn't seen is in `coverage`.
use super::line::Line;
use std::fmt;

/// How many standard deviations the stated error is. Chosen so that on the programs of the tests it holds at more than
/// nine moments of ten, once a twentieth of the exploration is done.
const WIDENED: f64 = 1.6;

/// Watches an exploration that goes depth first.
///
/// Memory: a few numbers for each level of the path and for each child in it that is done.
///
/// ```
/// # use asupersync_explore::{Explorer, Recording, Survey, mini};
/// let program = mini::Program::parse("Wx=1;Wx=2;Wx=3 || Rx;Rx;Rx || Rx;Rx;Rx").unwrap();
/// let mut machine = mini::Machine::new(&program);
/// let mut explorer = Explorer::new();
/// let mut survey = Survey::new();
/// for _ in 0..100 {
///     assert!(explorer.next_execution());
///     let planned: Vec<u64> = explorer.planned_branches().collect();
///     let mut recording = Recording::with_steps(explorer);
///     machine.run(&mut recording);
///     let rows = recording.steps().unwrap().rows();
///     let path: Vec<u64> = rows.map(|row| row.task.map_or(u64::MAX, |task| task.as_u64())).collect();
///     survey.executed(&path, &planned);
///     explorer = recording.into_inner();
/// }
/// // There are 400, and 100 are done.
/// let (least, most) = survey.estimate().range();
/// assert!(least <= 400.0 && 400.0 <= most);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Survey {
    path: Vec<Level>,
    /// What finished nodes of each depth have taught.
    lines: Vec<Line>,
    done: u64,
}

/// A node of the path.
#[derive(Clone, Debug, Default)]
struct Level {
    /// Which child the path goes through.
    child: u64,
    /// For each child that is done: the outlook when it was, and the executions in it and those before it.
    done: Vec<(f64, u64)>,
    /// Executions in the child we are in.
    here: u64,
    /// Children that are known and not begun.
    pending: u64,
}

/// How many executions an exploration will have had at its end.
///
/// `Display` says it in words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many it has had.
    pub done: u64,
    /// How many it will have had at least: those, and one in each branch that is known. Certain.
    pub at_least: u64,
    /// How many it will likely have had.
    pub likely: f64,
    /// By which factor `likely` may be off in either direction, most of the time; at least 1.
    pub factor: f64,
}

impl Survey {
    /// Of an exploration that hasn't begun.
    #[must_use]
    pub fn new() -> Survey {
        Survey::default()
    }

    /// One more execution: which child the exploration took at each depth (any numbers, as long as different children
    /// of one node have different ones), and how many children are known at each depth and not begun. Depths behind the
    /// end of `pending` have none.
    ///
    /// Executions must come depth first: a child that was left is not entered again. Cost: the length of the path.
    pub fn executed(&mut self, path: &[u64], pending: &[u64]) {
        let old = self.path.iter().map(|level| &level.child);
        let shared = old.zip(path).take_while(|(old, new)| old == new).count();
        while self.path.len() > shared + 1 {
            self.finish_deepest();
        }
        if let Some(level) = self.path.get_mut(shared) {
            level.leave_child();
        }
        self.path.resize_with(path.len(), Level::default);
        for (depth, (level, child)) in self.path.iter_mut().zip(path).enumerate() {
            level.child = *child;
            level.here += 1;
            level.pending = pending.get(depth).copied().unwrap_or(0);
        }
        self.done += 1;
    }

    /// The node at the end of the path has no more children.
    fn finish_deepest(&mut self) {
        let Some(mut level) = self.path.pop() else { return };
        level.leave_child();
        let depth = self.path.len();
        if self.lines.len() <= depth {
            self.lines.resize_with(depth + 1, Line::default);
        }
        let end = level.executions() as f64;
        for (outlook, executions) in level.done {
            self.lines[depth].learn(outlook, (end / executions as f64).ln());
        }
    }

    /// What is to be expected now.
    ///
    /// Cost: the length of the path, times a constant.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let at_least = self.done + self.path.iter().map(|level| level.pending).sum::<u64>();
        let (mut size, mut variance) = (1.0, 0.0);
        for (depth, level) in self.path.iter().enumerate().rev() {
            let before = level.executions() as f64;
            let share = size / (before + size);
            let (growth, error) =
                Line::around(&self.lines, depth).predict(level.outlook(level.done.len() + 1));
            size = (before + size) * growth.max(0.0).exp();
            variance = share * share * variance + error;
        }
        if self.done == 0 {
            return Estimate { done: 0, at_least: 0, likely: 0.0, factor: f64::INFINITY };
        }
        Estimate {
            done: self.done,
            at_least,
            likely: size.max(at_least as f64),
            factor: (WIDENED * variance.sqrt()).exp(),
        }
    }
}

impl Level {
    /// Executions in the children that are done.
    fn executions(&self) -> u64 {
        self.done.last().map_or(0, |(_, executions)| *executions)
    }

    /// How many children are known for each of so many, in the logarithm.
    fn outlook(&self, begun: usize) -> f64 {
        (self.pending as f64 / begun as f64).ln_1p()
    }

    fn leave_child(&mut self) {
        let executions = self.executions() + self.here;
        let outlook = self.outlook(self.done.len() + 1);
        self.done.push((outlook, executions));
        self.here = 0;
    }
}

impl Estimate {
    /// The share of the exploration that is behind it, by this estimate.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.likely > 0.0 { self.done as f64 / self.likely } else { 0.0 }
    }

    /// The least and the most that agree with the stated error, and with what is certain.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        ((self.likely / self.factor).max(self.at_least as f64), self.likely * self.factor)
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = self.range();
        write!(f, "{} of about {:.0} executions (likely {least:.0} to {most:.0})", self.done, self.likely)
    }
}
