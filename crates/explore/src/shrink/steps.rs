//! [`StepLog`]: the steps of one execution with what they touched, and whom production would have had instead.
use crate::scheduler::{Ended, Step, Stuck, Touch};
use std::ops::Range;
use types::TaskId;

/// One execution's steps. Kept flat: one list of touches for all of them.
#[derive(Clone, Debug, Default)]
pub struct StepLog {
    entries: Vec<Entry>,
    touches: Vec<Touch>,
    stuck: Vec<Stuck>,
    /// Whom production would have had instead of the one that is taking its step.
    instead_of: Option<TaskId>,
}

#[derive(Clone, Debug)]
struct Entry {
    task: Option<TaskId>,
    instead_of: Option<TaskId>,
    touches: Range<usize>,
}

/// One step of a [`StepLog`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Which step, counted from 0, the world's own included.
    pub step: usize,
    /// Whose it was; `None` for the world's.
    pub task: Option<TaskId>,
    /// Whose production would have had, if somebody else's.
    pub instead_of: Option<TaskId>,
    /// What it did.
    pub touches: &'a [Touch],
}

impl StepLog {
    /// How many steps there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The steps, in order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator + Clone {
        self.entries.iter().enumerate().map(|(step, entry)| Row {
            step,
            task: entry.task,
            instead_of: entry.instead_of,
            touches: &self.touches[entry.touches.clone()],
        })
    }

    /// Who never finished.
    #[must_use]
    pub fn stuck(&self) -> &[Stuck] {
        &self.stuck
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.touches.clear();
        self.stuck.clear();
        self.instead_of = None;
    }

    pub(crate) fn picked(&mut self, instead_of: Option<TaskId>) {
        self.instead_of = instead_of;
    }

    pub(crate) fn ran(&mut self, step: &Step<'_>) {
        let from = self.touches.len();
        self.touches.extend_from_slice(step.touches);
        let instead_of = if step.task.is_some() { self.instead_of.take() } else { None };
        self.entries.push(Entry { task: step.task, instead_of, touches: from..self.touches.len() });
    }

    pub(crate) fn ended(&mut self, how: &Ended<'_>) {
        self.stuck.extend_from_slice(how.stuck);
    }
}
