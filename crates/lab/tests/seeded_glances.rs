//! The comparison of `glances` notices when looks at regions are not told, or what is looked at.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_glances`
//!
//! Not here: other mistakes of the exploration (`seeded_outcomes`, `seeded_requests`, `seeded/algorithms.rs`).
#![cfg(asupersync_seeded)]

#[path = "glances/check.rs"]
mod check;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;
#[path = "glances/regions.rs"]
mod regions;

use regions::{failures, phases, spawns, views};

fn everything() {
    phases();
    spawns();
    failures();
    views()
}

mutants::mistakes! {
    a_look_at_a_region_that_nobody_is_told_of: "cx.region-looks-untold"
        breaks everything, says "left" "right";
    a_phase_that_changes_and_nobody_is_told: "lab.phases-unseen"
        breaks phases, says "left" "right";
}
