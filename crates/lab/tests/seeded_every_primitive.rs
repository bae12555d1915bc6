//! The comparison of `every_primitive` notices mistakes about requests, by programs of which something was missed once.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_every_primitive`
//!
//! Not here: other mistakes of the exploration (`seeded_outcomes`, `seeded_requests`, `seeded/algorithms.rs`).
#![cfg(asupersync_seeded)]

#[path = "every_primitive/channels.rs"]
mod channels;
#[path = "every_primitive/compare.rs"]
#[expect(dead_code, reason = "random programs are run without mistakes")]
mod compare;
#[path = "every_primitive/counts.rs"]
mod counts;
#[path = "random/dice.rs"]
mod dice;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "every_primitive/hand.rs"]
mod hand;
#[path = "every_primitive/locks.rs"]
mod locks;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;
#[path = "every_primitive/program.rs"]
#[expect(dead_code, reason = "random programs are run without mistakes")]
mod program;
#[path = "every_primitive/regressions.rs"]
#[expect(dead_code, reason = "some of them are noticed elsewhere")]
mod regressions;
#[path = "every_primitive/values.rs"]
mod values;
#[path = "every_primitive/world.rs"]
mod world;

use regressions::{refused_locks, requests_of_own_scopes, voided_waits};

mutants::mistakes! {
    a_plan_that_ends_at_the_race: "explore.plans-end-at-the-race"
        breaks refused_locks, says "missed";
    a_request_of_a_scope_of_its_own_that_refuses: "explore.own-requests-refuse"
        breaks requests_of_own_scopes, says "missed";
    a_void_announcement_that_nobody_had_waited_for: "lab.voids-untold"
        breaks voided_waits, says "missed";
}
