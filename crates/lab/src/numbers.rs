//! [`SplitStreams`]: the random numbers of a lab's tasks, from the seed; and small ones as decisions, if that is asked for.
//!
//! Invariant `numbers.split`: a task's n-th number depends on the seed, the task's id and n, whatever the schedule. (Of regions that
//! several tasks open in one, and of tasks that they spawn there, the ids are in the order in which they came.) Where a
//! number below some bound is a decision, that is the usual answer, and the others are the other values.
//!
//! Not here: who decides (`decisions`), how branches are explored (`explore`).
use crate::decisions::Decisions;
use cx::port::Entropy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use trace::Choice;
use types::TaskId;

/// See the module.
#[derive(Debug)]
pub(crate) struct SplitStreams {
    seed: u64,
    decisions: Arc<Decisions>,
    /// Numbers below this bound at most are decisions; 0 if none are.
    decided: u32,
    /// How many were drawn that might have been decisions and had no bound, or a larger one.
    undecided: AtomicU64,
}

impl SplitStreams {
    pub(crate) fn new(seed: u64, decisions: Arc<Decisions>, decided: u32) -> SplitStreams {
        SplitStreams { seed, decisions, decided, undecided: AtomicU64::new(0) }
    }

    /// How many numbers came from the seed since this was last asked, though small ones are decisions.
    pub(crate) fn take_undecided(&self) -> u64 {
        self.undecided.swap(0, Relaxed)
    }

    fn seeded(&self, task: TaskId, drawn: u64) -> u64 {
        region::mix(self.seed ^ task.as_u64(), drawn)
    }
}

impl Entropy for SplitStreams {
    fn draw(&self, task: TaskId, drawn: u64) -> u64 {
        if self.decided > 0 {
            self.undecided.fetch_add(1, Relaxed);
        }
        self.seeded(task, drawn)
    }

    fn below(&self, task: TaskId, drawn: u64, bound: u64) -> u64 {
        if bound > u64::from(self.decided) {
            return cx::port::below(self.draw(task, drawn), bound);
        }
        let usual = cx::port::below(self.seeded(task, drawn), bound);
        // Both are below a bound of 32 bits.
        self.decisions.choose(Choice::Random, bound as usize, usual as usize) as u64
    }
}
