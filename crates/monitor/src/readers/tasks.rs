//! Readers of how tasks begin and end: [`Deadlines`], [`Panics`], [`Abandoned`], [`Refusals`].

use std::collections::BTreeSet;

use trace::{End, Event, Label};
use types::{CancelKind, TaskId};

use super::Reader;

/// Tasks that end because a deadline passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deadlines;

impl Reader for Deadlines {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::TaskEnd { end, .. } => {
                Some(matches!(end, End::Cancelled { kind: CancelKind::Deadline, .. }))
            }
            _ => None,
        }
    }
}

/// Tasks that panic. One that was abandoned ends as a panic too and isn't counted: see [`Abandoned`].
#[derive(Clone, Debug, Default)]
pub struct Panics {
    abandoned: BTreeSet<TaskId>,
}

impl Reader for Panics {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::TaskAbandon { task } => {
                self.abandoned.insert(task);
                None
            }
            Label::TaskWriteOff { task } => {
                self.abandoned.remove(&task);
                None
            }
            Label::TaskEnd { task, end, .. } => {
                let abandoned = self.abandoned.remove(&task);
                Some(end == End::Panicked && !abandoned)
            }
            _ => None,
        }
    }

    fn begin(&mut self) {
        self.abandoned.clear();
    }
}

/// Tasks that didn't end by themselves: dropped between polls after their cleanup deadline, or written off by a shutdown.
#[derive(Clone, Debug, Default)]
pub struct Abandoned {
    abandoned: BTreeSet<TaskId>,
}

impl Reader for Abandoned {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::TaskAbandon { task } => {
                self.abandoned.insert(task);
                None
            }
            Label::TaskEnd { task, .. } => Some(self.abandoned.remove(&task)),
            Label::TaskWriteOff { task } => {
                self.abandoned.remove(&task);
                Some(true)
            }
            _ => None,
        }
    }

    fn begin(&mut self) {
        self.abandoned.clear();
    }
}

/// Spawns that are refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refusals;

impl Reader for Refusals {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::TaskSpawn { .. } => Some(false),
            Label::SpawnRefused { .. } => Some(true),
            _ => None,
        }
    }
}
