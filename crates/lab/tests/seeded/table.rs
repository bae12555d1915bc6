//! The known mistakes of the kernel and the primitives: each with the program that notices it, the words that the
//! program then says, and within how many executions the two searches of the lab must have met it.
//!
//! Invariant `seeded.stated-strength`: `found within E and S` means that a search of every class (`Search::every`, in the
//! grain of polls) meets the mistake in its first `E` executions, and the default sampler (`Schedule::Random`, seed 0) in
//! its first `S`. Both are deterministic; the numbers are what was measured, times ten, so that a search may be changed
//! but not weakened.
//!
//! Words after `or, explored,` are those of a search, where they differ: a lab on its own looks for lost wakes before it
//! moves the clock, and a search tries the clock's next step as one of the possible ones instead.
//!
//! `table!` hands all rows to a macro. Not here: what is done with them (`seeded.rs`, `seeded_matrix.rs`).

#[path = "../programs/boom.rs"]
pub(crate) mod boom;
#[path = "branches.rs"]
pub(crate) mod branches;
#[path = "cleanup.rs"]
pub(crate) mod cleanup;
#[path = "primitives.rs"]
pub(crate) mod primitives;
#[path = "regions.rs"]
pub(crate) mod regions;
#[path = "requests.rs"]
pub(crate) mod requests;

use asupersync_lab::LabConfig;
use std::time::Duration;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

/// Small programs take less than a hundred steps.
pub(crate) fn limits() -> LabConfig {
    LabConfig::default().max_steps(10_000)
}

/// Calls the macro `$with` with every row.
macro_rules! table {
    ($with:ident) => {
        $with! {
            a_failure_that_cancels_no_sibling: "region.no-fail-fast" in "crates/cx/src/close.rs",
                noticed by regions::a_sibling_of_a_failure_is_asked, which says "the sibling went on to its end",
                found within 10 and 10;
            a_failure_that_the_region_forgets: "region.failure-forgotten" in "crates/region/src/raw/member.rs",
                noticed by regions::an_error_that_nobody_took_is_returned, which says "the member's error is lost",
                found within 10 and 10;
            a_failure_that_try_region_swallows: "region.failure-swallowed" in "crates/cx/src/outcome.rs",
                noticed by regions::an_error_that_nobody_took_is_returned, which says "the member's error is lost",
                found within 10 and 10;
            a_consequence_that_counts_as_a_failure: "outcome.consequence-counts" in "crates/region/src/origin.rs",
                noticed by regions::a_consequence_does_not_count, which says "rule of the model: outcome.failure",
                found within 10 and 10;
            a_drop_whose_panic_nobody_hears_of: "task.drop-untold" in "crates/cx/src/unclaimed.rs",
                noticed by regions::a_drop_that_panics_is_told, which says "nobody was told of the drop",
                found within 10 and 10;
            an_orphan: "region.close-early" in "crates/region/src/gate.rs",
                noticed by regions::a_region_waits_for_its_member, which says "closed over a live task",
                found within 10 and 10;
            a_close_that_is_never_told: "gate.no-wake" in "crates/region/src/gate.rs",
                noticed by regions::a_region_waits_for_its_member, which says "lost wake-up" "the root body waits",
                found within 10 and 10;
            a_draining_region_that_admits: "region.admit-while-draining" in "crates/region/src/phase.rs",
                noticed by regions::a_region_whose_body_is_over_admits_nobody, which says "a closing region admitted a task",
                found within 10 and 10;
            a_failed_body_whose_children_go_on: "region.body-failure-ignored" in "crates/cx/src/close.rs",
                noticed by regions::the_child_of_a_failed_body_is_asked, which says "the child went on to its end",
                found within 10 and 10;
            a_dropped_frame_whose_children_go_on: "region.frame-drop-ignored" in "crates/cx/src/close.rs",
                noticed by regions::the_child_of_a_dropped_frame_is_asked, which says "the child went on to its end",
                found within 10 and 10;
            a_join_that_a_cancelled_joiner_is_refused: "task.join-refused" in "crates/cx/src/spawn.rs",
                noticed by regions::a_cancelled_joiner_gets_an_outcome_that_is_there, which says "an outcome was refused",
                found within 10 and 10;
            a_join_that_tells_the_consequence: "task.join-tells-the-consequence" in "crates/cx/src/spawn.rs",
                noticed by regions::a_joiner_gets_the_outcome_that_cancelled_it, which says "the joiner got the consequence",
                found within 10 and 10;
            a_dropped_region_that_outlives_its_task: "region.janitor-of-the-owner" in "crates/cx/src/close.rs",
                noticed by regions::a_task_waits_for_what_it_dropped, which says "it ended before its child",
                found within 10 and 10;
            a_wake_that_is_lost_during_the_poll: "task.no-requeue" in "crates/task/src/word.rs",
                noticed by regions::a_task_that_is_woken_while_it_runs_runs_again, which says "given up" "is runnable",
                found within 10 and 10;

            a_request_that_skips_the_regions_below: "region.request-skips-children" in "crates/region/src/walk.rs",
                noticed by requests::a_request_goes_all_the_way_down, which says "somebody below went on to the end",
                found within 10 and 10;
            a_request_that_a_new_task_does_not_inherit: "cancel.not-inherited" in "crates/region/src/raw/member.rs",
                noticed by requests::a_late_task_starts_with_the_request, which says "the late task was not asked",
                found within 10 and 10;
            a_request_that_wakes_nobody: "cancel.no-wake" in "crates/region/src/raw/live.rs",
                noticed by requests::a_request_wakes_a_task_that_waits, which says "lost wake-up" or, explored, "the wait went on to its end",
                found within 10 and 10;
            a_request_that_wakes_no_foreign_waker: "cancel.foreign-unregistered" in "crates/cx/src/context.rs",
                noticed by requests::a_request_wakes_through_a_foreign_waker, which says "the waits went on to their end",
                found within 10 and 10;
            a_request_that_is_weakened: "cancel.weaken" in "crates/cancel/src/slot.rs",
                noticed by requests::a_request_is_not_weakened, which says "a request was weakened",
                found within 10 and 10;
            a_mask_that_hides_nothing: "cancel.mask-ignored" in "crates/cancel/src/effective.rs",
                noticed by requests::a_mask_hides_a_request, which says "the mask let a request through",
                found within 10 and 10;
            an_operation_that_takes_effect_after_a_request: "cancel.first-ignored" in "crates/cx/src/context.rs",
                noticed by requests::a_cancelled_receive_takes_nothing, which says "it took effect after a request",
                found within 10 and 10;
            a_cut_that_looks_complete: "cancel.visible-lost" in "crates/region/src/close.rs",
                noticed by requests::what_was_cut_short_does_not_look_complete, which says "what was cut short looks complete",
                found within 10 and 10;
            a_cleanup_deadline_that_never_comes: "cancel.deadline-unarmed" in "crates/cx/src/close.rs",
                noticed by requests::a_cleanup_deadline_comes, which says "the cleanup deadline did not come",
                found within 10 and 10;
            a_timeout_that_hides_what_was_cut_short: "timeout.cut-short-looks-complete" in "crates/combinator/src/limit.rs",
                noticed by requests::a_timed_body_whose_child_was_cut_short_is_cancelled, which says "what was cut short looks complete",
                found within 10 and 10;

            finalizers_in_the_wrong_order: "finalizer.fifo" in "crates/region/src/close.rs",
                noticed by cleanup::the_last_finalizer_runs_first, which says "rule of the model: finalizer.order" "is next",
                found within 10 and 10;
            a_finalizer_that_is_skipped: "finalizer.skipped" in "crates/region/src/close.rs",
                noticed by cleanup::a_finalizer_runs, which says "rule of the model: finalizer.order" "haven't ended",
                found within 10 and 10;
            a_close_over_an_obligation: "obligation.close-unbalanced" in "crates/region/src/close.rs",
                noticed by cleanup::a_region_waits_for_its_permit, which says "closed over an obligation",
                found within 10 and 10;
            a_permit_that_stays_behind_its_body: "obligation.body-keeps" in "crates/cx/src/frame.rs",
                noticed by cleanup::a_permit_passes_up_with_its_body, which says "the region waited for what had left it",
                found within 10 and 10;
            a_permit_that_is_leaked_when_it_is_dropped: "obligation.abort-forgotten" in "crates/cx/src/permit.rs",
                noticed by cleanup::a_dropped_permit_is_settled, which says "obligation_leaks" "a send permit",
                found within 10 and 10;
            a_release_that_a_request_cuts_short: "bracket.release-unmasked" in "crates/combinator/src/bracket.rs",
                noticed by cleanup::a_release_is_not_cut_short, which says "the release was cut short",
                found within 10 and 10;
            a_lost_release_that_nobody_hears_of: "bracket.skip-unreported" in "crates/combinator/src/bracket.rs",
                noticed by cleanup::a_lost_release_is_reported, which says "nobody heard of the release",
                found within 10 and 10;
            a_timer_that_outlives_its_sleep: "timer.kept" in "crates/cx/src/alarm.rs",
                noticed by cleanup::a_dropped_sleep_wakes_nobody, which says "a timer outlived its sleep",
                found within 10 and 10;
            a_timer_that_keeps_a_stale_waker: "timer.stale-waker" in "crates/cx/src/alarm.rs",
                noticed by cleanup::a_sleep_wakes_who_polled_it_last, which says "lost wake-up" "waits for a timer",
                found within 10 and 10;

            a_loser_that_is_not_asked: "race.loser-not-asked" in "crates/combinator/src/drive.rs",
                noticed by branches::a_loser_is_asked, which says "the loser went on to its end",
                found within 10 and 10;
            a_loser_that_is_not_polled_again: "race.loser-not-polled" in "crates/combinator/src/drive.rs",
                noticed by branches::a_loser_that_was_asked_is_polled, which says "the loser heard of it late",
                found within 10 and 10;
            a_losers_panic_that_nobody_hears_of: "race.panic-swallowed" in "crates/combinator/src/drive.rs",
                noticed by branches::a_losers_panic_is_heard_of, which says "nobody heard of the loser's panic",
                found within 10 and 10;
            a_quorum_that_waits_in_vain: "quorum.waits-in-vain" in "crates/combinator/src/tally.rs",
                noticed by branches::a_quorum_out_of_reach_stops_waiting, which says "it waited in vain",
                found within 10 and 10;

            a_permit_that_is_lost_with_its_waiter: "semaphore.cancel-drops-grant" in "crates/sync/src/semaphore/permits.rs",
                noticed by primitives::a_grant_goes_on_when_its_waiter_is_cancelled, which says "deadlock" "waits for acquire",
                found within 20 and 20;
            a_permit_that_is_released_twice: "semaphore.release-twice" in "crates/sync/src/semaphore/permits.rs",
                noticed by primitives::a_permit_comes_back_once, which says "a permit came back not once",
                found within 10 and 10;
            an_unfair_queue: "queue.newest-first" in "crates/sync/src/wait_queue/lists.rs",
                noticed by primitives::waiters_are_served_in_their_order, which says "an unfair queue",
                found within 10 and 10;
            a_wait_that_keeps_a_stale_waker: "queue.stale-waiter" in "crates/sync/src/wait_queue/lists.rs",
                noticed by primitives::a_wait_wakes_who_polled_it_last, which says "lost wake-up" "waits for acquire",
                found within 10 and 10;
            an_unlock_that_nobody_hears: "mutex.unlock-unheard" in "crates/sync/src/mutex/lock_word.rs",
                noticed by primitives::an_unlock_wakes_who_waits, which says "lost wake-up" "waits for lock",
                found within 10 and 10;
            a_wake_that_is_lost_with_its_waiter: "mutex.cancel-keeps-wake" in "crates/sync/src/mutex/lock_word.rs",
                noticed by primitives::a_wake_goes_on_when_its_waiter_is_cancelled, which says "lost wake-up" "waits for lock",
                found within 50 and 20;
            a_notification_that_is_lost_with_its_waiter: "notify.cancel-keeps-notification" in "crates/sync/src/notify/signal.rs",
                noticed by primitives::a_notification_goes_on_when_its_waiter_is_cancelled, which says "deadlock" "waits for notified",
                found within 50 and 20;
            a_notification_that_comes_early_and_is_lost: "notify.permit-unstored" in "crates/sync/src/notify/signal.rs",
                noticed by primitives::a_notification_that_comes_early_is_kept, which says "deadlock" "waits for notified",
                found within 10 and 10;
            room_that_is_lost_with_its_sender: "mpsc.cancel-drops-grant" in "crates/sync/src/mpsc/ring/credits.rs",
                noticed by primitives::room_goes_on_when_its_sender_is_cancelled, which says "deadlock" "waits for send",
                found within 50 and 20;
            room_that_is_given_up_and_nobody_is_told: "mpsc.abort-forgets-waiters" in "crates/sync/src/mpsc/ring/credits.rs",
                noticed by primitives::room_that_is_given_up_goes_to_who_waits, which says "deadlock" "waits for send",
                found within 10 and 30;
            room_that_is_given_up_and_lost: "mpsc.abort-keeps-room" in "crates/sync/src/mpsc/ring/credits.rs",
                noticed by primitives::room_that_is_given_up_is_there_again, which says "room was lost with its permit",
                found within 10 and 10;
            a_sender_that_goes_away_unheard: "oneshot.drop-unheard" in "crates/sync/src/oneshot/word/raw.rs",
                noticed by primitives::a_sender_that_goes_away_ends_the_wait, which says "lost wake-up" "waits for recv",
                found within 10 and 10;
        }
    };
}
