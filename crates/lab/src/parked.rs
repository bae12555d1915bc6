//! Tasks of an explored run that have announced what they will do next, and wait until it is possible.
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
    tasks: Vec<(TaskId, Announcement)>,
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

    pub(crate) fn park(&mut self, task: TaskId, announcement: Announcement) {
        self.tasks.push((task, announcement))
    }

    pub(crate) fn will_try(&mut self, task: TaskId) {
        self.trying.push(task)
    }

    /// Whether the task tries everything in the step that begins.
    pub(crate) fn tries(&mut self, task: TaskId) -> bool {
        let at = self.trying.iter().position(|t| *t == task);
        at.map(|at| self.trying.swap_remove(at)).is_some()
    }

    /// Something else woke the task.
    pub(crate) fn forget(&mut self, task: TaskId) {
        self.tasks.retain(|(parked, _)| *parked != task)
    }

    /// Adds who could go on, in the order in which they were parked.
    pub(crate) fn possible(&mut self, into: &mut Vec<Candidate>) {
        let Parked { tasks, able, .. } = self;
        able.clear();
        if tasks.is_empty() {
            return;
        }
        watch::possible(tasks.iter().map(|(_, a)| &a.touch), |n| {
            let (task, Announcement { touch, .. }) = &tasks[n];
            into.push(Candidate { task: *task, announced: Some(*touch) });
            able.push(n)
        });
    }

    /// The waiter of the n-th of those whom [`Parked::possible`] has just found.
    pub(crate) fn take(&mut self, n: usize) -> Option<Waiter> {
        let at = *self.able.get(n)?;
        Some(self.tasks.remove(at).1.waiter)
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
        let left = std::mem::take(&mut self.tasks).into_iter();
        left.map(|(task, a)| (a.waiter, Stuck { task, announced: Some(a.touch) })).collect()
    }
}
