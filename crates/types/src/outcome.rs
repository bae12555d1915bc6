//! `Outcome`: the four ways in which a task or region ends, ordered by severity.
//!
//! Four and not two, because a cancellation isn't an application error and a panic isn't either:
//! folding them into `Err` is how a supervisor comes to retry what was told to stop.
//!
//! Invariant `outcome.worst`: [`Outcome::worst`] is associative and idempotent, `Ok` is its
//! identity, and on [`Severity`] it is commutative. Of two outcomes that are alike the earlier is
//! kept, so a region reports the failure that came first.
//!
//! Not here: which members of a region count (`region.outcome`), and when an outcome is a failure
//! (that depends on where the cancellation came from; see `region`).

use core::fmt;

use crate::{Cancelled, Error, Panic, Stop};

/// How a task, region or scope ended.
///
/// It is `Send` where `T` and `E` are, but never `Sync`: a panic's payload is
/// `Box<dyn Any + Send>`, which may only be reached by one thread at a time.
#[derive(Debug)]
#[must_use = "an outcome may hold a failure; `ok()?` passes it on"]
pub enum Outcome<T, E = Error> {
    /// It returned a value.
    Ok(T),
    /// It returned an application error.
    Err(E),
    /// It acknowledged a request to stop.
    Cancelled(Cancelled),
    /// It panicked, or was abandoned ([`Panic::is_abandoned`]).
    Panicked(Panic),
}

/// How bad an [`Outcome`] is, without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Severity {
    /// A value was returned.
    #[default]
    Ok = 0,
    /// An application error was returned.
    Err = 1,
    /// A request to stop was acknowledged.
    Cancelled = 2,
    /// A body panicked or was abandoned.
    Panicked = 3,
}

impl<T, E> Outcome<T, E> {
    /// How bad this outcome is.
    pub const fn severity(&self) -> Severity {
        match self {
            Outcome::Ok(_) => Severity::Ok,
            Outcome::Err(_) => Severity::Err,
            Outcome::Cancelled(_) => Severity::Cancelled,
            Outcome::Panicked(_) => Severity::Panicked,
        }
    }

    /// The more severe of the two, `earlier` on a tie. The other one is dropped: whoever must
    /// report it does so before.
    pub fn worst(earlier: Self, later: Self) -> Self {
        if later.severity() > earlier.severity() { later } else { earlier }
    }

    /// Turns the outcome into a result for `?`, in which a panic goes on as a panic.
    ///
    /// # Panics
    /// On [`Outcome::Panicked`], with the message `child task panicked: ..`. This crate has no
    /// std and so can't resume the original unwinding; to do that, match on the variant and give
    /// [`Panic::into_payload`] to `std::panic::resume_unwind`.
    #[track_caller]
    pub fn ok(self) -> Result<T, Stop<E>> {
        match self {
            Outcome::Ok(value) => Ok(value),
            Outcome::Err(error) => Err(Stop::Err(error)),
            Outcome::Cancelled(cancelled) => Err(Stop::Cancelled(cancelled)),
            Outcome::Panicked(panic) => panic!("child task {panic}"),
        }
    }

    /// Changes the value and leaves every other end alone.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U, E> {
        match self {
            Outcome::Ok(value) => Outcome::Ok(change(value)),
            Outcome::Err(error) => Outcome::Err(error),
            Outcome::Cancelled(cancelled) => Outcome::Cancelled(cancelled),
            Outcome::Panicked(panic) => Outcome::Panicked(panic),
        }
    }

    /// Changes the application error and leaves every other end alone.
    pub fn map_err<F>(self, change: impl FnOnce(E) -> F) -> Outcome<T, F> {
        match self {
            Outcome::Ok(value) => Outcome::Ok(value),
            Outcome::Err(error) => Outcome::Err(change(error)),
            Outcome::Cancelled(cancelled) => Outcome::Cancelled(cancelled),
            Outcome::Panicked(panic) => Outcome::Panicked(panic),
        }
    }

    /// Whether a value was returned.
    pub const fn is_ok(&self) -> bool {
        matches!(self, Outcome::Ok(_))
    }

    /// Whether an application error was returned.
    pub const fn is_err(&self) -> bool {
        matches!(self, Outcome::Err(_))
    }

    /// Whether a request to stop was acknowledged.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Outcome::Cancelled(_))
    }

    /// Whether the body panicked or was abandoned.
    pub const fn is_panicked(&self) -> bool {
        matches!(self, Outcome::Panicked(_))
    }

    /// The value. For tests and examples.
    ///
    /// # Panics
    /// On every outcome but `Ok`, naming it.
    #[track_caller]
    pub fn unwrap(self) -> T
    where
        E: fmt::Debug,
    {
        match self {
            Outcome::Ok(value) => value,
            Outcome::Err(error) => panic!("unwrapped an outcome that failed: {error:?}"),
            Outcome::Cancelled(cancelled) => panic!("unwrapped an outcome that was {cancelled}"),
            Outcome::Panicked(panic) => panic!("unwrapped an outcome that {panic}"),
        }
    }
}

/// What a task's body returned, as its outcome.
impl<T, E> From<Result<T, Stop<E>>> for Outcome<T, E> {
    fn from(result: Result<T, Stop<E>>) -> Self {
        match result {
            Ok(value) => Outcome::Ok(value),
            Err(Stop::Err(error)) => Outcome::Err(error),
            Err(Stop::Cancelled(cancelled)) => Outcome::Cancelled(cancelled),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Ok => "ok",
            Severity::Err => "failed",
            Severity::Cancelled => "cancelled",
            Severity::Panicked => "panicked",
        })
    }
}

/// A type without values: the error of what can't fail, the value of what doesn't return.
///
/// It stands in for `!`, which isn't a stable type. It is a [`core::error::Error`], so that
/// `Result<T, Never>` is a task's output like any other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Never {}

impl fmt::Debug for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl core::error::Error for Never {}

#[cfg(test)]
mod tests;
