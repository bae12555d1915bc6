//! Regions: the tree, admission, phases, policies, outcome, escalation, finalizers.

use super::{legal, refused};

#[test]
fn a_region_with_a_task_a_finalizer_and_a_permit_closes_in_phases() {
    let state = legal(
        "frame 2 1 1; spawn 3 2; finalizer-register region=2 finalizer=1 site=t.rs:1; reserve 1 2; \
         body 2 ok; drain 2; end 3 ok; finalize 2; finalizer-run region=2 finalizer=1; \
         finalizer-end region=2 finalizer=1 end=ok; settle 2; obligation-commit obligation=1; \
         region-close region=2 outcome=ok; body 1 ok; finish 1 ok",
    );
    assert!(state.regions.values().all(|region| region.outcome.is_some()));
}

#[test]
fn there_is_one_root_and_everything_else_hangs_below_what_encloses_it() {
    refused("scope.numbering", "root");
    refused(
        "region.tree",
        "region-open region=2 parent=- within=- kind=root policy=fail-fast after_grace=wait shielded=no site=t.rs:1",
    );
    refused("region.tree", "frame 2 7 1");
    refused("region.tree", "frame 2 1 7");
    refused("region.tree", "spawn 3 7");
    // Siblings don't enclose each other.
    refused("region.tree", "spawn 3 1; spawn 4 1; implicit 5 1 3; frame 6 5 4");
    refused("region.tree", "spawn 3 1; implicit 5 1 3; implicit 6 1 3");
    refused("region.tree", "frame 2 1 1; spawn 3 2; implicit 4 1 3");
    refused("region.tree", "spawn 3 1; branch 4 1 3");
    refused("region.tree", "spawn 3 1; end 3 ok; frame 4 1 3");
}

#[test]
fn tasks_regions_and_scopes_share_one_numbering() {
    refused("scope.numbering", "spawn 1 1");
    refused("scope.numbering", "spawn 2 1; frame 2 1 1");
    refused("scope.numbering", "spawn 2 1; scope-open scope=1 parent=2 task=2 kind=branch");
}

#[test]
fn only_an_open_region_admits() {
    refused("region.no-admit", "frame 2 1 1; body 2 ok; drain 2; spawn 3 2");
    refused("region.no-admit", "frame 2 1 1; body 2 ok; finish 2 ok; spawn 3 2");
    refused(
        "region.no-admit",
        "frame 2 1 1; body 2 ok; drain 2; finalize 2; finalizer-register region=2 finalizer=1 site=t.rs:1",
    );
    refused("region.no-admit", "spawn-refused region=1 origin=1#0 why=not-open");
    legal("frame 2 1 1; body 2 ok; drain 2; spawn-refused region=2 origin=2#0 why=not-open");
}

#[test]
fn whoever_waits_for_a_closure_of_a_finalizer_is_admitted_while_that_runs_and_keeps_the_region_finalizing() {
    let finalizing =
        "frame 2 1 1; finalizer-register region=2 finalizer=1 site=t.rs:1; body 2 ok; drain 2; finalize 2";
    refused("region.no-admit", &format!("{finalizing}; spawn 3 2"));
    let waits = format!(
        "{finalizing}; finalizer-run region=2 finalizer=1; spawn 3 2; finalizer-end region=2 finalizer=1 end=timed-out"
    );
    refused("region.no-admit", &format!("{waits}; spawn 4 2"));
    refused("region.waits", &format!("{waits}; settle 2"));
    legal(&format!("{waits}; end 3 ok; settle 2; region-close region=2 outcome=ok"));
}

#[test]
fn a_task_of_a_draining_region_may_still_open_regions_of_its_own() {
    legal(
        "frame 2 1 1; spawn 3 2; body 2 ok; drain 2; frame 4 2 3; body 4 ok; finish 4 ok; end 3 ok; finalize 2",
    );
    legal("frame 2 1 1; spawn 3 2; body 2 ok; drain 2; implicit 4 2 3; spawn 5 4");
}

#[test]
fn phases_come_in_order_and_wait_for_what_they_are_about() {
    refused("region.phases", "frame 2 1 1; drain 2");
    refused("region.phases", "frame 2 1 1; body 2 ok; finalize 2");
    refused("region.phases", "frame 2 1 1; body 2 ok; drain 2; drain 2");
    refused("region.phases", "frame 2 1 1; body 2 ok; drain 2; region-close region=2 outcome=ok");
    refused("region.waits", "frame 2 1 1; spawn 3 2; body 2 ok; drain 2; finalize 2");
    refused(
        "region.waits",
        "spawn 3 1; frame 2 1 1; body-dropped region=2 to=1 site=t.rs:1; body 1 ok; drain 1; end 3 ok; finalize 1",
    );
    refused(
        "finalizer.order",
        "frame 2 1 1; finalizer-register region=2 finalizer=1 site=t.rs:1; body 2 ok; drain 2; finalize 2; settle 2",
    );
    refused("obligation.balanced", "frame 2 1 1; reserve 1 2; body 2 ok; finish 2 ok");
}

#[test]
fn a_body_ends_once_and_after_its_frames() {
    refused("region.body", "frame 2 1 1; body 2 ok; body 2 ok");
    refused("region.body", "frame 2 1 1; body-dropped region=2 to=1 site=t.rs:1; body 2 ok");
    refused("region.frame", "frame 2 1 1; frame 3 2 2; body 2 ok");
    refused("region.frame", "spawn 3 1; frame 4 1 3; end 3 ok");
    refused("region.frame", "spawn 3 1; implicit 5 1 3; frame 4 5 3; body 5 ok");
}

#[test]
fn a_dropped_frame_leaves_its_region_to_an_enclosing_one() {
    let dropped = "frame 2 1 1; frame 3 2 2; spawn 4 3; body-dropped region=3 to=2 site=t.rs:1";
    let drained = format!(
        "{dropped}; region-request region=3 kind=body-dropped origin=3#1 deadline=never; \
         task-request task=4 kind=body-dropped origin=3#1 deadline=never; body 2 ok; drain 2; drain 3; end 4 ok"
    );
    refused("region.waits", &format!("{drained}; finalize 2"));
    legal(&format!("{drained}; finalize 3; settle 3; region-close region=3 outcome=ok; finalize 2"));
    refused("region.policy", &format!("{dropped}; drain 3; end 4 ok; finalize 3"));
    refused("region.frame", &format!("{dropped}; body-dropped region=3 to=2 site=t.rs:1"));
    refused("region.frame", "frame 2 1 1; frame 3 2 2; frame 4 1 1; body-dropped region=3 to=4 site=t.rs:1");
    refused("region.frame", "spawn 3 1; implicit 4 1 3; body-dropped region=4 to=1 site=t.rs:1");
}

#[test]
fn a_failed_body_or_member_obliges_the_region_to_cancel() {
    refused("region.policy", "frame 2 1 1; spawn 3 2; body 2 err; drain 2; end 3 ok; finalize 2");
    legal(
        "frame 2 1 1; spawn 3 2; body 2 err; region-request region=2 kind=body-failed origin=2#1 deadline=never; \
         task-request task=3 kind=body-failed origin=2#1 deadline=never; drain 2; end 3 ok; finalize 2",
    );
    refused(
        "region.policy",
        "frame 2 1 1; spawn 3 2; spawn 4 2; end 3 err; body 2 ok; drain 2; end 4 ok; finalize 2",
    );
    legal("frame/isolate 2 1 1; spawn 3 2; spawn 4 2; end 3 err; body 2 ok; drain 2; end 4 ok; finalize 2");
    // Nobody is left to cancel.
    legal("frame 2 1 1; spawn 3 2; body 2 ok; drain 2; end 3 err; finalize 2");
}

#[test]
fn a_region_makes_only_the_requests_it_has_a_reason_for() {
    refused(
        "region.policy",
        "frame/isolate 2 1 1; region-request region=2 kind=sibling-failed origin=2#1 deadline=never",
    );
    refused(
        "region.policy",
        "frame 2 1 1; region-request region=2 kind=body-failed origin=2#1 deadline=never",
    );
    refused(
        "region.policy",
        "frame 2 1 1; body 2 ok; region-request region=2 kind=body-failed origin=2#1 deadline=never",
    );
    refused(
        "region.policy",
        "frame 2 1 1; region-request region=2 kind=body-dropped origin=2#1 deadline=never",
    );
    refused("region.policy", "frame 2 1 1; region-request region=2 kind=lost-race origin=2#1 deadline=never");
}

#[test]
fn the_outcome_is_the_worst_of_what_nobody_took() {
    refused(
        "region.outcome",
        "frame 2 1 1; spawn 3 2; body 2 ok; drain 2; end 3 err; finalize 2; settle 2; region-close region=2 outcome=ok",
    );
    legal(
        "frame 2 1 1; spawn 3 2; body 2 ok; drain 2; end 3 err; finalize 2; settle 2; region-close region=2 outcome=err",
    );
    legal(
        "frame 2 1 1; spawn 3 2; body 2 ok; drain 2; end 3 err; task-joined task=3 by=-; finalize 2; settle 2; region-close region=2 outcome=ok",
    );
    legal(
        "frame/isolate 2 1 1; spawn 3 2; body 2 ok; drain 2; end 3 panicked; finalize 2; settle 2; region-close region=2 outcome=ok",
    );
    refused(
        "region.outcome",
        "frame 2 1 1; finalizer-register region=2 finalizer=1 site=t.rs:1; body 2 ok; drain 2; finalize 2; \
         finalizer-run region=2 finalizer=1; finalizer-end region=2 finalizer=1 end=panicked; settle 2; \
         region-close region=2 outcome=ok",
    );
}

#[test]
fn a_real_error_is_not_buried_under_the_cancellations_it_caused() {
    legal(
        "frame 2 1 1; spawn 3 2; spawn 4 2; body 2 ok; end 3 err; \
         region-request region=2 kind=sibling-failed origin=2#1 deadline=never; \
         task-request task=4 kind=sibling-failed origin=2#1 deadline=never; drain 2; \
         task-end task=4 end=cancelled:sibling-failed:2#1 failure=no consequential=yes; \
         finalize 2; settle 2; region-close region=2 outcome=err",
    );
}

#[test]
fn a_failure_nobody_took_moves_to_the_awaiting_scope() {
    let failed = "spawn 9 1; implicit 8 1 9; frame 2 8 9; spawn 3 2; body 2 ok; drain 2; end 3 err; finalize 2; settle 2; region-close region=2 outcome=err";
    refused("region.escalation", &format!("{failed}; body 8 ok; finish 8 ok; end 9 ok"));
    refused("region.escalation", &format!("{failed}; escalate region=2 to=1 what=returned"));
    refused("region.escalation", &format!("{failed}; escalate region=2 to=9 what=panic"));
    legal(&format!("{failed}; escalate region=2 to=9 what=returned; body 8 ok; finish 8 ok; end 9 ok"));
    // What sits on the root scope can't be forgotten.
    let placed = format!(
        "{failed}; escalate region=2 to=9 what=child-failed; \
         task-request task=9 kind=child-failed origin=9#1 deadline=never; body 8 ok; finish 8 ok"
    );
    refused("region.escalation", &format!("{placed}; end 9 ok"));
    legal(&format!("{placed}; end 9 cancelled:child-failed:9#1"));
    refused("region.escalation", "frame 2 1 1; escalate region=2 to=1 what=returned");
    refused("region.escalation", "frame 2 1 1; body 2 ok; finish 2 ok; escalate region=2 to=1 what=visible");
}

#[test]
fn a_childs_failure_makes_its_parent_task_fail_at_least_as_badly() {
    let failed = "spawn 3 1; implicit 4 1 3; spawn 5 4; body 4 ok; drain 4; end 5 err; finalize 4; settle 4; region-close region=4 outcome=err";
    refused("region.escalation", &format!("{failed}; end 3 ok"));
    legal(&format!("{failed}; end 3 err"));
}

#[test]
fn finalizers_run_last_in_first_out_once_each() {
    let two = "frame 2 1 1; finalizer-register region=2 finalizer=1 site=t.rs:1; \
               finalizer-register region=2 finalizer=2 site=t.rs:2; body 2 ok; drain 2";
    refused("finalizer.order", &format!("{two}; finalizer-run region=2 finalizer=2"));
    refused("finalizer.order", &format!("{two}; finalize 2; finalizer-run region=2 finalizer=1"));
    let first = format!("{two}; finalize 2; finalizer-run region=2 finalizer=2");
    refused("finalizer.order", &format!("{first}; finalizer-run region=2 finalizer=2"));
    refused("finalizer.order", &format!("{first}; finalizer-run region=2 finalizer=1"));
    refused("finalizer.order", &format!("{first}; finalizer-end region=2 finalizer=1 end=ok"));
    let ended = format!("{first}; finalizer-end region=2 finalizer=2 end=timed-out");
    refused("finalizer.order", &format!("{ended}; finalizer-run region=2 finalizer=2"));
    refused("finalizer.order", &format!("{ended}; finalizer-end region=2 finalizer=1 end=ok"));
    legal(&format!(
        "{ended}; finalizer-run region=2 finalizer=1; finalizer-end region=2 finalizer=1 end=ok; settle 2"
    ));
    refused(
        "finalizer.order",
        "finalizer-register region=1 finalizer=1 site=t.rs:1; finalizer-register region=1 finalizer=1 site=t.rs:1",
    );
}

#[test]
fn the_janitor_of_a_dropped_frame_may_be_spawned_into_a_draining_region() {
    let dropped = "frame 2 1 1; frame 3 2 2; finalizer-register region=3 finalizer=1 site=t.rs:1; \
                   body-dropped region=3 to=2 site=t.rs:1; body 2 ok; drain 2";
    legal(&format!("{dropped}; spawn 4 2"));
    refused("region.no-admit", &format!("{dropped}; daemon 4 2"));
}
