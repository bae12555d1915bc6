//! What the readers make of the kernel's events. Traces are written as the lines they are in files.

use core::time::Duration;

use asupersync_monitor::{
    Level, Limits, Panel, Question,
    readers::{
        Abandoned, Deadlines, Drains, Finalizers, Leaks, Notes, Panics, Polls, Reader, Refusals, Timers,
    },
};
use trace::Event;

/// The observations that `reader` makes of lines without their position and task: `TIME LABEL`.
#[track_caller]
fn reads(mut reader: impl Reader, lines: &[&str]) -> Vec<bool> {
    lines.iter().enumerate().filter_map(|(seq, line)| reader.read(&event(seq, line))).collect()
}

#[track_caller]
fn event(seq: usize, line: &str) -> Event {
    let (time, label) = line.split_once(' ').expect("a time and a label");
    format!("{seq} {time} - {label}").parse().unwrap_or_else(|why| panic!("`{line}`: {why}"))
}

fn request(time: u64, region: u64, deadline: &str) -> String {
    format!("{time} region-request region={region} kind=explicit origin={region}#1 deadline={deadline}")
}

/// Late, in time, and written off.
pub(crate) fn a_drain_overruns_if_it_is_late_or_written_off() {
    let lines = [
        &request(10, 1, "100") as &str,
        &request(10, 2, "100"),
        &request(10, 3, "100"),
        "100 region-close region=1 outcome=cancelled",
        "101 region-close region=2 outcome=cancelled",
        "500 region-write-off region=3",
    ];
    assert_eq!(reads(Drains::default(), &lines), [false, true, true]);
}

#[test]
fn drains_are_counted_at_their_end() {
    a_drain_overruns_if_it_is_late_or_written_off();
}

#[test]
fn the_earliest_deadline_counts() {
    let lines = [
        &request(10, 1, "100") as &str,
        &request(20, 1, "50"),
        &request(30, 1, "100"),
        "60 region-close region=1 outcome=cancelled",
    ];
    assert_eq!(reads(Drains::default(), &lines), [true]);
}

#[test]
fn a_region_that_nobody_asked_or_that_has_no_budget_is_no_drain() {
    let lines = [
        "10 region-close region=1 outcome=ok",
        &request(10, 2, "never"),
        "99 region-close region=2 outcome=cancelled",
    ];
    assert_eq!(reads(Drains::default(), &lines), []);
}

#[test]
fn a_new_run_forgets_what_the_last_one_left_open() {
    let mut drains = Drains::default();
    assert_eq!(drains.read(&event(0, &request(10, 1, "20"))), None);
    drains.begin();
    assert_eq!(drains.read(&event(1, "500 region-close region=1 outcome=ok")), None);
}

#[test]
fn obligations_end_once_and_late_ones_were_counted() {
    let lines = [
        "0 obligation-commit obligation=1",
        "0 obligation-abort obligation=2",
        "0 obligation-leak obligation=3",
        "0 obligation-late obligation=3",
    ];
    assert_eq!(reads(Leaks, &lines), [false, false, true]);
}

const ENDS: &[&str] = &[
    "0 task-end task=1 end=ok failure=no consequential=no",
    "0 task-end task=2 end=panicked failure=yes consequential=no",
    "0 task-end task=3 end=cancelled:deadline:3#1 failure=no consequential=yes",
    "0 task-end task=4 end=cancelled:explicit:4#1 failure=no consequential=yes",
    "0 task-abandon task=5",
    "0 task-end task=5 end=panicked failure=yes consequential=no",
    "0 task-abandon task=6",
    "0 task-write-off task=6",
    "0 task-write-off task=7",
];

#[test]
fn ends_of_tasks_are_told_apart() {
    assert_eq!(reads(Deadlines, ENDS), [false, false, true, false, false]);
    assert_eq!(reads(Panics::default(), ENDS), [false, true, false, false, false]);
    assert_eq!(reads(Abandoned::default(), ENDS), [false, false, false, false, true, true, true]);
}

#[test]
fn spawns_and_finalizers_are_counted() {
    let lines = [
        "0 task-spawn task=4 region=1 daemon=no site=src/main.rs:31",
        "0 spawn-refused region=1 origin=1#1 why=not-open",
        "0 finalizer-end region=1 finalizer=1 end=ok",
        "0 finalizer-end region=1 finalizer=2 end=timed-out",
    ];
    assert_eq!(reads(Refusals, &lines), [false, true]);
    assert_eq!(reads(Finalizers, &lines), [false, true]);
}

#[test]
fn a_poll_ends_where_it_parks_or_its_body_ends_and_not_where_the_children_do() {
    let polls = Polls::new(Duration::from_nanos(100));
    let lines = [
        "0 task-poll task=4",
        "100 task-park task=4 what=sleep",
        "200 task-poll task=4",
        "301 task-park task=4 what=sleep",
        // Its children keep it alive for long after its last poll.
        "400 region-open region=9 parent=1 within=4 kind=implicit policy=fail-fast after_grace=abandon shielded=no site=src/main.rs:3",
        "400 task-poll task=4",
        "450 body-end region=9 end=ok",
        "9000 region-close region=9 outcome=ok",
        "9000 task-end task=4 end=ok failure=no consequential=no",
        "9100 task-poll task=5",
        "9300 task-end task=5 end=ok failure=no consequential=no",
    ];
    assert_eq!(reads(polls, &lines), [false, true, false, true]);
}

#[test]
fn timers_are_late_beyond_their_slack_and_only_if_they_fire() {
    let lines = [
        "0 timer-arm timer=1 task=4 at=100",
        "0 timer-arm timer=2 task=- at=100",
        "0 timer-arm timer=3 task=4 at=100",
        "110 timer-fire timer=1",
        "111 timer-fire timer=2",
        "112 timer-disarm timer=3",
        "113 timer-fire timer=9",
    ];
    assert_eq!(reads(Timers::new(Duration::from_nanos(10)), &lines), [false, true]);
}

#[test]
fn notes_of_the_program_are_observations_too() {
    let lines = ["0 user text=first-try", "0 user text=retry", "0 user text=hello"];
    assert_eq!(reads(Notes::new("first-try", "retry"), &lines), [false, true]);
}

#[test]
fn a_panel_names_what_is_wrong_and_leaves_the_rest() {
    let mut panel = Panel::kernel(Limits::default()).told(Question::RETRIES);
    for seq in 0..200 {
        let late = if seq % 3 == 0 { 101 } else { 100 };
        panel.observe(&event(3 * seq, &request(10, 1, "100")));
        panel.observe(&event(3 * seq + 1, &format!("{late} region-close region=1 outcome=cancelled")));
        panel.observe(&event(3 * seq + 2, "0 obligation-commit obligation=1"));
        assert!(panel.tell("retries", seq % 20 == 0));
    }
    assert!(!panel.tell("no such question", true));
    let named: Vec<&str> = panel.findings(Level::ONE_PERCENT).iter().map(|m| m.question().name()).collect();
    assert_eq!(named, ["drains"]);
    assert!(panel.together().rejects(Level::ONE_PERCENT));

    let report = panel.report(Level::ONE_PERCENT).to_string();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 4, "{report}");
    assert!(lines[0].starts_with("! drains: evidence e = "), "{report}");
    assert!(
        lines[1].starts_with("  leaks: no evidence against 'at most 0.1 % of obligations leak'"),
        "{report}"
    );
    assert!(lines[2].starts_with("  retries: no evidence"), "{report}");
    assert!(lines[3].starts_with("1 of 10 claims named as false (e-BH at 1 %); together e = "), "{report}");
}

#[test]
fn an_empty_panel_and_one_without_events_say_so() {
    assert_eq!(
        Panel::new().report(Level::FIVE_PERCENT).to_string(),
        "0 of 0 claims named as false (e-BH at 5 %); together e = 1.00",
    );
    assert!(Panel::kernel(Limits::default()).findings(Level::FIVE_PERCENT).is_empty());
}
