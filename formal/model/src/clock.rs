//! The clock and its timers.
//!
//! Rules: `time.monotone`, `time.timer`.
//!
//! Not here: which of several due timers goes first, which is the engine's choice.

use trace::TimerId;
use types::Time;

use crate::{Refusal, State, require};

/// `time.monotone`: time never falls.
pub(crate) fn advance(state: &mut State, to: Time) -> Result<(), Refusal> {
    require!(to >= state.now, "time.monotone", "the clock would go back from {} to {to}", state.now);

    state.now = to;
    Ok(())
}

/// `time.timer`: a timer is armed once.
pub(crate) fn arm(state: &mut State, id: TimerId, at: Time) -> Result<(), Refusal> {
    require!(!state.timers.contains_key(&id), "time.timer", "{id} is armed already");

    state.timers.insert(id, at);
    Ok(())
}

/// `time.timer`: an armed timer fires when it's due, not earlier.
pub(crate) fn fire(state: &mut State, id: TimerId) -> Result<(), Refusal> {
    let at = state.timers.get(&id).copied();
    require!(
        at.is_some_and(|at| at <= state.now),
        "time.timer",
        "{id}, due {at:?}, can't fire at {}",
        state.now
    );

    state.timers.remove(&id);
    Ok(())
}

/// `time.timer`: what is taken back was armed and hasn't fired.
pub(crate) fn disarm(state: &mut State, id: TimerId) -> Result<(), Refusal> {
    require!(state.timers.contains_key(&id), "time.timer", "{id} isn't armed");

    state.timers.remove(&id);
    Ok(())
}
