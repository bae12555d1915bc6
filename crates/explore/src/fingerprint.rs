//! [`Fingerprint`]: the class of an execution as a number, the same for all orders of independent steps.
//!
//! The sum modulo 2^128 over all steps of a hash of who did what (task, position in the task, operations and what they
//! came to) and of its vector clock. Sums don't see the order of the terms, and the clocks are the happens-before order.
//! [`Fingerprint::foata`] is another, computed from the Foata normal form: levels of steps that could happen at once.
//! Two ways to compute one thing, to hold against each other.
//!
//! Invariant `fingerprint.class`: equal for executions of one class; different for others but for a collision, whose
//! probability among n classes is about n^2 / 2^129.
//!
//! Not here: the order itself (`causality`).

use crate::causality::{Causality, mix};
use crate::scheduler::Step;
use trace::Access;

/// The class of an execution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fingerprint(pub u128);

impl core::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Fingerprint {
    pub(crate) fn of(causality: &Causality) -> Fingerprint {
        let step = |at: usize| {
            let label = label(causality, at);
            let clock = causality.clock(at).iter().enumerate().filter(|&(_, &entry)| entry > 0);
            let past = clock.fold(0, |sum: u64, (task, &entry)| {
                sum.wrapping_add(mix(causality.tasks.name(task as u32), entry.into()))
            });
            wide(label, past)
        };
        Fingerprint((0..causality.depth()).map(step).fold(0, u128::wrapping_add))
    }

    pub(crate) fn foata_of(causality: &Causality) -> Fingerprint {
        let mut levels: Vec<u64> = Vec::with_capacity(causality.depth());
        // Per task, the level of its last step whose index is at most the clock's entry: levels ascend in a task.
        let mut by_task: Vec<Vec<u64>> = vec![Vec::new(); causality.tasks.len()];
        for at in 0..causality.depth() {
            let own = &causality.events[at];
            let below = causality.clock(at).iter().enumerate().filter_map(|(task, &entry)| {
                let entry = if task == own.task as usize { entry - 1 } else { entry };
                (entry > 0).then(|| by_task[task][entry as usize - 1])
            });
            let level = 1 + below.max().unwrap_or(0);
            levels.push(level);
            by_task[own.task as usize].push(level);
        }
        let step = |at: usize| wide(label(causality, at), levels[at]);
        Fingerprint((0..causality.depth()).map(step).fold(0, u128::wrapping_add))
    }
}

/// Who did what.
fn label(causality: &Causality, at: usize) -> u64 {
    let event = &causality.events[at];
    let start = mix(causality.tasks.name(event.task), event.index.into());
    let start = mix(start, event.choices);
    event
        .footprint
        .marks()
        .iter()
        .fold(start, |label, mark| mix(mix(label, causality.objects.name(mark.object)), code(mark.access)))
}

fn wide(label: u64, place: u64) -> u128 {
    let low = mix(label, place);
    u128::from(mix(low ^ place, !label)) << 64 | u128::from(low)
}

/// A number for what was done, the same for ever.
fn code(access: Access) -> u64 {
    let (code, count) = match access {
        Access::Read => (1, 0),
        Access::Write => (2, 0),
        Access::Set(value) => (16, value),
        Access::Exchange(expected) => (3, expected),
        Access::Acquire(count) => (4, count),
        Access::TryAcquire(count) => (5, count),
        Access::Refused(count) => (6, count),
        Access::Release(count) => (7, count),
        Access::Send => (8, 0),
        Access::Receive => (9, 0),
        Access::TryReceive => (10, 0),
        Access::Empty => (11, 0),
        Access::Close => (12, 0),
        Access::Ended => (13, 0),
        Access::Happen => (14, 0),
        Access::Observe => (15, 0),
    };
    code << 32 | u64::from(count)
}

/// Computes the fingerprints of executions that somebody else schedules.
///
/// Tell it of each step what [`crate::Scheduler::ran`] is told. Costs a vector clock for each step, and a look at the
/// earlier operations on its objects.
#[derive(Clone, Debug)]
pub struct Fingerprinter {
    causality: Causality,
    choices: Vec<u32>,
}

impl Default for Fingerprinter {
    fn default() -> Fingerprinter {
        Fingerprinter::new()
    }
}

impl Fingerprinter {
    /// Before any execution.
    #[must_use]
    pub fn new() -> Fingerprinter {
        Fingerprinter { causality: Causality::new(), choices: Vec::new() }
    }

    /// An execution begins.
    pub fn begin(&mut self) {
        self.choices.clear();
        self.causality.truncate(0);
    }

    /// The step that runs chose so.
    pub fn chose(&mut self, taken: u32) {
        self.choices.push(taken);
    }

    /// A step has run.
    pub fn ran(&mut self, step: &Step<'_>) {
        self.causality.push(step.task, step.touches, step.enabled, &self.choices);
        self.causality.races.clear();
        self.choices.clear();
    }

    /// The last step did not happen.
    pub fn undo(&mut self) {
        self.causality.truncate(self.causality.depth().saturating_sub(1));
    }

    /// The class of what happened so far.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.causality)
    }

    /// The same by the Foata normal form: another number for the same class.
    #[must_use]
    pub fn foata(&self) -> Fingerprint {
        Fingerprint::foata_of(&self.causality)
    }
}
