//! [`RacingPair`]: the two operations whose order made an execution fail.
//!
//! At the last departure from production, some task was passed over and another took the step. From there on
//! everything went as usual, so the failure is decided by what the one passed over met when it went on at last. The pair
//! is the first thing it did, or would have done, that races with something which overtook it.
use super::steps::{Row, StepLog};
use crate::conflict::conflicting;
use crate::scheduler::Touch;
use std::fmt;
use types::TaskId;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Whose operation.
    pub task: TaskId,
    /// In which step of the log; `None` if it never came to it, because the task is stuck before it.
    pub step: Option<usize>,
    /// The operation, with its place in the source if it is known.
    pub touch: Touch,
}

/// Two operations on one object that race, the one that was delayed and the one that overtook it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RacingPair {
    /// Of the task that production would have run.
    pub delayed: Side,
    /// Of a task that ran in between.
    pub overtaking: Side,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.task, self.touch.access, self.touch.object)?;
        match self.touch.at {
            Some(at) => write!(f, " at {at}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RacingPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, before {}", self.overtaking, self.delayed)?;
        if self.delayed.step.is_none() { f.write_str(", which never happens") } else { Ok(()) }
    }
}

impl StepLog {
    /// The racing pair of the last departure from production. `None` if there was no departure, or if what was delayed
    /// doesn't race with anything that overtook it (the failure then depends on something that isn't an object).
    ///
    /// Meant for a schedule that was shrunk: in a random one, the last departure usually has nothing to do with the
    /// failure. Cost: the touches behind the departure, times those of the delayed task.
    #[must_use]
    pub fn racing_pair(&self) -> Option<RacingPair> {
        let last = self.rows().rev().find(|row| row.instead_of.is_some())?;
        let delayed = last.instead_of?;
        let behind = self.rows().skip(last.step);
        for row in behind.clone().filter(|row| row.task == Some(delayed)) {
            for touch in row.touches {
                let side = Side { task: delayed, step: Some(row.step), touch: *touch };
                if let Some(pair) = overtaken(side, behind.clone().take_while(|other| other.step < row.step))
                {
                    return Some(pair);
                }
            }
        }
        if types::seeded!("shrink.stuck-innocent") {
            return None;
        }
        let stuck = self.stuck().iter().find(|stuck| stuck.task == delayed)?;
        overtaken(Side { task: delayed, step: None, touch: stuck.announced? }, behind)
    }
}

/// The pair of the delayed operation and the first that it races with.
fn overtaken<'a>(delayed: Side, between: impl Iterator<Item = Row<'a>>) -> Option<RacingPair> {
    for row in between {
        let Some(task) = row.task.filter(|task| *task != delayed.task) else { continue };
        if let Some(touch) = row.touches.iter().find(|touch| conflicting(touch, &delayed.touch)) {
            return Some(RacingPair {
                delayed,
                overtaking: Side { task, step: Some(row.step), touch: *touch },
            });
        }
    }
    None
}
