//! Tasks of an explored run that have announced what they will do next, and wait until it is possible.
//!
//! Who is asked to end stays where it is, and can go on at once if it heeds that: so its steps are the same whether it was
//! asked before or after it came to this point.
//!
//! Invariants:
//! - `parked.order`: they are candidates in the order in which they were parked, so whoever parked itself in the last step is
//!   the last of them.
//! - `parked.told`: whoever was woken by a request is run when it could go on, or when anything else is said to it.
//!
//! Not here: which operations are possible when (`watch`).
use crate::watch::{self, Announcement};
use cx::{Heed, Waiter};
use explore::{Candidate, Stuck};
use task::Runnable;
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
    /// Those of them whom a request has woken, with what their control words said then.
    told: Vec<(TaskId, Runnable, u32)>,
}

/// A parked task that goes on: it has to be woken, or is to be run.
pub(crate) enum Goes {
    Woken(Announcement),
    Told(Announcement, Runnable),
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

    /// A request has woken the task. Given back if it is not parked.
    pub(crate) fn tell(&mut self, task: TaskId, runnable: Runnable) -> Option<Runnable> {
        let Some(parked) = self.tasks.iter_mut().find(|parked| parked.task == task) else {
            return Some(runnable);
        };
        if parked.heed == Heed::OnceAsked {
            parked.heed = Heed::Now
        }
        let control = runnable.header().control();
        self.told.push((task, runnable, control));
        None
    }

    /// Those whom a request has woken that was hidden from them, and who were told something else since: a cleanup
    /// deadline, that they are given up. What they announced is void, and they have waited for it all the same.
    pub(crate) fn told_more(&mut self) -> Vec<Runnable> {
        let Parked { told, tasks, .. } = self;
        let more = told.extract_if(.., |(task, runnable, before)| {
            let waits = tasks.iter().any(|parked| parked.task == *task && parked.heed != Heed::Now);
            waits && runnable.header().control() != *before
        });
        let more: Vec<_> = more.map(|(task, runnable, _)| (task, runnable)).collect();
        let forget = |(task, runnable)| {
            if let Some(void) = self.forget(task)
                && !types::seeded!("lab.voids-untold")
            {
                watch::voided(task, &void.touch)
            }
            runnable
        };
        more.into_iter().map(forget).collect()
    }

    /// Whether somebody was told.
    #[inline]
    pub(crate) fn anybody_told(&self) -> bool {
        !self.told.is_empty()
    }

    /// The first of those who could go on because they were asked to end, as it would be run first.
    #[inline]
    pub(crate) fn first_told(&self) -> Option<usize> {
        if self.told.is_empty() {
            return None;
        }
        self.able.iter().position(|&at| self.tasks[at].heed == Heed::Now)
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
            let Announcement { task, touch, heed, .. } = &self.tasks[at];
            Candidate { task: *task, announced: Some(*touch), request: watch::request(*task, *heed) }
        }))
    }

    /// The n-th of those who could go on; it is no longer parked.
    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> Option<Goes> {
        let at = *self.able.get(n)?;
        let announced = self.tasks.remove(at);
        if self.told.is_empty() {
            return Some(Goes::Woken(announced));
        }
        let told = self.told.iter().position(|(task, ..)| *task == announced.task);
        Some(match told {
            None => Goes::Woken(announced),
            Some(at) => Goes::Told(announced, self.told.remove(at).1),
        })
    }

    /// As new, but for the memory. Nobody is parked.
    pub(crate) fn renew(&mut self) {
        self.watching = false;
        self.trying.clear();
        self.able.clear();
        self.told.clear();
    }

    /// The exploration is over: who was left, and those of them who can be run.
    pub(crate) fn leave(&mut self) -> (Vec<(Waiter, Stuck)>, Vec<Runnable>) {
        self.watching = false;
        self.able.clear();
        let stuck = |a: &Announcement| Stuck {
            task: a.task,
            announced: Some(a.touch),
            request: watch::request(a.task, a.heed),
        };
        let left = self.tasks.drain(..).map(|a| (stuck(&a), a.waiter)).map(|(stuck, waiter)| (waiter, stuck));
        (left.collect(), self.told.drain(..).map(|(_, runnable, _)| runnable).collect())
    }
}
