//! Every shape a body may return, with the types that `spawn` would infer from it.

use super::*;
use crate::{CancelKind, Origin, Res};
use alloc::string::String;

/// Infers as `spawn` does: from the body alone.
fn joined<T: TaskOutput>(body: impl FnOnce() -> T) -> Outcome<T::Ok, T::Err> {
    body().into_outcome()
}

fn cancelled() -> Cancelled {
    Cancelled::new(CancelKind::Explicit, Origin::OUTSIDE).build()
}

#[test]
fn a_unit_body_cannot_fail() {
    let outcome: Outcome<(), Never> = joined(|| ());
    assert!(outcome.is_ok());
}

#[test]
fn a_res_keeps_both_sides_apart() {
    // The error needs no more than Debug here.
    let failed: Outcome<(), String> = joined(|| -> Res<(), String> { Err(Stop::Err("no".into())) });
    assert!(failed.is_err());
    // As the compiler advises whoever tried a plain `Result` (`IntoStop`).
    let plain = || Err::<u8, String>("no".into());
    let failed: Outcome<u8, String> = joined(|| -> Res<u8, String> { plain().map_err(Stop::Err) });
    assert!(failed.is_err());
    let told: Outcome<(), String> = joined(|| -> Res<(), String> { Err(cancelled().into()) });
    assert!(told.is_cancelled());
    let done: Outcome<u8, Error> = joined(|| -> Res<u8> { Ok(7) });
    assert_eq!(done.unwrap(), 7);
}

#[test]
fn a_plain_result_fails_with_its_own_error() {
    let failed: Outcome<u8, core::num::ParseIntError> = joined(|| "x".parse::<u8>());
    assert!(failed.is_err());
    let failed: Outcome<(), Error> = joined(|| -> Result<(), Error> { Err(Error::msg("no")) });
    assert!(failed.is_err());
}

#[test]
fn a_result_of_cancelled_can_only_be_cancelled() {
    let told: Outcome<(), Never> = joined(|| Err(cancelled()));
    assert!(told.is_cancelled());
}

#[test]
fn an_outcome_passes_through() {
    let panicked: Outcome<u8, Error> = joined(|| Outcome::Panicked(crate::Panic::new("no")));
    assert!(panicked.is_panicked());
}

#[test]
fn a_body_that_never_returns_needs_no_annotation() {
    // An async body that loops, as in `spawn(async |cx| loop { .. })`: its type is `!`.
    fn output<T: TaskOutput, F: AsyncFnOnce() -> T>(_: F) -> core::marker::PhantomData<(T::Ok, T::Err)> {
        core::marker::PhantomData
    }
    let _: core::marker::PhantomData<(Never, Never)> = output(async || {
        loop {
            core::future::ready(()).await;
        }
    });
}
