//! The small words that labels are made of: ids, phases, kinds of scope, ends.
//!
//! Everything here is plain data without behaviour. What already has a name in `types` (policies,
//! severities, cancel kinds) is used from there and not repeated.
//!
//! Not here: their text form, which `word` holds in one table per type.

use alloc::borrow::Cow;
use core::fmt;

use types::{CancelKind, Cancelled, Origin, Outcome, RegionId, Severity, TaskId};

/// Text in a label: compiled in when the kernel says it, owned when it was read from a file.
pub type Text = Cow<'static, str>;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "#{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, f)
            }
        }
    };
}

id! {
    /// Where a `Cx` points: a task's root scope, a region's body scope or a branch inside a task.
    ///
    /// Tasks, regions and scopes of one runtime share one numbering (`scope.numbering`): a task's
    /// root scope has the number of the task, the body scope of a region the number of the region.
    /// `types::Origin::scope` is such a number.
    ScopeId, "scope"
}
id! {
    /// A finalizer registered with `cx.finally`, unique within its runtime.
    FinalizerId, "finalizer"
}
id! {
    /// An armed timer, unique within its runtime.
    TimerId, "timer"
}

impl From<TaskId> for ScopeId {
    /// The root scope of a task.
    fn from(task: TaskId) -> Self {
        Self(task.as_u64())
    }
}

impl From<RegionId> for ScopeId {
    /// The body scope of a region.
    fn from(region: RegionId) -> Self {
        Self(region.as_u64())
    }
}

/// How a region came to be, which decides what its body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// The root of the runtime's tree; its body is the root body.
    Root,
    /// Opened by `region`, `try_region` or their kin, in the frame of the opener; its body runs in
    /// the opener's task, in a scope of its own.
    Frame,
    /// The implicit region of a task, made on its first spawn; its body is the task's body.
    Implicit,
    /// Made by a spawn from a branch of a combinator; its body is the branch.
    Branch,
}

/// The phases of a region before `Closed`, in the only order they can have.
///
/// `Closed` is a label of its own ([`RegionClose`](crate::Label::RegionClose)), because it carries
/// the outcome.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RegionPhase {
    /// The body runs.
    Open,
    /// The body is over; live tasks and open child regions are waited for.
    Draining,
    /// No live task and no open child: the finalizers run, last in first out.
    Finalizing,
    /// The finalizers are done: outstanding obligations are waited for or declared leaked.
    Settling,
    /// Over for ever. Never the target of a `RegionState` label.
    Closed,
}

/// What a scope inside a task is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeKind {
    /// The frame of a combinator (race, quorum, hedge, first-ok, timeout): its child scopes are the
    /// branches, and it closes only after every one of them (`race.drained`).
    Combinator,
    /// One branch of a combinator.
    Branch,
    /// The inside of `cx.masked(..)`: hides requests on itself and above until it closes.
    Masked,
    /// A phase of `bracket`; acquire and release are masked.
    Phase {
        /// Whether requests on this scope and above are hidden.
        masked: bool,
    },
}

impl ScopeKind {
    /// Whether the scope hides requests on itself and above when it's opened.
    #[must_use]
    pub fn masks(self) -> bool {
        matches!(self, Self::Masked | Self::Phase { masked: true })
    }
}

/// How a scope inside a task came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeEnd {
    /// Its body returned, with whatever result.
    Returned,
    /// Its frame was dropped by the frame around it; scopes still open inside end with it.
    Dropped,
    /// It was dropped alone by the runtime after its cleanup deadline (a race's loser).
    Forced,
}

/// How a task's or a region's body ended, without its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// With a value.
    Ok,
    /// With an application error.
    Err,
    /// With `Cancelled`, by the request named here.
    Cancelled {
        /// The request's kind.
        kind: CancelKind,
        /// Where the request was made.
        origin: Origin,
    },
    /// By a panic, or by being abandoned.
    Panicked,
}

impl End {
    /// The end as a severity.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Ok => Severity::Ok,
            Self::Err => Severity::Err,
            Self::Cancelled { .. } => Severity::Cancelled,
            Self::Panicked => Severity::Panicked,
        }
    }

    /// The origin of the request that a `Cancelled` end names.
    #[must_use]
    pub fn origin(self) -> Option<Origin> {
        match self {
            Self::Cancelled { origin, .. } => Some(origin),
            _ => None,
        }
    }

    /// The end of an outcome, its value left alone.
    #[must_use]
    pub fn of<T, E>(outcome: &Outcome<T, E>) -> Self {
        match outcome {
            Outcome::Ok(_) => Self::Ok,
            Outcome::Err(_) => Self::Err,
            Outcome::Cancelled(cancelled) => Self::from(cancelled),
            Outcome::Panicked(_) => Self::Panicked,
        }
    }
}

impl From<&Cancelled> for End {
    fn from(cancelled: &Cancelled) -> Self {
        Self::Cancelled { kind: cancelled.kind(), origin: cancelled.origin() }
    }
}

/// How one finalizer ended. The next one runs whatever it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FinalizerEnd {
    /// It returned `Ok`.
    Ok,
    /// It returned an error or a `Cancelled`.
    Failed,
    /// It panicked: the region's outcome is at least `Panicked`.
    Panicked,
    /// It was still running at its bound and was ended alone.
    TimedOut,
    /// The frame that awaited it was dropped while it ran, and it with that.
    Dropped,
}

/// Why a spawn was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The region no longer admits.
    NotOpen,
    /// The runtime is shutting down: admission is off.
    Shutdown,
    /// A limit on live tasks was reached.
    Limit,
}

/// What a closed region hands to the scope that awaits it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Escalation {
    /// A member's panic, resumed in the awaiting frame.
    Panic,
    /// A member's error, placed on the awaiting scope as a `ChildFailed` request.
    ChildFailed,
    /// A member's error, returned by `try_region` as its own.
    Returned,
    /// A member's cancellation by a request on this scope or above (`cancel.visible`).
    Visible,
}

/// What a decision of the lab's stream was about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Which runnable task is next.
    Task,
    /// Which of several due timers or the clock moves.
    Time,
    /// A random number the program asked for.
    Random,
    /// Which simulated operation completes, and how.
    Io,
    /// Whether and where a fault is injected.
    Fault,
}
