//! Polling a task that nobody woke, and seeing whether it goes on.
//!
//! A future must put up with being polled for no reason: it looks, and goes on waiting. One that goes on instead had
//! something to go on for, and whoever made that so did not wake it: the wake was lost.
//!
//! Not here: when tasks are nudged, what is reported (`runtime`).
use super::Engine;
use crate::watch;
use crate::world::locked;
use cx::port::{self, WaitOn};
use explore::Touch;
use std::sync::atomic::Ordering::Relaxed;
use task::{Runnable, TaskRef, control};
use trace::Event;
use types::TaskId;

/// How often a task that only wakes itself is polled again before it counts as waiting.
const TRIES: usize = 16;

impl Engine {
    /// Polls the task, which waits, once. True if it went on: it ended, did an operation, woke somebody, or waits for
    /// something else now. Not a step of the run.
    pub(crate) fn goes_on(&self, task: &TaskRef) -> bool {
        // Only what this poll does is asked for later.
        watch::ended(&mut Box::default());
        self.goes_on_when_polled(task)
    }

    /// After a task has gone on in an explored run: who was the last of the others to change what it touched, and how.
    pub(crate) fn changed_for(&self, task: TaskId) -> Option<(TaskId, String)> {
        let mut log = Box::default();
        watch::ended(&mut log);
        let changed = locked(&self.changed);
        let last = |touch: &Touch| changed.get(&touch.object).filter(|(by, _)| *by != task);
        log.touches.iter().find_map(last).map(|(by, touch)| (*by, watch::told(touch)))
    }

    fn goes_on_when_polled(&self, task: &TaskRef) -> bool {
        if task.word.is_complete() || task.word.is_scheduled() {
            return false;
        }
        let id = cx::task_id(task);
        let waited_for = self.noted(task);
        let events = self.events();
        let Some(mut runnable) = self.woken_for_nothing(task) else { return false };
        for _ in 0..TRIES {
            task.control.fetch_or(control::NUDGED, Relaxed);
            self.poll(runnable);
            task.control.fetch_and(!control::NUDGED, Relaxed);
            let spent = port::gave_way(task.coop.load(Relaxed));
            if task.word.is_complete() || spent || self.said_something(events) {
                return true;
            }
            let mut lanes = self.lanes.get();
            if lanes.len() > 1 {
                return true;
            }
            let served_lifo = lanes.served_lifo;
            let next = lanes.nth(0);
            lanes.served_lifo = served_lifo;
            match next {
                None => break,
                Some(other) if cx::task_id(other.header()) != id => {
                    lanes.ready.push_front(other);
                    return true;
                }
                Some(again) => runnable = again,
            }
            drop(lanes);
        }
        // Who waits for several things may poll them in another order, or none of them: only what is new counts.
        self.noted(task).iter().any(|on| !waited_for.contains(on))
    }

    /// What the task said in its last poll that it waits for.
    fn noted(&self, task: &TaskRef) -> Vec<WaitOn> {
        self.waits.as_ref().map(|waits| waits.noted(task)).unwrap_or_default()
    }

    /// Whether the kernel has taken a step since: notes of the program don't count, who is polled may write some.
    fn said_something(&self, from: usize) -> bool {
        let meant = |event: &Event| event.label.is_semantic();
        self.recorder.as_ref().is_some_and(|recorder| recorder.since(from, meant).contains(&true))
    }

    fn woken_for_nothing(&self, task: &TaskRef) -> Option<Runnable> {
        self.lanes.get().picking = true;
        task.wake_by_ref();
        let mut lanes = self.lanes.get();
        lanes.picking = false;
        lanes.picked.take()
    }

    /// Whether anybody is queued.
    pub(crate) fn anybody_queued(&self) -> bool {
        self.lanes.get().len() > 0
    }

    /// Whether tasks announce what they will do.
    pub(crate) fn is_watching(&self) -> bool {
        self.lanes.get().parked.is_watching()
    }

    /// Whether somebody has something to say before every step.
    pub(crate) fn is_interfered_with(&self) -> bool {
        self.interferes.load(Relaxed)
    }
}
