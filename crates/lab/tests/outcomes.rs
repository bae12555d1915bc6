//! `dpor.complete` on the real kernel: what small random programs of waits, races, timeouts, requests and joins can come to
//! is what a search of every schedule, one by one, says they can come to.
//!
//! `ASUPERSYNC_OUTCOMES=n` for n programs of each kind instead of a few.
//!
//! Not here: how many executions it takes (`explored`, `examples/conformance`), other mistakes of the algorithm (`explore`).
#![cfg(not(asupersync_seeded))]

#[path = "outcomes/compare.rs"]
mod compare;
#[path = "random/dice.rs"]
mod dice;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use compare::{Family, check_a_request_against_a_call, check_family, check_family_in_eager_time};

#[allow(clippy::disallowed_methods, reason = "whoever runs the suite says how much of it")]
fn programs() -> u64 {
    std::env::var("ASUPERSYNC_OUTCOMES").map_or(25, |n| n.parse().expect("a number"))
}

#[test]
fn races_of_waits_can_be_won_by_any_of_them() {
    check_family(Family::Select, programs())
}

#[test]
fn a_request_comes_before_or_after_what_a_task_waits_for() {
    check_family(Family::Cancel, programs())
}

#[test]
fn timeouts_and_arrivals_come_in_either_order() {
    check_family(Family::Timeout, programs())
}

#[test]
fn joins_and_requests_come_in_either_order() {
    check_family(Family::Join, programs())
}

#[test]
fn who_waits_for_several_is_woken_by_each_of_them_first() {
    check_family(Family::Both, programs())
}

#[test]
fn everything_at_once() {
    check_family(Family::All, programs())
}

#[test]
fn the_clock_overtakes_whoever_could_go_on() {
    for overtakings in 1..3 {
        check_family_in_eager_time(Family::Timeout, programs().div_ceil(2), overtakings)
    }
}

#[test]
fn a_request_comes_before_or_after_a_call_of_all_who_wait() {
    check_a_request_against_a_call()
}
