//! Obligations: reserved, then exactly one of committed, aborted, leaked.
//!
//! Rules: `obligation.linear`, `obligation.balanced`, `obligation.owner`.
//!
//! Not here: values and capacities (`obligation.no-loss` is about these; the model sees only that
//! every record is in exactly one place).

use core::time::Duration;

use trace::RegionPhase;
use types::{ObligationId, RegionId, TaskId, Time};

use crate::{Obligation, Refusal, Standing, State, above::Place, region, require, task};

/// How long a region without a cleanup deadline settles before it may declare leaks.
const SETTLING_GRACE: Duration = Duration::from_secs(1);

/// `obligation.owner`: a permit is reserved in a region that will still wait for it.
pub(crate) fn reserve(
    state: &mut State,
    id: ObligationId,
    owner: RegionId,
    by: Option<TaskId>,
) -> Result<(), Refusal> {
    require!(!state.obligations.contains_key(&id), "obligation.linear", "{id} was reserved before");
    if let Some(by) = by {
        task::acts(state, by)?;
    }
    takes(state, id, owner)?;

    state.obligations.insert(id, Obligation { region: owner, standing: Standing::Reserved });
    region::change(state, owner).outstanding += 1;
    Ok(())
}

fn takes(state: &State, id: ObligationId, owner: RegionId) -> Result<(), Refusal> {
    let phase = region::get(state, owner)?.phase;
    require!(phase < RegionPhase::Settling, "obligation.owner", "{owner} is {phase:?} and can't own {id}");
    Ok(())
}

/// `obligation.linear`: the record leaves `Reserved` for `to`, if it's still there.
pub(crate) fn resolve(state: &mut State, id: ObligationId, to: Standing) -> Result<(), Refusal> {
    let owner = reserved(state, id)?;

    state.obligations.get_mut(&id).expect("looked up above").standing = to;
    region::change(state, owner).outstanding -= 1;
    Ok(())
}

fn reserved(state: &State, id: ObligationId) -> Result<RegionId, Refusal> {
    let record = state.obligations.get(&id);
    let standing = record.map(|record| record.standing);
    require!(
        standing == Some(Standing::Reserved),
        "obligation.linear",
        "{id} isn't reserved, it's {standing:?}"
    );
    Ok(record.expect("just found reserved").region)
}

/// `obligation.balanced`: leaks are declared in Settling, past the cleanup deadline, never earlier.
pub(crate) fn leak(state: &mut State, id: ObligationId) -> Result<(), Refusal> {
    let owner = reserved(state, id)?;
    let region = &state.regions[&owner];
    let phase = region.phase;
    // At the end of a shutdown there's no time left to settle.
    let settles =
        phase == RegionPhase::Settling || region::shutdown_is_over(state, Place::Region(owner)).is_ok();
    require!(settles, "obligation.balanced", "{id} can't leak while {owner} is {phase:?}");
    let deadline = match state.cleanup_deadline(Place::Region(owner)) {
        Time::MAX => region.settling_since.saturating_add(SETTLING_GRACE),
        deadline => deadline,
    };
    require!(
        deadline <= state.now,
        "obligation.balanced",
        "{id} has until {deadline} to be resolved, now it's {}",
        state.now
    );

    resolve(state, id, Standing::Leaked { late: false })
}

/// `obligation.owner`: a reserved record moves to a region that will wait for it instead.
pub(crate) fn rehome(state: &mut State, id: ObligationId, to: RegionId) -> Result<(), Refusal> {
    let owner = reserved(state, id)?;
    takes(state, id, to)?;

    region::change(state, owner).outstanding -= 1;
    region::change(state, to).outstanding += 1;
    state.obligations.get_mut(&id).expect("looked up above").region = to;
    Ok(())
}

/// `obligation.linear`: the holder of a leaked permit comes too late, once.
pub(crate) fn late(state: &mut State, id: ObligationId) -> Result<(), Refusal> {
    let standing = state.obligations.get(&id).map(|record| record.standing);
    let leaked = standing == Some(Standing::Leaked { late: false });
    require!(leaked, "obligation.linear", "{id} can't be too late, it's {standing:?}");

    state.obligations.get_mut(&id).expect("looked up above").standing = Standing::Leaked { late: true };
    Ok(())
}
