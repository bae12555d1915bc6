//! `Cancelled`: the answer "you are asked to stop", with everything needed to explain it.
//!
//! A person who sees a cancelled request asks: who, where, why, and because of what? So the value
//! carries a kind, the request it answers, a reason, a place, a task, an instant and a cause, which
//! may be another `Cancelled`: a chain, printed a line each.
//!
//! Invariants:
//! - `cancelled.cheap`: one word, cloned by a count. Every checkpoint of a subtree answers with the
//!   same one.
//! - `cancelled.not-an-error`: not a [`core::error::Error`], so that it can't be mistaken for an
//!   application error (`stop.rs` wouldn't compile otherwise).
//! - `cancelled.any-length`: dropping and printing a chain takes no stack per link.
//!
//! Not here: requests, masks and who sees them (`cancel`).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::iter;
use core::panic::Location;

use crate::{FailureNote, TaskId, Time};

mod kind;
pub use kind::CancelKind;

/// A request to stop, as its recipient sees it. One word; clones share it.
#[derive(Clone)]
pub struct Cancelled(Arc<Inner>);

/// Small: a hundred thousand tasks that are cancelled one by one have one each. So nothing here is an `Option` that
/// takes a word to say that it is `None`.
struct Inner {
    kind: CancelKind,
    /// Whether `by` and `when` mean anything: [`BY`] and [`WHEN`].
    known: u8,
    depth: u16,
    request: u32,
    scope: u64,
    why: Option<Cow<'static, str>>,
    location: Option<&'static Location<'static>>,
    by: TaskId,
    when: Time,
    cause: Option<Box<Cause>>,
}

const BY: u8 = 1;
const WHEN: u8 = 2;

/// Where a request was made: on which scope, and the how-manieth request there it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The unique id of a region, task or scope within its runtime; zero is outside of it.
    pub scope: u64,
    /// The request's number on that scope.
    pub request: u32,
}

/// What made somebody ask for a stop.
#[derive(Clone, Debug)]
pub enum Cause {
    /// They had been asked to stop themselves.
    Cancelled(Cancelled),
    /// A body failed with this error.
    Failed(FailureNote),
    /// A body panicked with this message.
    Panicked(String),
}

impl Cancelled {
    /// Starts a request of this kind, made on `origin`. What isn't added stays unknown.
    ///
    /// ```
    /// use asupersync_types::{CancelKind, Cancelled, Origin};
    /// let cancelled = Cancelled::new(CancelKind::Deadline, Origin { scope: 7, request: 1 })
    ///     .why("deadline of 5s passed")
    ///     .build();
    /// assert_eq!(cancelled.to_string(), "cancelled: deadline of 5s passed");
    /// ```
    #[expect(clippy::new_ret_no_self, reason = "a builder: most requests know more than the kind")]
    pub fn new(kind: CancelKind, origin: Origin) -> CancelledBuilder {
        let Origin { scope, request } = origin;
        CancelledBuilder(Inner {
            kind,
            known: 0,
            depth: 0,
            request,
            scope,
            why: None,
            location: None,
            by: TaskId::from_u64(0),
            when: Time::ZERO,
            cause: None,
        })
    }

    /// The kind of request.
    pub fn kind(&self) -> CancelKind {
        self.0.kind
    }

    /// Where the request was made.
    pub fn origin(&self) -> Origin {
        Origin { scope: self.0.scope, request: self.0.request }
    }

    /// How deep its origin is: at least so many regions are around whatever it is asked of. 0 where that isn't known.
    pub fn depth(&self) -> u16 {
        self.0.depth
    }

    /// The reason in words; those of the kind where none was given.
    pub fn why(&self) -> &str {
        self.0.why.as_deref().unwrap_or_else(|| self.0.kind.words())
    }

    /// The line of code that asked.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.0.location
    }

    /// The task that asked.
    pub fn by(&self) -> Option<TaskId> {
        (self.0.known & BY != 0).then_some(self.0.by)
    }

    /// When it asked.
    pub fn when(&self) -> Option<Time> {
        (self.0.known & WHEN != 0).then_some(self.0.when)
    }

    /// What made it ask.
    pub fn cause(&self) -> Option<&Cause> {
        self.0.cause.as_deref()
    }

    /// The cause, its cause, and so on to the first one known.
    pub fn causes(&self) -> impl Iterator<Item = &Cause> {
        iter::successors(self.cause(), |cause| match cause {
            Cause::Cancelled(cancelled) => cancelled.cause(),
            Cause::Failed(_) | Cause::Panicked(_) => None,
        })
    }

    /// Whether both answer one and the same request, whatever was learnt about it since. Only
    /// meaningful within one runtime.
    pub fn same_request(&self, other: &Cancelled) -> bool {
        self.origin() == other.origin()
    }
}

/// A [`Cancelled`] in the making.
#[must_use = "a request that isn't built reaches nobody"]
pub struct CancelledBuilder(Inner);

impl CancelledBuilder {
    /// The reason in words: a clause without a full stop, `deadline of 5s passed`.
    pub fn why(mut self, why: impl Into<Cow<'static, str>>) -> Self {
        self.0.why = Some(why.into());
        self
    }

    /// The line of code that asks; mostly `Location::caller()`.
    pub fn at(mut self, location: &'static Location<'static>) -> Self {
        self.0.location = Some(location);
        self
    }

    /// The task that asks.
    pub fn by(mut self, task: TaskId) -> Self {
        self.0.by = task;
        self.0.known |= BY;
        self
    }

    /// When it asks.
    pub fn when(mut self, time: Time) -> Self {
        self.0.when = time;
        self.0.known |= WHEN;
        self
    }

    /// At least so many regions are around whatever it is asked of: for kernels, which look no further up the tree for the
    /// origin of a request.
    pub fn depth(mut self, regions: u16) -> Self {
        self.0.depth = regions;
        self
    }

    /// What makes it ask. One allocation.
    pub fn because(mut self, cause: Cause) -> Self {
        self.0.cause = Some(Box::new(cause));
        self
    }

    /// The finished value. One allocation.
    pub fn build(self) -> Cancelled {
        Cancelled(Arc::new(self.0))
    }
}

impl From<CancelledBuilder> for Cancelled {
    fn from(builder: CancelledBuilder) -> Cancelled {
        builder.build()
    }
}

impl Origin {
    /// A request from outside of the runtime: a signal, a foreign thread.
    pub const OUTSIDE: Origin = Origin { scope: 0, request: 0 };
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            0 => write!(f, "outside, request {}", self.request),
            scope => write!(f, "scope#{scope}, request {}", self.request),
        }
    }
}

/// Frees a chain link by link: the derived order would recurse, and a long chain of causes (a
/// supervisor that restarts for weeks) would overflow the stack.
impl Drop for Inner {
    fn drop(&mut self) {
        let mut next = self.cause.take();
        while let Some(cause) = next {
            let Cause::Cancelled(Cancelled(link)) = *cause else { return };
            next = Arc::into_inner(link).and_then(|mut link| link.cause.take());
        }
    }
}

/// The whole chain, the places in one column:
///
/// ```text
/// cancelled: deadline of 5s passed            src/client.rs:42
///   because region `request 991` was cancelled by `http-server`
///   because shutdown asked by signal SIGTERM  src/main.rs:19
/// ```
impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = (format!("cancelled: {}", self.why()), self.location());
        let causes = self.causes().map(|cause| (format!("  because {cause}"), cause.location()));
        let lines: Vec<_> = iter::once(first).chain(causes).collect();
        let placed = lines.iter().filter(|(_, location)| location.is_some());
        let column = placed.map(|(text, _)| text.chars().count()).max().unwrap_or(0);
        let mut separator = "";
        for (text, location) in &lines {
            f.write_str(separator)?;
            match location {
                Some(at) => write!(f, "{text:column$}  {}:{}", at.file(), at.line())?,
                None => f.write_str(text)?,
            }
            separator = "\n";
        }
        Ok(())
    }
}

/// The fields that are known; the causes as a list of their lines.
impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Causes<'a>(&'a Cancelled);
        impl fmt::Debug for Causes<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.0.causes().map(|cause| format!("{cause}"))).finish()
            }
        }

        let mut fields = f.debug_struct("Cancelled");
        fields.field("kind", &self.kind()).field("origin", &self.origin());
        if let Some(why) = &self.0.why {
            fields.field("why", why);
        }
        if let Some(location) = self.location() {
            fields.field("at", &format_args!("{}:{}", location.file(), location.line()));
        }
        if let Some(task) = self.by() {
            fields.field("by", &task);
        }
        if let Some(time) = self.when() {
            fields.field("when", &format_args!("{time}"));
        }
        if self.cause().is_some() {
            fields.field("because", &Causes(self));
        }
        fields.finish()
    }
}

impl Cause {
    /// The place to show beside it, where it has one.
    fn location(&self) -> Option<&'static Location<'static>> {
        match self {
            Cause::Cancelled(cancelled) => cancelled.location(),
            Cause::Failed(_) | Cause::Panicked(_) => None,
        }
    }
}

/// One clause to follow "because"; the cause of a cause isn't in it.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Cancelled(cancelled) => f.write_str(cancelled.why()),
            Cause::Failed(note) => write!(f, "a body failed: {note}"),
            Cause::Panicked(message) => write!(f, "a body panicked: {message}"),
        }
    }
}

#[cfg(test)]
mod tests;
