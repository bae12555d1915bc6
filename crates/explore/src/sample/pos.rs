//! [`Pos`]: partial order sampling (Yuan, Yang, Gu, CAV'18).
use super::dice::Dice;
use super::roll::Roll;
use crate::conflict::conflicting;
use crate::scheduler::{Announced, Candidate, Ended, Point, Scheduler, Step, Touch};
use trace::Choice;

/// The pending operation of highest priority runs. Each operation draws its priority anew; so does each pending one
/// that races with the operation that has just run, which is what makes both orders of every race equally likely
/// whatever ran before.
///
/// A task that announced what it will do is judged by that. One that didn't is judged by what its last step did, which
/// is often what its next one will do again.
///
/// Cost: a look at each candidate's priority for each pick, and at its operation after each step. Choices are drawn
/// uniformly.
#[derive(Clone, Debug)]
pub struct Pos {
    dice: Dice,
    tasks: Roll<Pending>,
    /// Who could have run when the last step was picked.
    candidates: Vec<Candidate>,
}

/// What a task would do next.
#[derive(Clone, Debug, Default)]
struct Pending {
    /// 0: to be drawn.
    priority: u64,
    /// What its last step did.
    last: Vec<Touch>,
}

impl Pending {
    fn races_with(&self, announced: Option<&Announced>, done: &[Touch]) -> bool {
        match announced {
            Some(next) => done.iter().any(|touch| conflicting(touch, next)),
            None => self.last.iter().any(|next| done.iter().any(|touch| conflicting(touch, next))),
        }
    }
}

impl Pos {
    /// The samples of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Pos {
        Pos { dice: Dice::new(seed), tasks: Roll::new(), candidates: Vec::new() }
    }
}

impl Scheduler for Pos {
    fn begin(&mut self) {
        self.dice.next_execution();
        self.candidates.clear();
        for pending in self.tasks.all() {
            pending.priority = 0;
            pending.last.clear();
        }
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let mut best: Option<(u64, usize)> = None;
        for (at, candidate) in point.candidates.iter().enumerate() {
            let pending = self.tasks.of(candidate.task);
            if pending.priority == 0 {
                pending.priority = self.dice.next() | 1;
            }
            if best.is_none_or(|(highest, _)| pending.priority > highest) {
                best = Some((pending.priority, at));
            }
        }
        self.candidates.clear();
        self.candidates.extend_from_slice(point.candidates);
        best.map(|(_, at)| at)
    }

    fn choose(&mut self, _: Choice, options: u32, _: u32) -> u32 {
        self.dice.below(u64::from(options)) as u32
    }

    fn ran(&mut self, step: &Step<'_>) {
        for candidate in &self.candidates {
            let pending = self.tasks.of(candidate.task);
            if Some(candidate.task) == step.task {
                pending.priority = 0;
                pending.last.clear();
                pending.last.extend_from_slice(step.touches);
            } else if !types::seeded!("sample.pos-kept")
                && pending.races_with(candidate.announced.as_ref(), step.touches)
            {
                pending.priority = 0;
            }
        }
    }

    fn ended(&mut self, _: &Ended<'_>) {}
}
