//! The comparison of `every_primitive` notices mistakes about requests, by programs of which something was missed once.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_every_primitive`
//!
//! Not here: other mistakes of the exploration (`seeded_outcomes`, `seeded_requests`, `seeded/algorithms.rs`).
#![cfg(asupersync_seeded)]

#[path = "every_primitive/acts.rs"]
mod acts;
#[path = "every_primitive/channels.rs"]
mod channels;
#[path = "every_primitive/compare.rs"]
#[expect(dead_code, reason = "random programs are run without mistakes")]
mod compare;
#[path = "every_primitive/counts.rs"]
mod counts;
#[path = "random/dice.rs"]
mod dice;
#[path = "every_primitive/ends.rs"]
mod ends;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "every_primitive/exchanges.rs"]
mod exchanges;
#[path = "every_primitive/hand.rs"]
mod hand;
#[path = "every_primitive/locks.rs"]
mod locks;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;
#[path = "every_primitive/op.rs"]
mod op;
#[path = "every_primitive/program.rs"]
#[expect(dead_code, reason = "random programs are run without mistakes")]
mod program;
#[path = "every_primitive/regressions.rs"]
#[expect(dead_code, reason = "some of them are noticed elsewhere")]
mod regressions;
#[path = "every_primitive/scopes.rs"]
mod scopes;
#[path = "every_primitive/spawned.rs"]
mod spawned;
#[path = "every_primitive/unbounded.rs"]
mod unbounded;
#[path = "every_primitive/values.rs"]
mod values;
#[path = "every_primitive/world.rs"]
mod world;

use regressions::{
    closed_permits, closes_beside_something, joins_beside_something, own_requests_as_a_whole,
    races_considered_again, refused_locks, requests_of_own_scopes, second_closes, senders_that_go,
    voided_waits,
};

mutants::mistakes! {
    a_plan_that_ends_at_the_race: "explore.plans-end-at-the-race"
        breaks refused_locks, says "missed";
    a_request_of_a_scope_of_its_own_that_refuses: "explore.own-requests-refuse"
        breaks requests_of_own_scopes, says "missed";
    a_void_announcement_that_nobody_had_waited_for: "lab.voids-untold"
        breaks voided_waits, says "missed";
    a_second_close_that_lets_everybody_go_on: "explore.every-close-ends"
        breaks second_closes, says "missed";
    a_closed_semaphore_that_gives: "explore.closed-is-taken"
        breaks closed_permits, says "missed";
    a_join_that_is_taken_for_all_that_is_waited_for: "lab.joins-are-alone"
        breaks joins_beside_something, says "missed";
    a_close_that_is_taken_for_all_that_a_step_does: "lab.closes-are-alone"
        breaks closes_beside_something, says "missed";
    a_sender_that_goes_last_whoever_went_before: "explore.nobody-goes-last"
        breaks senders_that_go, says "missed";
    a_request_of_itself_that_refuses_nothing: "lab.own-requests-are-of-scopes"
        breaks own_requests_as_a_whole, says "missed";
    a_race_that_is_considered_once: "explore.races-once"
        breaks races_considered_again, says "missed";
}
