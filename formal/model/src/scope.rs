//! Scopes inside a task: branches, masks, phases of a bracket, and the combinators around them.
//!
//! Rules: `scope.numbering`, `scope.tree`, `race.winner`, `race.drained`, `cancel.bounded`.
//!
//! Not here: requests on scopes (`cancel`), in-frame regions, whose body is a scope too (`region`).

use alloc::vec::Vec;

use trace::{ScopeEnd, ScopeId, ScopeKind};
use types::{AfterGrace, CancelKind, RegionId, TaskId};

use crate::{Refusal, Requests, Scope, State, above::Place, region, require, task};

/// Looks an open inner scope up, or refuses with `scope.tree`.
pub(crate) fn open_scope(state: &State, id: ScopeId) -> Result<&Scope, Refusal> {
    let scope = state.scopes.get(&id).filter(|scope| scope.end.is_none());
    scope.ok_or_else(|| Refusal { rule: "scope.tree", why: alloc::format!("{id} isn't an open scope") })
}

/// `scope.tree`: a scope is opened in a scope of the same task whose code still runs.
pub(crate) fn open(
    state: &mut State,
    id: ScopeId,
    parent: ScopeId,
    in_task: TaskId,
    kind: ScopeKind,
) -> Result<(), Refusal> {
    require!(state.number_is_free(id.0), "scope.numbering", "number {} is taken", id.0);
    task::acts(state, in_task)?;
    let finalizes = |place: &Place| {
        let own = match *place {
            Place::Region(region) => Some(region),
            _ => state.attached(*place),
        };
        own.is_some_and(|own| state.regions[&own].phase == trace::RegionPhase::Finalizing)
    };
    let place = state.place(parent).filter(|place| region::runs(state, *place) || finalizes(place));
    require!(place.is_some(), "scope.tree", "{id} is opened in {parent}, whose code is over");
    require!(state.is_in(parent, in_task), "scope.tree", "{parent} isn't a scope of {in_task}");

    let masks = kind.masks();
    let scope = Scope { parent, task: in_task, kind, masks, requests: Requests::NONE, won: 0, end: None };
    state.scopes.insert(id, scope);
    state.unfinished.scopes.insert((in_task, id));
    Ok(())
}

/// `race.winner`: a branch wins its own combinator, once.
pub(crate) fn won(state: &mut State, race: ScopeId, winner: ScopeId) -> Result<(), Refusal> {
    let kind = open_scope(state, race)?.kind;
    require!(kind == ScopeKind::Combinator, "race.winner", "{race} is no combinator");
    let branch = open_scope(state, winner)?;
    require!(branch.parent == race, "race.winner", "{winner} isn't a branch of {race}");
    require!(branch.won == 0, "race.winner", "{winner} has won before");

    for scope in [race, winner] {
        state.scopes.get_mut(&scope).expect("looked up above").won += 1;
    }
    Ok(())
}

/// `race.drained`: a scope that returns has nothing open inside, and losers were asked to stop.
pub(crate) fn close(state: &mut State, id: ScopeId, how: ScopeEnd) -> Result<(), Refusal> {
    let scope = open_scope(state, id)?;
    let inside = inside(state, id);
    if how == ScopeEnd::Returned {
        if let Some(open) = inside.first() {
            let race = scope.kind == ScopeKind::Combinator;
            require!(!race, "race.drained", "{id} returns before its branch {open}");
            require!(race, "scope.tree", "{id} returns while {open} is open inside");
        }
        loser_was_asked(state, id, scope)?;
    }
    if how == ScopeEnd::Forced {
        let owners = state.enclosing_regions(Place::Scope(id));
        let choice = owners.first().map(|owner: &RegionId| state.regions[owner].after_grace);
        require!(
            choice == Some(AfterGrace::Abandon),
            "cancel.bounded",
            "the region around {id} waits for it"
        );
        task::past_deadline(state, Place::Scope(id))?;
    }
    // No destructor may be skipped: regions opened in the frame have said that they were dropped.
    let left = state.open_regions().find(|(_, region)| {
        !region.dropped && region.within.is_some_and(|within| within == id || inside.contains(&within))
    });
    if let Some((left, _)) = left {
        require!(
            false,
            "race.drained",
            "{id} is over, but {left}, opened inside, is neither closed nor dropped"
        );
    }

    for inner in inside {
        end(state, inner, ScopeEnd::Dropped);
    }
    end(state, id, how);
    Ok(())
}

/// `race.drained`: a branch that returns after the race was won by others has been asked to stop.
fn loser_was_asked(state: &State, id: ScopeId, scope: &Scope) -> Result<(), Refusal> {
    let race = state.scopes.get(&scope.parent).filter(|race| race.kind == ScopeKind::Combinator);
    let lost = race.is_some_and(|race| race.won > 0) && scope.won == 0;
    let asked = scope.requests.top().is_some_and(|top| top.kind >= CancelKind::LostRace);
    require!(!lost || asked, "race.drained", "{id} lost and was never asked to stop");
    Ok(())
}

/// A scope that was open is over.
pub(crate) fn end(state: &mut State, id: ScopeId, how: ScopeEnd) {
    let scope = state.scopes.get_mut(&id).expect("a rule looked the scope up before it ended");
    scope.end = Some(how);
    state.unfinished.scopes.remove(&(scope.task, id));
}

/// The open scopes below `id` in its task.
fn inside(state: &State, id: ScopeId) -> Vec<ScopeId> {
    let below = |scope: &ScopeId| {
        *scope != id && state.way_up_in_task(Place::Scope(*scope)).any(|place| place == Place::Scope(id))
    };
    state.unfinished.scopes_of(state.scopes[&id].task).filter(below).collect()
}
