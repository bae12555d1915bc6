//! Regions: opening, the end of a body, phases, close, escalation.
//!
//! ```text
//! Open --body over--> Draining --no live task, no open child--> Finalizing
//!      --finalizers ended--> Settling --no obligation outstanding--> Closed(outcome)
//! ```
//!
//! Rules: `region.tree`, `region.no-admit`, `region.phases`, `region.body`, `region.frame`,
//! `region.waits`, `region.policy`, `region.outcome`, `region.escalation`.
//!
//! Not here: members (`task`), requests (`cancel`), the sums behind an outcome (`outcome`).

use alloc::vec::Vec;

use trace::{End, Escalation, Label, Refused, RegionKind, RegionPhase, ScopeId};
use types::{CancelKind, Origin, RegionId, Severity, TaskId, Time};

use crate::{
    Refusal, Region, Requests, State,
    above::{Place, strongest},
    cancel, outcome, require, task,
};

/// Looks a region up, or refuses with `region.tree`.
pub(crate) fn get(state: &State, id: RegionId) -> Result<&Region, Refusal> {
    state
        .regions
        .get(&id)
        .ok_or_else(|| Refusal { rule: "region.tree", why: alloc::format!("{id} was never opened") })
}

/// Changes a region that a rule has looked up before.
pub(crate) fn change(state: &mut State, id: RegionId) -> &mut Region {
    state.regions.get_mut(&id).expect("a rule looked the region up before changing it")
}

/// `region.tree`, `region.no-admit`, `cancel.masked`: a region has one place in the tree, below a
/// region that can still wait for it.
pub(crate) fn open(state: &mut State, label: &Label) -> Result<(), Refusal> {
    let Label::RegionOpen { region: id, parent, within, kind, policy, after_grace, shielded, .. } = *label
    else {
        unreachable!("only called for RegionOpen");
    };
    require!(state.number_is_free(id.as_u64()), "scope.numbering", "number {} is taken", id.as_u64());
    match (kind, parent, within) {
        (RegionKind::Root, None, None) => {
            require!(state.root().is_none(), "region.tree", "{id} would be a second root");
            require!(!shielded, "cancel.masked", "nothing masks the root");
        }
        (RegionKind::Root, ..) | (_, None, _) | (_, _, None) => {
            require!(false, "region.tree", "exactly the root has no parent and no opener, unlike {id}");
        }
        (_, Some(parent), Some(within)) => open_below(state, id, parent, within, kind, shielded)?,
    }

    if let Some(parent) = parent {
        change(state, parent).open_children += 1;
    }
    if let (RegionKind::Implicit, Some(within)) = (kind, within) {
        let task = state.tasks.get_mut(&TaskId::from_u64(within.0)).expect("checked by open_below");
        task.implicit = Some(id);
    }
    let region = Region {
        parent,
        within,
        kind,
        policy,
        after_grace,
        phase: RegionPhase::Open,
        body: None,
        dropped: false,
        requests: Requests::NONE,
        members: Vec::new(),
        live: 0,
        open_children: 0,
        outstanding: 0,
        finalizers: Vec::new(),
        finalizer_panicked: false,
        owes_cancel: false,
        owes_escalation: None,
        settling_since: Time::MAX,
        written_off: false,
        outcome: None,
        closed_at: None,
    };
    state.regions.insert(id, region);
    state.unfinished.regions.insert(id);
    if let (RegionKind::Branch, Some(within)) = (kind, within) {
        state.unfinished.branches.insert((within, id));
    }
    Ok(())
}

fn open_below(
    state: &State,
    id: RegionId,
    parent: RegionId,
    within: ScopeId,
    kind: RegionKind,
    shielded: bool,
) -> Result<(), Refusal> {
    let phase = get(state, parent)?.phase;
    let place = state.place(within);
    require!(place.is_some(), "region.tree", "{id} is opened in {within}, which doesn't exist");
    let place = place.expect("just required");
    require!(runs(state, place), "region.tree", "{id} is opened in {within}, whose code is over");
    require!(
        phase <= RegionPhase::Draining,
        "region.no-admit",
        "{id} would hang on {parent}, which is {phase:?}"
    );
    let owners = state.enclosing_regions(place);
    require!(
        owners.contains(&parent),
        "region.tree",
        "{parent} doesn't enclose {within}, where {id} is opened"
    );
    match kind {
        RegionKind::Implicit => {
            let fits = matches!(place, Place::Task(task) if state.tasks[&task].region == parent);
            require!(fits, "region.tree", "implicit {id} must hang on the region that owns its task");
            require!(
                state.attached(place).is_none(),
                "region.tree",
                "{within} has an implicit region already"
            );
        }
        RegionKind::Branch => {
            require!(matches!(place, Place::Scope(_)), "region.tree", "{within} isn't a branch");
            require!(state.attached(place).is_none(), "region.tree", "{within} has a region already");
        }
        RegionKind::Frame | RegionKind::Root => {}
    }
    // A frame below another region's shield may carry one too or leave it to that one: to a frame's, or to that
    // of the branch it's opened in. One that is opened while the deadline is enforced above is outside of a mask that is
    // due, whether its own task has come to pierce that or not.
    let masked = state.is_masked(place);
    let up_to_parent = |at: &Place| matches!(at, Place::Scope(_)) && state.attached(*at) != Some(parent);
    let masked_here = state
        .way_up_in_task(place)
        .take_while(up_to_parent)
        .any(|at| state.masks(at) && !cancel::is_due(state, at));
    require!(!shielded || masked, "cancel.masked", "{id} is shielded, but no mask is open above {within}");
    require!(shielded || !masked_here, "cancel.masked", "{id} is opened inside a mask and must be shielded");
    Ok(())
}

/// Whether code can still run in a place.
pub(crate) fn runs(state: &State, place: Place) -> bool {
    match place {
        Place::Scope(scope) => {
            let scope = &state.scopes[&scope];
            scope.end.is_none() && task::acts(state, scope.task).is_ok()
        }
        Place::Task(task) => {
            let body = state.tasks[&task].implicit.and_then(|region| state.regions[&region].body);
            state.tasks[&task].live() && body.is_none()
        }
        Place::Region(region) => {
            let region = &state.regions[&region];
            region.phase == RegionPhase::Open && region.body.is_none() && !region.dropped
        }
    }
}

/// `region.body`: a body ends once, after the frames opened in it; a failed one owes its members a
/// request.
pub(crate) fn body_end(state: &mut State, id: RegionId, end: End) -> Result<(), Refusal> {
    let region = get(state, id)?;
    require!(region.body.is_none() && !region.dropped, "region.body", "the body of {id} is over already");
    require!(
        region.phase == RegionPhase::Open,
        "region.body",
        "{id} is {:?}, its body can't run",
        region.phase
    );
    known_origin(state, end)?;
    let shared = region.within.filter(|_| matches!(region.kind, RegionKind::Implicit | RegionKind::Branch));
    frames_are_over(state, shared.and_then(|within| state.place(within)).unwrap_or(Place::Region(id)), id)?;
    let owes = end != End::Ok && (region.live > 0 || region.open_children > 0);

    let region = change(state, id);
    region.body = Some(end);
    region.owes_cancel |= owes;
    Ok(())
}

/// `cancel.acknowledged`: an end can only name a request that was made, or a refusal.
pub(crate) fn known_origin(state: &State, end: End) -> Result<(), Refusal> {
    let Some(origin) = end.origin() else { return Ok(()) };
    // A second join is told that the outcome was taken, by the number of the task it asked.
    let taken = state.tasks.get(&TaskId::from_u64(origin.scope)).is_some_and(|task| task.end.is_some());
    let known = origin.scope == 0 || state.origins.contains(&origin.scope) || taken && origin.request == 0;
    require!(
        known,
        "cancel.acknowledged",
        "nobody asked anything of scope#{}, which an end names",
        origin.scope
    );
    Ok(())
}

/// `region.frame`: what was opened in the frame of `place`, the region `but` left aside, is closed or
/// dropped before that frame ends.
pub(crate) fn frames_are_over(state: &State, place: Place, but: RegionId) -> Result<(), Refusal> {
    let left = state.open_regions().find(|(id, region)| {
        *id != but
            && !region.dropped
            && matches!(region.kind, RegionKind::Frame | RegionKind::Branch)
            && state.way_up_in_task(Place::Region(*id)).any(|at| at == place)
    });
    if let Some((left, _)) = left {
        require!(false, "region.frame", "{left} is still open in a frame that ends, and wasn't dropped");
    }
    Ok(())
}

/// `region.frame`: a dropped frame leaves its region to an enclosing one.
pub(crate) fn body_dropped(state: &mut State, id: RegionId, to: RegionId) -> Result<(), Refusal> {
    let region = get(state, id)?;
    let heir = get(state, to)?.phase;
    require!(
        matches!(region.kind, RegionKind::Frame | RegionKind::Branch),
        "region.frame",
        "{id} has no frame to drop"
    );
    require!(
        !region.dropped && region.phase != RegionPhase::Closed,
        "region.frame",
        "the frame of {id} is gone already"
    );
    let within = region.within.and_then(|within| state.place(within));
    let owners = within.map(|place| state.enclosing_regions(place)).unwrap_or_default();
    require!(to != id && owners.contains(&to), "region.frame", "{to} doesn't enclose {id}");
    require!(heir <= RegionPhase::Draining, "region.waits", "{to} is {heir:?} and can't wait for {id}");
    let old = region.parent;
    let owes = region.live > 0 || region.open_children > 0;

    if let Some(old) = old {
        change(state, old).open_children -= 1;
    }
    change(state, to).open_children += 1;
    let region = dropped(state, id);
    region.parent = Some(to);
    region.owes_cancel |= owes;
    Ok(())
}

/// The frame of a region is gone.
pub(crate) fn dropped(state: &mut State, id: RegionId) -> &mut Region {
    let region = state.regions.get_mut(&id).expect("a rule looked the region up before changing it");
    region.dropped = true;
    if let Some(within) = region.within {
        state.unfinished.branches.remove(&(within, id));
    }
    region
}

/// `region.phases`: one phase after the other, each when the one before has nothing left to do.
pub(crate) fn enter(state: &mut State, id: RegionId, to: RegionPhase) -> Result<(), Refusal> {
    let region = get(state, id)?;
    let next = match region.phase {
        RegionPhase::Open => RegionPhase::Draining,
        RegionPhase::Draining => RegionPhase::Finalizing,
        RegionPhase::Finalizing => RegionPhase::Settling,
        RegionPhase::Settling | RegionPhase::Closed => RegionPhase::Closed,
    };
    let legal = to == next && to != RegionPhase::Closed;
    require!(legal, "region.phases", "{id} can't go from {:?} to {to:?}", region.phase);
    match to {
        RegionPhase::Draining => {
            let over = region.body.is_some() || region.dropped;
            require!(over, "region.phases", "the body of {id} still runs");
        }
        RegionPhase::Finalizing => {
            require!(region.live == 0, "region.waits", "{id} has {} live tasks", region.live);
            let children = region.open_children;
            require!(children == 0, "region.waits", "{id} has {children} open child regions");
            let asked = strongest(&state.seen_from(Place::Region(id))).is_some();
            require!(
                asked || !region.owes_cancel,
                "region.policy",
                "a failure in {id} obliged it to cancel its members, and it didn't"
            );
        }
        _ => {
            require!(region.live == 0, "region.waits", "{id} has {} live tasks", region.live);
            let left = region.finalizers.len();
            require!(left == 0, "finalizer.order", "{id} has {left} finalizers that haven't ended");
        }
    }

    let now = state.now;
    let region = change(state, id);
    region.phase = to;
    if to == RegionPhase::Settling {
        region.settling_since = now;
    }
    Ok(())
}

/// `obligation.balanced`, `region.outcome`: a region closes with nothing outstanding and says
/// exactly how it went.
pub(crate) fn close(state: &mut State, id: RegionId, outcome: Severity) -> Result<(), Refusal> {
    let region = get(state, id)?;
    let phase = region.phase;
    require!(phase == RegionPhase::Settling, "region.phases", "{id} can't close while it's {phase:?}");
    let left = region.outstanding;
    require!(left == 0, "obligation.balanced", "{id} has {left} obligations outstanding");
    let due = outcome::of_region(state, id);
    require!(
        outcome == due,
        "region.outcome",
        "{id} closed {outcome:?}, its body and members add up to {due:?}"
    );
    let (parent, steps) = (region.parent, state.steps);
    let owes = outcome::failure_to_move(state, id);

    let region = change(state, id);
    region.phase = RegionPhase::Closed;
    region.outcome = Some(outcome);
    region.closed_at = Some(steps);
    region.owes_escalation = owes;
    if owes.is_some() {
        state.unfinished.owing.insert(id);
    }
    state.unfinished.regions.remove(&id);
    if let Some(parent) = parent {
        change(state, parent).open_children -= 1;
    }
    Ok(())
}

/// `cancel.bounded`: shutdown may stop waiting for a region past its deadline, once everything in it
/// and below it is closed, leaked or written off.
pub(crate) fn write_off(state: &mut State, id: RegionId) -> Result<(), Refusal> {
    let region = get(state, id)?;
    let (phase, live, children) = (region.phase, region.live, region.open_children);
    require!(phase != RegionPhase::Closed, "region.quiescent", "{id} is closed already");
    require!(live == 0, "region.waits", "{id} is written off over {live} live tasks");
    require!(children == 0, "region.waits", "{id} is written off over {children} open regions");
    let left = region.outstanding;
    require!(left == 0, "obligation.balanced", "{id} is written off over {left} outstanding obligations");
    shutdown_is_over(state, Place::Region(id))?;
    let (parent, steps) = (region.parent, state.steps);

    let region = change(state, id);
    region.phase = RegionPhase::Closed;
    region.written_off = true;
    region.closed_at = Some(steps);
    state.unfinished.regions.remove(&id);
    if let Some(parent) = parent {
        change(state, parent).open_children -= 1;
    }
    Ok(())
}

/// `cancel.bounded`: shutdown asked for `place`, and its deadline has passed.
pub(crate) fn shutdown_is_over(state: &State, place: Place) -> Result<(), Refusal> {
    let shutdown = state.made_above(place).iter().any(|request| request.kind == CancelKind::Shutdown);
    require!(shutdown, "cancel.bounded", "{place:?} can be written off by shutdown only");
    task::past_deadline(state, place)
}

/// `region.escalation`: what nobody took moves to the scope that awaits the region.
pub(crate) fn escalate(
    state: &mut State,
    id: RegionId,
    to: ScopeId,
    what: Escalation,
) -> Result<(), Refusal> {
    let region = get(state, id)?;
    require!(region.phase == RegionPhase::Closed, "region.escalation", "{id} isn't closed yet");
    let awaiting =
        if region.dropped { region.parent.and_then(|heir| body_scope(state, heir)) } else { region.within };
    require!(awaiting == Some(to), "region.escalation", "{to} doesn't await {id}");
    // Who collects is handed everything, and may let it go on.
    let collects = region.policy == types::Policy::Collect;
    let cancelled = |task: &crate::Task| {
        let kind = task.end.and_then(|end| match end {
            End::Cancelled { kind, .. } => Some(kind),
            _ => None,
        });
        !task.joined && kind.is_some_and(|kind| kind != CancelKind::LostRace)
    };
    let fits = match what {
        Escalation::Panic => collects || region.owes_escalation == Some(Severity::Panicked),
        Escalation::ChildFailed | Escalation::Returned => collects || region.owes_escalation.is_some(),
        Escalation::Visible => region.members.iter().any(|task| cancelled(&state.tasks[task])),
    };
    require!(fits, "region.escalation", "{id} has no {what:?} to hand over that nobody took");

    if what != Escalation::Visible {
        change(state, id).owes_escalation = None;
        state.unfinished.owing.remove(&id);
        // What it becomes may name the region that it comes from.
        state.origins.insert(id.as_u64());
    }
    if let Some(task) = state.tasks.get_mut(&TaskId::from_u64(to.0)) {
        // On a root scope it stays until the task is over; an inner scope may handle it.
        task.owed = task.owed.max(match what {
            Escalation::ChildFailed => Severity::Cancelled,
            _ => Severity::Ok,
        });
    }
    Ok(())
}

/// The scope in which the body of a region runs.
fn body_scope(state: &State, id: RegionId) -> Option<ScopeId> {
    match state.regions[&id].kind {
        RegionKind::Root | RegionKind::Frame => Some(ScopeId::from(id)),
        RegionKind::Implicit | RegionKind::Branch => state.regions[&id].within,
    }
}

/// `region.no-admit`: a spawn is refused only for a reason, and names the region as its origin.
pub(crate) fn refuse(state: &mut State, id: RegionId, origin: Origin, why: Refused) -> Result<(), Refusal> {
    let phase = get(state, id)?.phase;
    let reason = why != Refused::NotOpen || phase != RegionPhase::Open;
    require!(reason, "region.no-admit", "{id} is open, a spawn can't be refused because it isn't");

    state.origins.insert(origin.scope);
    Ok(())
}
