//! One clean run, and for each oracle the same run with a violation planted: the oracle in question
//! says what happened and where, and on the clean run all of them are silent.

use asupersync_oracle::{
    ALL, Report, Wait, bodies_abandoned, bounded_cleanup, cleanup_in_time, cycle, judge,
};
use trace::{Event, Label};
use types::TaskId;

/// A root, a region with two tasks, a permit, two finalizers, a race, a cancellation.
const CLEAN: &[&str] = &[
    "region-open region=1 parent=- within=- kind=root policy=fail-fast after_grace=wait shielded=no site=main.rs:1",
    "region-open region=2 parent=1 within=1 kind=frame policy=fail-fast after_grace=wait shielded=no site=main.rs:2",
    "task-spawn task=3 region=2 daemon=no site=main.rs:3",
    "task-spawn task=4 region=2 daemon=no site=main.rs:4",
    "finalizer-register region=2 finalizer=1 site=main.rs:5",
    "finalizer-register region=2 finalizer=2 site=main.rs:6",
    "task-poll task=3",
    "obligation-reserve obligation=1 region=2 kind=send-permit by=3 site=main.rs:7",
    "scope-open scope=10 parent=3 task=3 kind=combinator",
    "scope-open scope=11 parent=10 task=3 kind=branch",
    "scope-open scope=12 parent=10 task=3 kind=branch",
    "race-won race=10 winner=11",
    "scope-close scope=11 end=returned",
    "scope-request scope=12 kind=lost-race origin=12#1 deadline=never",
    "scope-close scope=12 end=returned",
    "scope-close scope=10 end=returned",
    "obligation-commit obligation=1",
    "wait-for task=3 holder=4 what=Mutex::lock",
    "wait-for task=4 holder=- what=timer",
    "task-end task=3 end=ok failure=no consequential=no",
    "region-request region=2 kind=explicit origin=2#1 deadline=500",
    "task-request task=4 kind=explicit origin=2#1 deadline=500",
    "task-ack task=4 scope=4 kind=explicit origin=2#1",
    "task-end task=4 end=cancelled:explicit:2#1 failure=no consequential=yes",
    "body-end region=2 end=ok",
    "region-state region=2 to=draining",
    "region-state region=2 to=finalizing",
    "finalizer-run region=2 finalizer=2",
    "finalizer-end region=2 finalizer=2 end=ok",
    "finalizer-run region=2 finalizer=1",
    "finalizer-end region=2 finalizer=1 end=ok",
    "region-state region=2 to=settling",
    "region-close region=2 outcome=ok",
    "body-end region=1 end=ok",
    "region-state region=1 to=draining",
    "region-state region=1 to=finalizing",
    "region-state region=1 to=settling",
    "region-close region=1 outcome=ok",
];

fn events(lines: &[String]) -> Vec<Event> {
    let label = |line: &String| line.parse::<Label>().unwrap_or_else(|why| panic!("{line}: {why}"));
    let events = lines.iter().enumerate();
    events.map(|(at, line)| Event::new(at as u64, types::Time::ZERO, label(line))).collect()
}

fn clean() -> Vec<String> {
    CLEAN.iter().map(ToString::to_string).collect()
}

/// The clean run without the lines that contain `what`.
fn without(what: &str) -> Vec<String> {
    let left: Vec<String> = clean().into_iter().filter(|line| !line.contains(what)).collect();
    assert!(left.len() < CLEAN.len(), "nothing to take out: {what}");
    left
}

/// The clean run with `line` put in behind the first line that contains `after`.
fn with(line: &str, after: &str) -> Vec<String> {
    put(clean(), line, after)
}

fn put(mut lines: Vec<String>, line: &str, after: &str) -> Vec<String> {
    let at = lines.iter().position(|found| found.contains(after)).expect("the place exists");
    lines.insert(at + 1, line.to_string());
    lines
}

fn ask(oracle: &str, lines: &[String]) -> Result<(), Report> {
    let (_, ask) = ALL.iter().find(|(name, _)| *name == oracle).expect("the oracle exists");
    ask(&events(lines))
}

/// The oracle's first finding on `lines` is `expected`.
#[track_caller]
fn finds(oracle: &str, lines: &[String], expected: &str) {
    let report = ask(oracle, lines).expect_err("the violation is found");
    assert_eq!(report.oracle, oracle);
    assert_eq!(report.findings[0].what, expected, "{report}");
}

#[test]
fn a_clean_run_and_each_beginning_of_it_are_beyond_reproach() {
    for length in 0..=CLEAN.len() {
        if let Err(reports) = judge(&events(&clean()[..length])) {
            panic!("after {length} events: {}", reports[0]);
        }
    }
}

#[test]
fn whoever_outlives_a_closed_region_is_named_with_its_line() {
    finds(
        "quiescence",
        &without("task-end task=3"),
        "region#2 (opened at main.rs:2) closed while task#3 (spawned at main.rs:3) was alive",
    );
    finds(
        "quiescence",
        &without("region-close region=2"),
        "region#1 (opened at main.rs:1) closed while region#2 (opened at main.rs:2) was open",
    );
    finds(
        "quiescence",
        &without("obligation-commit"),
        "region#2 (opened at main.rs:2) closed while obligation#1, reserved at main.rs:7, was outstanding",
    );
    finds(
        "quiescence",
        &without("finalizer-end region=2 finalizer=1"),
        "region#2 (opened at main.rs:2) closed while finalizer#1, registered at main.rs:5, hadn't run",
    );
}

#[test]
fn nothing_happens_in_a_closed_region_ever_after() {
    let expected = "region#2 (opened at main.rs:2) was closed, and something happened in it";
    for line in [
        "task-poll task=3",
        "task-spawn task=9 region=2 daemon=no site=main.rs:9",
        "region-close region=2 outcome=ok",
    ] {
        finds("quiescence", &with(line, "region-close region=2"), expected);
    }
}

#[test]
fn what_shutdown_wrote_off_is_excepted() {
    let mut lines = without("task-end task=3");
    lines = put(lines, "task-write-off task=3", "body-end region=2");
    assert_eq!(ask("quiescence", &lines), Ok(()));
    assert_eq!(ask("no_orphans", &lines), Ok(()));
}

#[test]
fn tasks_and_regions_without_an_owner_are_orphans() {
    let spawn = "task-spawn task=9 region=7 daemon=no site=main.rs:9";
    finds(
        "no_orphans",
        &with(spawn, "task-poll"),
        "region#7 was never opened, nobody waits for what it owns",
    );
    let late = "task-spawn task=9 region=2 daemon=no site=main.rs:9";
    finds(
        "no_orphans",
        &with(late, "region-close region=2"),
        "region#2 (opened at main.rs:2) was closed already, nobody waits for what it owns",
    );
    finds(
        "no_orphans",
        &without("task-end task=4"),
        "the root closed, and task#4 (spawned at main.rs:4) never ended",
    );
    let root = CLEAN[0].replace("region=1", "region=8");
    finds("no_orphans", &with(&root, "task-poll"), "region#8 is a second root");
    finds(
        "no_orphans",
        &with("task-end task=3 end=ok failure=no consequential=no", "body-end region=2"),
        "task#3 (spawned at main.rs:3) ended twice",
    );
    finds(
        "no_orphans",
        &with("task-end task=9 end=ok failure=no consequential=no", "body-end region=2"),
        "task#9 ended and was never spawned",
    );
}

#[test]
fn a_parent_that_ends_before_its_child_is_named_with_it() {
    let implicit = "region-open region=20 parent=2 within=3 kind=implicit policy=fail-fast after_grace=wait shielded=no site=main.rs:3";
    let lines = put(
        with(implicit, "task-poll"),
        "task-spawn task=21 region=20 daemon=no site=main.rs:8",
        "kind=implicit",
    );
    finds(
        "no_orphans",
        &lines,
        "task#3 (spawned at main.rs:3) ended before its child task#21 (spawned at main.rs:8)",
    );
}

#[test]
fn a_leaked_permit_is_traced_to_the_line_that_reserved_it() {
    let expected = "obligation#1 leaked: a send permit reserved at main.rs:7 by task#3 (spawned at main.rs:3), \
                    owned by region#2 (opened at main.rs:2)";
    finds("obligation_leaks", &without("obligation-commit"), expected);
    let declared = put(without("obligation-commit"), "obligation-leak obligation=1", "to=settling");
    finds("obligation_leaks", &declared, expected);
    finds(
        "obligation_leaks",
        &with("obligation-abort obligation=1", "obligation-commit"),
        "obligation#1, reserved at main.rs:7, was committed and then aborted",
    );
    finds(
        "obligation_leaks",
        &with("obligation-abort obligation=5", "obligation-commit"),
        "obligation#5 was aborted and never reserved",
    );
    let late = with("obligation-late obligation=1", "region-close region=2");
    finds("obligation_leaks", &late, "obligation#1, reserved at main.rs:7, was resolved after it had leaked");
}

#[test]
fn a_permit_that_moved_to_an_outer_region_doesnt_leak_when_the_inner_one_closes() {
    let moved = put(without("obligation-commit"), "obligation-rehome obligation=1 to=1", "body-end region=2");
    let moved = put(moved, "obligation-commit obligation=1", "region-close region=2");
    assert_eq!(ask("obligation_leaks", &moved), Ok(()));
    assert_eq!(ask("quiescence", &moved), Ok(()));
}

#[test]
fn a_race_that_leaves_a_loser_behind_is_found() {
    finds(
        "losers_drained",
        &without("scope-close scope=12"),
        "a race in task#3 (spawned at main.rs:3) returned before its branch scope#12 had",
    );
    finds(
        "losers_drained",
        &without("scope-request"),
        "the losing branch scope#12 in task#3 (spawned at main.rs:3) was never asked to stop",
    );
    let branch = "region-open region=20 parent=2 within=11 kind=branch policy=fail-fast after_grace=wait shielded=no site=main.rs:8";
    let lines = put(
        with(branch, "scope-open scope=12"),
        "task-spawn task=21 region=20 daemon=no site=main.rs:9",
        "kind=branch policy",
    );
    finds(
        "losers_drained",
        &lines,
        "scope#11 in task#3 (spawned at main.rs:3) returned before its child task#21 (spawned at main.rs:9)",
    );
}

#[test]
fn finalizers_out_of_order_twice_together_or_never_are_found() {
    let mut swapped = clean();
    for line in &mut swapped {
        if line.starts_with("finalizer-run") || line.starts_with("finalizer-end") {
            *line = line
                .replace("finalizer=1", "finalizer=x")
                .replace("finalizer=2", "finalizer=1")
                .replace("finalizer=x", "finalizer=2");
        }
    }
    finds(
        "finalizers_once_in_order",
        &swapped,
        "finalizer#1, registered at main.rs:5, ran before finalizer#2, registered later at main.rs:6",
    );
    finds(
        "finalizers_once_in_order",
        &with("finalizer-run region=2 finalizer=2", "finalizer-end region=2 finalizer=2"),
        "finalizer#2 ran a second time, or was never registered",
    );
    finds(
        "finalizers_once_in_order",
        &without("finalizer-end region=2 finalizer=2"),
        "finalizer#1 started while finalizer#2 was running",
    );
    let never: Vec<String> = without("finalizer-run region=2 finalizer=1")
        .into_iter()
        .filter(|line| !line.contains("finalizer-end region=2 finalizer=1"))
        .collect();
    finds(
        "finalizers_once_in_order",
        &never,
        "region#2 closed and finalizer#1, registered at main.rs:5, never ran to its end",
    );
}

#[test]
fn requests_that_weaken_miss_somebody_or_come_from_nowhere_are_found() {
    let cut: Vec<String> =
        without("task-request").into_iter().take_while(|line| !line.starts_with("task-ack")).collect();
    let cut = put(cut, "task-poll task=4", "region-request");
    finds(
        "cancel_forward",
        &cut,
        "task#4 (spawned at main.rs:4) was passed over by a request (Explicit) on a region above it",
    );
    finds(
        "cancel_forward",
        &with("region-request region=2 kind=shutdown origin=1#1 deadline=900", "region-request"),
        "the cleanup deadline of region#2 (opened at main.rs:2) moved away from 500ns",
    );
    finds(
        "cancel_forward",
        &with("task-request task=4 kind=shutdown origin=1#1 deadline=never", "task-request"),
        "the cleanup deadline of task#4 (spawned at main.rs:4) moved away from 500ns",
    );
    finds(
        "cancel_forward",
        &with("task-request task=3 kind=explicit origin=2#1 deadline=500", "region-request"),
        "task#3 (spawned at main.rs:3) is over and was asked to stop",
    );
    let nowhere: Vec<String> = clean()
        .into_iter()
        .filter(|line| {
            !line.contains("-request region=2")
                && !line.contains("task-request")
                && !line.contains("task-ack")
        })
        .collect();
    finds(
        "cancel_forward",
        &nowhere,
        "task#4 (spawned at main.rs:4) ended cancelled (Explicit) by a request that nobody has made",
    );
    let told = with("task-ack task=4 scope=4 kind=deadline origin=9#1", "task-request");
    finds(
        "cancel_forward",
        &told,
        "task#4 (spawned at main.rs:4) was told of a request (Deadline) that nobody has made",
    );
    let less = with("task-ack task=4 scope=4 kind=shutdown origin=2#2", "task-request");
    finds(
        "cancel_forward",
        &less,
        "task#4 (spawned at main.rs:4) was told of less (Explicit) than before (Shutdown)",
    );
}

#[test]
fn a_circle_of_waiting_tasks_is_told_as_a_story() {
    let mut lines = clean();
    let at = lines.iter().position(|line| line.starts_with("wait-for task=4")).expect("it waits");
    lines[at] = "wait-for task=4 holder=3 what=Sender::reserve".to_string();
    finds(
        "deadlock",
        &lines,
        "deadlock: task#3 (spawned at main.rs:3) waits for Mutex::lock held by task#4 (spawned at main.rs:4), \
         which waits for Sender::reserve held by task#3 (spawned at main.rs:3)",
    );
    // A timer may still end the wait, and so may a wake between the two notes.
    assert_eq!(ask("deadlock", &put(lines.clone(), "timer-arm timer=1 task=4 at=900", "task-poll")), Ok(()));
    assert_eq!(ask("deadlock", &put(lines, "task-wake task=3 by=-", "wait-for task=3")), Ok(()));
    finds("deadlock", &with("stuck steps=100", "task-poll"), "the run got nowhere for 100 steps");
    finds(
        "deadlock",
        &with("deadlock task=3", "task-poll"),
        "task#3 (spawned at main.rs:3) is deadlocked, said the engine",
    );
}

#[test]
fn a_circle_is_found_behind_a_tail_and_a_tail_alone_is_none() {
    let wait = |task, holder| Wait {
        task: TaskId::from_u64(task),
        holder: TaskId::from_u64(holder),
        what: "x".into(),
    };
    let edges = [wait(1, 5), wait(5, 3), wait(3, 4), wait(4, 5), wait(9, 1)];
    let circle: Vec<u64> = cycle(&edges).expect("3, 4 and 5").iter().map(|wait| wait.task.as_u64()).collect();
    assert_eq!(circle, [3, 4, 5]);
    assert_eq!(cycle(&edges[..3]), None);
    assert_eq!(cycle(&[wait(1, 1)]).map(|circle| circle.len()), Some(1));
    assert_eq!(cycle(&[]), None);
}

#[test]
fn a_call_from_outside_the_lab_is_found() {
    let lines = with("foreign-call what=RegionHandle::cancel", "task-poll");
    finds("no_foreign_calls", &lines, "RegionHandle::cancel was called from a thread outside the lab");
}

#[test]
fn a_report_stops_after_a_few_findings_and_counts_the_rest() {
    let lines: Vec<String> = (0..20).map(|_| "foreign-call what=x".to_string()).collect();
    let report = ask("no_foreign_calls", &lines).expect_err("twenty calls");
    assert_eq!((report.findings.len(), report.more), (Report::MOST, 4));
    assert!(report.to_string().ends_with("and 4 more"), "{report}");
}

#[test]
fn phases_that_are_skipped_repeated_or_run_backwards_are_found() {
    finds(
        "phases_forward",
        &without("region-state region=2 to=finalizing"),
        "region#2 (opened at main.rs:2) went from draining to settling",
    );
}

#[test]
fn whoever_is_admitted_after_the_body_has_ended_is_found() {
    finds(
        "phases_forward",
        &with("task-spawn task=9 region=2 daemon=no site=main.rs:9", "region=2 to=draining"),
        "region#2 (opened at main.rs:2) took task#9 in while it was draining",
    );
    let frame = "region-open region=20 parent=2 within=2 kind=frame policy=fail-fast after_grace=wait shielded=no site=main.rs:8";
    finds(
        "phases_forward",
        &with(frame, "region=2 to=settling"),
        "region#20 was opened below region#2 (opened at main.rs:2), which is settling",
    );
    assert_eq!(ask("phases_forward", &with(frame, "region=2 to=draining")), Ok(()), "its live tasks may");
}

#[test]
fn the_janitor_of_a_dropped_frame_is_admitted_while_the_region_drains() {
    let frame = "region-open region=20 parent=2 within=2 kind=frame policy=fail-fast after_grace=wait shielded=no site=main.rs:8";
    let lines = with(frame, "task-poll");
    let lines = put(lines, "body-dropped region=20 to=2 site=main.rs:8", "region=2 to=draining");
    let janitor = "task-spawn task=9 region=2 daemon=no site=main.rs:8";
    let lines = put(lines, janitor, "body-dropped");
    assert_eq!(ask("phases_forward", &lines), Ok(()));
    finds(
        "phases_forward",
        &put(lines, &janitor.replace("task=9", "task=10").replace(":8", ":7"), "task-spawn task=9"),
        "region#2 (opened at main.rs:2) took task#10 in while it was draining",
    );
}

#[test]
fn whoever_is_over_is_neither_told_nor_polled_and_nobody_else_is_joined() {
    let over = "task#4 (spawned at main.rs:4) was over and did something";
    for line in ["task-poll task=4", "task-ack task=4 scope=4 kind=explicit origin=2#1"] {
        finds("phases_forward", &with(line, "task-end task=4"), over);
    }
    finds(
        "phases_forward",
        &with("task-end task=3 end=ok failure=no consequential=no", "body-end region=2"),
        "task#3 (spawned at main.rs:3) ended twice",
    );
    finds(
        "phases_forward",
        &with("task-joined task=3 by=4", "task-poll task=3"),
        "task#3 (spawned at main.rs:3) was joined before it had ended",
    );
    assert_eq!(ask("phases_forward", &with("task-joined task=3 by=4", "task-end task=3")), Ok(()));
}

#[test]
fn regions_that_hang_elsewhere_than_where_they_were_opened_are_found() {
    let foreign = "region-open region=20 parent=1 within=3 kind=frame policy=fail-fast after_grace=wait shielded=no site=main.rs:8";
    finds(
        "region_tree",
        &with(foreign, "task-poll"),
        "region#20 was opened by task#3 (spawned at main.rs:3) and isn't below region#2 (opened at main.rs:2), which \
         owns it",
    );
    let inner = foreign.replace("parent=1", "parent=2");
    assert_eq!(ask("region_tree", &with(&inner, "task-poll")), Ok(()));
    let dropped = |to: u64| {
        put(with(&inner, "task-poll"), &format!("body-dropped region=20 to={to} site=main.rs:8"), "region=20")
    };
    assert_eq!(ask("region_tree", &dropped(2)), Ok(()));
    finds(
        "region_tree",
        &dropped(30),
        "region#20 (opened at main.rs:8) went to region#30, which doesn't enclose it",
    );
    finds(
        "region_tree",
        &with("body-dropped region=1 to=2 site=main.rs:1", "task-poll"),
        "region#1 (opened at main.rs:1) went to region#2 (opened at main.rs:2), which doesn't enclose it",
    );
    let around = "region-open region=1 parent=2 within=2 kind=frame policy=fail-fast after_grace=wait shielded=no site=main.rs:8";
    finds("region_tree", &with(around, "task-poll"), "region#1 was opened below itself");
}

#[test]
fn a_frame_that_was_left_before_its_end_is_found_unless_the_runtime_dropped_it() {
    let frame = "region-open region=20 parent=2 within=3 kind=frame policy=fail-fast after_grace=wait shielded=no site=main.rs:8";
    let lines = put(with(frame, "task-poll"), "body-dropped region=20 to=2 site=main.rs:8", "region=20");
    let found = bodies_abandoned(&events(&lines)).expect_err("a frame was dropped");
    assert_eq!(found.findings[0].what, "the body of the region at main.rs:8 was abandoned");
    let given_up = put(lines, "task-abandon task=3", "region-open region=20");
    assert_eq!(bodies_abandoned(&events(&given_up)), Ok(()));
    let skipped = with("release-skipped scope=11 site=main.rs:9", "scope-open scope=11");
    let found = bodies_abandoned(&events(&skipped)).expect_err("a release was skipped");
    assert_eq!(found.findings[0].what, "the bracket at main.rs:9 was dropped, its release never ran");
    assert_eq!(bodies_abandoned(&events(&clean())), Ok(()));
}

/// As `events`, but that time passes at the events that contain `later`.
fn timed(lines: &[String], later: &str, time: u64) -> Vec<Event> {
    let mut events = events(lines);
    let from = lines.iter().position(|line| line.contains(later)).expect("the place exists");
    events[from..].iter_mut().for_each(|event| event.time = types::Time::from_nanos(time));
    events
}

#[test]
fn cleanup_that_takes_longer_than_it_may_is_found() {
    let judge = |time| cleanup_in_time(&timed(&clean(), "task-ack", time));
    assert_eq!(judge(500), Ok(()), "at the deadline it is in time");
    let found = judge(501).expect_err("task 4 was asked to be over by 500");
    assert_eq!(bounded_cleanup(&timed(&clean(), "task-ack", 501)), Ok(()), "its region waits for it");
    let abandons: Vec<String> =
        clean()
            .into_iter()
            .map(|line| {
                if line.starts_with("region-open region=2") {
                    line.replace("=wait", "=abandon")
                } else {
                    line
                }
            })
            .collect();
    assert_eq!(bounded_cleanup(&timed(&abandons, "task-ack", 500)), Ok(()));
    let dropped =
        bounded_cleanup(&timed(&abandons, "task-ack", 501)).expect_err("it ought to have been dropped");
    assert_eq!(dropped.findings[0].what, found.findings[0].what);
    assert_eq!(
        found.findings[0].what,
        "task#4 (spawned at main.rs:4) was asked to stop, had until 500ns and is still there"
    );
    assert_eq!(cleanup_in_time(&timed(&clean(), "body-end region=2", 9000)), Ok(()), "it is over by then");
}

#[test]
fn a_finalizer_below_a_task_has_a_bound_of_its_own() {
    let implicit = "region-open region=20 parent=2 within=4 kind=implicit policy=fail-fast after_grace=wait shielded=no site=main.rs:4";
    let lines = put(with(implicit, "task-poll"), "finalizer-run region=20 finalizer=9", "task-request");
    assert_eq!(cleanup_in_time(&timed(&lines, "task-ack", 501)), Ok(()));
    let ended = put(lines, "finalizer-end region=20 finalizer=9 end=ok", "finalizer=9");
    assert!(cleanup_in_time(&timed(&ended, "task-ack", 501)).is_err());
}

#[test]
fn whoever_is_given_more_time_than_those_above_is_found() {
    let task = "task-request task=4 kind=explicit origin=2#1 deadline=500";
    let more = |lines: Vec<String>, line: &str, to: &str| -> Vec<String> {
        let lines: Vec<String> =
            lines.into_iter().map(|found| if found == line { to.into() } else { found }).collect();
        lines
    };
    finds(
        "budget_monotone",
        &more(clean(), task, &task.replace("500", "600")),
        "task#4 (spawned at main.rs:4) was given until 600ns, and region#2 (opened at main.rs:2) above it only until 500ns",
    );
    assert_eq!(ask("budget_monotone", &more(clean(), task, &task.replace("500", "400"))), Ok(()));
    let open = "region-open region=20 parent=2 within=4 kind=implicit policy=fail-fast after_grace=wait shielded=no site=main.rs:8";
    let asked = "region-request region=20 kind=explicit origin=2#1 deadline=700";
    let lines = put(with(open, "task-poll"), asked, "task-request");
    finds(
        "budget_monotone",
        &lines,
        "region#20 (opened at main.rs:8) was given until 700ns, and region#2 (opened at main.rs:2) above it only until 500ns",
    );
    let shielded = more(lines, open, &open.replace("shielded=no", "shielded=yes"));
    assert_eq!(ask("budget_monotone", &shielded), Ok(()), "what a mask kept away comes later");
}

#[test]
fn what_the_engine_saw_is_told_with_the_tasks_lines() {
    finds(
        "lost_wakeup",
        &with("lost-wakeup task=4 what=recv%20(empty)", "wait-for task=4"),
        "task#4 (spawned at main.rs:4) waited for recv (empty), could go on, and nobody woke it",
    );
    finds(
        "livelock",
        &with("livelock steps=900 period=2 what=3,%204", "task-poll"),
        "after 900 steps the run repeats the same 2 of them: 3, 4",
    );
    finds(
        "futurelock",
        &with("futurelock task=4 holder=3 what=the%20mutex", "task-poll"),
        "task#4 (spawned at main.rs:4) waits for the mutex, held in task#3 (spawned at main.rs:3)",
    );
}
