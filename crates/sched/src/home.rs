//! The home thread of an engine whose workers are all threads of their own: it polls pinned tasks, and nothing else.
//!
//! It is no worker: it steals nothing, nobody steals from it, and it has no timers and no I/O. What its tasks arm is served
//! by a worker, and what they wake or spawn goes where any thread outside puts it. So nothing but a pinned task can
//! keep it.
//!
//! Invariant `home.told`: whoever puts a task in rings after it; the thread looks again after each ring, before it sleeps.
//!
//! Not here: the home thread that is worker 0, which is the usual one (`worker`).
use crate::lane::Lane;
use std::sync::{Condvar, Mutex, PoisonError};
use task::Runnable;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Home {
    tasks: Lane,
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Home {
    /// Queues a pinned task. Any thread.
    pub(crate) fn push(&self, task: Runnable) {
        self.tasks.push(task);
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }

    /// Takes the first.
    pub(crate) fn pop(&self) -> Option<Runnable> {
        self.tasks.pop()
    }

    /// Sleeps until somebody rings, or has rung since the last sleep.
    pub(crate) fn sleep(&self) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_while(rung, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner) = false;
    }
}
