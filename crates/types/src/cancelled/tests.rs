//! What a cancellation says, to whom it is equal, and how long its chain may get.

use super::*;
use alloc::string::ToString;

fn request(kind: CancelKind, scope: u64, why: &'static str) -> CancelledBuilder {
    Cancelled::new(kind, Origin { scope, request: 1 }).why(why)
}

fn here() -> &'static Location<'static> {
    Location::caller()
}

#[test]
fn prints_the_chain_with_its_places_in_one_column() {
    let (asked_at, seen_at) = (here(), here());
    let shutdown = request(CancelKind::Shutdown, 0, "shutdown asked by signal SIGTERM").at(asked_at).build();
    let server = request(
        CancelKind::Shutdown,
        1,
        "region `request 991` was cancelled by `http-server`, which is longer",
    )
    .because(Cause::Cancelled(shutdown))
    .build();
    let cancelled = request(CancelKind::Deadline, 2, "deadline of 5s passed")
        .at(seen_at)
        .because(Cause::Cancelled(server))
        .build();
    assert_eq!(
        cancelled.to_string(),
        format!(
            "cancelled: deadline of 5s passed            {}:{}
  because region `request 991` was cancelled by `http-server`, which is longer
  because shutdown asked by signal SIGTERM  {}:{}",
            seen_at.file(),
            seen_at.line(),
            asked_at.file(),
            asked_at.line()
        )
    );
}

#[test]
fn a_chain_may_end_in_an_error_or_a_panic() {
    let failed = Cause::Failed(FailureNote::of(&Some(7)));
    let cancelled = Cancelled::new(CancelKind::SiblingFailed, Origin::OUTSIDE).because(failed).build();
    assert_eq!(cancelled.to_string(), "cancelled: a sibling failed\n  because a body failed: Some(7)");

    let panicked = Cause::Panicked("out of range".into());
    let cancelled = Cancelled::new(CancelKind::BodyFailed, Origin::OUTSIDE).because(panicked).build();
    assert!(cancelled.to_string().ends_with("\n  because a body panicked: out of range"));
}

#[test]
fn every_part_that_was_given_can_be_read_again() {
    let (at, origin) = (here(), Origin { scope: 7, request: 2 });
    let cancelled: Cancelled = Cancelled::new(CancelKind::LostRace, origin)
        .why(String::from("`b` won"))
        .at(at)
        .by(TaskId::from_u64(3))
        .when(Time::from_nanos(5))
        .because(Cause::Panicked("x".into()))
        .into();
    assert_eq!((cancelled.kind(), cancelled.origin()), (CancelKind::LostRace, origin));
    assert_eq!((cancelled.why(), cancelled.location()), ("`b` won", Some(at)));
    assert_eq!((cancelled.by(), cancelled.when()), (Some(TaskId::from_u64(3)), Some(Time::from_nanos(5))));
    assert!(matches!(cancelled.cause(), Some(Cause::Panicked(message)) if message == "x"));
    assert_eq!(
        format!("{cancelled:?}"),
        format!(
            "Cancelled {{ kind: LostRace, origin: Origin {{ scope: 7, request: 2 }}, why: \"`b` won\", \
             at: {}:{}, by: task#3, when: 5ns, because: [\"a body panicked: x\"] }}",
            at.file(),
            at.line()
        )
    );
}

#[test]
fn what_was_not_given_is_unknown() {
    let cancelled = Cancelled::new(CancelKind::Deadline, Origin::OUTSIDE).build();
    assert_eq!(cancelled.why(), "a deadline passed");
    assert!(cancelled.location().is_none() && cancelled.by().is_none());
    assert!(cancelled.when().is_none() && cancelled.cause().is_none());
    assert_eq!(cancelled.to_string(), "cancelled: a deadline passed");
}

#[test]
fn a_request_is_recognised_by_its_origin() {
    let first = request(CancelKind::Deadline, 7, "slow").build();
    let same = request(CancelKind::Deadline, 7, "slow, as seen from below").build();
    let raised = Cancelled::new(CancelKind::Shutdown, Origin { scope: 7, request: 2 }).build();
    let elsewhere = request(CancelKind::Deadline, 8, "slow").build();
    assert!(first.same_request(&first.clone()) && first.same_request(&same));
    assert!(!first.same_request(&raised) && !first.same_request(&elsewhere));
}

#[test]
fn an_origin_says_where() {
    assert_eq!(Origin::OUTSIDE.to_string(), "outside, request 0");
    assert_eq!(Origin { scope: 7, request: 2 }.to_string(), "scope#7, request 2");
}

#[test]
fn a_very_long_chain_needs_no_stack() {
    let mut last = Cancelled::new(CancelKind::Explicit, Origin::OUTSIDE).build();
    for scope in 0..200_000 {
        let origin = Origin { scope, request: 0 };
        last = Cancelled::new(CancelKind::Explicit, origin).because(Cause::Cancelled(last)).build();
    }
    assert_eq!(last.causes().count(), 200_000);
    drop(last);
}

#[test]
fn dropping_one_holder_leaves_a_shared_chain_whole() {
    let root = request(CancelKind::Shutdown, 0, "root").build();
    let middle = request(CancelKind::Shutdown, 1, "middle").because(Cause::Cancelled(root)).build();
    let link = || request(CancelKind::Shutdown, 2, "leaf").because(Cause::Cancelled(middle.clone())).build();
    let (kept, dropped) = (link(), link());
    drop(dropped);
    assert_eq!(kept.causes().map(ToString::to_string).collect::<Vec<_>>(), ["middle", "root"]);
}

#[test]
fn is_one_word_that_any_thread_may_hold() {
    fn shared<T: Send + Sync>() {}
    shared::<Cancelled>();
    assert_eq!(size_of::<Option<Cancelled>>(), size_of::<usize>());
}

#[test]
#[cfg(target_pointer_width = "64")]
fn what_it_points_at_takes_nine_words() {
    assert_eq!(size_of::<Inner>(), 9 * size_of::<usize>());
}
