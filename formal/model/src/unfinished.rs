//! [`Unfinished`]: what is not over, beside the maps of everything there ever was.
//!
//! Rules that ask what is left when something ends look here, so that a step costs as much as what is open, not as much as
//! what has been: a loop of a million regions is checked as fast at its end as at its beginning.
//!
//! Invariant `model.unfinished` (`invariant`): it is what a scan of the maps would give.
//!
//! Not here: any rule.

use alloc::collections::BTreeSet;

use trace::{RegionKind, RegionPhase, ScopeId};
use types::{RegionId, TaskId};

use crate::State;

/// Keys of what is not over. Kept by the rules that open and end things.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unfinished {
    /// Regions that aren't closed.
    pub(crate) regions: BTreeSet<RegionId>,
    /// Regions with a failure that hasn't moved on yet.
    pub(crate) owing: BTreeSet<RegionId>,
    /// Regions of branches whose frame wasn't dropped, closed ones too, by their branch.
    pub(crate) branches: BTreeSet<(ScopeId, RegionId)>,
    /// Scopes that haven't ended, by their task.
    pub(crate) scopes: BTreeSet<(TaskId, ScopeId)>,
}

impl Unfinished {
    pub(crate) const NOTHING: Self = Self {
        regions: BTreeSet::new(),
        owing: BTreeSet::new(),
        branches: BTreeSet::new(),
        scopes: BTreeSet::new(),
    };

    /// What a scan of everything gives.
    pub(crate) fn counted(state: &State) -> Self {
        let regions = || state.regions.iter();
        let of_branch = |(id, region): (&RegionId, &crate::Region)| {
            let is = region.kind == RegionKind::Branch && !region.dropped;
            region.within.filter(|_| is).map(|within| (within, *id))
        };
        let scopes = state.scopes.iter().filter(|(_, scope)| scope.end.is_none());
        Self {
            regions: regions()
                .filter(|(_, region)| region.phase != RegionPhase::Closed)
                .map(|(id, _)| *id)
                .collect(),
            owing: regions()
                .filter(|(_, region)| region.owes_escalation.is_some())
                .map(|(id, _)| *id)
                .collect(),
            branches: regions().filter_map(of_branch).collect(),
            scopes: scopes.map(|(id, scope)| (scope.task, *id)).collect(),
        }
    }

    /// The scopes of this task that haven't ended.
    pub(crate) fn scopes_of(&self, task: TaskId) -> impl Iterator<Item = ScopeId> {
        self.scopes.range((task, ScopeId(0))..=(task, ScopeId(u64::MAX))).map(|(_, scope)| *scope)
    }

    /// The region of this branch.
    pub(crate) fn region_of(&self, branch: ScopeId) -> Option<RegionId> {
        let all = (branch, RegionId::from_u64(0))..=(branch, RegionId::from_u64(u64::MAX));
        self.branches.range(all).map(|(_, region)| *region).next()
    }
}

impl State {
    /// The regions that aren't closed.
    pub(crate) fn open_regions(&self) -> impl Iterator<Item = (RegionId, &crate::Region)> {
        self.unfinished.regions.iter().map(|id| (*id, &self.regions[id]))
    }
}
