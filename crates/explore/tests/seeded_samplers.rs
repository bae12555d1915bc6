//! The tests notice: each known mistake of samplers, replay, shrinking and estimates (`types::seeded!`) makes a test fail
//! that passes without it.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-explore --test seeded_samplers`
#![cfg(asupersync_seeded)]
extern crate asupersync_explore as explore;

mod estimates;
#[path = "samplers/exact.rs"]
mod exact;
#[path = "samplers/programs.rs"]
mod programs;
#[path = "samplers/rates.rs"]
mod rates;
#[path = "samplers/replay.rs"]
mod replay;
#[path = "samplers/shrink.rs"]
mod shrink;

mutants::mistakes! {
    change_points_that_come_in_one_order_only: "sample.pct-ranked"
        breaks rates::a_task_that_falls_later_may_stay_above_one_that_fell_before,
        says "outside the 99.9 % interval";
    a_priority_that_is_kept_through_a_race: "sample.pos-kept"
        breaks rates::partial_order_sampling_redraws_what_races, says "outside the 99.9 % interval";
    a_walk_that_forgets_what_was_taken: "sample.urw-left"
        breaks rates::the_walk_by_lengths_makes_all_interleavings_equally_likely_where_nobody_waits,
        says "outside the 99.9 % interval";
    a_replay_that_looks_at_no_names: "sample.nameless"
        breaks replay::a_program_that_became_another_is_noticed_at_the_first_deviation_that_it_does_not_offer,
        says "left" "right";
    a_replay_that_does_not_look_back: "sample.end-unchecked"
        breaks replay::a_program_that_goes_another_way_between_deviations_is_noticed_at_the_end,
        says "another program";
    shrinking_that_replaces_nothing: "shrink.leaves-out-only"
        breaks shrink::every_random_failure_shrinks_to_the_fewest_deviations_there_are_and_none_can_be_left_out,
        says "seed";
    a_stuck_task_that_races_with_nobody: "shrink.stuck-innocent"
        breaks shrink::the_racing_pair_is_the_operations_whose_order_is_the_mistake, says "no pair";
    orders_within_a_class_that_are_not: "estimate.orders"
        breaks estimates::a_settled_census_is_as_far_off_as_it_says, says "not";
}
