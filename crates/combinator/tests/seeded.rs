//! The tests notice: each known mistake in the combinators (`types::seeded!`) makes a test fail that passes without
//! it.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-combinator --test seeded`
#![cfg(asupersync_seeded)]

mod brackets;
mod breakers;
mod bulkheads;
mod hedges;
mod joining;
mod laws;
mod limits;
mod many;
mod pipelines;
mod plans;
mod racing;
mod rates;
mod retrying;
mod stream_schedules;
mod streams;
mod task_sets;

mutants::mistakes! {
    a_loser_that_is_not_asked: "race.loser-not-asked"
        breaks racing::the_losers_children_have_ended_when_the_race_returns, says "deadlock";
    a_loser_that_is_not_polled_again: "race.loser-not-polled"
        breaks racing::the_loser_is_asked_when_the_winners_body_returns_and_not_when_its_children_end, says "racing.rs" "Some(Time(40000000))";
    a_losers_panic_that_nobody_hears_of: "race.panic-swallowed"
        breaks racing::a_loser_that_panics_while_it_drains_does_not_unwind_but_escalates, says "racing.rs" "unwrap_err()` on an `Ok` value";
    a_timeout_that_hides_what_was_cut_short: "timeout.cut-short-looks-complete"
        breaks limits::a_child_that_acknowledged_the_deadline_makes_ok_a_cancellation, says "it was not cancelled: Ok(1)";
    a_foreign_future_that_is_awaited_for_ever: "until-cancelled.unasked"
        breaks limits::a_foreign_future_is_awaited_until_there_is_a_request_and_dropped_then, says "deadlock";
    a_release_that_a_request_cuts_short: "bracket.release-unmasked"
        breaks brackets::acquire_and_release_are_masked_and_the_use_is_not, says "brackets.rs" "unwrap()` on an `Err` value: Cancelled";
    a_lost_release_that_nobody_hears_of: "bracket.skip-unreported"
        breaks brackets::a_bracket_that_is_dropped_drops_the_resource_and_reports_its_release, says "nobody heard of the release";
    a_fair_select_that_is_biased: "select.fair-is-biased"
        breaks laws::a_fair_select_lets_everybody_win_who_is_always_ready, says "not fair: [400, 0]";
    a_limit_that_nobody_keeps: "crowd.limit-ignored"
        breaks many::no_more_than_the_limit_run_at_a_time_and_as_many_do, says "many.rs" "the limit is 1";
    others_that_are_not_asked: "crowd.others-not-asked"
        breaks many::a_failure_ends_the_intake_and_stops_and_awaits_the_others, says "deadlock";
    losers_of_a_hedge_that_are_not_asked: "crowd.others-not-asked"
        breaks hedges::the_losers_are_asked_and_have_ended_when_a_hedge_returns, says "deadlock";
    values_that_are_combined_as_they_come: "runs.order-of-arrival"
        breaks many::what_is_reduced_is_in_the_order_of_the_items_whatever_the_order_of_arrival, says "many.rs" "bac";
    an_end_that_wakes_nobody: "task-set.no-wake"
        breaks task_sets::each_outcome_comes_once_in_every_order_of_ends, says "lost wake-up";
    a_set_that_forgets_its_tasks_when_it_is_dropped: "task-set.drop-forgets"
        breaks task_sets::a_set_that_is_dropped_stops_its_tasks_and_their_region_awaits_them, says "task_sets.rs" "left: (0, Time(1000000000))";
    a_rewriting_that_changes_outcomes: "plan.longer-timeout"
        breaks plans::random_plans_end_as_their_simplified_forms_do_on_every_schedule, says "plans.rs" "of two timeouts";
    a_race_that_is_flattened_over_its_losers: "plan.flattens-whoever-cleans-up"
        breaks plans::a_race_whose_loser_cleans_up_for_long_may_lose_the_race_around_it, says "plans.rs" "left: {Ok([97])}";
    a_pipeline_that_drains_nothing: "pipeline.unmasked"
        breaks pipelines::a_pipeline_that_is_asked_to_stop_drains_or_abandons_as_was_said, says "Drain: 1 are through";
    a_quorum_that_waits_in_vain: "quorum.waits-in-vain"
        breaks joining::a_quorum_out_of_reach_stops_waiting, says "joining.rs" "[1, 4]";
    a_retry_that_begins_after_a_request: "retry.begins-after-a-request"
        breaks retrying::a_cancellation_of_the_caller_is_never_repeated, says "an attempt began after the deadline";
    a_retry_that_keeps_a_token: "retry.token-kept"
        breaks retrying::a_token_is_spent_exactly_by_an_attempt_that_begins, says "a token was lost";
    an_item_that_is_begun_after_a_request: "each.begun-after-a-request"
        breaks many::an_item_that_was_not_begun_was_not_taken, says "(true, ";
    a_place_in_line_that_is_kept: "bulkhead.line-kept"
        breaks bulkheads::wherever_somebody_is_cancelled_all_places_come_back, says "a place was lost";
    a_breaker_that_counts_impatience: "breaker.cancelled-is-failed"
        breaks breakers::a_deadline_inside_is_a_failure_and_the_callers_own_is_not, says "impatience is no failure";
    a_breaker_that_loses_a_probe: "breaker.probe-kept"
        breaks breakers::a_pass_that_is_dropped_gives_its_probe_up, says "the probe was given up";
    a_breaker_that_listens_to_old_calls: "breaker.old-calls-count"
        breaks breakers::a_call_from_before_the_pause_says_nothing_after_it, says "an old call failed the probe";
    a_slow_probe_that_closes_the_breaker: "breaker.slow-probe-is-well"
        breaks breakers::calls_that_are_slow_open_it_and_a_slow_probe_keeps_it_open, says "a slow probe has failed";
    a_rate_that_loses_a_token: "rate.token-kept"
        breaks rates::what_is_not_used_goes_back_if_nobody_was_granted_anything_since, says "two tokens went back";
    a_rate_that_grants_a_token_twice: "rate.gives-back-too-much"
        breaks rates::what_was_out_while_the_bucket_ran_over_is_gone, says "two at once at a burst of one";
    a_return_that_nobody_hears_of: "rate.return-unheard"
        breaks rates::tokens_that_go_back_are_taken_at_once_by_who_is_first_in_line, says "lost wake-up";
    a_merge_that_favours_one_side: "merge.unfair"
        breaks streams::sources_that_always_have_an_item_take_turns, says "streams.rs" "[0, 0, 0, 0";
    a_wake_in_a_buffer_that_the_task_never_hears_of: "stream.woken-untold"
        breaks streams::a_future_that_nobody_woke_is_not_polled_and_one_that_was_is, says "nobody woke the task";
    tasks_of_a_dropped_stream_that_go_on: "buffered.tasks-not-asked"
        breaks stream_schedules::a_stream_that_is_dropped_asks_its_tasks_to_stop_and_the_region_awaits_them, says "5 for the first, and 5";
    a_throttle_that_does_not_wait: "throttle.early"
        breaks stream_schedules::adapters_with_a_clock_keep_their_times, says "[(0, 0), (1, 1), (2, 2), (50, 50)]";
    a_debounce_that_forgets_what_it_holds_at_the_end: "debounce.drops-last"
        breaks stream_schedules::adapters_with_a_clock_keep_their_times, says "[(19, 9), (40, 30)]";
    a_pump_that_drops_what_it_could_not_send: "fan-out.item-dropped"
        breaks stream_schedules::pumps::a_pump_that_is_cancelled_anywhere_loses_no_item, says "is left";
}
