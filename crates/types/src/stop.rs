//! `Stop`: what `?` carries out of a task's body; `Error`: the default application error.
//!
//! One `?` has to serve application errors of every kind and cancellation, and must not mix them
//! up. That works on stable Rust through what is *not* implemented: neither [`Cancelled`] nor
//! [`Stop`] nor [`Error`] is a [`core::error::Error`], so the compiler can tell the conversions
//! below apart (the coherence check itself is the proof).
//!
//! | `?` on | in a function that returns | goes to |
//! |---|---|---|
//! | `Cancelled` | `Res<T, E>` | `Stop::Cancelled` |
//! | any `F: core::error::Error` | `Res<T, E>`, `E: From<F>` | `Stop::Err` |
//! | `Error` | `Res<T>` | `Stop::Err` |
//! | `Stop<F>`, `F: core::error::Error` | `Res<T>` | the same side |
//!
//! Not here: the errors of channels and I/O. They are enums of the crates they belong to, with
//! their own conversion into `Stop`.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::error::Error as StdError;
use core::fmt;

use crate::Cancelled;

/// Why a body stops early: it failed, or it was told to.
#[derive(Debug)]
pub enum Stop<E = Error> {
    /// An application error.
    Err(E),
    /// A request to stop, acknowledged.
    Cancelled(Cancelled),
}

/// What a fallible body or operation returns: `Res`, `Res<T>` or `Res<T, MyError>`.
pub type Res<T = (), E = Error> = Result<T, Stop<E>>;

impl<E> Stop<E> {
    /// Whether the body was told to stop.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Stop::Cancelled(_))
    }

    /// Changes the application error and leaves a cancellation alone.
    pub fn map_err<F>(self, change: impl FnOnce(E) -> F) -> Stop<F> {
        match self {
            Stop::Err(error) => Stop::Err(change(error)),
            Stop::Cancelled(cancelled) => Stop::Cancelled(cancelled),
        }
    }
}

impl<E> From<Cancelled> for Stop<E> {
    fn from(cancelled: Cancelled) -> Self {
        Stop::Cancelled(cancelled)
    }
}

impl<F: StdError, E: From<F>> From<F> for Stop<E> {
    fn from(error: F) -> Self {
        Stop::Err(E::from(error))
    }
}

impl From<Error> for Stop<Error> {
    fn from(error: Error) -> Self {
        Stop::Err(error)
    }
}

/// A child's typed failure (or the `Stop<Never>` of a child that can't fail) in a body with the
/// default error. Between two error types of your own, use [`Stop::map_err`]: the general
/// conversion would overlap with the one from a type to itself.
impl<F: StdError + Send + Sync + 'static> From<Stop<F>> for Stop<Error> {
    fn from(stop: Stop<F>) -> Self {
        stop.map_err(Error::from)
    }
}

/// Prints the error or the cancellation, whichever it is.
impl<E: fmt::Display> fmt::Display for Stop<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Err(error) => error.fmt(f),
            Stop::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

/// Any application error, for bodies that don't need a type of their own. Two words; made from
/// any `core::error::Error + Send + Sync` by `?`, which allocates once.
pub struct Error(Box<dyn StdError + Send + Sync>);

impl Error {
    /// An error that is only a message. In house style: "failed to ..", lower case, no full stop.
    pub fn msg(message: impl fmt::Display) -> Error {
        Error(message.to_string().into())
    }

    /// The error as an `E`, if it is one.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    /// The error itself, if it is an `E`; otherwise this error again.
    ///
    /// # Errors
    /// This error, unchanged, where it is of another type.
    pub fn downcast<E: StdError + 'static>(self) -> Result<E, Error> {
        self.0.downcast().map(|error| *error).map_err(Error)
    }

    /// The error as the trait object that reporting code works with.
    pub fn as_dyn(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Error(Box::new(error))
    }
}

/// Prints the error without its sources.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Prints the error and, a line each, its sources: this is what a `main` that returns an error and
/// an `unwrap` show.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, "\n  because {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
