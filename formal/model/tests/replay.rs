//! Whole traces: what is said about one that agrees, and about the first event that doesn't.

use asupersync_model::replay;
use trace::{Event, parse_lines};

const GOOD: &str = "asupersync-trace 1
1 0 - region-open region=1 parent=- within=- kind=root policy=fail-fast after_grace=wait shielded=no site=m.rs:1
2 0 - task-spawn task=2 region=1 daemon=no site=m.rs:2
3 0 - task-poll task=2
4 0 2 obligation-reserve obligation=1 region=1 kind=send-permit by=2 site=m.rs:3
5 9 2 obligation-commit obligation=1
7 9 2 task-end task=2 end=ok failure=no consequential=no
8 9 - body-end region=1 end=ok
9 9 - region-state region=1 to=draining
10 9 - region-state region=1 to=finalizing
11 9 - region-state region=1 to=settling
12 9 - region-close region=1 outcome=ok
";

fn events(text: &str) -> Vec<Event> {
    parse_lines(text).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn a_trace_that_agrees_is_summed_up() {
    let summary = replay(&events(GOOD)).unwrap_or_else(|why| panic!("{why}"));
    let counts = (summary.events, summary.regions, summary.tasks, summary.obligations, summary.leaked);
    assert_eq!(counts, (11, 1, 1, 1, 0));
    assert!(summary.closed);
}

#[test]
fn the_first_event_that_disagrees_is_named_with_its_rule() {
    let early = GOOD.replace("7 9 2 task-end task=2 end=ok failure=no consequential=no\n", "");
    let divergence = replay(&events(&early)).expect_err("the task is still alive");
    assert_eq!((divergence.at, divergence.refusal.rule), (7, "region.waits"));
    assert_eq!(
        divergence.to_string(),
        "region.waits: region#1 has 1 live tasks\n  \
         at event 7 of the trace: 10 9 - region-state region=1 to=finalizing"
    );
}

#[test]
fn positions_rise_and_time_never_falls() {
    let swapped = GOOD.replace("\n5 9", "\n4 9");
    let divergence = replay(&events(&swapped)).expect_err("two events have one position");
    assert_eq!((divergence.at, divergence.refusal.rule), (4, "event.order"));
    let back = GOOD.replace("\n12 9", "\n12 8");
    let divergence = replay(&events(&back)).expect_err("the clock went back");
    assert_eq!((divergence.at, divergence.refusal.rule), (10, "time.monotone"));
}

#[test]
fn a_request_that_never_arrives_is_found_at_the_end() {
    let asked: String = GOOD
        .lines()
        .take(3)
        .chain(["3 0 - region-request region=1 kind=explicit origin=1#1 deadline=never"])
        .flat_map(|line| [line, "\n"])
        .collect();
    let divergence = replay(&events(&asked)).expect_err("the task was never told");
    assert_eq!((divergence.at, divergence.refusal.rule), (3, "cancel.down"));
    assert!(divergence.event.is_none());
    let told = format!("{asked}4 0 - task-request task=2 kind=explicit origin=1#1 deadline=never\n");
    assert!(replay(&events(&told)).is_ok());
}
