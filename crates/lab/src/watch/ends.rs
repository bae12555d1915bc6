//! Ends of tasks and closes of regions: who waits for them, and who goes on after them.
//!
//! Who joins a task and waits for nothing else goes on after it, whenever it ended: nobody could tell. Who might have gone on
//! without it has looked whether it had ended.
//!
//! Not here: that something ends (`watch`, `regions`), what sleepers look at (`asleep`).
use super::{CLOSE, END, Run, object};
use cx::port::WaitOn;
use trace::{Access, ObjectId, ObjectKind};
use types::{RegionId, TaskId};

impl Run {
    /// The object that whoever joins the task announces.
    pub(super) fn end_of(&mut self, task: TaskId) -> ObjectId {
        let end = object(task.as_u64(), END);
        let number = self.number(end);
        self.kinds[number as usize] = ObjectKind::Moment;
        ObjectId(end.0 ^ self.salt)
    }

    /// The task whose step it is has joined this one, which had ended.
    pub(super) fn joined(&mut self, task: TaskId) {
        let end = object(task.as_u64(), END);
        let alone = self.asleep.waited_for_only(end)
            || self.announced == Some(end)
            || types::seeded!("lab.late-joins-are-alone");
        if !alone || self.combines() || self.own.is_some() {
            self.touch(end, ObjectKind::Moment, Access::Read)
        }
        self.touch(end, ObjectKind::Moment, Access::Observe)
    }

    /// The task whose step it is has waited until nobody was left in this region. What it does beside that in other branches
    /// it could have done before.
    pub(super) fn closed(&mut self, region: RegionId) {
        let close = object(region.as_u64(), CLOSE);
        let beside = self.combines() || self.tries;
        if beside && !types::seeded!("lab.closes-are-alone") {
            self.touch(close, ObjectKind::Moment, Access::Read)
        }
        self.touch(close, ObjectKind::Moment, Access::Observe)
    }

    /// The task whose step it is has to wait.
    pub(super) fn waits(&mut self, on: WaitOn) {
        let actor = TaskId::from_u64(self.actor);
        let ends = match on {
            WaitOn::Task(task) => Some(object(task.as_u64(), END)),
            WaitOn::Region(region) => Some(object(region.as_u64(), CLOSE)),
            WaitOn::Anybody | WaitOn::Held { .. } => None,
        };
        match (ends, self.log.touches.last()) {
            // The step ends here in any case.
            (Some(close), _) if matches!(on, WaitOn::Region(_)) => {
                self.asleep.waits(actor, (close, ObjectKind::Moment))
            }
            (Some(end), _) => self.asleep.joins(actor, self.log.touches.len(), (end, ObjectKind::Moment)),
            // It has just tried, and found that it has to wait.
            (None, Some(tried)) => self.asleep.waits(actor, (tried.object, tried.kind)),
            (None, None) => {}
        }
        // Asked before, it would not have slept, and nobody foresees what it would have done: it has looked at what it
        // waits for, or at something of its own. And who joins in a combinator goes on with something else meanwhile.
        let looked = match self.own {
            Some(_) => Some(ends.unwrap_or_else(|| object(self.actor, END))),
            None => ends.filter(|_| self.combines() || self.tries),
        };
        if let Some(looked) = looked {
            self.touch_once(looked, ObjectKind::Moment, Access::Read)
        }
    }

    /// Whether the task whose step it is has the frame of a combinator open.
    fn combines(&self) -> bool {
        let combines = self.combinators.values().any(|within| within.as_u64() == self.actor);
        combines && !types::seeded!("lab.joins-are-alone")
    }
}
