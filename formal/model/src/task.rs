//! Tasks: spawn, end, join, and the two ways to stop waiting for one.
//!
//! Rules: `region.no-admit`, `region.waits`, `task.once`, `outcome.failure`,
//! `outcome.consequential`, `region.escalation`, `cancel.acknowledged`, `cancel.bounded`.
//!
//! Not here: requests and acknowledgements (`cancel`), scopes inside a task (`scope`).

use trace::{End, RegionKind, RegionPhase, ScopeEnd, ScopeId};
use types::{AfterGrace, Policy, RegionId, Severity, TaskId, Time};

use crate::{Refusal, Requests, State, Task, above::Place, outcome, region, require, scope};

/// Looks a live task up, or refuses with `task.once`.
pub(crate) fn live(state: &State, id: TaskId) -> Result<&Task, Refusal> {
    let task = state.tasks.get(&id).filter(|task| task.live());
    task.ok_or_else(|| Refusal { rule: "task.once", why: alloc::format!("{id} isn't alive") })
}

/// Whether code of this task, or of the root's body, can act; or refuses with `task.once`.
pub(crate) fn acts(state: &State, id: TaskId) -> Result<(), Refusal> {
    let root = state.is_root_body(id)
        && state.root().is_some_and(|root| state.regions[&root].phase != RegionPhase::Closed);
    if root { Ok(()) } else { live(state, id).map(drop) }
}

fn change(state: &mut State, id: TaskId) -> &mut Task {
    state.tasks.get_mut(&id).expect("a rule looked the task up before changing it")
}

/// `region.no-admit`: only an open region admits, except that a dropped frame's finalizers may get
/// a janitor task in the draining region that took the frame over, and a blocking closure of a
/// finalizer that runs may get a task that waits for it.
pub(crate) fn spawn(state: &mut State, id: TaskId, owner: RegionId, daemon: bool) -> Result<(), Refusal> {
    require!(state.number_is_free(id.as_u64()), "scope.numbering", "number {} is taken", id.as_u64());
    let phase = region::get(state, owner)?.phase;
    let janitor = || {
        let orphan = |(_, region): (RegionId, &crate::Region)| region.parent == Some(owner) && region.dropped;
        phase == RegionPhase::Draining && !daemon && state.open_regions().any(orphan)
    };
    let closure = || {
        let runs = |at: &crate::Finalizer| at.region == owner && at.started && at.end.is_none();
        phase == RegionPhase::Finalizing && !daemon && state.finalizers.values().any(runs)
    };
    let admits = phase == RegionPhase::Open || janitor() || closure();
    require!(admits, "region.no-admit", "{owner} is {phase:?} and admits nobody, {id} included");

    let task = Task {
        region: owner,
        daemon,
        implicit: None,
        requests: Requests::NONE,
        told: None,
        owed: Severity::Ok,
        abandoned: false,
        written_off: false,
        end: None,
        failure: false,
        joined: false,
    };
    state.tasks.insert(id, task);
    let region = region::change(state, owner);
    region.members.push(id);
    region.live += 1;
    Ok(())
}

/// A task ends once, after everything below it, with an outcome that says what happened.
pub(crate) fn end(
    state: &mut State,
    id: TaskId,
    end: End,
    failure: bool,
    consequential: bool,
) -> Result<(), Refusal> {
    let task = live(state, id)?;
    let owner = task.region;
    if let Some(implicit) = task.implicit {
        let phase = state.regions[&implicit].phase;
        require!(phase == RegionPhase::Closed, "region.waits", "{id} ends, but its {implicit} is {phase:?}");
    }
    region::frames_are_over(state, Place::Task(id), owner)?;
    region::known_origin(state, end)?;
    let owes = state.unfinished.owing.iter().find(|owing| {
        let region = &state.regions[owing];
        let opener = region.within.filter(|_| !region.dropped).and_then(|within| state.task_of(within));
        opener == Some(id) && region.kind != RegionKind::Implicit
    });
    if let Some(region) = owes {
        require!(false, "region.escalation", "{id} ends, and a failure in {region} never moved on");
    }
    let least = outcome::owed_to_children(state, task);
    let severity = end.severity();
    require!(
        severity >= least,
        "region.escalation",
        "{id} ends {severity:?}, its children make it {least:?}"
    );
    let abandoned = !task.abandoned || end == End::Panicked;
    require!(abandoned, "cancel.bounded", "{id} was abandoned and must end panicked");
    let fails = outcome::is_failure(state, id, end);
    require!(failure == fails, "outcome.failure", "{id} ends {end:?}: a failure is {fails}, not {failure}");
    let follows = outcome::is_consequential(state, owner, end);
    require!(
        consequential == follows,
        "outcome.consequential",
        "{id} ends {end:?} in {owner}: consequential is {follows}, not {consequential}"
    );

    let task = change(state, id);
    task.end = Some(end);
    task.failure = failure;
    let region = region::change(state, owner);
    region.live -= 1;
    let others = region.live > 0 || (region.body.is_none() && !region.dropped);
    region.owes_cancel |= failure && region.policy == Policy::FailFast && others;
    let left: alloc::vec::Vec<ScopeId> = state.unfinished.scopes_of(id).collect();
    for forgotten in left {
        // A forgotten frame runs no destructor; its scopes are over with their task.
        scope::end(state, forgotten, ScopeEnd::Dropped);
    }
    Ok(())
}

/// `task.once`: an outcome is taken once, and only when there is one.
pub(crate) fn joined(state: &mut State, id: TaskId, by: Option<TaskId>) -> Result<(), Refusal> {
    if let Some(by) = by {
        live(state, by)?;
        require!(by != id, "task.once", "{id} can't join itself");
    }
    let outcome = state.tasks.get(&id).map(|task| (task.end.is_some(), task.joined));
    require!(outcome == Some((true, false)), "task.once", "{id} has no outcome to take, or it was taken");

    change(state, id).joined = true;
    Ok(())
}

/// `cancel.bounded`: a whole task is dropped only past its cleanup deadline, and only where its
/// region chose so.
pub(crate) fn abandon(state: &mut State, id: TaskId) -> Result<(), Refusal> {
    let task = live(state, id)?;
    require!(!task.abandoned, "task.once", "{id} was abandoned before");
    let choice = state.regions[&task.region].after_grace;
    require!(choice == AfterGrace::Abandon, "cancel.bounded", "{} waits for {id}", task.region);
    past_deadline(state, Place::Task(id))?;

    change(state, id).abandoned = true;
    Ok(())
}

/// `cancel.bounded`: the cleanup deadline of `place` has passed.
pub(crate) fn past_deadline(state: &State, place: Place) -> Result<(), Refusal> {
    let deadline = state.cleanup_deadline(place);
    let passed = deadline != Time::MAX && deadline <= state.now;
    require!(
        passed,
        "cancel.bounded",
        "the cleanup deadline of {place:?} is {deadline}, now it's {}",
        state.now
    );
    Ok(())
}

/// `cancel.bounded`: shutdown may stop waiting for a task past the deadline of the shutdown; what
/// the task has opened is left to the regions around it.
pub(crate) fn write_off(state: &mut State, id: TaskId) -> Result<(), Refusal> {
    let owner = live(state, id)?.region;
    region::shutdown_is_over(state, Place::Task(id))?;

    let opened: alloc::vec::Vec<RegionId> = state
        .open_regions()
        .filter(|(_, region)| !region.dropped)
        .filter(|(_, region)| region.within.and_then(|within| state.task_of(within)) == Some(id))
        .map(|(region, _)| region)
        .collect();
    for region in opened {
        region::dropped(state, region);
    }
    change(state, id).written_off = true;
    region::change(state, owner).live -= 1;
    Ok(())
}
