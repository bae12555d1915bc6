//! The slack of a thread's timers: the one setting for which neither std nor `polling` has a call. (rustix has one, behind a
//! feature that a cold build pays a third of a second for.)

/// One nanosecond of slack for this thread's timed waits.
pub(super) fn least_timer_slack() {
    // SAFETY: this option takes a number and touches no memory of ours. A refusal costs precision and nothing else.
    let _ = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}
