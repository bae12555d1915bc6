//! Requests, how they travel, and how a task learns of them.
//!
//! A request is made on one target, whose number its origin carries, and then reaches everything
//! below by one more label per region and task. Between the two the walk is under way: a checkpoint
//! may see the request or not. Two bounds say what it may see:
//!
//! ```text
//! what has arrived in the task and isn't masked  <=  what it sees  <=  what was made above and isn't masked
//! ```
//!
//! Rules: `cancel.down`, `cancel.effective`, `cancel.strengthen`, `cancel.masked`, `cancel.bounded`,
//! `region.policy`, `region.quiescent`.
//!
//! Not here: what a task makes of it (`task`: `cancel.acknowledged`), the walk upward (`above`).

use trace::{RegionPhase, ScopeId, ScopeKind};
use types::{CancelKind, Policy, RegionId, TaskId, Time};

use crate::{
    Refusal, Request, Requests, State,
    above::{self, Place, strongest},
    region, require, scope, task,
};

/// A request on a region, made there or arriving there.
pub(crate) fn request_region(
    state: &mut State,
    id: RegionId,
    request: Request,
    deadline: Time,
) -> Result<(), Refusal> {
    let region = region::get(state, id)?;
    require!(region.phase != RegionPhase::Closed, "region.quiescent", "{id} is closed, nothing reaches it");
    if made_here(id.as_u64(), request) {
        let failed = region.body.is_some_and(|end| end != trace::End::Ok);
        let fits = match request.kind {
            CancelKind::SiblingFailed => region.policy == Policy::FailFast,
            CancelKind::BodyFailed => failed,
            CancelKind::BodyDropped => region.dropped,
            CancelKind::LostRace => false,
            _ => true,
        };
        require!(fits, "region.policy", "{id} has no reason to make a {:?} request", request.kind);
    } else {
        comes_from_above(state, Place::Region(id), request)?;
    }
    tightens(&region.requests, deadline)?;

    arrive(&mut region::change(state, id).requests, request, deadline);
    state.origins.insert(request.origin.scope);
    Ok(())
}

/// A request on a task, made there or arriving there.
pub(crate) fn request_task(
    state: &mut State,
    id: TaskId,
    request: Request,
    deadline: Time,
) -> Result<(), Refusal> {
    let task = task::live(state, id)?;
    // Daemons are told by their region, which itself isn't asked anything.
    let owner = &state.regions[&task.region];
    let only_daemons =
        || owner.members.iter().map(|member| &state.tasks[member]).all(|t| t.daemon || !t.live());
    let dismissed = task.daemon
        && owner.phase == RegionPhase::Draining
        && request.origin.scope == task.region.as_u64()
        && only_daemons();
    if !made_here(id.as_u64(), request) && !dismissed {
        comes_from_above(state, Place::Task(id), request)?;
    }
    // A walk brings its region's deadline, and knows nothing of an earlier one that the task's handle gave it, nor
    // the other way round.
    let by_handle = made_here(id.as_u64(), request)
        || task.requests.all.iter().any(|request| request.origin.scope == id.as_u64());
    let deadline = if by_handle { deadline.min(task.requests.deadline) } else { deadline };
    tightens(&task.requests, deadline)?;

    let task = state.tasks.get_mut(&id).expect("looked up above");
    arrive(&mut task.requests, request, deadline);
    state.origins.insert(request.origin.scope);
    Ok(())
}

/// `cancel.down`: an inner scope is asked by its own task only, so the origin is the scope itself.
pub(crate) fn request_scope(
    state: &mut State,
    id: ScopeId,
    request: Request,
    deadline: Time,
) -> Result<(), Refusal> {
    if request.kind == CancelKind::ChildFailed && request.origin.scope != id.0 {
        return place_failure(state, id, request);
    }
    let found = scope::open_scope(state, id)?;
    let own = request.origin.scope == id.0;
    require!(own, "cancel.down", "{id} is asked by its own task only, not by scope#{}", request.origin.scope);
    tightens(&found.requests, deadline)?;

    let found = state.scopes.get_mut(&id).expect("looked up above");
    arrive(&mut found.requests, request, deadline);
    state.origins.insert(request.origin.scope);
    Ok(())
}

/// `region.escalation`: a failure that nobody took is placed on the scope that awaits it, which may also be the
/// root scope of a task or the body of a region. Its origin is what it comes from, and that is below.
fn place_failure(state: &mut State, id: ScopeId, request: Request) -> Result<(), Refusal> {
    let place = checkpoint_place(state, id)?;
    let above = state.way_up(place).any(|place| above::number(place) == request.origin.scope);
    require!(
        !above,
        "region.escalation",
        "{request:?} is placed on {id}, which is below where it comes from"
    );

    state.escalated.entry(id).or_default().push(request);
    state.origins.insert(request.origin.scope);
    Ok(())
}

/// Whether the request is made on its target rather than arriving there. Origin 0 is the world
/// outside, which asks where it likes.
fn made_here(number: u64, request: Request) -> bool {
    request.origin.scope == number || request.origin.scope == 0
}

/// `cancel.down` and `cancel.masked`: what arrives was made above with the same kind and origin, and
/// no mask is in its way.
fn comes_from_above(state: &State, place: Place, request: Request) -> Result<(), Refusal> {
    let made = state.made_above(place).contains(&request);
    require!(made, "cancel.down", "nothing above {place:?} was asked {request:?}");
    let seen = state.seen_from(place).contains(&request) || only_due_masks_hide(state, place, request);
    require!(seen, "cancel.masked", "{request:?} is hidden from {place:?} by a mask");
    Ok(())
}

/// Whether every mask between `place` and where the request was made is past its cleanup deadline.
fn only_due_masks_hide(state: &State, place: Place, request: Request) -> bool {
    for at in state.way_up(place) {
        if state.masks(at) && !is_due(state, at) {
            return false;
        }
        if state.requests_at(at).any(|found| found.all.contains(&request)) {
            return true;
        }
    }
    false
}

/// Whether what masks a place is past its cleanup deadline. The walk that enforces the deadline passes such a mask
/// before its own task has come to pierce it. A release has a bound of its own, so that the masks of phases stay until
/// they say so.
pub(crate) fn is_due(state: &State, place: Place) -> bool {
    let section = matches!(place, Place::Scope(id) if state.scopes[&id].kind == ScopeKind::Masked);
    section && task::past_deadline(state, place).is_ok()
}

/// `cancel.strengthen`: a cleanup deadline never moves away.
fn tightens(before: &Requests, deadline: Time) -> Result<(), Refusal> {
    let kept = deadline <= before.deadline;
    require!(kept, "cancel.strengthen", "the cleanup deadline {} would move to {deadline}", before.deadline);
    Ok(())
}

fn arrive(requests: &mut Requests, request: Request, deadline: Time) {
    // Twice is the same as once.
    if !requests.all.contains(&request) {
        requests.all.push(request);
    }
    requests.deadline = deadline;
}

/// `cancel.effective`: a checkpoint that stops a task names a request that is effective there.
pub(crate) fn acknowledge(
    state: &mut State,
    id: TaskId,
    scope: ScopeId,
    request: Request,
) -> Result<(), Refusal> {
    task::acts(state, id)?;
    let place = checkpoint_place(state, scope)?;
    require!(state.is_in(scope, id), "scope.tree", "{scope} isn't a scope of {id}");
    let seen: alloc::vec::Vec<Request> =
        state.seen_from(place).into_iter().chain(state.escalated_to(place)).collect();
    if !seen.contains(&request) {
        let made = state.made_above(place).contains(&request);
        require!(!made, "cancel.masked", "a mask hides {request:?} from {scope}");
        require!(false, "cancel.effective", "{scope} was never asked {request:?}");
    }
    let arrived = strongest(&state.arrived_at(place)).max(state.escalated_to(place).map(|r| r.kind).max());
    require!(
        Some(request.kind) >= arrived,
        "cancel.effective",
        "{scope} was told {:?}, though {arrived:?} had arrived",
        request.kind
    );

    if let Some(task) = state.tasks.get_mut(&id) {
        task.told = task.told.max(Some(request.kind));
    }
    Ok(())
}

/// `cancel.effective`: a checkpoint finds no less than has arrived and no more than was made.
pub(crate) fn checkpoint(
    state: &mut State,
    scope: ScopeId,
    effective: Option<CancelKind>,
) -> Result<(), Refusal> {
    let place = checkpoint_place(state, scope)?;
    let escalated = state.escalated_to(place).map(|request| request.kind).max();
    let most = strongest(&state.seen_from(place)).max(escalated);
    let least = strongest(&state.arrived_at(place)).max(escalated);
    if effective > most {
        let hidden = strongest(&state.made_above(place));
        require!(effective > hidden, "cancel.masked", "{scope} found {effective:?}, which a mask hides");
    }
    require!(
        least <= effective && effective <= most,
        "cancel.effective",
        "{scope} found {effective:?}; {least:?} has arrived and {most:?} was made"
    );
    Ok(())
}

fn checkpoint_place(state: &State, scope: ScopeId) -> Result<Place, Refusal> {
    let place = state.place(scope).filter(|place| match place {
        Place::Scope(scope) => state.scopes[scope].end.is_none(),
        Place::Task(task) => state.tasks[task].live(),
        Place::Region(region) => state.regions[region].phase != RegionPhase::Closed,
    });
    place.ok_or_else(|| Refusal { rule: "scope.tree", why: alloc::format!("{scope} isn't open") })
}

/// `cancel.bounded`: a mask is pierced at the cleanup deadline of what it hides, not before.
pub(crate) fn pierce(state: &mut State, id: ScopeId) -> Result<(), Refusal> {
    let masks = scope::open_scope(state, id)?.masks;
    require!(masks, "cancel.masked", "{id} masks nothing");
    task::past_deadline(state, Place::Scope(id))?;

    state.scopes.get_mut(&id).expect("looked up above").masks = false;
    Ok(())
}

/// `cancel.down`, at the end of a walk: everything a live task was asked has arrived there.
///
/// Holds whenever no walk is under way, so at the end of a trace.
pub(crate) fn all_arrived(state: &State) -> Result<(), Refusal> {
    for (id, found) in state.tasks.iter().filter(|(_, found)| found.live()) {
        let place = Place::Task(*id);
        let (most, least) = (strongest(&state.seen_from(place)), strongest(&state.arrived_at(place)));
        require!(
            least >= most,
            "cancel.down",
            "{id} in {} was asked {most:?}, and only {least:?} arrived",
            found.region
        );
    }
    Ok(())
}
