//! The schedulers without a memory of what the tasks do: [`Fifo`], [`RoundRobin`], [`Random`].
use super::dice::Dice;
use crate::scheduler::{Crowd, Ended, Point, Scheduler, Step};
use trace::Choice;
use types::TaskId;

/// What production would do, always.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fifo;

impl Scheduler for Fifo {
    fn begin(&mut self) {}

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        Some(point.usual)
    }

    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        Some(crowd.usual())
    }

    fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
        usual
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {}
}

/// Each task in its turn, in the order of their numbers: the candidate after the one that ran last, around the circle.
/// Choices go as usual. It has one schedule only.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin {
    last: Option<TaskId>,
}

impl RoundRobin {
    /// Starting with the task of the lowest number.
    #[must_use]
    pub fn new() -> RoundRobin {
        RoundRobin::default()
    }
}

impl Scheduler for RoundRobin {
    fn begin(&mut self) {
        self.last = None;
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let tasks = || point.candidates.iter().enumerate().map(|(at, candidate)| (candidate.task, at));
        let next = tasks().filter(|(task, _)| Some(*task) > self.last).min().or_else(|| tasks().min());
        let (task, at) = next?;
        self.last = Some(task);
        Some(at)
    }

    fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
        usual
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {}
}

/// The uniform random walk: at every step each candidate is as likely as the others, and so is each option of a
/// choice.
///
/// Cost: one multiplication for each decision. Interleavings are *not* equally likely ([`Urw`](super::Urw) is for
/// that): a schedule with many candidates along its way is rarer than one with few.
#[derive(Clone, Debug)]
pub struct Random {
    dice: Dice,
}

impl Random {
    /// The walks of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random { dice: Dice::new(seed) }
    }
}

impl Scheduler for Random {
    fn begin(&mut self) {
        self.dice.next_execution();
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        Some(self.dice.below(point.candidates.len() as u64) as usize)
    }

    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        Some(self.dice.below(crowd.size() as u64) as usize)
    }

    fn choose(&mut self, _: Choice, options: u32, _: u32) -> u32 {
        self.dice.below(u64::from(options)) as u32
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {}
}
