//! The tests notice: each known mistake of the exhaustive exploration (`types::seeded!`) makes a named program's count go
//! wrong, or a comparison with brute force fail.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-explore --test seeded`
#![cfg(asupersync_seeded)]
extern crate asupersync_explore as explore;

#[path = "exact/brute.rs"]
#[allow(dead_code, reason = "counting is done with the mistake's own words")]
mod brute;
#[allow(dead_code, reason = "one family is enough here")]
#[path = "exact/closed_forms.rs"]
mod closed_forms;
#[path = "seeded/counts.rs"]
mod counts;
#[path = "exact/kinds.rs"]
mod kinds;
#[path = "exact/random_programs.rs"]
mod random_programs;
#[path = "exact/split.rs"]
mod split;
#[path = "exact/world.rs"]
mod world;

mutants::mistakes! {
    a_plan_of_what_the_later_step_needs_only: "explore.only-predecessors"
        breaks counts::lastzero_3, says "of 12 classes";
    races_only_of_neighbours_in_the_order: "explore.textbook-races"
        breaks counts::lockinc_4, says "of 24 classes";
    a_deadlock_that_only_such_races_lead_to: "explore.textbook-races"
        breaks counts::ab_ba, says "of 3 classes";
    a_stuck_task_that_races_with_nobody: "explore.stuck-ignored"
        breaks counts::mutex_deadlock_3, says "of 3 classes";
    a_reversal_that_its_own_branch_leads_to: "explore.branch-in-progress-untested"
        breaks counts::two_attempts, says "of 2 classes";
    an_outcome_as_it_was_before_the_reversal: "explore.outcome-as-recorded"
        breaks counts::an_attempt_against_two_sends, says "of 3 classes";
    a_channel_as_one_thing: "explore.coarse-channels"
        breaks counts::mpsc_3x2, says "of 90 classes";
    a_failed_attempt_that_counts_as_a_write: "explore.refused-writes"
        breaks counts::trylock_unlock, says "of 21 classes";
    races_that_are_considered_once: "explore.races-once"
        breaks counts::depend_4, says "of 30 classes";
    cut_plans_that_are_relied_on: "explore.cut-plans-trusted"
        breaks counts::inc_3_without_room_for_plans, says "of 36 classes";
    an_order_that_nobody_waited_for: "explore.orders-are-firm"
        breaks kinds::tasks_that_are_parked_without_saying_for_what, says "left" "right";
    a_clock_that_hides_a_race: "explore.clock-is-a-reason"
        breaks kinds::the_world_s_own_steps_come_after_everything_and_before_everything, says "left" "right";
    one_of_many_readers_that_is_asked_to_wait: "explore.sharers-stay"
        breaks kinds::shared_locks, says "left" "right";
    a_refused_task_that_races_with_nobody: "explore.refused-ignored"
        breaks kinds::requests_to_end, says "left" "right";
    a_plan_that_does_not_know_who_was_asked: "explore.requests-unforeseen"
        breaks kinds::requests_to_end, says "order";
    source_sets_that_rely_on_plans: "explore.source-sets-foresee"
        breaks random_programs::loads_and_stores, says "without plans";
    a_part_that_does_not_know_what_its_home_runs: "explore.part-unaware"
        breaks split::the_parts_of_an_exploration_find_every_class_once, says "left" "right";
    a_part_that_keeps_its_plans: "explore.part-keeps-plans"
        breaks split::the_parts_of_an_exploration_find_every_class_once, says "left" "right";
    what_a_step_did_before_it_observed_an_end: "explore.observed-anywhere"
        breaks kinds::steps_that_go_on_because_something_happened, says "left" "right";
    writes_of_what_is_there_that_commute: "explore.equal-writes-commute"
        breaks counts::equal_writes, says "of 23 classes";
    writes_of_what_is_there_that_commute_parsimoniously: "explore.equal-writes-commute"
        breaks counts::equal_writes_parsimoniously, says "of 23 classes";
    races_only_of_neighbours_parsimoniously: "explore.textbook-races"
        breaks counts::lockinc_4_parsimoniously, says "of 24 classes";
    a_deadlock_that_only_such_races_lead_to_parsimoniously: "explore.textbook-races"
        breaks counts::ab_ba_parsimoniously, says "of 3 classes";
    a_stuck_task_that_races_with_nobody_parsimoniously: "explore.stuck-ignored"
        breaks counts::mutex_deadlock_3_parsimoniously, says "of 3 classes";
    a_reversal_that_its_own_branch_leads_to_parsimoniously: "explore.branch-in-progress-untested"
        breaks counts::two_attempts_parsimoniously, says "of 2 classes";
    an_outcome_as_it_was_before_the_reversal_parsimoniously: "explore.outcome-as-recorded"
        breaks counts::wcas_5_parsimoniously, says "of 81 classes";
    a_channel_as_one_thing_parsimoniously: "explore.coarse-channels"
        breaks counts::mpsc_3x2_parsimoniously, says "of 90 classes";
    a_failed_attempt_that_counts_as_a_write_parsimoniously: "explore.refused-writes"
        breaks counts::trylock_unlock_parsimoniously, says "of 21 classes";
    a_head_that_another_reversal_undoes: "explore.heads-given-up"
        breaks counts::lastzero_4_parsimoniously, says "of 28 classes";
    heads_that_commute_in_any_order: "explore.heads-in-any-order"
        breaks counts::readers_4_parsimoniously, says "of 16 classes";
    who_was_overtaken_comes_some_time_later: "explore.overtaken-waits"
        breaks counts::readers_4_parsimoniously, says "of 16 classes";
    a_head_that_forgets_whom_it_met: "explore.heads-forget"
        breaks counts::moving_over_two_reads_and_a_write, says "of 15 classes";
    a_head_before_what_it_needs: "explore.schedules-reversed"
        breaks counts::readers_4_parsimoniously, says "of 16 classes";
    what_waits_where_a_repetition_begins: "explore.repetitions-given-up"
        breaks random_programs::channels, says "without plans";
}
