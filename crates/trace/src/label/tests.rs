//! What every label must do: read back as written, and stay small.

use alloc::string::ToString;

use super::*;

/// One line per label, in the order of [`Label::NAMES`]: the promise `trace.stable`, spelled out.
const LINES: &[&str] = &[
    "region-open region=2 parent=1 within=7 kind=frame policy=fail-fast after_grace=wait shielded=no site=a.rs:1",
    "body-end region=2 end=cancelled:deadline:2#1",
    "body-dropped region=2 to=1 site=a.rs:1",
    "region-state region=2 to=draining",
    "region-close region=2 outcome=panicked",
    "region-write-off region=2",
    "escalate region=2 to=7 what=child-failed",
    "spawn-refused region=2 origin=2#0 why=not-open",
    "task-spawn task=8 region=2 daemon=yes site=my%20dir/a.rs:3",
    "task-end task=8 end=err failure=yes consequential=no",
    "task-joined task=8 by=-",
    "task-abandon task=8",
    "task-write-off task=8",
    "scope-open scope=9 parent=8 task=8 kind=combinator",
    "race-won race=9 winner=10",
    "scope-close scope=9 end=returned",
    "region-request region=2 kind=sibling-failed origin=2#1 deadline=1000",
    "task-request task=8 kind=sibling-failed origin=2#1 deadline=never",
    "scope-request scope=9 kind=lost-race origin=9#1 deadline=never",
    "task-ack task=8 scope=8 kind=sibling-failed origin=2#1",
    "checkpoint scope=8 effective=-",
    "mask-pierced scope=9",
    "finalizer-register region=2 finalizer=1 site=a.rs:9",
    "finalizer-run region=2 finalizer=1",
    "finalizer-end region=2 finalizer=1 end=timed-out",
    "release-skipped scope=9 site=a.rs:4",
    "obligation-reserve obligation=5 region=2 kind=send-permit by=8 site=a.rs:57",
    "obligation-commit obligation=5",
    "obligation-abort obligation=5",
    "obligation-leak obligation=5",
    "obligation-rehome obligation=5 to=1",
    "obligation-late obligation=5",
    "timer-arm timer=1 task=8 at=5000",
    "timer-fire timer=1",
    "timer-disarm timer=1",
    "time-advance to=5000",
    "task-poll task=8",
    "task-park task=8 what=recv%20(empty)",
    "task-wake task=8 by=7",
    "decision choice=task options=3 chosen=2",
    "wait-for task=8 holder=7 what=Mutex::lock",
    "deadlock task=8",
    "stuck steps=100000",
    "lost-wakeup task=8 what=recv%20(empty)",
    "livelock steps=100000 period=2 what=x",
    "futurelock task=8 holder=7 what=the%20mutex",
    "foreign-call what=RegionHandle::cancel",
    "user text=",
];

#[test]
fn every_label_has_its_line_and_reads_back_as_itself() {
    assert_eq!(LINES.len(), Label::NAMES.len());
    for (line, name) in LINES.iter().zip(Label::NAMES) {
        let label: Label = line.parse().unwrap_or_else(|why| panic!("{line}: {why}"));
        assert_eq!(label.name(), *name);
        assert_eq!(label.to_string(), *line);
        assert_eq!(label.to_string().parse(), Ok(label));
    }
}

#[test]
fn a_line_with_a_missing_misnamed_or_extra_field_is_refused() {
    let missing = ParseError::Field { expected: "outcome", found: None };
    assert_eq!("region-close region=2".parse::<Label>(), Err(missing));
    let misnamed = ParseError::Field { expected: "task", found: Some("region=8".into()) };
    assert_eq!("task-poll region=8".parse::<Label>(), Err(misnamed));
    assert_eq!("task-poll task=8 x=1".parse::<Label>(), Err(ParseError::Trailing("x=1".into())));
    let value = ParseError::Value { field: "task", found: "x".into() };
    assert_eq!("task-poll task=x".parse::<Label>(), Err(value));
    assert_eq!("".parse::<Label>(), Err(ParseError::Short));
}

#[test]
fn a_label_is_at_most_64_bytes() {
    assert!(size_of::<Label>() <= 64, "{}", size_of::<Label>());
}

#[test]
fn polls_decisions_timers_and_notes_carry_no_meaning_for_the_model() {
    let count = LINES
        .iter()
        .map(|line| line.parse::<Label>().expect("checked above"))
        .filter(Label::is_semantic)
        .count();
    assert_eq!(count, 32);
}
