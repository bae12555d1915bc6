//! Tasks, joins, scopes and races.

use super::{legal, refused};

#[test]
fn a_task_ends_once_and_after_its_children() {
    refused("task.once", "end 3 ok");
    refused("task.once", "spawn 3 1; end 3 ok; end 3 ok");
    refused("region.waits", "spawn 3 1; implicit 4 1 3; spawn 5 4; end 3 ok");
    refused("region.waits", "spawn 3 1; implicit 4 1 3; body 4 ok; drain 4; end 3 ok");
    legal(
        "spawn 3 1; implicit 4 1 3; spawn 5 4; body 4 ok; drain 4; end 5 ok; finalize 4; settle 4; region-close region=4 outcome=ok; end 3 ok",
    );
}

#[test]
fn an_outcome_is_taken_once_and_only_when_there_is_one() {
    refused("task.once", "spawn 3 1; task-joined task=3 by=-");
    refused("task.once", "spawn 3 1; end 3 ok; task-joined task=3 by=-; task-joined task=3 by=-");
    refused("task.once", "spawn 3 1; end 3 ok; spawn 4 1; end 4 ok; task-joined task=3 by=4");
    legal("spawn 3 1; end 3 ok; spawn 4 1; task-joined task=3 by=4");
}

#[test]
fn the_flags_of_an_end_are_what_its_origin_makes_them() {
    refused("outcome.failure", "spawn 3 1; task-end task=3 end=err failure=no consequential=no");
    refused("outcome.failure", "spawn 3 1; task-end task=3 end=ok failure=yes consequential=no");
    let asked = "frame 2 1 1; spawn 3 2; region-request region=2 kind=explicit origin=2#1 deadline=never; \
                 task-request task=3 kind=explicit origin=2#1 deadline=never";
    refused(
        "outcome.consequential",
        &format!("{asked}; task-end task=3 end=cancelled:explicit:2#1 failure=no consequential=no"),
    );
    refused(
        "outcome.failure",
        &format!("{asked}; task-end task=3 end=cancelled:explicit:2#1 failure=yes consequential=yes"),
    );
    legal(&format!("{asked}; task-end task=3 end=cancelled:explicit:2#1 failure=no consequential=yes"));
}

#[test]
fn an_inner_timeout_that_gets_out_is_a_failure_and_not_a_cancellation() {
    let inner = "spawn 3 1; scope-open scope=4 parent=3 task=3 kind=branch; \
                 scope-request scope=4 kind=deadline origin=4#1 deadline=never; \
                 task-ack task=3 scope=4 kind=deadline origin=4#1; scope-close scope=4 end=returned";
    legal(&format!("{inner}; end 3 cancelled:deadline:4#1"));
    refused(
        "outcome.failure",
        &format!("{inner}; task-end task=3 end=cancelled:deadline:4#1 failure=no consequential=no"),
    );
}

#[test]
fn a_refused_spawn_joins_as_a_failure() {
    legal(
        "frame 2 1 1; spawn 3 1; body 2 ok; drain 2; spawn-refused region=2 origin=2#0 why=not-open; \
         end 3 cancelled:spawn-refused:2#0",
    );
}

#[test]
fn nobody_ends_cancelled_by_a_request_that_was_never_made() {
    refused(
        "cancel.acknowledged",
        "spawn 3 1; task-end task=3 end=cancelled:explicit:3#1 failure=no consequential=no",
    );
    refused("cancel.acknowledged", "frame 2 1 1; body 2 cancelled:explicit:2#1");
}

#[test]
fn a_body_that_finishes_after_a_request_keeps_its_value() {
    legal("spawn 3 1; task-request task=3 kind=explicit origin=3#1 deadline=never; end 3 ok");
}

const RACE: &str = "spawn 3 1; scope-open scope=4 parent=3 task=3 kind=combinator; \
                    scope-open scope=5 parent=4 task=3 kind=branch; \
                    scope-open scope=6 parent=4 task=3 kind=branch";

#[test]
fn a_race_returns_after_every_loser_has() {
    refused(
        "race.drained",
        &format!(
            "{RACE}; race-won race=4 winner=5; scope-close scope=5 end=returned; scope-close scope=4 end=returned"
        ),
    );
    refused("race.drained", &format!("{RACE}; race-won race=4 winner=5; scope-close scope=6 end=returned"));
    let lost = format!(
        "{RACE}; race-won race=4 winner=5; scope-close scope=5 end=returned; scope-request scope=6 kind=lost-race origin=6#1 deadline=never"
    );
    legal(&format!("{lost}; scope-close scope=6 end=returned; scope-close scope=4 end=returned; end 3 ok"));
    // The frame around it was dropped: everything inside goes with it.
    legal(&format!("{lost}; scope-close scope=4 end=dropped; end 3 ok"));
}

#[test]
fn a_branch_with_a_region_of_its_own_is_drained_before_it_returns() {
    let spawned = format!("{RACE}; branch 7 1 5; spawn 8 7");
    refused("race.drained", &format!("{spawned}; scope-close scope=5 end=returned"));
    refused("race.drained", &format!("{spawned}; scope-close scope=5 end=dropped"));
    legal(&format!("{spawned}; end 8 ok; body 7 ok; finish 7 ok; scope-close scope=5 end=returned"));
}

#[test]
fn a_branch_wins_its_own_race_once() {
    refused("race.winner", &format!("{RACE}; race-won race=4 winner=4"));
    refused("race.winner", &format!("{RACE}; race-won race=5 winner=6"));
    refused("race.winner", &format!("{RACE}; race-won race=4 winner=5; race-won race=4 winner=5"));
}

#[test]
fn scopes_nest_within_their_task() {
    refused("scope.tree", "spawn 3 1; spawn 4 1; scope-open scope=5 parent=3 task=4 kind=branch");
    refused("scope.tree", "spawn 3 1; scope-open scope=5 parent=7 task=3 kind=branch");
    refused(
        "scope.tree",
        "spawn 3 1; scope-open scope=5 parent=3 task=3 kind=branch; scope-open scope=6 parent=5 task=3 kind=branch; scope-close scope=5 end=returned",
    );
    refused(
        "scope.tree",
        "spawn 3 1; scope-open scope=5 parent=3 task=3 kind=branch; scope-close scope=5 end=returned; scope-close scope=5 end=returned",
    );
    refused("scope.tree", "release-skipped scope=5 site=t.rs:1");
}

#[test]
fn a_forgotten_frame_is_over_with_its_task() {
    let state = legal(&format!("{RACE}; end 3 ok"));
    assert!(state.scopes.values().all(|scope| scope.end.is_some()));
}
