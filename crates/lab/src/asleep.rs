//! What tasks of an explored run sleep for, so that the order of those who could wake them can be told.
//!
//! A task that sleeps goes on because of whoever wakes it first; who comes after that changes nothing, and says nothing.
//! That whoever came second could have been first shows only if the two steps are in conflict:
//!
//! | who | looks at |
//! |---|---|
//! | the step that wakes a sleeping task | what else that one sleeps for: other objects, the request to end |
//! | the step that wakes a task which had announced something | what was announced, if that may have to wait |
//! | the next step of the task | what it slept for, even if it goes on without it |
//!
//! Whoever wakes a task that had announced something is not told as the one who made it able to run: the task may have
//! been able before, or could have been if others had come later.
//!
//! Invariants:
//! - `asleep.first`: of two steps that could each wake a task, the order is told apart as long as it sleeps for both.
//! - `asleep.alone`: a task that sleeps for one thing and is woken by it adds nothing to anybody's step, so that
//!   explorations of such programs stay exact.
//!
//! Not here: what is done to objects (`watch`), tasks that announced what they will do (`parked`).
use crate::names::ById;
use explore::Touch;
use trace::{Access, ObjectId, ObjectKind};
use types::TaskId;

/// An object, and what it is.
pub(crate) type Thing = (ObjectId, ObjectKind);

/// See the module.
#[derive(Default)]
pub(crate) struct Asleep {
    /// What each task waits for that said so in its last step.
    waits: ById<TaskId, Vec<Thing>>,
    /// Lists that are not in use, for their memory.
    spare: Vec<Vec<Thing>>,
    /// One bit for each of them, several tasks to a bit: most who take a step did not sleep, and need not be looked for.
    sleepers: u64,
    /// What the task whose step it is waited for before.
    before: Vec<Thing>,
    /// What the step looks at, unless it does something to it anyway.
    looks: Vec<Thing>,
    /// Ends of tasks that the step waits for, with how much it had done by then: a join alone goes unnoticed. One that is given
    /// up in the same step has found that the task had not ended.
    joins: Vec<(usize, Thing)>,
}

fn bit(task: TaskId) -> u64 {
    1 << (task.as_u64() % 64)
}

impl Asleep {
    /// A step of this task begins.
    #[inline]
    pub(crate) fn begins(&mut self, task: TaskId) {
        self.before.clear();
        if self.sleepers & bit(task) != 0 && !types::seeded!("lab.sleepers-look-at-nothing") {
            let Some(waited) = self.waits.remove(&task) else { return };
            self.spare.push(std::mem::replace(&mut self.before, waited))
        }
    }

    /// The step leaves the task waiting for what it has just tried.
    pub(crate) fn waits(&mut self, task: TaskId, thing: Thing) {
        self.sleepers |= bit(task);
        let waits = self.waits.entry(task).or_insert_with(|| self.spare.pop().unwrap_or_default());
        if !waits.contains(&thing) {
            waits.push(thing)
        }
    }

    /// The step leaves the task waiting for the end of another, having done `done` things.
    pub(crate) fn joins(&mut self, task: TaskId, done: usize, end: Thing) {
        if types::seeded!("lab.joins-are-unseen") {
            return;
        }
        self.waits(task, end);
        self.joins.push((done, end))
    }

    /// Whether the task whose step it is waited for this, and for nothing else.
    pub(crate) fn waited_for_only(&self, end: ObjectId) -> bool {
        matches!(self.before[..], [(object, _)] if object == end)
    }

    /// The step wakes a task that slept. `asked`: the request to end of that task.
    pub(crate) fn woken(&mut self, task: TaskId, asked: Option<Thing>) {
        if types::seeded!("lab.wakers-look-at-nothing") {
            return;
        }
        self.looks.extend(asked);
        self.looks.extend(self.waits.get(&task).into_iter().flatten())
    }

    /// A task that had announced this is no longer parked, and sleeps for it as for anything else.
    pub(crate) fn voided(&mut self, task: TaskId, announced: &Touch) {
        let waiting = matches!(
            announced.access,
            Access::Acquire(_) | Access::Receive | Access::Ended | Access::Observe
        );
        if waiting {
            self.waits(task, (announced.object, announced.kind))
        }
    }

    /// The step is over, having done this. Adds what it has looked at besides: nothing that counts in any object's state.
    #[inline]
    pub(crate) fn ended(&mut self, touches: &mut Vec<Touch>) {
        if !(self.before.is_empty() && self.looks.is_empty() && self.joins.is_empty()) {
            self.add_looks(touches)
        }
    }

    #[cold]
    fn add_looks(&mut self, touches: &mut Vec<Touch>) {
        let done = touches.len();
        let joins = self.joins.drain(..).filter(|&(by_then, _)| by_then < done).map(|(_, end)| end);
        let joins: Vec<Thing> = joins.collect();
        for (object, kind) in self.looks.drain(..).chain(self.before.drain(..)).chain(joins) {
            if touches.iter().all(|touch| touch.object != object) {
                touches.push(Touch { object, kind, access: Access::Read, at: None })
            }
        }
    }

    /// As new, but for the memory.
    pub(crate) fn clear(&mut self) {
        self.waits.clear();
        self.sleepers = 0;
        self.before.clear();
        self.looks.clear();
        self.joins.clear()
    }
}
