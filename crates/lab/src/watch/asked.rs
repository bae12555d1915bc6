//! Requests to end: who is asked in a step, as far as it goes, and whose steps look at that.
//!
//! A request is a write to an object of the task that is asked, whether or not it comes in time: who asks a task that has
//! ended might have come before, and of two who ask one the second one might have been the first. Each step of a task that
//! is ever asked looks at that object, last of all it does.
//!
//! Not here: tasks that wait when they are asked (`parked`).
use super::{ASKED, END, Run, object, with};
use cx::Heed;
use explore::Request;
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::{Access, ObjectId, ObjectKind};
use types::{RegionId, TaskId};

/// Which tasks are asked to end in some run of a search, so that their steps are recorded as looking at what they were
/// asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks {
    /// Everybody, as far as is known.
    pub(crate) all: bool,
    pub(crate) tasks: Arc<BTreeSet<TaskId>>,
    /// Whether what can be seen of regions is recorded ([`super::regions`]).
    pub(crate) regions: bool,
    met: u32,
}

/// What happened in a run and was not recorded: an exploration has to begin again, with that.
#[derive(Debug, Default)]
pub(crate) struct Unlooked {
    /// Who was asked to end while their steps were not recorded as looking at requests.
    pub(crate) tasks: Vec<TaskId>,
    /// Whether somebody looked at a region while nothing was recorded of what can be seen so.
    pub(crate) regions: bool,
}

impl Unlooked {
    /// Whether everything was recorded.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && !self.regions
    }
}

/// After so many times that somebody was met who had not been, everybody looks.
const MEETINGS: u32 = 16;

impl Looks {
    /// Everybody looks.
    pub(crate) fn everybody() -> Looks {
        Looks { all: true, regions: true, ..Looks::default() }
    }

    /// This was met, too.
    pub(crate) fn add(&mut self, unlooked: Unlooked) {
        self.regions |= unlooked.regions;
        if !unlooked.tasks.is_empty() {
            self.met += 1;
            self.all |= self.met > MEETINGS;
            Arc::make_mut(&mut self.tasks).extend(unlooked.tasks)
        }
    }

    /// Whether it is the same, or a copy that was not changed: most runs of a search look as the one before.
    pub(super) fn is(&self, other: &Looks) -> bool {
        let Looks { all, tasks, regions, met } = self;
        Arc::ptr_eq(tasks, &other.tasks) && (*all, *regions, *met) == (other.all, other.regions, other.met)
    }

    pub(super) fn at(&self, task: TaskId) -> bool {
        self.all || self.tasks.contains(&task)
    }
}

impl Run {
    /// A task was asked to end, or would have been if it had not ended. Whether it had shows in the order of this and its
    /// last step, which looks; but what it owned may end after that.
    pub(super) fn asked(&mut self, task: TaskId) {
        self.asked_as(task, Access::Write)
    }

    /// The task whose step it is has asked a scope of its own: what its steps do besides is no longer foreseen by anybody.
    pub(super) fn asked_of_a_scope(&mut self) {
        self.asked_as(TaskId::from_u64(self.actor), Access::Set(0))
    }

    fn asked_as(&mut self, task: TaskId, access: Access) {
        if self.over {
            return;
        }
        if !self.looks.at(task) && !self.unlooked.tasks.contains(&task) {
            self.unlooked.tasks.push(task)
        }
        if self.bodies.values().any(|body| *body == task) {
            self.touch_once(object(task.as_u64(), END), ObjectKind::Moment, Access::Read);
        }
        let own = task.as_u64() == self.actor && types::seeded!("lab.own-requests-are-of-scopes");
        let access = if own { Access::Set(0) } else { access };
        self.touch_once(object(task.as_u64(), ASKED), ObjectKind::Value, access)
    }

    /// The step looks at what its task was asked. Said first, but for what was announced.
    #[cold]
    pub(super) fn look(&mut self, own: ObjectId) {
        if self.log.touches.iter().all(|touch| touch.object != own) {
            self.touch(own, ObjectKind::Value, Access::Read);
            // Who goes on after an end need not have waited for it: asked before, it would have gone on without.
            if self.announced.is_none() {
                self.log.touches.rotate_right(1)
            }
        }
    }

    /// As [`Run::touch`], unless the step did that before.
    pub(super) fn touch_once(&mut self, object: ObjectId, kind: ObjectKind, access: Access) {
        if self.log.touches.iter().all(|touch| (touch.object, touch.access) != (object, access)) {
            self.touch(object, kind, access)
        }
    }

    /// Everybody in the region or below it was asked to end, and so was the frame that opened it.
    pub(super) fn asked_below(&mut self, region: RegionId) {
        let members = self.tasks.iter().filter(|(_, at)| self.is_within(**at, region));
        let mut reached: Vec<TaskId> = members.map(|(task, _)| *task).collect();
        reached.sort_unstable();
        self.told.extend_from_slice(&reached);
        let bodies = self.bodies.iter().filter(|(at, _)| self.is_within(**at, region));
        reached.extend(bodies.map(|(_, task)| *task));
        reached.sort_unstable();
        reached.dedup();
        for task in reached {
            // Whose frame opened the region asks a scope of its own, unless it is below itself.
            let own = task.as_u64() == self.actor && !self.told.contains(&task);
            self.asked_as(task, if own { Access::Set(0) } else { Access::Write })
        }
    }

    pub(super) fn is_within(&self, mut region: RegionId, of: RegionId) -> bool {
        loop {
            if region == of {
                return true;
            }
            match self.parents.get(&region) {
                Some(Some(parent)) => region = *parent,
                _ => return false,
            }
        }
    }
}

/// What the task's steps look at besides, if they do. `heed`: what it announced.
#[inline]
pub(crate) fn request(task: TaskId, heed: Heed) -> Option<Request> {
    let looks = with(|run| run.looks.at(task)) == Some(true);
    looks.then(|| Request { object: object(task.as_u64(), ASKED), heeded: heed != Heed::Never })
}

/// Whether the step that runs has asked the whole task to end.
pub(crate) fn has_told(task: TaskId) -> bool {
    with(|run| run.told.contains(&task)) == Some(true)
}
