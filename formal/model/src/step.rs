//! Which rule answers which label.
//!
//! Invariants: `model.pure`, `model.atomic`. Not here: the rules themselves, one function each in the chapters.
use crate::{Refusal, Request, Standing, State, cancel, clock, finalizer, obligation, region, scope, task};
use trace::Label;

/// The state after `label`, or the rule that forbids it.
///
/// Pure: `state` is left alone. Costs a copy of the state; use [`step`] to go on in place.
///
/// # Errors
/// The first rule that says no, in the order the chapter checks them.
pub fn apply(state: &State, label: &Label) -> Result<State, Refusal> {
    let mut next = state.clone();
    step(&mut next, label)?;
    Ok(next)
}

/// Takes `label` in place. A refused label leaves the state as it was (`model.atomic`).
///
/// Costs a walk over what the label touches: its region's members, the scopes above it.
///
/// # Errors
/// As [`apply`].
pub fn step(state: &mut State, label: &Label) -> Result<(), Refusal> {
    use Label as L;
    match label {
        L::RegionOpen { .. } => region::open(state, label),
        L::BodyEnd { region, end } => region::body_end(state, *region, *end),
        L::BodyDropped { region, to, .. } => region::body_dropped(state, *region, *to),
        L::RegionState { region, to } => region::enter(state, *region, *to),
        L::RegionClose { region, outcome } => region::close(state, *region, *outcome),
        L::RegionWriteOff { region } => region::write_off(state, *region),
        L::Escalate { region, to, what } => region::escalate(state, *region, *to, *what),
        L::SpawnRefused { region, origin, why } => region::refuse(state, *region, *origin, *why),
        L::TaskSpawn { task, region, daemon, .. } => task::spawn(state, *task, *region, *daemon),
        L::TaskEnd { task, end, failure, consequential } => {
            task::end(state, *task, *end, *failure, *consequential)
        }
        L::TaskJoined { task, by } => task::joined(state, *task, *by),
        L::TaskAbandon { task } => task::abandon(state, *task),
        L::TaskWriteOff { task } => task::write_off(state, *task),
        L::ScopeOpen { scope, parent, task, kind } => scope::open(state, *scope, *parent, *task, *kind),
        L::RaceWon { race, winner } => scope::won(state, *race, *winner),
        L::ScopeClose { scope, end } => scope::close(state, *scope, *end),
        L::RegionRequest { region, kind, origin, deadline } => {
            cancel::request_region(state, *region, Request { kind: *kind, origin: *origin }, *deadline)
        }
        L::TaskRequest { task, kind, origin, deadline } => {
            cancel::request_task(state, *task, Request { kind: *kind, origin: *origin }, *deadline)
        }
        L::ScopeRequest { scope, kind, origin, deadline } => {
            cancel::request_scope(state, *scope, Request { kind: *kind, origin: *origin }, *deadline)
        }
        L::TaskAck { task, scope, kind, origin } => {
            cancel::acknowledge(state, *task, *scope, Request { kind: *kind, origin: *origin })
        }
        L::Checkpoint { scope, effective } => cancel::checkpoint(state, *scope, *effective),
        L::MaskPierced { scope } => cancel::pierce(state, *scope),
        L::FinalizerRegister { region, finalizer, .. } => finalizer::register(state, *region, *finalizer),
        L::FinalizerRun { region, finalizer } => finalizer::run(state, *region, *finalizer),
        L::FinalizerEnd { region, finalizer, end } => finalizer::end(state, *region, *finalizer, *end),
        L::ReleaseSkipped { scope, .. } => finalizer::release_skipped(state, *scope),
        L::ObligationReserve { obligation, region, by, .. } => {
            obligation::reserve(state, *obligation, *region, *by)
        }
        L::ObligationCommit { obligation } => obligation::resolve(state, *obligation, Standing::Committed),
        L::ObligationAbort { obligation } => obligation::resolve(state, *obligation, Standing::Aborted),
        L::ObligationLeak { obligation } => obligation::leak(state, *obligation),
        L::ObligationRehome { obligation, to } => obligation::rehome(state, *obligation, *to),
        L::ObligationLate { obligation } => obligation::late(state, *obligation),
        L::TimerArm { timer, at, .. } => clock::arm(state, *timer, *at),
        L::TimerFire { timer } => clock::fire(state, *timer),
        L::TimerDisarm { timer } => clock::disarm(state, *timer),
        L::TimeAdvance { to } => clock::advance(state, *to),
        // Polls, decisions and notes say how a run went; no rule is about them.
        _ => Ok(()),
    }?;
    state.steps += 1;
    Ok(())
}
