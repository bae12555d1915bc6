//! A task's end in the words of the layer above: what its owner decides by (`Verdict`), what is left of an
//! outcome that nobody joined (`Loss`), and what the children's end makes of it (`Raise`). No value, no type.
use types::{Cancelled, Failure, Panic};

/// How a body ended, as its owner needs to see it, without the value.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// The body returned a value.
    Ok,
    /// The body returned an application error.
    Err,
    /// The body returned a cancellation.
    Cancelled(&'a Cancelled),
    /// The body panicked or was abandoned.
    Panicked,
}

/// An outcome other than `Ok` that nobody took by `join`, with its type erased.
#[derive(Debug)]
pub enum Loss {
    /// An application error.
    Failed(Failure),
    /// A cancellation.
    Cancelled(Cancelled),
    /// A panic.
    Panicked(Panic),
}

/// In words: the error, the cancellation with its causes, or the panic's message.
impl core::fmt::Display for Loss {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Loss::Failed(failure) => failure.note().fmt(f),
            Loss::Cancelled(cancelled) => cancelled.fmt(f),
            Loss::Panicked(panic) => panic.fmt(f),
        }
    }
}

/// What the drain of a task's own children does to the task's outcome.
#[derive(Debug)]
pub enum Raise {
    /// Nothing: the body's outcome stands.
    Nothing,
    /// The outcome is this cancellation, unless it is a panic. Not for an outcome that is a cancellation with a
    /// reason of its own.
    Cancelled(Cancelled),
    /// The outcome is at least this panic.
    Panicked(Panic),
}
