//! What is above a scope: the walk that `cancel.effective` and `cancel.down` are defined by.
//!
//! ```text
//! inner scope -> inner scope -> body of an in-frame region -> ... -> root scope of the task
//!     -> region that owns the task -> the scope that region was opened in -> ... -> root region
//! ```
//!
//! An implicit region and its task's root scope are one place on this way, and so are a branch and
//! the region made by a spawn from it: what is asked of the one is asked of the other. A region
//! whose frame was dropped has only its parent above it.
//!
//! Invariant: `region.tree` (it ends: every step goes to something older).
//!
//! Not here: what follows from a request (`cancel`).

use alloc::vec::Vec;

use trace::ScopeId;
use types::{RegionId, TaskId, Time};

use crate::{Request, Requests, State};

/// One place on the way up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Scope(ScopeId),
    Task(TaskId),
    Region(RegionId),
}

impl State {
    /// What the scope with this id is: an inner scope, a task's root or a region's body.
    pub(crate) fn place(&self, scope: ScopeId) -> Option<Place> {
        let (task, region) = (TaskId::from_u64(scope.0), RegionId::from_u64(scope.0));
        if self.scopes.contains_key(&scope) {
            Some(Place::Scope(scope))
        } else if self.tasks.contains_key(&task) {
            Some(Place::Task(task))
        } else if self.regions.contains_key(&region) {
            Some(Place::Region(region))
        } else {
            None
        }
    }

    /// The next place above, or `None` at the top.
    fn above(&self, place: Place) -> Option<Place> {
        match place {
            Place::Scope(scope) => self.place(self.scopes[&scope].parent),
            Place::Task(task) => Some(Place::Region(self.tasks[&task].region)),
            Place::Region(region) => {
                let region = &self.regions[&region];
                match region.within {
                    Some(within) if !region.dropped => self.place(within),
                    _ => region.parent.map(Place::Region),
                }
            }
        }
    }

    /// `place` and everything above it.
    pub(crate) fn way_up(&self, place: Place) -> impl Iterator<Item = Place> {
        core::iter::successors(Some(place), |place| self.above(*place))
    }

    /// The way up as far as the root scope of the task `place` is in, that included. For a region
    /// this is the task that opened it.
    pub(crate) fn way_up_in_task(&self, place: Place) -> impl Iterator<Item = Place> {
        let mut over = false;
        self.way_up(place)
            .take_while(move |place| !core::mem::replace(&mut over, matches!(place, Place::Task(_))))
    }

    /// The task that runs the code of `scope`. `None` for the root's body and for unknown scopes.
    pub(crate) fn task_of(&self, scope: ScopeId) -> Option<TaskId> {
        self.way_up(self.place(scope)?).find_map(|place| match place {
            Place::Task(task) => Some(task),
            _ => None,
        })
    }

    /// Whether `scope` is one of the scopes of this task, or of the root's body.
    pub(crate) fn is_in(&self, scope: ScopeId, task: TaskId) -> bool {
        match self.task_of(scope) {
            Some(found) => found == task,
            None => self.is_root_body(task) && self.place(scope).is_some(),
        }
    }

    /// The region that shares a place with a task's root scope or a branch.
    pub(crate) fn attached(&self, place: Place) -> Option<RegionId> {
        match place {
            Place::Task(task) => self.tasks[&task].implicit,
            Place::Scope(scope) => self.unfinished.region_of(scope),
            Place::Region(_) => None,
        }
    }

    /// The requests made at a place, those of its attached region included.
    pub(crate) fn requests_at(&self, place: Place) -> impl Iterator<Item = &Requests> {
        let own = match place {
            Place::Scope(scope) => &self.scopes[&scope].requests,
            Place::Task(task) => &self.tasks[&task].requests,
            Place::Region(region) => &self.regions[&region].requests,
        };
        let attached = self.attached(place).map(|region| &self.regions[&region].requests);
        core::iter::once(own).chain(attached)
    }

    /// Whether the place hides itself and what is above it.
    pub(crate) fn masks(&self, place: Place) -> bool {
        matches!(place, Place::Scope(scope) if self.scopes[&scope].masks && self.scopes[&scope].end.is_none())
    }

    /// The way up, cut off before the first masked scope.
    pub(crate) fn visible(&self, place: Place) -> impl Iterator<Item = Place> {
        self.way_up(place).take_while(|place| !self.masks(*place))
    }

    /// Whether a masked scope lies between `place` and the root scope of its task.
    pub(crate) fn is_masked(&self, place: Place) -> bool {
        self.way_up_in_task(place).any(|place| self.masks(place))
    }

    /// Every request that can be seen from `place`, had every down-walk arrived.
    pub(crate) fn seen_from(&self, place: Place) -> Vec<Request> {
        self.visible(place)
            .flat_map(|place| self.requests_at(place))
            .flat_map(|found| &found.all)
            .copied()
            .collect()
    }

    /// What escalated to `place` or to the scopes above it in its task, below the first mask.
    pub(crate) fn escalated_to(&self, place: Place) -> impl Iterator<Item = Request> {
        self.way_up_in_task(place)
            .take_while(|place| !self.masks(*place))
            .filter_map(move |place| self.escalated.get(&ScopeId(number(place))))
            .flatten()
            .copied()
    }

    /// Every request on the way up, masks ignored.
    pub(crate) fn made_above(&self, place: Place) -> Vec<Request> {
        self.way_up(place)
            .flat_map(|place| self.requests_at(place))
            .flat_map(|found| &found.all)
            .copied()
            .collect()
    }

    /// Every request that has arrived in the task of `place` and can be seen from there.
    pub(crate) fn arrived_at(&self, place: Place) -> Vec<Request> {
        self.way_up_in_task(place)
            .take_while(|place| !self.masks(*place))
            .flat_map(|place| self.requests_at(place))
            .flat_map(|found| &found.all)
            .copied()
            .collect()
    }

    /// The earliest cleanup deadline on the way up, masks ignored.
    pub(crate) fn cleanup_deadline(&self, place: Place) -> Time {
        self.way_up(place)
            .flat_map(|place| self.requests_at(place))
            .map(|found| found.deadline)
            .min()
            .unwrap_or(Time::MAX)
    }

    /// The regions that enclose code running at `place`, innermost first, up to and including the
    /// one that owns the task.
    pub(crate) fn enclosing_regions(&self, place: Place) -> Vec<RegionId> {
        let mut found = Vec::new();
        for place in self.way_up_in_task(place) {
            found.extend(self.attached(place));
            match place {
                Place::Region(region) => found.push(region),
                Place::Task(task) => found.push(self.tasks[&task].region),
                Place::Scope(_) => {}
            }
        }
        found
    }
}

/// The number of a place, in the one numbering that all share.
pub(crate) fn number(place: Place) -> u64 {
    match place {
        Place::Scope(scope) => scope.0,
        Place::Task(task) => task.as_u64(),
        Place::Region(region) => region.as_u64(),
    }
}

/// The kind of the most severe of some requests.
pub(crate) fn strongest(requests: &[Request]) -> Option<types::CancelKind> {
    requests.iter().map(|request| request.kind).max()
}
