//! The tests notice: each known mistake in the kernel and the primitives (`types::seeded!`) makes a small program fail
//! that passes without it, and the failure says what the mistake is.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded`
//!
//! [`BUGS`] is the table: a name, the file that the mistake stands in, a program for one lab, and words of the failure.
//! A run has a limit on its steps, so that a mistake that makes a program go on for ever fails it as stuck; none of
//! these may hang.
//!
//! Not here: rules of the specification (`rules.rs`), mistakes that need interleavings inside a poll (loom), timers,
//! combinators and queues in their own crates (`seeded.rs` there).
#![cfg(asupersync_seeded)]

#[path = "programs/boom.rs"]
mod boom;
#[path = "seeded/branches.rs"]
mod branches;
#[path = "seeded/cleanup.rs"]
mod cleanup;
#[path = "seeded/primitives.rs"]
mod primitives;
#[path = "seeded/regions.rs"]
mod regions;
#[path = "seeded/requests.rs"]
mod requests;

use std::collections::BTreeSet;
use std::time::Duration;

use asupersync_lab::{LabConfig, LabRuntime, explore_with};
use mutants::{Mistake, Shows};

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

/// Schedules that each program is tried under.
const SEEDS: u64 = 50;

/// One known mistake.
struct Bug {
    /// Its switch.
    name: &'static str,
    /// Where it stands.
    file: &'static str,
    /// What notices it, run in one lab.
    program: fn(&LabRuntime),
}

/// Small programs take less than a hundred steps.
fn limits() -> LabConfig {
    LabConfig::default().max_steps(10_000)
}

fn every_schedule(program: fn(&LabRuntime)) {
    explore_with(&limits(), 0..SEEDS, program)
}

macro_rules! bugs {
    ($($test:ident: $name:literal in $file:literal, noticed by $program:path, which says $($word:literal)+;)+) => {
        /// Every bug of this suite.
        const BUGS: &[Bug] = &[$(Bug { name: $name, file: $file, program: $program }),+];

        $(
            #[test]
            fn $test() {
                let test = concat!(module_path!(), "::", stringify!($test));
                let shows = Shows::Says(&[$($word),+]);
                mutants::check(test, &Mistake { name: $name, check: || every_schedule($program), shows });
            }
        )+
    };
}

bugs! {
    a_failure_that_cancels_no_sibling: "region.no-fail-fast" in "crates/cx/src/close.rs",
        noticed by regions::a_sibling_of_a_failure_is_asked, which says "the sibling went on to its end";
    a_failure_that_the_region_forgets: "region.failure-forgotten" in "crates/region/src/raw/member.rs",
        noticed by regions::an_error_that_nobody_took_is_returned, which says "the member's error is lost";
    a_failure_that_try_region_swallows: "region.failure-swallowed" in "crates/cx/src/frame.rs",
        noticed by regions::an_error_that_nobody_took_is_returned, which says "the member's error is lost";
    a_consequence_that_counts_as_a_failure: "outcome.consequence-counts" in "crates/region/src/origin.rs",
        noticed by regions::a_consequence_does_not_count, which says "rule of the model: outcome.failure";
    an_orphan: "region.close-early" in "crates/region/src/gate.rs",
        noticed by regions::a_region_waits_for_its_member, which says "closed over a live task";
    a_close_that_is_never_told: "gate.no-wake" in "crates/region/src/gate.rs",
        noticed by regions::a_region_waits_for_its_member, which says "deadlock" "is draining";
    a_draining_region_that_admits: "region.admit-while-draining" in "crates/region/src/phase.rs",
        noticed by regions::a_region_whose_body_is_over_admits_nobody, which says "a closing region admitted a task";
    a_failed_body_whose_children_go_on: "region.body-failure-ignored" in "crates/cx/src/close.rs",
        noticed by regions::the_child_of_a_failed_body_is_asked, which says "the child went on to its end";
    a_dropped_frame_whose_children_go_on: "region.frame-drop-ignored" in "crates/cx/src/close.rs",
        noticed by regions::the_child_of_a_dropped_frame_is_asked, which says "the child went on to its end";
    a_join_that_a_cancelled_joiner_is_refused: "task.join-refused" in "crates/cx/src/spawn.rs",
        noticed by regions::a_cancelled_joiner_gets_an_outcome_that_is_there, which says "an outcome was refused";
    a_wake_that_is_lost_during_the_poll: "task.no-requeue" in "crates/task/src/word.rs",
        noticed by regions::a_task_that_is_woken_while_it_runs_runs_again, which says "given up" "is runnable";

    a_request_that_skips_the_regions_below: "region.request-skips-children" in "crates/region/src/walk.rs",
        noticed by requests::a_request_goes_all_the_way_down, which says "somebody below went on to the end";
    a_request_that_a_new_task_does_not_inherit: "cancel.not-inherited" in "crates/region/src/raw/member.rs",
        noticed by requests::a_late_task_starts_with_the_request, which says "the late task was not asked";
    a_request_that_wakes_nobody: "cancel.no-wake" in "crates/region/src/raw/live.rs",
        noticed by requests::a_request_wakes_a_task_that_waits, which says "the wait went on to its end";
    a_request_that_wakes_no_foreign_waker: "cancel.foreign-unregistered" in "crates/cx/src/context.rs",
        noticed by requests::a_request_wakes_through_a_foreign_waker, which says "the waits went on to their end";
    a_request_that_is_weakened: "cancel.weaken" in "crates/cancel/src/slot.rs",
        noticed by requests::a_request_is_not_weakened, which says "a request was weakened";
    a_mask_that_hides_nothing: "cancel.mask-ignored" in "crates/cancel/src/effective.rs",
        noticed by requests::a_mask_hides_a_request, which says "the mask let a request through";
    an_operation_that_takes_effect_after_a_request: "cancel.first-ignored" in "crates/cx/src/context.rs",
        noticed by requests::a_cancelled_receive_takes_nothing, which says "it took effect after a request";
    a_cut_that_looks_complete: "cancel.visible-lost" in "crates/region/src/close.rs",
        noticed by requests::what_was_cut_short_does_not_look_complete, which says "what was cut short looks complete";
    a_cleanup_deadline_that_never_comes: "cancel.deadline-unarmed" in "crates/cx/src/close.rs",
        noticed by requests::a_cleanup_deadline_comes, which says "the cleanup deadline did not come";
    a_timeout_that_hides_what_was_cut_short: "timeout.cut-short-looks-complete" in "crates/combinator/src/limit.rs",
        noticed by requests::a_timed_body_whose_child_was_cut_short_is_cancelled, which says "what was cut short looks complete";

    finalizers_in_the_wrong_order: "finalizer.fifo" in "crates/region/src/close.rs",
        noticed by cleanup::the_last_finalizer_runs_first, which says "rule of the model: finalizer.order" "is next";
    a_finalizer_that_is_skipped: "finalizer.skipped" in "crates/region/src/close.rs",
        noticed by cleanup::a_finalizer_runs, which says "rule of the model: finalizer.order" "haven't ended";
    a_close_over_an_obligation: "obligation.close-unbalanced" in "crates/region/src/close.rs",
        noticed by cleanup::a_region_waits_for_its_permit, which says "closed over an obligation";
    a_permit_that_stays_behind_its_body: "obligation.body-keeps" in "crates/cx/src/frame.rs",
        noticed by cleanup::a_permit_passes_up_with_its_body, which says "the region waited for what had left it";
    a_permit_that_is_leaked_when_it_is_dropped: "obligation.abort-forgotten" in "crates/cx/src/permit.rs",
        noticed by cleanup::a_dropped_permit_is_settled, which says "obligation_leaks" "a send permit";
    a_release_that_a_request_cuts_short: "bracket.release-unmasked" in "crates/combinator/src/bracket.rs",
        noticed by cleanup::a_release_is_not_cut_short, which says "the release was cut short";
    a_lost_release_that_nobody_hears_of: "bracket.skip-unreported" in "crates/combinator/src/bracket.rs",
        noticed by cleanup::a_lost_release_is_reported, which says "nobody heard of the release";
    a_timer_that_outlives_its_sleep: "timer.kept" in "crates/cx/src/alarm.rs",
        noticed by cleanup::a_dropped_sleep_wakes_nobody, which says "a timer outlived its sleep";
    a_timer_that_keeps_a_stale_waker: "timer.stale-waker" in "crates/cx/src/alarm.rs",
        noticed by cleanup::a_sleep_wakes_who_polled_it_last, which says "deadlock" "waits for a timer";

    a_loser_that_is_not_asked: "race.loser-not-asked" in "crates/combinator/src/drive.rs",
        noticed by branches::a_loser_is_asked, which says "the loser went on to its end";
    a_loser_that_is_not_polled_again: "race.loser-not-polled" in "crates/combinator/src/drive.rs",
        noticed by branches::a_loser_that_was_asked_is_polled, which says "the loser heard of it late";
    a_losers_panic_that_nobody_hears_of: "race.panic-swallowed" in "crates/combinator/src/drive.rs",
        noticed by branches::a_losers_panic_is_heard_of, which says "nobody heard of the loser's panic";
    a_quorum_that_waits_in_vain: "quorum.waits-in-vain" in "crates/combinator/src/tally.rs",
        noticed by branches::a_quorum_out_of_reach_stops_waiting, which says "it waited in vain";

    a_permit_that_is_lost_with_its_waiter: "semaphore.cancel-drops-grant" in "crates/sync/src/semaphore/permits.rs",
        noticed by primitives::a_grant_goes_on_when_its_waiter_is_cancelled, which says "deadlock" "waits for acquire";
    a_permit_that_is_released_twice: "semaphore.release-twice" in "crates/sync/src/semaphore/permits.rs",
        noticed by primitives::a_permit_comes_back_once, which says "a permit came back not once";
    an_unfair_queue: "queue.newest-first" in "crates/sync/src/wait_queue.rs",
        noticed by primitives::waiters_are_served_in_their_order, which says "an unfair queue";
    a_wait_that_keeps_a_stale_waker: "queue.stale-waiter" in "crates/sync/src/wait_queue.rs",
        noticed by primitives::a_wait_wakes_who_polled_it_last, which says "deadlock" "waits for acquire";
    an_unlock_that_nobody_hears: "mutex.unlock-unheard" in "crates/sync/src/mutex/lock_word.rs",
        noticed by primitives::an_unlock_wakes_who_waits, which says "deadlock" "waits for lock";
    a_wake_that_is_lost_with_its_waiter: "mutex.cancel-keeps-wake" in "crates/sync/src/mutex/lock_word.rs",
        noticed by primitives::a_wake_goes_on_when_its_waiter_is_cancelled, which says "deadlock" "waits for lock";
    a_notification_that_is_lost_with_its_waiter: "notify.cancel-keeps-notification" in "crates/sync/src/notify/signal.rs",
        noticed by primitives::a_notification_goes_on_when_its_waiter_is_cancelled, which says "deadlock" "waits for notified";
    a_notification_that_comes_early_and_is_lost: "notify.permit-unstored" in "crates/sync/src/notify/signal.rs",
        noticed by primitives::a_notification_that_comes_early_is_kept, which says "deadlock" "waits for notified";
    room_that_is_lost_with_its_sender: "mpsc.cancel-drops-grant" in "crates/sync/src/mpsc/ring/credits.rs",
        noticed by primitives::room_goes_on_when_its_sender_is_cancelled, which says "deadlock" "waits for send";
    room_that_is_given_up_and_nobody_is_told: "mpsc.abort-forgets-waiters" in "crates/sync/src/mpsc/ring/credits.rs",
        noticed by primitives::room_that_is_given_up_goes_to_who_waits, which says "deadlock" "waits for send";
    room_that_is_given_up_and_lost: "mpsc.abort-keeps-room" in "crates/sync/src/mpsc/ring/credits.rs",
        noticed by primitives::room_that_is_given_up_is_there_again, which says "room was lost with its permit";
    a_sender_that_goes_away_unheard: "oneshot.drop-unheard" in "crates/sync/src/oneshot/word/raw.rs",
        noticed by primitives::a_sender_that_goes_away_ends_the_wait, which says "deadlock" "waits for recv";
}

/// The table is about the code as it is, names each mistake once, and its programs are short.
#[test]
fn the_table_matches_the_code() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let mut names = BTreeSet::new();
    for bug in BUGS {
        assert!(names.insert(bug.name), "`{}` stands here twice", bug.name);
        let text = std::fs::read_to_string(format!("{root}{}", bug.file)).unwrap();
        assert!(text.contains(&format!("seeded!(\"{}\")", bug.name)), "`{}` isn't in {}", bug.name, bug.file);
        let lab = LabRuntime::new(limits());
        types::seeded::clean(|| (bug.program)(&lab));
        assert!(lab.steps() < 100, "the program for `{}` takes {} steps", bug.name, lab.steps());
    }
    assert!(BUGS.len() >= 40, "{} bugs", BUGS.len());
}
