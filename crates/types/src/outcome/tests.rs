//! The algebra of `worst`, and how outcomes and results turn into each other.

use super::*;
use crate::{CancelKind, Origin};
use alloc::format;
use alloc::string::String;
use proptest::prelude::*;
use std::panic::catch_unwind;

type Sample = Outcome<u8, u8>;

/// An outcome of each severity that carries a tag, to see which of two was kept.
fn outcome((severity, tag): (u8, u8)) -> Sample {
    match severity {
        0 => Outcome::Ok(tag),
        1 => Outcome::Err(tag),
        2 => Outcome::Cancelled(cancelled(tag)),
        _ => Outcome::Panicked(Panic::new(format!("{tag}"))),
    }
}

fn cancelled(tag: u8) -> Cancelled {
    Cancelled::new(CancelKind::Explicit, Origin { scope: tag.into(), request: 0 }).build()
}

/// The severity and the tag again.
fn tag(outcome: Sample) -> (Severity, String) {
    let severity = outcome.severity();
    let tag = match outcome {
        Outcome::Ok(tag) | Outcome::Err(tag) => format!("{tag}"),
        Outcome::Cancelled(cancelled) => format!("{}", cancelled.origin().scope),
        Outcome::Panicked(panic) => panic.message().into(),
    };
    (severity, tag)
}

fn samples() -> impl Strategy<Value = (u8, u8)> {
    (0..4_u8, any::<u8>())
}

proptest! {
    #[test]
    fn worst_is_associative(a in samples(), b in samples(), c in samples()) {
        let left = Outcome::worst(Outcome::worst(outcome(a), outcome(b)), outcome(c));
        let right = Outcome::worst(outcome(a), Outcome::worst(outcome(b), outcome(c)));
        prop_assert_eq!(tag(left), tag(right));
    }

    #[test]
    fn worst_is_commutative_on_severity(a in samples(), b in samples()) {
        let there = Outcome::worst(outcome(a), outcome(b)).severity();
        prop_assert_eq!(there, Outcome::worst(outcome(b), outcome(a)).severity());
        prop_assert_eq!(there, outcome(a).severity().max(outcome(b).severity()));
    }

    #[test]
    fn worst_is_idempotent(a in samples()) {
        prop_assert_eq!(tag(Outcome::worst(outcome(a), outcome(a))), tag(outcome(a)));
    }

    #[test]
    fn of_two_alike_the_earlier_is_kept(severity in 0..4_u8, a: u8, b: u8) {
        let kept = Outcome::worst(outcome((severity, a)), outcome((severity, b)));
        prop_assert_eq!(tag(kept), tag(outcome((severity, a))));
    }

    #[test]
    fn ok_hides_nothing_worse(a in samples(), value: u8) {
        prop_assume!(a.0 != 0);
        prop_assert_eq!(tag(Outcome::worst(Outcome::Ok(value), outcome(a))), tag(outcome(a)));
        prop_assert_eq!(tag(Outcome::worst(outcome(a), Outcome::Ok(value))), tag(outcome(a)));
    }

    #[test]
    fn a_result_and_its_outcome_say_the_same(a in samples()) {
        prop_assume!(a.0 != 3);
        prop_assert_eq!(tag(Outcome::from(outcome(a).ok())), tag(outcome(a)));
    }

    #[test]
    fn exactly_one_question_is_answered_yes(a in samples()) {
        let outcome = outcome(a);
        let answers = [outcome.is_ok(), outcome.is_err(), outcome.is_cancelled(), outcome.is_panicked()];
        let expected: [bool; 4] = core::array::from_fn(|i| i == usize::from(a.0));
        prop_assert_eq!(answers, expected);
    }

    #[test]
    fn each_map_changes_its_own_side_only(a in samples()) {
        let plus = |tag: u8| tag.wrapping_add(1);
        let (ok, err) = ((a.0, plus(a.1)), a);
        let (ok, err) = match a.0 { 0 => (ok, err), 1 => (err, ok), _ => (a, a) };
        prop_assert_eq!(tag(outcome(a).map(plus)), tag(outcome(ok)));
        prop_assert_eq!(tag(outcome(a).map_err(plus)), tag(outcome(err)));
    }
}

/// What `panic!` said inside of `body`.
fn said<R: core::fmt::Debug>(body: impl FnOnce() -> R + std::panic::UnwindSafe) -> String {
    Panic::from_payload(catch_unwind(body).unwrap_err()).message().into()
}

#[test]
fn ok_lets_a_panic_go_on_with_its_message() {
    let resumed = || Sample::Panicked(Panic::new("index out of bounds")).ok();
    assert_eq!(said(resumed), "child task panicked: index out of bounds");
    let resumed = || Sample::Panicked(Panic::abandoned("10s after shutdown")).ok();
    assert_eq!(said(resumed), "child task abandoned: 10s after shutdown");
}

#[test]
fn unwrap_names_what_it_found() {
    assert_eq!(outcome((0, 7)).unwrap(), 7);
    assert_eq!(said(|| outcome((1, 7)).unwrap()), "unwrapped an outcome that failed: 7");
    assert_eq!(
        said(|| outcome((2, 7)).unwrap()),
        "unwrapped an outcome that was cancelled: somebody asked for it"
    );
    assert_eq!(said(|| outcome((3, 7)).unwrap()), "unwrapped an outcome that panicked: 7");
}

#[test]
fn an_outcome_without_values_takes_two_words() {
    assert!(size_of::<Outcome<(), Never>>() <= 2 * size_of::<usize>());
}
