//! The comparison of `outcomes` notices when the order of those who could wake a task is not told.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_outcomes`
//!
//! Not here: other mistakes of the exploration (`seeded/algorithms.rs`, `explore/tests/seeded.rs`).
#![cfg(asupersync_seeded)]

#[path = "outcomes/chance.rs"]
mod chance;
#[path = "outcomes/compare.rs"]
mod compare;
#[path = "random/dice.rs"]
mod dice;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use compare::{Family, check_a_request_against_a_call, check_family, check_family_in_eager_time};

fn races() {
    check_family(Family::Select, 200)
}

fn joins() {
    check_family(Family::Join, 100)
}

fn everything() {
    for family in [Family::Timeout, Family::Cancel, Family::All, Family::Select] {
        check_family(family, 250)
    }
}

fn both() {
    check_family(Family::Both, 100)
}

fn eager() {
    check_family_in_eager_time(Family::Timeout, 50, 1)
}

fn chance() {
    chance::check_chance(60)
}

mutants::mistakes! {
    whoever_wakes_a_task_is_why_it_goes_on: "explore.woken-by-all"
        breaks everything, says "left" "right";
    a_waker_that_does_not_look: "lab.wakers-look-at-nothing"
        breaks check_a_request_against_a_call, says "left" "right";
    a_sleeper_that_does_not_look: "lab.sleepers-look-at-nothing"
        breaks races, says "left" "right";
    a_join_that_nobody_knows_of: "lab.joins-are-unseen"
        breaks joins, says "left" "right";
    a_join_that_is_all_that_its_task_waits_for: "lab.joins-are-alone"
        breaks both, says "left" "right";
    a_step_that_does_not_look_at_the_clock: "lab.clock-unseen"
        breaks eager, says "left" "right";
    a_timer_that_was_taken_back_and_forgotten: "lab.timers-forgotten"
        breaks eager, says "left" "right";
    a_task_that_sleeps_because_it_would_for_one_number: "explore.one-way-sleeps"
        breaks chance, says "left" "right";
    a_number_that_is_tried_when_it_is_too_late: "explore.choices-come-late"
        breaks chance, says "left" "right";
}
