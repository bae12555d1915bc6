//! The tests notice: each known mistake of timers (`types::seeded!`) makes a test fail that passes without
//! it.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-time --test seeded`
#![cfg(asupersync_seeded)]

mod schedules;
mod sleeping;

mutants::mistakes! {
    a_timer_that_outlives_its_sleep: "timer.kept"
        breaks sleeping::a_sleep_that_is_dropped_wakes_nobody_and_holds_nothing, says "a timer outlived its sleep";
    a_timer_that_keeps_its_first_waker: "timer.stale-waker"
        breaks sleeping::the_waker_of_the_latest_poll_is_the_one_that_is_woken, says "lost wake-up" "waits for a timer";
    a_schedule_that_trusts_its_timer: "schedule.trusts-its-timer"
        breaks schedules::a_clock_that_goes_back_makes_it_wait_longer_and_nothing_comes_early, says "early";
}
