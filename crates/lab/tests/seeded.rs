//! The tests notice: each known mistake in the kernel (`types::seeded!`) makes the test of the rule that it breaks
//! fail, and without it that test passes.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded`
//!
//! A test runs its rule in a child process with the mistake on, since a mistake may also end the process (a kernel
//! that finds itself in two minds aborts) or never end. In this process the rule then runs without it.
#![cfg(asupersync_seeded)]

#[path = "programs/boom.rs"]
mod boom;
#[path = "rules/cancellation.rs"]
#[allow(dead_code, reason = "not every rule has a mistake of its own")]
mod cancellation;
#[path = "rules/cleanup.rs"]
#[allow(dead_code, reason = "as above")]
mod cleanup;
#[path = "rules/masks.rs"]
#[allow(dead_code, reason = "as above")]
mod masks;
#[path = "rules/obligations.rs"]
#[allow(dead_code, reason = "as above")]
mod obligations;
#[path = "rules/regions.rs"]
#[allow(dead_code, reason = "as above")]
mod regions;
#[path = "rules/results.rs"]
#[allow(dead_code, reason = "as above")]
mod results;
#[path = "rules/vocabulary.rs"]
#[allow(dead_code, reason = "as above")]
mod vocabulary;

use std::env::{current_exe, var};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Set in the child: the mistake that is to be on.
const MISTAKE: &str = "ASUPERSYNC_MISTAKE";
/// After this long a child is taken for one that never ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// Fails unless `rule` fails with `mistake` switched on, and passes without.
#[allow(clippy::disallowed_methods, reason = "the clock and the process are the test's own")]
fn caught(mistake: &str, rule: fn()) {
    if var(MISTAKE).is_ok_and(|on| on == mistake) {
        return types::seeded::with(mistake, rule);
    }
    let name = std::thread::current().name().expect("a test's thread has its name").to_string();
    let mut child = Command::new(current_exe().unwrap())
        .args(["--exact", &name])
        .env(MISTAKE, mistake)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let end = loop {
        match child.try_wait().unwrap() {
            Some(end) => break Some(end),
            None if started.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert!(!end.is_some_and(|end| end.success()), "`{mistake}` went unnoticed");
    types::seeded::clean(rule);
}

macro_rules! mistakes {
    ($($test:ident: $mistake:literal breaks $rule:path;)+) => {
        $(
            #[test]
            fn $test() {
                caught($mistake, $rule);
            }
        )+
    };
}

mistakes! {
    a_failure_that_cancels_no_sibling: "region.no-fail-fast"
        breaks regions::region_policy_fail_fast_cancels_siblings_though_the_handle_is_held;
    a_failure_that_the_region_forgets: "region.failure-forgotten"
        breaks regions::region_outcome_is_the_worst_that_nobody_took_and_no_consequence;
    a_failure_that_try_region_swallows: "region.failure-swallowed"
        breaks regions::region_outcome_is_the_worst_that_nobody_took_and_no_consequence;
    a_consequence_that_counts_as_a_failure: "outcome.consequence-counts"
        breaks vocabulary::outcome_consequential_is_what_the_region_itself_asked_for;
    a_close_that_does_not_wait: "region.close-early"
        breaks regions::region_waits_for_every_task_and_region_below;
    a_close_that_is_never_told: "gate.no-wake"
        breaks regions::region_waits_for_every_task_and_region_below;
    a_draining_region_that_admits: "region.admit-while-draining"
        breaks regions::region_no_admit_a_region_whose_body_is_over_admits_nobody;
    a_failed_body_whose_children_go_on: "region.body-failure-ignored"
        breaks regions::region_policy_a_body_that_fails_cancels_its_children;
    a_dropped_frame_whose_children_go_on: "region.frame-drop-ignored"
        breaks regions::region_frame_a_dropped_frame_cancels_its_children_and_its_finalizers_run;
    a_join_that_a_cancelled_joiner_is_refused: "task.join-refused"
        breaks regions::task_once_an_outcome_is_taken_once_and_never_refused;
    a_request_that_skips_the_regions_below: "region.request-skips-children"
        breaks cancellation::cancel_down_a_request_reaches_everything_below_unchanged;
    a_request_that_a_new_task_does_not_inherit: "cancel.not-inherited"
        breaks cancellation::cancel_down_a_task_spawned_into_a_cancelled_region_starts_with_the_request;
    a_request_that_wakes_nobody: "cancel.no-wake"
        breaks cancellation::cancel_wakes_whatever_a_task_waits_for;
    a_request_that_wakes_no_foreign_waker: "cancel.foreign-unregistered"
        breaks cancellation::cancel_wakes_whatever_a_task_waits_for;
    a_request_that_is_weakened: "cancel.weaken"
        breaks cancellation::cancel_strengthen_raises_the_kind_and_never_lowers_it;
    a_mask_that_hides_nothing: "cancel.mask-ignored"
        breaks masks::cancel_masked_hides_requests_and_delivers_them_at_its_end;
    an_operation_that_takes_effect_after_a_request: "cancel.first-ignored"
        breaks cancellation::cancel_first_item_that_was_ready_stays_in_the_queue;
    a_grant_that_is_lost_with_its_waiter: "semaphore.cancel-drops-grant"
        breaks cancellation::cancel_first_grant_that_was_assigned_is_passed_on;
    a_cut_that_looks_complete: "cancel.visible-lost"
        breaks results::cancel_visible_what_was_cut_short_does_not_look_complete;
    a_cleanup_deadline_that_never_comes: "cancel.deadline-unarmed"
        breaks masks::cancel_bounded_by_one_deadline_for_everything_below;
    a_loser_that_is_not_asked: "race.loser-not-asked"
        breaks results::race_drained_before_it_returns;
    finalizers_that_run_in_the_wrong_order: "finalizer.fifo"
        breaks cleanup::finalizer_order_last_in_first_out_masked_each_once;
    finalizers_that_do_not_run: "finalizer.skipped"
        breaks cleanup::finalizer_order_a_body_that_panics_has_its_finalizers_run;
    a_close_over_an_obligation: "obligation.close-unbalanced"
        breaks obligations::obligation_balanced_a_region_waits_in_settling_for_a_permit_held_elsewhere;
    a_permit_that_stays_behind_its_body: "obligation.body-keeps"
        breaks obligations::obligation_owner_is_the_nearest_region_and_what_a_body_still_holds_passes_up;
}
