//! The comparison of `outcomes` notices when the order of those who could wake a task is not told.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_outcomes`
//!
//! `lab.sleepers-look-at-nothing` and `explore.woken-by-all` were noticed here while a task's first await parted no step; three minutes
//! of programs, each in three orders, did not notice them any more.
//!
//! Not here: other mistakes of the exploration (`seeded/algorithms.rs`, `explore/tests/seeded.rs`).
#![cfg(asupersync_seeded)]

#[path = "outcomes/chance.rs"]
mod chance;
#[path = "outcomes/compare.rs"]
#[allow(dead_code, reason = "families are drawn without mistakes")]
mod compare;
#[path = "random/dice.rs"]
mod dice;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use compare::{Family, check_a_request_against_a_call, check_family_in_eager_time};

fn eager() {
    check_family_in_eager_time(Family::Timeout, 50, 1)
}

fn chance() {
    chance::check_chance(60)
}

mutants::mistakes! {
    a_waker_that_does_not_look: "lab.wakers-look-at-nothing"
        breaks check_a_request_against_a_call, says "left" "right";
    a_step_that_does_not_look_at_the_clock: "lab.clock-unseen"
        breaks eager, says "left" "right";
    a_timer_that_was_taken_back_and_forgotten: "lab.timers-forgotten"
        breaks eager, says "left" "right";
    a_task_that_sleeps_because_it_would_for_one_number: "explore.one-way-sleeps"
        breaks chance, says "left" "right";
    a_number_that_is_tried_when_it_is_too_late: "explore.choices-come-late"
        breaks chance, says "left" "right";
}
