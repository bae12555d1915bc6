//! Waiting for signals of the operating system. To be moved to `os` when that crate exists.
//!
//! A program that has asked for a signal once is not ended by it any more, for the rest of its life.
//!
//! ```
//! use asupersync_net::signal;
//! use types::Res;
//!
//! async fn until_told(cx: &mut cx::Cx) -> Res {
//!     let signal = signal::shutdown_signal(cx).await?;
//!     cx.trace(format!("{signal:?} asks us to end"));
//!     Ok(())
//! }
//! ```
//!
//! Not here: what a signal means for the tree of tasks. Cancel a region, or return from the body that races this.

use crate::error::OrCancelled;
use cx::port::IoFailure;
use cx::{Cx, MaySignal};
use std::fmt;
use std::future::poll_fn;
use std::task::{Poll, Waker, ready};
use types::WaitKind;

pub use cx::port::Signal;

static SIGNAL: WaitKind = WaitKind::new("a signal");

/// A signal could not be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalError {
    signal: Signal,
    failure: IoFailure,
}

impl SignalError {
    /// Which signal.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The system's error number, if the failure was the system's.
    pub fn code(&self) -> Option<i32> {
        self.failure.code
    }
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.signal {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
            Signal::User1 => "SIGUSR1",
        };
        write!(f, "failed to watch for {name}: {}", self.failure)
    }
}

impl std::error::Error for SignalError {}

impl From<SignalError> for OrCancelled<SignalError> {
    fn from(error: SignalError) -> Self {
        OrCancelled::Failed(error)
    }
}

/// A signal that is watched from now on; what comes while nobody waits is kept.
#[derive(Clone, Debug)]
pub struct Watch {
    signal: Signal,
    seen: u64,
}

impl Watch {
    /// Begins to watch. Does not wait.
    ///
    /// # Errors
    /// When the system refuses, or the world has no signals.
    pub fn new<C: MaySignal>(cx: &Cx<C>, signal: Signal) -> Result<Watch, SignalError> {
        let mut watch = Watch { signal, seen: 0 };
        watch.seen = watch.count(cx, Waker::noop())?;
        Ok(watch)
    }

    /// Waits until the signal has come since the last time this returned (or since [`Watch::new`]); returns how often. The
    /// system may merge deliveries that come close together.
    ///
    /// Cancelled or dropped while it waits, it has taken nothing.
    ///
    /// # Errors
    /// As [`Watch::new`]. [`OrCancelled::Cancelled`] on request.
    pub async fn recv<C: MaySignal>(&mut self, cx: &Cx<C>) -> Result<u64, OrCancelled<SignalError>> {
        let (_, times) = first(cx, std::slice::from_mut(self)).await?;
        Ok(times)
    }

    fn count<C: MaySignal>(&self, cx: &Cx<C>, waker: &Waker) -> Result<u64, SignalError> {
        let counted = cx.signals().and_then(|signals| signals.poll_count(self.signal, waker));
        counted.map_err(|failure| SignalError { signal: self.signal, failure })
    }
}

/// Waits for Ctrl-C (SIGINT), from now on.
///
/// # Errors
/// As [`Watch::recv`].
pub async fn ctrl_c<C: MaySignal>(cx: &Cx<C>) -> Result<(), OrCancelled<SignalError>> {
    Watch::new(cx, Signal::Interrupt)?.recv(cx).await.map(drop)
}

/// Waits for the polite request to end (SIGTERM), from now on.
///
/// # Errors
/// As [`Watch::recv`].
pub async fn terminate<C: MaySignal>(cx: &Cx<C>) -> Result<(), OrCancelled<SignalError>> {
    Watch::new(cx, Signal::Terminate)?.recv(cx).await.map(drop)
}

/// Waits for either way in which a program is asked to end, Ctrl-C or SIGTERM, from now on; says which it was.
///
/// # Errors
/// As [`Watch::recv`].
pub async fn shutdown_signal<C: MaySignal>(cx: &Cx<C>) -> Result<Signal, OrCancelled<SignalError>> {
    let mut watches = [Watch::new(cx, Signal::Interrupt)?, Watch::new(cx, Signal::Terminate)?];
    let (signal, _) = first(cx, &mut watches).await?;
    Ok(signal)
}

/// The first of the watched signals to have come, and how often.
async fn first<C: MaySignal>(
    cx: &Cx<C>,
    watches: &mut [Watch],
) -> Result<(Signal, u64), OrCancelled<SignalError>> {
    poll_fn(|context| {
        ready!(cx.poll_proceed(context))?;
        for watch in &mut *watches {
            let count = watch.count(cx, context.waker())?;
            let times = count - watch.seen;
            if times > 0 {
                watch.seen = count;
                return Poll::Ready(Ok((watch.signal, times)));
            }
        }
        cx.poll_wait(context, &SIGNAL);
        Poll::Pending
    })
    .await
}
