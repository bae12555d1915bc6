//! `TaskOutput`: what a task may return, and how that becomes its outcome.
//!
//! A closed set of shapes with one diagnostic, instead of "anything": a task that returns a bare
//! `u32` can't say whether it was cancelled, and the compiler's message teaches the right shape.
//!
//! Everything is `Send + 'static` here, for tasks that stay on one thread too: an error that nobody
//! joined travels to the awaiting scope (see [`crate::Failure`]), and one set of bounds keeps the
//! inference of `spawn(async |cx| ..)` simple.
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

impl<T: Send + 'static, E: fmt::Debug + Send + 'static> TaskOutput for Outcome<T, E> {
    type Ok = T;
    type Err = E;
    fn into_outcome(self) -> Self {
        self
    }
}

impl<T: Send + 'static, E: IntoStop> TaskOutput for Result<T, E> {
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

/// What may stand in a task's `Result::Err`: any error, a [`Cancelled`], or a [`Stop`] of both.
#[diagnostic::on_unimplemented(
    message = "a task cannot fail with `{Self}`",
    label = "`{Self}` is neither an error, a `Cancelled` nor a `Stop<E>`",
    note = "implement `std::error::Error` for it, or return `Res<T, {Self}>`"
)]
pub trait IntoStop: Send + 'static {
    /// The application error.
    type App: fmt::Debug + Send + 'static;

    /// Tells the application error and the cancellation apart.
    fn into_stop(self) -> Stop<Self::App>;
}

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
