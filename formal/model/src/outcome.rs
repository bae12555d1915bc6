//! Failure, consequence and `worst`: how outcomes add up.
//!
//! Rules: `outcome.failure`, `outcome.consequential`, `region.outcome`.
//!
//! Not here: when an outcome arises (`task`, `region`).

use alloc::vec::Vec;

use trace::{End, RegionKind, RegionPhase};
use types::{CancelKind, Policy, RegionId, Severity, TaskId};

use crate::{
    Region, State, Task,
    above::{Place, number},
};

/// `outcome.failure`: an error, a panic, or a cancellation that wasn't asked of the task.
///
/// `ChildFailed` on the task's own root scope is a failure too: it's how a child's failure travels,
/// and would otherwise be lost one level up. `SpawnRefused` isn't a request at all.
pub(crate) fn is_failure(state: &State, task: TaskId, end: End) -> bool {
    match end {
        End::Ok => false,
        End::Err | End::Panicked => true,
        End::Cancelled { kind: CancelKind::SpawnRefused, .. } => true,
        End::Cancelled { kind, origin } => {
            // What has arrived was asked, though its place is no longer above: a dropped frame's scopes are gone.
            let arrived = state.tasks[&task].requests.all.iter().any(|request| request.origin == origin);
            let asked = arrived
                || origin.scope == 0
                || state.way_up(Place::Task(task)).any(|place| {
                    // Its own implicit region is not above it.
                    let attached = || state.attached(place).filter(|_| place != Place::Task(task));
                    number(place) == origin.scope || attached().is_some_and(|r| r.as_u64() == origin.scope)
                });
            let by_child = kind == CancelKind::ChildFailed && origin.scope == task.as_u64();
            by_child || !asked
        }
    }
}

/// `outcome.consequential`: a cancellation whose origin is the region itself; for a branch's region that is the
/// branch as well, for the two are one place.
pub(crate) fn is_consequential(state: &State, region: RegionId, end: End) -> bool {
    let found = &state.regions[&region];
    let branch = found.within.filter(|_| found.kind == RegionKind::Branch);
    end.origin().is_some_and(|origin| {
        origin.scope == region.as_u64() || branch.is_some_and(|own| own.0 == origin.scope)
    })
}

/// The members of a region whose outcomes it answers for: not taken by `join`, not consequential.
///
/// `Collect` gives every outcome to the caller and `Isolate` to `on_failure`, so under both nothing
/// is left to answer for.
pub(crate) fn counted<'a>(
    state: &'a State,
    id: RegionId,
    region: &'a Region,
) -> impl Iterator<Item = (&'a Task, End)> {
    let counts = region.policy == Policy::FailFast;
    region
        .members
        .iter()
        .filter(move |_| counts)
        .map(|task| &state.tasks[task])
        .filter(|task| !task.joined)
        .filter_map(|task| task.end.map(|end| (task, end)))
        .filter(move |(_, end)| !is_consequential(state, id, *end))
}

/// `region.outcome`: `worst` over the body, the members that count, and the finalizers' panics.
pub(crate) fn of_region(state: &State, id: RegionId) -> Severity {
    let region = &state.regions[&id];
    let body = region.body.filter(|end| !is_consequential(state, id, *end)).map(End::severity);
    let finalizers = region.finalizer_panicked.then_some(Severity::Panicked);
    let members = counted(state, id, region).map(|(_, end)| end.severity());
    members.chain(body).chain(finalizers).max().unwrap_or(Severity::Ok)
}

/// The worst failure of a member that nobody took, or a finalizer's panic: what `region.escalation` must move on.
pub(crate) fn failure_to_move(state: &State, id: RegionId) -> Option<Severity> {
    let region = &state.regions[&id];
    counted(state, id, region)
        .filter(|(task, _)| task.failure)
        .map(|(_, end)| end.severity())
        .chain(region.finalizer_panicked.then_some(Severity::Panicked))
        .max()
}

/// What a task's outcome must at least be because of its children (`region.escalation` for a
/// failure, `cancel.visible` for a cancellation that was asked of them from above).
pub(crate) fn owed_to_children(state: &State, task: &Task) -> Severity {
    let Some(id) = task.implicit else { return task.owed };
    let region = &state.regions[&id];
    debug_assert_eq!(region.phase, RegionPhase::Closed);
    // What was asked of one member alone is neither a failure nor was it asked of the task or above.
    let alone = |end: End| {
        end.origin().is_some_and(|origin| region.members.contains(&TaskId::from_u64(origin.scope)))
    };
    let members: Vec<Severity> = counted(state, id, region)
        .filter(|(_, end)| !matches!(end, End::Cancelled { kind: CancelKind::LostRace, .. }))
        .filter(|(task, end)| task.failure || !alone(*end))
        .map(|(_, end)| end.severity())
        .collect();
    let finalizers = region.finalizer_panicked.then_some(Severity::Panicked);
    members.into_iter().chain(finalizers).max().unwrap_or(Severity::Ok).max(task.owed)
}
