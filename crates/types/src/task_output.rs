//! `TaskOutput`: what a task may return, and how that becomes its outcome.
//!
//! A closed set of shapes with one diagnostic, instead of "anything": a task that returns a bare
//! `u32` can't say whether it was cancelled, and the compiler's message teaches the right shape.
//!
//! Values are `Send + 'static`, unless the task stays on one thread ([`LocalOutput`]). Errors are in
//! any case: one that nobody joined travels to the awaiting scope (see [`crate::Failure`]). Two traits
//! and not one: a single set of bounds keeps the inference of `spawn(async |cx| ..)` simple.
//!
//! Not here: running the body and catching its panic (`task`).

use core::error::Error as StdError;
use core::fmt;

use crate::{Cancelled, Error, Never, Outcome, Stop};

/// What a task's body may return: `()`, `Res<T>`, `Result<T, E>`, `Outcome<T, E>`, or nothing ever
/// ([`Never`], `!`).
///
/// ```compile_fail
/// fn spawn<T: asupersync_types::TaskOutput>(_: impl FnOnce() -> T) {}
/// spawn(|| 42_u32); // error: a task cannot return `u32`
/// ```
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "tasks return `()`, `Res<T>`, `Result<T, E>` or `Outcome<T, E>`",
    note = "wrap a plain value as `Ok(value)` with return type `Res<T>`"
)]
pub trait TaskOutput: Send + 'static {
    /// The value of the outcome.
    type Ok: Send + 'static;
    /// The application error of the outcome: `Debug`, so that it can be reported when nobody
    /// joined.
    type Err: fmt::Debug + Send + 'static;

    /// The outcome of a body that returned this.
    fn into_outcome(self) -> Outcome<Self::Ok, Self::Err>;
}

/// `Send + 'static`, and a plain message where a task's value is not.
#[diagnostic::on_unimplemented(
    message = "the value of a task has to be `Send`, and `{Self}` is not",
    label = "whoever joins the task may be on another thread than this `{Self}`",
    note = "a `LocalRuntime` has tasks whose values stay on one thread: `local.spawn(cx, ..)`"
)]
pub trait Joinable: Send + 'static {}

// Not recommended, or the compiler would name `Send` alone.
#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Joinable for T {}

impl TaskOutput for () {
    type Ok = ();
    type Err = Never;
    fn into_outcome(self) -> Outcome<(), Never> {
        Outcome::Ok(())
    }
}

impl TaskOutput for Never {
    type Ok = Never;
    type Err = Never;
    fn into_outcome(self) -> Outcome<Never, Never> {
        match self {}
    }
}

impl<T: Joinable, E: fmt::Debug + Send + 'static> TaskOutput for Outcome<T, E> {
    type Ok = T;
    type Err = E;
    fn into_outcome(self) -> Self {
        self
    }
}

impl<T: Joinable, E: IntoStop> TaskOutput for Result<T, E> {
    type Ok = T;
    type Err = E::App;
    fn into_outcome(self) -> Outcome<T, E::App> {
        self.map_err(IntoStop::into_stop).into()
    }
}

/// As [`TaskOutput`], for a task that stays on its thread: its value needs not be `Send`. Its error
/// does, since one that nobody joined moves to whoever awaits the region.
#[diagnostic::on_unimplemented(
    message = "a local task cannot return `{Self}`",
    label = "local tasks return `()`, `Res<T>`, `Result<T, E>` or `Outcome<T, E>`, where `E` is `Send`",
    note = "wrap a plain value as `Ok(value)` with return type `Res<T>`"
)]
pub trait LocalOutput: 'static {
    /// The value of the outcome.
    type Ok: 'static;
    /// The application error of the outcome.
    type Err: fmt::Debug + Send + 'static;

    /// The outcome of a body that returned this.
    fn into_outcome(self) -> Outcome<Self::Ok, Self::Err>;
}

impl LocalOutput for () {
    type Ok = ();
    type Err = Never;
    fn into_outcome(self) -> Outcome<(), Never> {
        Outcome::Ok(())
    }
}

impl LocalOutput for Never {
    type Ok = Never;
    type Err = Never;
    fn into_outcome(self) -> Outcome<Never, Never> {
        match self {}
    }
}

impl LocalOutput for <fn() -> ! as Returns>::Output {
    type Ok = Never;
    type Err = Never;
    fn into_outcome(self) -> Outcome<Never, Never> {
        self
    }
}

impl<T: 'static, E: fmt::Debug + Send + 'static> LocalOutput for Outcome<T, E> {
    type Ok = T;
    type Err = E;
    fn into_outcome(self) -> Self {
        self
    }
}

impl<T: 'static, E: IntoStop> LocalOutput for Result<T, E> {
    type Ok = T;
    type Err = E::App;
    fn into_outcome(self) -> Outcome<T, E::App> {
        self.map_err(IntoStop::into_stop).into()
    }
}

/// Reaches the type `!`, which has no stable name, as a function's return type.
#[doc(hidden)]
pub trait Returns {
    /// What the function returns.
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

/// A body that only loops: since edition 2024 its return type is inferred as `!`, so that
/// `spawn(async |cx| loop { .. })` needs this.
impl TaskOutput for <fn() -> ! as Returns>::Output {
    type Ok = Never;
    type Err = Never;
    fn into_outcome(self) -> Outcome<Never, Never> {
        self
    }
}

/// What may stand in a task's `Result::Err`: any [`core::error::Error`], a [`Cancelled`], or a [`Stop`] of both.
///
/// `Debug` is all that the kernel needs, and all that `Stop<E>` and `Outcome<T, E>` ask of `E`. A plain `Result<T, E>` asks for
/// more, since `E` itself may be a `Stop` or a `Cancelled`, and only what is no `Error` can be told from an error (`stop`).
#[diagnostic::on_unimplemented(
    message = "a task cannot fail with `{Self}`",
    label = "expected an `Error`, a `Cancelled` or a `Stop<E>`, and one that is `Send`",
    note = "implement `std::error::Error` for it, or make a text an error with `Error::msg(text)`",
    note = "`Debug` is enough for the `E` of a `Res<T, E>`: `.map_err(Stop::Err)`",
    note = "it has to be `Send`: an error that nobody joined moves to whoever awaits the region"
)]
pub trait IntoStop: Send + 'static {
    /// The application error.
    type App: fmt::Debug + Send + 'static;

    /// Tells the application error and the cancellation apart.
    fn into_stop(self) -> Stop<Self::App>;
}

// Not recommended, or the compiler would name `Error` alone.
#[diagnostic::do_not_recommend]
impl<E: StdError + Send + 'static> IntoStop for E {
    type App = E;
    fn into_stop(self) -> Stop<E> {
        Stop::Err(self)
    }
}

impl IntoStop for Error {
    type App = Error;
    fn into_stop(self) -> Stop<Error> {
        Stop::Err(self)
    }
}

impl<E: fmt::Debug + Send + 'static> IntoStop for Stop<E> {
    type App = E;
    fn into_stop(self) -> Stop<E> {
        self
    }
}

impl IntoStop for Cancelled {
    type App = Never;
    fn into_stop(self) -> Stop<Never> {
        Stop::Cancelled(self)
    }
}

#[cfg(test)]
mod tests;
