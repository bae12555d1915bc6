//! Finished members whose outcome the close has to look at, as long as nobody has joined them.
//!
//! A region that lives for long and joins what it spawns must not keep every task that ever failed: those whose
//! outcome was taken are let go of whenever the list has doubled, so it is at most twice as long as the largest
//! number that nobody had joined, and a member costs a constant on average.
//!
//! Invariant `unjoined.none-lost`: a member leaves the list only when its outcome has left its cell.
use alloc::vec::Vec;
use task::TaskRef;

/// How many are kept without a look at them.
const FEW: usize = 32;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Unjoined {
    tasks: Vec<TaskRef>,
    /// The length at which the list is looked through.
    limit: usize,
}

impl Unjoined {
    /// Keeps a member. Returns those that were joined meanwhile: drop them where no lock is held, as the last
    /// reference to a task frees what it held.
    #[must_use]
    pub(crate) fn keep(&mut self, task: TaskRef) -> Vec<TaskRef> {
        let mut joined = Vec::new();
        if self.tasks.len() >= self.limit.max(FEW) {
            joined.extend(self.tasks.extract_if(.., |task| task.is_taken()));
            self.limit = 2 * self.tasks.len();
        }
        self.tasks.push(task);
        joined
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Takes all of them.
    pub(crate) fn take(&mut self) -> Vec<TaskRef> {
        core::mem::take(&mut self.tasks)
    }
}
