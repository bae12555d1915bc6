//! Readers of how long things take: [`Polls`] and [`Timers`].

use core::time::Duration;
use std::collections::BTreeMap;

use trace::{Event, Label, RegionKind, TimerId};
use types::{RegionId, TaskId, Time};

use super::Reader;

/// Polls that hold a worker for longer than `limit`.
///
/// A poll ends where it parks, or where the task's body does: a task that waits for its children after that isn't polled.
#[derive(Clone, Debug)]
pub struct Polls {
    limit: Duration,
    began: BTreeMap<TaskId, Time>,
    /// The task whose body is the body of this implicit region.
    bodies: BTreeMap<RegionId, TaskId>,
}

impl Polls {
    /// Allows a poll `limit`.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, began: BTreeMap::new(), bodies: BTreeMap::new() }
    }

    fn ended(&mut self, task: TaskId, at: Time) -> Option<bool> {
        self.began.remove(&task).map(|began| at - began > self.limit)
    }
}

impl Reader for Polls {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::TaskPoll { task } => {
                self.began.insert(task, event.time);
                None
            }
            Label::TaskPark { task, .. } | Label::TaskEnd { task, .. } => self.ended(task, event.time),
            // It was between polls, or nobody will ever hear of its poll again.
            Label::TaskAbandon { task } | Label::TaskWriteOff { task } => {
                self.began.remove(&task);
                None
            }
            Label::RegionOpen { region, kind: RegionKind::Implicit, within: Some(scope), .. } => {
                // The root scope of a task has the task's number.
                self.bodies.insert(region, TaskId::from_u64(scope.0));
                None
            }
            Label::BodyEnd { region, .. } => {
                let task = self.bodies.remove(&region)?;
                self.ended(task, event.time)
            }
            Label::RegionClose { region, .. } | Label::RegionWriteOff { region } => {
                self.bodies.remove(&region);
                None
            }
            _ => None,
        }
    }

    fn begin(&mut self) {
        self.began.clear();
        self.bodies.clear();
    }
}

/// Timers that fire more than `slack` after they were due.
#[derive(Clone, Debug)]
pub struct Timers {
    slack: Duration,
    due: BTreeMap<TimerId, Time>,
}

impl Timers {
    /// Allows a timer to be late by `slack`.
    #[must_use]
    pub fn new(slack: Duration) -> Self {
        Self { slack, due: BTreeMap::new() }
    }
}

impl Reader for Timers {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::TimerArm { timer, at, .. } => {
                self.due.insert(timer, at);
                None
            }
            Label::TimerDisarm { timer } => {
                self.due.remove(&timer);
                None
            }
            Label::TimerFire { timer } => {
                let due = self.due.remove(&timer)?;
                Some(event.time - due > self.slack)
            }
            _ => None,
        }
    }

    fn begin(&mut self) {
        self.due.clear();
    }
}
