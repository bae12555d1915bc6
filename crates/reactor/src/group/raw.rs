//! The slack of a thread's timers: the one setting of a thread for which std has no call.

/// One nanosecond of slack for this thread's timed waits.
pub(super) fn least_timer_slack() {
    // SAFETY: this option takes a number and touches no memory of ours. A refusal costs precision and nothing else.
    let _ = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}
