//! Tasks of an explored run that have announced what they will do next, and wait until it is possible.
//!
//! Invariant `parked.order`: they are candidates in the order in which they were parked, so whoever parked itself in the
//! last step is the last of them.
//!
//! Not here: which operations are possible when (`watch`).
use crate::watch::{self, Announcement};
use cx::Waiter;
use explore::{Candidate, Stuck};
use types::TaskId;

/// See the module.
#[derive(Default)]
pub(crate) struct Parked {
    watching: bool,
    tasks: Vec<Announcement>,
    /// Who announced several things at once, and tries them all in its next step.
    trying: Vec<TaskId>,
    /// Which of them could go on when that was last asked.
    able: Vec<usize>,
}

impl Parked {
    pub(crate) fn watch(&mut self) {
        self.watching = true
    }

    pub(crate) fn is_watching(&self) -> bool {
        self.watching
    }

    /// Parks the one who announced this, and takes it over. (As a block of memory: to move it piece by piece through a
    /// register waits for the pieces to be written.)
    #[inline]
    pub(crate) fn park(&mut self, announced: &mut Vec<Announcement>) {
        self.tasks.append(announced)
    }

    pub(crate) fn will_try(&mut self, task: TaskId) {
        self.trying.push(task)
    }

    /// Whether the task tries everything in the step that begins.
    #[inline]
    pub(crate) fn tries(&mut self, task: TaskId) -> bool {
        if self.trying.is_empty() {
            return false;
        }
        let at = self.trying.iter().position(|t| *t == task);
        at.map(|at| self.trying.swap_remove(at)).is_some()
    }

    /// Whether the task was only woken by itself, to try what it announced.
    pub(crate) fn will_try_it(&self, task: TaskId) -> bool {
        self.trying.contains(&task)
    }

    /// Something else woke the task: what it had announced, if it was parked. A task is parked once at most.
    pub(crate) fn forget(&mut self, task: TaskId) -> Option<Announcement> {
        let at = self.tasks.iter().position(|parked| parked.task == task)?;
        Some(self.tasks.remove(at))
    }

    /// Looks who could go on now, for the questions below.
    #[inline]
    pub(crate) fn look(&mut self) {
        let Parked { tasks, able, .. } = self;
        able.clear();
        if !tasks.is_empty() {
            watch::possible(tasks, able);
        }
    }

    /// How many could go on.
    #[inline]
    pub(crate) fn able(&self) -> usize {
        self.able.len()
    }

    /// The n-th of those who could go on.
    pub(crate) fn able_task(&self, n: usize) -> Option<TaskId> {
        self.able.get(n).map(|&at| self.tasks[at].task)
    }

    /// The task that was parked last, if it could go on.
    #[inline]
    pub(crate) fn last_able(&self) -> Option<TaskId> {
        self.able.last().filter(|&&at| at + 1 == self.tasks.len()).map(|&at| self.tasks[at].task)
    }

    /// Adds those who could go on.
    pub(crate) fn candidates(&self, into: &mut Vec<Candidate>) {
        into.extend(self.able.iter().map(|&at| {
            let Announcement { task, touch, .. } = &self.tasks[at];
            Candidate { task: *task, announced: Some(*touch) }
        }))
    }

    /// The n-th of those who could go on; it is no longer parked.
    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> Option<Announcement> {
        let at = *self.able.get(n)?;
        Some(self.tasks.remove(at))
    }

    /// As new, but for the memory. Nobody is parked.
    pub(crate) fn renew(&mut self) {
        self.watching = false;
        self.trying.clear();
        self.able.clear();
    }

    /// The exploration is over: who was left.
    pub(crate) fn leave(&mut self) -> Vec<(Waiter, Stuck)> {
        self.watching = false;
        self.able.clear();
        let left = self.tasks.drain(..);
        left.map(|a| (a.waiter, Stuck { task: a.task, announced: Some(a.touch) })).collect()
    }
}
