//! What the model makes of events and touches that the stories don't have.
use asupersync_timeline::{
    ArrowKind, Failure, Run, StepRow, TextLimits, Timeline, TouchRow, WaitRow, Window, json, text,
};
use trace::{Access, Event, ObjectId, ObjectKind, parse_lines};
use types::TaskId;

const ROOT: &str = "asupersync-trace 1\n\
    0 0 - region-open region=1 parent=- within=- kind=root policy=fail-fast after_grace=wait shielded=no site=src/a.rs:1\n\
    1 0 1 task-spawn task=11 region=1 daemon=no site=src/a.rs:2\n\
    2 0 1 task-spawn task=12 region=1 daemon=yes site=src/a.rs:3\n";

fn events(more: &str) -> Vec<Event> {
    parse_lines(&format!("{ROOT}{more}")).expect("the trace can be read")
}

/// One step for each touch, of tasks 1 and 2 (and `main`, 0) in turn.
fn steps(touches: &[(u64, u64, Access)]) -> Vec<StepRow> {
    let step = |(step, &(task, object, access)): (usize, &(u64, u64, Access))| StepRow {
        step: step as u64,
        task: Some(TaskId::from_u64(if task == 0 { 1 } else { 10 + task })),
        at: 3,
        touches: vec![TouchRow { object: ObjectId(object), kind: ObjectKind::Value, access, site: None }],
        enabled: Vec::new(),
    };
    touches.iter().enumerate().map(step).collect()
}

/// The arrows out of touches: kind, and the places of both touches.
fn arrows(touches: &[(u64, u64, Access)]) -> Vec<(ArrowKind, usize, usize)> {
    let (events, steps) = (events(""), steps(touches));
    let run = Run::new(&events).steps(&steps);
    let line = Timeline::of(&run);
    let first = line.rows.len() - touches.len();
    let inferred = line.arrows.iter().filter(|arrow| arrow.kind != ArrowKind::Spawn);
    inferred.map(|arrow| (arrow.kind, arrow.from - first, arrow.to - first)).collect()
}

#[test]
fn what_was_sent_first_is_received_first() {
    let touches = [
        (1, 7, Access::Send),
        (1, 7, Access::Send),
        (2, 7, Access::Receive),
        (2, 8, Access::Receive),
        (0, 7, Access::TryReceive),
        (0, 7, Access::Empty),
    ];
    assert_eq!(arrows(&touches), [(ArrowKind::Message, 0, 2), (ArrowKind::Message, 1, 4)]);
}

#[test]
fn a_lock_comes_from_who_gave_it_back_last() {
    let touches = [
        (1, 7, Access::Acquire(1)),
        (1, 7, Access::Release(1)),
        (1, 7, Access::Acquire(1)),
        (2, 7, Access::Refused(1)),
        (1, 7, Access::Release(1)),
        (2, 7, Access::TryAcquire(1)),
    ];
    assert_eq!(arrows(&touches), [(ArrowKind::Handover, 4, 5)]);
}

#[test]
fn a_read_sees_the_last_write() {
    let touches = [
        (2, 7, Access::Read),
        (1, 7, Access::Write),
        (0, 7, Access::Write),
        (2, 7, Access::Read),
        (0, 7, Access::Read),
    ];
    assert_eq!(arrows(&touches), [(ArrowKind::Data, 2, 3)]);
}

#[test]
fn who_waits_for_a_moment_goes_on_after_it() {
    let touches =
        [(1, 7, Access::Happen), (2, 7, Access::Observe), (1, 8, Access::Close), (0, 8, Access::Ended)];
    assert_eq!(arrows(&touches), [(ArrowKind::Moment, 0, 1), (ArrowKind::Moment, 2, 3)]);
}

#[test]
fn who_is_woken_runs_because_of_it_unless_it_was_spawned_by_the_same_step() {
    let events = events("");
    let mut steps = steps(&[(1, 7, Access::Write), (0, 8, Access::Write), (2, 9, Access::Read)]);
    steps[0].enabled = vec![TaskId::from_u64(12)];
    let run = Run::new(&events).steps(&steps);
    let line = Timeline::of(&run);
    let wakes: Vec<_> = line.arrows.iter().filter(|arrow| arrow.kind == ArrowKind::Wake).collect();
    let [wake] = wakes[..] else { panic!("{wakes:?}") };
    assert_eq!(
        (line.tasks[wake.from_task].path.as_str(), line.tasks[wake.to_task].path.as_str()),
        ("1", "2")
    );
    assert_eq!((wake.from, wake.to), (3, 5));
}

#[test]
fn a_wait_lasts_until_its_task_is_polled_or_over() {
    let events = events(
        "3 5 11 task-park task=11 what=a%20message\n\
         4 9 12 task-park task=12 what=nothing\n\
         5 9 12 task-wake task=11 by=12\n\
         6 10 - task-poll task=11\n\
         7 10 11 user text=on\n\
         8 11 12 task-end task=12 end=ok failure=no consequential=no\n",
    );
    let run = Run::new(&events);
    let line = Timeline::of(&run);
    let waits: Vec<_> = line.waits.iter().map(|w| (w.what.as_str(), w.from, w.to)).collect();
    assert_eq!(waits, [("a message", 3, Some(5)), ("nothing", 4, Some(7))]);
    assert_eq!(line.wait_of(1, 4).map(|wait| wait.what.as_str()), Some("a message"));
    assert!(line.wait_of(1, 6).is_none());
}

#[test]
fn a_timer_lasts_from_its_setting_to_its_firing() {
    let events = events(
        "3 0 11 timer-arm timer=5 task=11 at=3000000\n\
         4 0 11 timer-arm timer=6 task=11 at=never\n\
         5 3000000 - time-advance to=3000000\n\
         6 3000000 - timer-fire timer=5\n\
         7 3000000 11 timer-disarm timer=6\n",
    );
    let run = Run::new(&events);
    let line = Timeline::of(&run);
    let timers: Vec<_> = line.timers.iter().map(|t| (t.due.as_nanos(), t.fired, t.to.is_some())).collect();
    assert_eq!(timers, [(3_000_000, true, true), (u64::MAX, false, true)]);
    let said = json(&line, &Window::around(&line, 100, 10));
    assert!(said.contains("the clock moves to 3 ms") && said.contains("its timer fires"), "{said}");
}

#[test]
fn a_trace_that_begins_in_the_middle_still_has_its_tasks() {
    let text = "asupersync-trace 1\n\
        900 5 44 user text=still%20here\n\
        901 5 44 obligation-commit obligation=3\n\
        902 5 44 region-close region=8 outcome=ok\n\
        903 5 44 task-end task=44 end=err failure=yes consequential=no\n";
    let events = parse_lines(text).expect("the trace can be read");
    let run = Run::new(&events).failure(Failure {
        what: "task#44 failed in region#8".into(),
        at: Some(903),
        tasks: vec![],
    });
    let line = Timeline::of(&run);
    assert_eq!(line.tasks.len(), 1);
    assert_eq!(line.troubles[0].what, "task ?1 failed in R1");
    let report = asupersync_timeline::text(&line, &TextLimits::default());
    assert!(report.contains("“still here”"), "{report}");
}

#[test]
fn waits_that_the_caller_knows_stand_where_the_run_failed() {
    let events = events("3 7 11 user text=before\n4 7 12 stuck steps=9\n5 7 11 user text=after\n");
    let waits = vec![WaitRow {
        task: TaskId::from_u64(11),
        what: "room in a channel".into(),
        holder: Some(TaskId::from_u64(12)),
        site: Some(trace::Site::new("src/a.rs", 77)),
    }];
    let failure = Failure { what: "stuck".into(), at: Some(4), tasks: Vec::new() };
    let run = Run::new(&events).failure(failure).waits(waits);
    let line = Timeline::of(&run);
    let focus = line.focus().expect("there are rows");
    assert_eq!(line.rows[focus].seq, 4);
    assert_eq!(line.wait_of(1, focus).map(|wait| wait.what.as_str()), Some("room in a channel"));
    assert_eq!(line.suspects(), [1]);
    let report = text(&line, &TextLimits::default());
    assert!(
        report.contains("WHO WAITS\n  1  src/a.rs:77  waits for room in a channel, held by 2\n"),
        "{report}"
    );
}

#[test]
fn two_rows_of_one_event_are_one_thing_to_a_reader() {
    let events = events(
        "3 0 - region-open region=50 parent=1 within=11 kind=frame policy=collect after_grace=wait shielded=no site=src/a.rs:9\n\
         4 0 - region-request region=50 kind=deadline origin=50#1 deadline=9\n\
         5 0 - task-request task=12 kind=deadline origin=50#1 deadline=9\n\
         6 0 - task-request task=12 kind=shutdown origin=50#2 deadline=9\n\
         7 0 11 body-end region=50 end=err\n\
         8 0 11 region-state region=50 to=draining\n\
         9 0 11 region-state region=50 to=finalizing\n\
         10 0 11 region-state region=50 to=settling\n\
         11 0 11 region-close region=50 outcome=err\n",
    );
    let run = Run::new(&events);
    let line = Timeline::of(&run);
    let report = text(&line, &TextLimits { last: 50, ..TextLimits::default() });
    assert_eq!(line.rows.len(), 3 + 4, "{report}");
    assert!(report.contains("R2 is asked to stop (deadline), with 1 task"), "{report}");
    assert!(report.contains("body of R2 ends: error; closes: failed"), "{report}");
    assert_eq!(line.requests.len(), 2);
}
