//! The comparison of `requests` notices what an exploration of programs with requests gets wrong.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_requests`
//!
//! Not here: other mistakes of the exploration (`seeded_outcomes`, `seeded/algorithms.rs`, `explore/tests/seeded.rs`).
#![cfg(asupersync_seeded)]

#[path = "requests/compare.rs"]
mod compare;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use compare::{check_complete, check_optimal};

mutants::mistakes! {
    a_request_that_changes_a_task_s_steps: "lab.requests-unpark"
        breaks check_optimal, says "for nothing";
    a_second_request_that_nobody_notices: "lab.only-effective-requests"
        breaks check_complete, says "left" "right";
}
