//! Who is where: the tree of tasks and regions as far as a trace has told it, and their source lines.
//!
//! Shared by the oracles that need the tree. It believes every event; judging is theirs.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

use trace::{Event, Label, ScopeId, Site};
use types::{AfterGrace, RegionId, TaskId};

/// A task as the trace shows it.
pub(crate) struct TaskSeen {
    pub(crate) region: RegionId,
    pub(crate) site: Site,
    /// Ended or written off.
    pub(crate) over: bool,
    pub(crate) written_off: bool,
}

/// A region as the trace shows it.
pub(crate) struct RegionSeen {
    pub(crate) parent: Option<RegionId>,
    pub(crate) within: Option<ScopeId>,
    pub(crate) site: Site,
    /// What is still there at the cleanup deadline is dropped, and not waited for.
    pub(crate) abandons: bool,
    /// Its frame was dropped: only its parent waits for it.
    pub(crate) dropped: bool,
    pub(crate) closed: bool,
    pub(crate) written_off: bool,
}

/// The tree.
#[derive(Default)]
pub(crate) struct Whereabouts {
    pub(crate) tasks: BTreeMap<TaskId, TaskSeen>,
    pub(crate) regions: BTreeMap<RegionId, RegionSeen>,
    /// Scopes inside tasks, and the tasks that they are in.
    scopes: BTreeMap<ScopeId, TaskId>,
}

impl Whereabouts {
    /// Takes note of one event.
    pub(crate) fn note(&mut self, event: &Event) {
        match &event.label {
            Label::RegionOpen { region, parent, within, after_grace, site, .. } => {
                let (parent, within, site) = (*parent, *within, site.clone());
                let abandons = *after_grace == AfterGrace::Abandon;
                let seen = RegionSeen {
                    parent,
                    within,
                    site,
                    abandons,
                    dropped: false,
                    closed: false,
                    written_off: false,
                };
                self.regions.insert(*region, seen);
            }
            Label::ScopeOpen { scope, task, .. } => {
                self.scopes.insert(*scope, *task);
            }
            Label::BodyDropped { region, to, .. } => {
                if let Some(region) = self.regions.get_mut(region) {
                    region.parent = Some(*to);
                    region.dropped = true;
                }
            }
            Label::RegionClose { region, .. } | Label::RegionWriteOff { region } => {
                if let Some(seen) = self.regions.get_mut(region) {
                    seen.closed = true;
                    seen.written_off = matches!(event.label, Label::RegionWriteOff { .. });
                }
            }
            Label::TaskSpawn { task, region, site, .. } => {
                let (region, site) = (*region, site.clone());
                self.tasks.insert(*task, TaskSeen { region, site, over: false, written_off: false });
            }
            Label::TaskEnd { task, .. } | Label::TaskWriteOff { task } => {
                if let Some(seen) = self.tasks.get_mut(task) {
                    seen.over = true;
                    seen.written_off = matches!(event.label, Label::TaskWriteOff { .. });
                }
            }
            _ => {}
        }
    }

    /// The region and everything above it. Ends even if the trace shows a circle.
    pub(crate) fn way_up(&self, from: RegionId) -> impl Iterator<Item = RegionId> {
        let above = |at: &RegionId| self.regions.get(at).and_then(|region| region.parent);
        core::iter::successors(Some(from), above).take(self.regions.len() + 1)
    }

    /// The task that a scope is in: its own root scope, one inside it, or the body of a region that it opened. `None` for
    /// the root body's.
    pub(crate) fn task_of(&self, scope: ScopeId) -> Option<TaskId> {
        let mut at = scope;
        for _ in 0..=self.regions.len() {
            if let Some(task) = self.scopes.get(&at) {
                return self.tasks.contains_key(task).then_some(*task);
            }
            let task = TaskId::from_u64(at.0);
            if self.tasks.contains_key(&task) {
                return Some(task);
            }
            at = self.regions.get(&RegionId::from_u64(at.0))?.within?;
        }
        None
    }

    /// The task whose frame a region was opened in, if it was not the root body's.
    pub(crate) fn opener(&self, region: RegionId) -> Option<TaskId> {
        self.task_of(self.regions.get(&region)?.within?)
    }

    /// The live tasks of a region.
    pub(crate) fn live_in(&self, region: RegionId) -> Vec<TaskId> {
        let live = self.tasks.iter().filter(|(_, task)| task.region == region && !task.over);
        live.map(|(id, _)| *id).collect()
    }

    /// A task's name with the line that spawned it.
    pub(crate) fn task(&self, id: TaskId) -> Named<'_> {
        Named { what: "spawned", id: Id::Task(id), site: self.tasks.get(&id).map(|task| &task.site) }
    }

    /// A region's name with the line that opened it.
    pub(crate) fn region(&self, id: RegionId) -> Named<'_> {
        Named { what: "opened", id: Id::Region(id), site: self.regions.get(&id).map(|region| &region.site) }
    }
}

enum Id {
    Task(TaskId),
    Region(RegionId),
}

/// An id with its source line, when the trace has told it.
pub(crate) struct Named<'a> {
    what: &'static str,
    id: Id,
    site: Option<&'a Site>,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Id::Task(id) => write!(f, "{id}")?,
            Id::Region(id) => write!(f, "{id}")?,
        }
        match self.site {
            Some(site) => write!(f, " ({} at {site})", self.what),
            None => Ok(()),
        }
    }
}
