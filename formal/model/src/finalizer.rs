//! Finalizers: last in, first out, one at a time, each exactly once.
//!
//! Rules: `finalizer.order`, `region.no-admit`.
//!
//! Not here: that Settling waits for them (`region::enter`), their bound (`cancel.bounded` is the
//! engine's: the model sees only that one timed out).

use trace::{FinalizerEnd, FinalizerId, RegionPhase, ScopeId};
use types::RegionId;

use crate::{Finalizer, Refusal, State, region, require, scope};

/// `region.no-admit`: nobody registers with a region that is finalizing or beyond.
pub(crate) fn register(state: &mut State, owner: RegionId, id: FinalizerId) -> Result<(), Refusal> {
    let phase = region::get(state, owner)?.phase;
    require!(
        phase <= RegionPhase::Draining,
        "region.no-admit",
        "{owner} is {phase:?} and takes no finalizer"
    );
    require!(!state.finalizers.contains_key(&id), "finalizer.order", "{id} is registered already");

    state.finalizers.insert(id, Finalizer { region: owner, started: false, end: None });
    region::change(state, owner).finalizers.push(id);
    Ok(())
}

/// `finalizer.order`: the newest one that hasn't run is next, once the one before has ended.
pub(crate) fn run(state: &mut State, owner: RegionId, id: FinalizerId) -> Result<(), Refusal> {
    let region = region::get(state, owner)?;
    require!(
        region.phase == RegionPhase::Finalizing,
        "finalizer.order",
        "{owner} is {:?}, its finalizers can't run",
        region.phase
    );
    let next = region.finalizers.last().copied();
    require!(next == Some(id), "finalizer.order", "{next:?} of {owner} is next, not {id}");
    require!(!state.finalizers[&id].started, "finalizer.order", "{id} runs already");

    state.finalizers.get_mut(&id).expect("listed by its region").started = true;
    Ok(())
}

/// `finalizer.order`: what ends has run, and was ended by its own region.
pub(crate) fn end(
    state: &mut State,
    owner: RegionId,
    id: FinalizerId,
    how: FinalizerEnd,
) -> Result<(), Refusal> {
    let last = region::get(state, owner)?.finalizers.last().copied();
    let running = last == Some(id) && state.finalizers[&id].started;
    require!(running, "finalizer.order", "{id} doesn't run in {owner}");

    state.finalizers.get_mut(&id).expect("listed by its region").end = Some(how);
    let region = region::change(state, owner);
    region.finalizers.pop();
    region.finalizer_panicked |= how == FinalizerEnd::Panicked;
    Ok(())
}

/// A bracket's release is skipped only with its frame, so while its scope is open.
pub(crate) fn release_skipped(state: &State, id: ScopeId) -> Result<(), Refusal> {
    scope::open_scope(state, id).map(drop)
}
