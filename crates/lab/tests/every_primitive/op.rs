//! What a task of a program does, and what could stand in its place in a smaller one.
//!
//! Not here: how operations are drawn (`program`), what they do (`acts`, `scopes`, and the file of each primitive).
use crate::ends::End;
use crate::{channels, counts, exchanges, locks, spawned, unbounded, values};

/// What a task does. A task asks and joins those that were spawned before it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Step,
    Check,
    /// The task fails, or the branch does.
    Fail,
    /// Reads and writes a cell that all share.
    Get,
    Set,
    /// Holds something that writes to that cell when it is dropped.
    Keep,
    /// So many milliseconds.
    Sleep(u64),
    Now,
    Draw,
    /// Asks a task to end, and says nothing beforehand.
    Cancel(usize),
    /// Says so.
    CancelStep(usize),
    Joined(usize),
    Finished(usize),
    /// Gives back what was taken last.
    Drop,
    Locks(locks::Act),
    Counts(counts::Act),
    Values(values::Act),
    Channels(channels::Act),
    Unbounded(unbounded::Act),
    Exchanges(exchanges::Act),
    Spawned(spawned::Act),
    /// In a task of its own, left to the region of the task that spawns it.
    Spawn(Box<Op>),
    /// Without a step of its own before it.
    AtOnce(Box<Op>),
    Race(Box<Op>, Box<Op>),
    Both(Box<Op>, Box<Op>),
    TryBoth(Box<Op>, Box<Op>),
    /// Raced, and joined.
    AnyOf(Box<[Op; 3]>),
    AllOf(Box<[Op; 3]>),
    /// As a race and a join of `futures` that share their task's `Cx`.
    ForeignRace(Box<Op>, Box<Op>),
    ForeignBoth(Box<Op>, Box<Op>),
    /// Awaited as a foreign future is, until a request.
    Until(Box<Op>),
    /// Polled once, and dropped.
    PolledOnce(Box<Op>),
    /// Within a millisecond.
    Timeout(Box<Op>),
    Masked(Box<Op>),
    /// In a region of its own.
    Child(Box<Op>),
    /// In a region of its own, which others can reach: by a child, and by the body.
    Family(Box<Op>, Box<Op>),
    /// Uses something that was acquired, and releases it.
    Bracket(Box<Op>, Box<Op>),
}

impl Op {
    /// Whether it may have to wait, or is made of what may. What doesn't comes after a step of its own.
    pub(crate) fn waits(&self) -> bool {
        match self {
            Op::Locks(act) => act.waits(),
            Op::Counts(act) => act.waits(),
            Op::Values(act) => act.waits(),
            Op::Channels(act) => act.waits(),
            Op::Unbounded(act) => act.waits(),
            Op::Exchanges(act) => act.waits(),
            Op::Spawned(act) => act.waits(),
            Op::Sleep(_) | Op::CancelStep(_) | Op::Joined(_) => true,
            Op::Spawn(_) => false,
            _ => !self.parts().is_empty(),
        }
    }

    /// The end of a channel that it is done with.
    pub(crate) fn needs(&self) -> Option<End> {
        match self {
            Op::Values(act) => act.needs(),
            Op::Channels(act) => act.needs(),
            Op::Unbounded(act) => act.needs(),
            Op::Exchanges(act) => act.needs(),
            _ => None,
        }
    }

    /// Whether a task does it through a `Cx` that it shares: it is made of no others.
    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self, Op::Spawn(_)) || self.parts().is_empty()
    }

    /// Whether the clock has to do with it.
    pub(crate) fn is_timed(&self) -> bool {
        matches!(self, Op::Sleep(_) | Op::Timeout(_)) || self.parts().into_iter().any(Op::is_timed)
    }

    /// What it is made of.
    fn parts(&self) -> Vec<&Op> {
        match self {
            Op::Spawn(a) | Op::AtOnce(a) | Op::Until(a) | Op::PolledOnce(a) => vec![a],
            Op::Timeout(a) | Op::Masked(a) | Op::Child(a) => vec![a],
            Op::Race(a, b) | Op::Both(a, b) | Op::TryBoth(a, b) => vec![a, b],
            Op::ForeignRace(a, b) | Op::ForeignBoth(a, b) => vec![a, b],
            Op::Family(a, b) | Op::Bracket(a, b) => vec![a, b],
            Op::AnyOf(all) | Op::AllOf(all) => all.iter().collect(),
            _ => vec![],
        }
    }

    fn parts_mut(&mut self) -> Vec<&mut Op> {
        match self {
            Op::Spawn(a) | Op::AtOnce(a) | Op::Until(a) | Op::PolledOnce(a) => vec![a],
            Op::Timeout(a) | Op::Masked(a) | Op::Child(a) => vec![a],
            Op::Race(a, b) | Op::Both(a, b) | Op::TryBoth(a, b) => vec![a, b],
            Op::ForeignRace(a, b) | Op::ForeignBoth(a, b) => vec![a, b],
            Op::Family(a, b) | Op::Bracket(a, b) => vec![a, b],
            Op::AnyOf(all) | Op::AllOf(all) => all.iter_mut().collect(),
            _ => vec![],
        }
    }

    /// What could stand in its place in a smaller program.
    pub(crate) fn smaller(&self) -> Vec<Op> {
        let parts = self.parts();
        let mut all: Vec<Op> = parts.iter().map(|part| (*part).clone()).collect();
        match self {
            Op::AnyOf(three) => all.extend(pairs(three).map(|(a, b)| Op::Race(a, b))),
            Op::AllOf(three) => all.extend(pairs(three).map(|(a, b)| Op::Both(a, b))),
            Op::Step => {}
            _ if parts.is_empty() => all.push(Op::Step),
            _ => {}
        }
        for (at, part) in parts.into_iter().enumerate() {
            for less in part.smaller() {
                let mut simpler = self.clone();
                *simpler.parts_mut()[at] = less;
                all.push(simpler)
            }
        }
        all
    }
}

fn pairs(three: &[Op; 3]) -> impl Iterator<Item = (Box<Op>, Box<Op>)> {
    [(0, 1), (0, 2), (1, 2)]
        .into_iter()
        .map(|(a, b)| (Box::new(three[a].clone()), Box::new(three[b].clone())))
}
