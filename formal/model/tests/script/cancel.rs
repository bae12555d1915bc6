//! Requests: how they travel, what hides them, what a checkpoint finds, and the cleanup deadline.

use super::{legal, refused};

const ASKED: &str = "frame 2 1 1; spawn 3 2; region-request region=2 kind=explicit origin=2#1 deadline=1000";
const TOLD: &str = "task-request task=3 kind=explicit origin=2#1 deadline=1000";

#[test]
fn a_request_travels_unchanged() {
    legal(&format!("{ASKED}; {TOLD}"));
    refused("cancel.down", &format!("{ASKED}; task-request task=3 kind=shutdown origin=2#1 deadline=1000"));
    refused("cancel.down", &format!("{ASKED}; task-request task=3 kind=explicit origin=1#1 deadline=1000"));
    refused(
        "cancel.down",
        &format!("{ASKED}; spawn 4 1; task-request task=4 kind=explicit origin=2#1 deadline=1000"),
    );
    refused(
        "cancel.down",
        "spawn 3 1; frame 2 1 1; task-request task=3 kind=explicit origin=2#1 deadline=never",
    );
    refused(
        "cancel.down",
        "spawn 3 1; scope-open scope=4 parent=3 task=3 kind=branch; scope-request scope=4 kind=explicit origin=3#1 deadline=never",
    );
}

#[test]
fn a_request_on_a_task_reaches_the_regions_it_has_opened() {
    legal(
        "spawn 3 1; implicit 4 1 3; frame 5 4 3; spawn 6 5; spawn 7 4; \
         task-request task=3 kind=explicit origin=3#1 deadline=never; \
         region-request region=4 kind=explicit origin=3#1 deadline=never; \
         region-request region=5 kind=explicit origin=3#1 deadline=never; \
         task-request task=6 kind=explicit origin=3#1 deadline=never; \
         task-request task=7 kind=explicit origin=3#1 deadline=never",
    );
}

#[test]
fn a_request_on_a_branch_reaches_the_region_it_has_spawned_into() {
    let branch = "spawn 3 1; scope-open scope=4 parent=3 task=3 kind=branch; branch 5 1 4; spawn 6 5; \
                  scope-request scope=4 kind=lost-race origin=4#1 deadline=never";
    legal(&format!(
        "{branch}; region-request region=5 kind=lost-race origin=4#1 deadline=never; task-request task=6 kind=lost-race origin=4#1 deadline=never"
    ));
    legal(&format!("{branch}; checkpoint scope=4 effective=lost-race; checkpoint scope=3 effective=-"));
}

#[test]
fn nothing_reaches_what_is_over() {
    refused(
        "region.quiescent",
        "frame 2 1 1; body 2 ok; finish 2 ok; region-request region=2 kind=explicit origin=2#1 deadline=never",
    );
    refused("task.once", "spawn 3 1; end 3 ok; task-request task=3 kind=explicit origin=3#1 deadline=never");
}

#[test]
fn a_checkpoint_finds_no_less_than_arrived_and_no_more_than_was_made() {
    legal(&format!("{ASKED}; checkpoint scope=3 effective=-"));
    legal(&format!("{ASKED}; checkpoint scope=3 effective=explicit"));
    legal(&format!("{ASKED}; {TOLD}; checkpoint scope=3 effective=explicit"));
    refused("cancel.effective", &format!("{ASKED}; {TOLD}; checkpoint scope=3 effective=-"));
    refused("cancel.effective", &format!("{ASKED}; checkpoint scope=3 effective=shutdown"));
    refused("cancel.effective", "spawn 3 1; task-ack task=3 scope=3 kind=explicit origin=1#1");
    refused("scope.tree", "checkpoint scope=3 effective=-");
}

#[test]
fn a_raise_reaches_a_task_that_was_told_before_and_is_what_it_sees_then() {
    let raised = format!(
        "{ASKED}; {TOLD}; task-ack task=3 scope=3 kind=explicit origin=2#1; \
         region-request region=1 kind=shutdown origin=1#1 deadline=500; \
         region-request region=2 kind=shutdown origin=1#1 deadline=500; \
         task-request task=3 kind=shutdown origin=1#1 deadline=500"
    );
    legal(&format!("{raised}; task-ack task=3 scope=3 kind=shutdown origin=1#1"));
    refused("cancel.effective", &format!("{raised}; task-ack task=3 scope=3 kind=explicit origin=2#1"));
    refused("cancel.effective", &format!("{raised}; checkpoint scope=3 effective=explicit"));
}

#[test]
fn a_cleanup_deadline_never_moves_away() {
    refused(
        "cancel.strengthen",
        &format!("{ASKED}; region-request region=2 kind=shutdown origin=2#2 deadline=2000"),
    );
    refused(
        "cancel.strengthen",
        &format!("{ASKED}; {TOLD}; task-request task=3 kind=explicit origin=2#1 deadline=never"),
    );
    legal(&format!("{ASKED}; region-request region=2 kind=explicit origin=2#2 deadline=900"));
}

const MASKED: &str = "spawn 3 1; scope-open scope=4 parent=3 task=3 kind=masked; \
                      task-request task=3 kind=explicit origin=3#1 deadline=1000";

#[test]
fn a_mask_hides_what_is_above_until_it_closes() {
    legal(&format!("{MASKED}; checkpoint scope=4 effective=-; checkpoint scope=3 effective=explicit"));
    refused("cancel.masked", &format!("{MASKED}; checkpoint scope=4 effective=explicit"));
    refused("cancel.masked", &format!("{MASKED}; task-ack task=3 scope=4 kind=explicit origin=3#1"));
    legal(&format!(
        "{MASKED}; scope-close scope=4 end=returned; task-ack task=3 scope=3 kind=explicit origin=3#1"
    ));
}

#[test]
fn a_timeout_inside_a_mask_works() {
    legal(&format!(
        "{MASKED}; scope-open scope=5 parent=4 task=3 kind=branch; \
         scope-request scope=5 kind=deadline origin=5#1 deadline=never; \
         task-ack task=3 scope=5 kind=deadline origin=5#1; checkpoint scope=4 effective=-"
    ));
}

#[test]
fn a_region_opened_inside_a_mask_is_shielded_from_the_walk() {
    refused("cancel.masked", &format!("{MASKED}; frame 5 1 4"));
    refused("cancel.masked", "spawn 3 1; frame/shielded 5 1 3");
    let shielded = format!("{MASKED}; frame/shielded 5 1 4; spawn 6 5");
    refused(
        "cancel.masked",
        &format!("{shielded}; region-request region=5 kind=explicit origin=3#1 deadline=1000"),
    );
    refused(
        "cancel.masked",
        &format!("{shielded}; task-request task=6 kind=explicit origin=3#1 deadline=1000"),
    );
    legal(&format!("{shielded}; region-request region=5 kind=explicit origin=5#1 deadline=1000"));
}

#[test]
fn a_region_opened_inside_a_mask_that_is_due_may_be_outside_of_it() {
    // The walk from above comes first, and the task, on another thread, has not pierced its mask yet.
    refused("cancel.masked", &format!("{MASKED}; at 999; frame 5 1 4"));
    legal(&format!(
        "{MASKED}; at 1000; frame 5 1 4; region-request region=5 kind=explicit origin=3#1 deadline=1000; mask-pierced scope=4"
    ));
    legal(&format!("{MASKED}; at 1000; frame/shielded 5 1 4; mask-pierced scope=4"));
    let release = "spawn 3 1; scope-open scope=4 parent=3 task=3 kind=masked-phase; \
                   task-request task=3 kind=explicit origin=3#1 deadline=1000; at 1000";
    refused("cancel.masked", &format!("{release}; frame 5 1 4"));
}

#[test]
fn a_mask_is_pierced_at_the_cleanup_deadline() {
    refused("cancel.bounded", &format!("{MASKED}; at 999; mask-pierced scope=4"));
    legal(&format!("{MASKED}; at 1000; mask-pierced scope=4; checkpoint scope=4 effective=explicit"));
    refused(
        "cancel.masked",
        "spawn 3 1; scope-open scope=4 parent=3 task=3 kind=branch; mask-pierced scope=4",
    );
    refused("cancel.masked", &format!("{MASKED}; at 1000; mask-pierced scope=4; mask-pierced scope=4"));
}

#[test]
fn abandoning_is_the_regions_choice_and_comes_after_the_deadline() {
    let asked = |frame: &str| {
        format!(
            "{frame} 2 1 1; spawn 3 2; region-request region=2 kind=explicit origin=2#1 deadline=1000; {TOLD}"
        )
    };
    refused("cancel.bounded", &format!("{}; at 2000; task-abandon task=3", asked("frame")));
    refused("cancel.bounded", &format!("{}; task-abandon task=3", asked("frame/abandon")));
    refused("cancel.bounded", &format!("{}; at 1000; task-abandon task=3; end 3 ok", asked("frame/abandon")));
    refused(
        "task.once",
        &format!("{}; at 1000; task-abandon task=3; task-abandon task=3", asked("frame/abandon")),
    );
    legal(&format!("{}; at 1000; task-abandon task=3; end 3 panicked", asked("frame/abandon")));
}

#[test]
fn a_loser_may_be_dropped_alone_after_the_deadline() {
    let race = |frame: &str| {
        format!(
            "{frame} 2 1 1; spawn 3 2; scope-open scope=4 parent=3 task=3 kind=combinator; \
             scope-open scope=5 parent=4 task=3 kind=branch; \
             scope-request scope=5 kind=lost-race origin=5#1 deadline=1000"
        )
    };
    refused("cancel.bounded", &format!("{}; scope-close scope=5 end=forced", race("frame/abandon")));
    refused("cancel.bounded", &format!("{}; at 1000; scope-close scope=5 end=forced", race("frame")));
    legal(&format!("{}; at 1000; scope-close scope=5 end=forced", race("frame/abandon")));
}

#[test]
fn shutdown_writes_off_what_it_cant_stop_and_nobody_else_does() {
    let asked = |kind: &str| {
        format!(
            "spawn 3 1; implicit 4 1 3; body 1 ok; drain 1; region-request region=1 kind={kind} origin=1#1 deadline=1000; \
             task-request task=3 kind={kind} origin=1#1 deadline=1000; at 1000"
        )
    };
    refused("cancel.bounded", &format!("{}; task-write-off task=3", asked("explicit")));
    refused(
        "cancel.bounded",
        "spawn 3 1; region-request region=1 kind=shutdown origin=1#1 deadline=1000; task-write-off task=3",
    );
    let state = legal(&format!(
        "{}; task-write-off task=3; finish 4 ok; finalize 1; settle 1; region-close region=1 outcome=ok",
        asked("shutdown")
    ));
    assert!(state.tasks.values().all(|task| task.written_off && task.end.is_none()));
}

#[test]
fn a_region_is_written_off_by_shutdown_after_everything_in_it() {
    let asked = "frame 2 1 1; spawn 3 2; frame 4 2 3; reserve 1 4; finalizer-register region=4 finalizer=1 site=t.rs:1; \
                 region-request region=1 kind=shutdown origin=1#1 deadline=1000; \
                 region-request region=2 kind=shutdown origin=1#1 deadline=1000; \
                 task-request task=3 kind=shutdown origin=1#1 deadline=1000; \
                 region-request region=4 kind=shutdown origin=1#1 deadline=1000";
    refused("obligation.balanced", &format!("{asked}; obligation-leak obligation=1"));
    let late = format!("{asked}; at 1000");
    refused("region.waits", &format!("{late}; region-write-off region=2"));
    refused("obligation.balanced", &format!("{late}; task-write-off task=3; region-write-off region=4"));
    let below =
        format!("{late}; task-write-off task=3; obligation-leak obligation=1; region-write-off region=4");
    legal(&format!("{below}; region-write-off region=2; body 1 ok; finish 1 ok"));
    refused("region.quiescent", &format!("{below}; region-write-off region=4"));
    refused("cancel.bounded", "frame 2 1 1; region-write-off region=2");
}

#[test]
fn daemons_are_dismissed_once_only_daemons_remain() {
    let dismissed = "task-request task=3 kind=explicit origin=2#1 deadline=never";
    legal(&format!("frame 2 1 1; daemon 3 2; body 2 ok; drain 2; {dismissed}"));
    refused("cancel.down", &format!("frame 2 1 1; daemon 3 2; {dismissed}"));
    refused("cancel.down", &format!("frame 2 1 1; daemon 3 2; spawn 4 2; body 2 ok; drain 2; {dismissed}"));
}

#[test]
fn the_clock_never_goes_back_and_timers_fire_when_due() {
    refused("time.monotone", "at 5; at 4");
    refused("time.timer", "timer-fire timer=1");
    refused("time.timer", "timer-arm timer=1 task=- at=5; timer-fire timer=1");
    refused("time.timer", "timer-arm timer=1 task=- at=5; timer-arm timer=1 task=- at=6");
    refused("time.timer", "timer-arm timer=1 task=- at=5; timer-disarm timer=1; timer-disarm timer=1");
    legal(
        "timer-arm timer=1 task=- at=5; at 5; timer-fire timer=1; timer-arm timer=1 task=- at=9; timer-disarm timer=1",
    );
}
