//! The programs of `parts` notice when steps end where they should not, or go on.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_parts`
//!
//! Not here: other mistakes of the exploration (`seeded_outcomes`, `seeded_every_primitive`).
#![cfg(asupersync_seeded)]

#[path = "glances/check.rs"]
mod check;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;
#[path = "parts/programs.rs"]
mod programs;

use programs::{acknowledged, closes, draining, first_awaits, late_joins, polled_once};

fn regions() {
    closes();
    draining();
    polled_once()
}

mutants::mistakes! {
    a_first_await_that_is_no_scheduling_point: "lab.first-awaits-part-no-step"
        breaks first_awaits, says "left" "right";
    a_join_that_is_taken_to_have_been_waited_for: "lab.late-joins-are-alone"
        breaks late_joins, says "left" "right";
    a_join_that_nobody_knows_of: "lab.joins-are-unseen"
        breaks late_joins, says "left" "right";
    a_look_at_a_message_that_is_foreseen_as_its_receipt: "explore.looks-receive"
        breaks acknowledged, says "left" "right";
    a_region_that_closes_in_the_step_of_its_body_s_end: "lab.closes-part-no-step"
        breaks regions, says "left" "right";
}
