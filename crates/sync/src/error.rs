//! What waiting can end in when there's nothing to give: closed, or cancelled.
//!
//! [`WaitError`] and its kin that carry a value (`mpsc`) are deliberately no [`core::error::Error`]: the cancellation in
//! them must not become an application error. Instead `?` takes them apart: the cancellation goes to
//! [`Stop::Cancelled`], [`Closed`] to the application error.
//!
//! Not here: errors that carry a value back (`mpsc`).

use types::{Cancelled, IntoStop, Stop};

/// The structure was closed, or whoever could have answered is gone. Final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Closed;

impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("closed")
    }
}

impl core::error::Error for Closed {}

/// Why a wait ended with nothing.
///
/// ```
/// use asupersync_sync::{WaitError, mpsc::Receiver};
/// use types::{Res, Stop};
///
/// // `?` keeps the two apart in any `Res<T, E>` whose `E` can be made from `Closed`.
/// async fn first(cx: &mut cx::Cx, jobs: &mut Receiver<u32>) -> Res<u32> {
///     Ok(jobs.recv(cx).await?)
/// }
/// let stop: Stop = WaitError::Closed.into();
/// assert!(!stop.is_cancelled());
/// ```
#[derive(Debug)]
pub enum WaitError {
    /// What was waited for will never come.
    Closed,
    /// A cancellation was effective. Nothing was taken: what had been assigned already was passed on.
    Cancelled(Cancelled),
}

impl WaitError {
    /// Whether the wait was cancelled.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }
}

impl core::fmt::Display for WaitError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Closed => Closed.fmt(f),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl From<Closed> for WaitError {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}

impl From<Cancelled> for WaitError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

impl<E: From<Closed>> From<WaitError> for Stop<E> {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Closed => Stop::Err(Closed.into()),
            WaitError::Cancelled(cancelled) => Stop::Cancelled(cancelled),
        }
    }
}

/// So that a task may return `Result<_, WaitError>`.
impl IntoStop for WaitError {
    type App = Closed;
    fn into_stop(self) -> Stop<Closed> {
        self.into()
    }
}

/// Why there was nothing to receive at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryRecvError {
    /// Nothing is there now.
    Empty,
    /// Nothing will come.
    Closed,
}

impl core::fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Empty => "channel empty",
            Self::Closed => "channel closed",
        })
    }
}

impl core::error::Error for TryRecvError {}
