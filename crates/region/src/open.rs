//! What a region is made from and what its owner may hang on it: the request to open one, its finalizers,
//! the answer to isolated failures, the sink of traced steps. Plain data; the node itself is in `region`.
use crate::Above;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::panic::Location;
use core::time::Duration;
use task::TaskRef;
use trace::{Label, RegionKind, ScopeId};
use types::{AfterGrace, Policy, TaskId};

/// Where traced steps go, one after the other. Absent where nobody listens.
///
/// The kernel says each step at its linearisation point (`event.linear`), in one of three ways: [`Sink::emit`] inside
/// the critical section that makes the step, [`Sink::step`] around a step that is one atomic operation, and
/// [`Sink::emit_since`] for what was read off a state that must not have changed. A sink of one thread needs only
/// the first; one that is called from several keeps all events in one order by overriding the other two.
pub trait Sink: Send + Sync {
    /// One step happened, taken by `by` if it was a task. MUST NOT wait for anybody who emits.
    fn emit(&self, by: Option<TaskId>, label: Label);

    /// Takes a step and records what it says of itself. `step` is called once. No other event MUST come between.
    /// `step` neither emits nor takes a lock.
    fn step(&self, by: Option<TaskId>, step: &mut dyn FnMut() -> Option<Label>) {
        if let Some(label) = step() {
            self.emit(by, label)
        }
    }

    /// How many events there are so far.
    fn count(&self) -> u64 {
        0
    }

    /// As [`Sink::emit`], if nothing was recorded since [`Sink::count`] was `since`. False, with nothing recorded,
    /// otherwise.
    fn emit_since(&self, since: u64, by: Option<TaskId>, label: Label) -> bool {
        let _ = since;
        self.emit(by, label);
        true
    }
}

/// A finalizer as the layer above registered it: opaque here.
pub struct Finalizer {
    /// What to run.
    pub run: Box<dyn Any + Send>,
    /// Where it was registered.
    pub at: &'static Location<'static>,
    /// Its number within the region, in order of registration.
    pub number: u64,
}

impl core::fmt::Debug for Finalizer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "finalizer {} of {}:{}", self.number, self.at.file(), self.at.line())
    }
}

/// What an isolating region does with a member's failure.
pub type OnFailure = Box<dyn Fn(&Isolated) + Send + Sync>;

/// A failure in an isolating region.
#[derive(Debug)]
pub struct Isolated {
    /// Which task failed.
    pub task: TaskId,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// How; `None` if a handle still has the right to it.
    pub loss: Option<task::Loss>,
}

/// Whose body a region has.
#[derive(Clone, Debug)]
pub enum Body {
    /// A frame inside this task, or the task's own body.
    Task(TaskRef, TaskId),
    /// Nobody's: the root of a runtime, driven from outside.
    Outside,
}

/// How a region is to be opened.
pub struct Open {
    /// What a member's failure does.
    pub policy: Policy,
    /// What happens when the cleanup deadline is spent.
    pub after_grace: AfterGrace,
    /// Cleanup budget of requests that bring none; `None`: the runtime's.
    pub grace: Option<Duration>,
    /// How it comes to be.
    pub kind: RegionKind,
    /// Whose body it has.
    pub body: Body,
    /// The scope it was opened in: for a branch's region, the branch itself.
    pub within: Option<ScopeId>,
    /// The scopes inside the body's task that its frame is nested in: a request on one of them is a request from
    /// above.
    pub scopes_above: Above,
    /// Those of them that are masked: each hides requests on itself and above from what is opened below it.
    pub masks: Vec<Mask>,
    /// Where.
    pub at: &'static Location<'static>,
    /// What an isolating region does with failures.
    pub on_failure: Option<OnFailure>,
}

impl core::fmt::Debug for Open {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Open").field("kind", &self.kind).field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// A masked scope that a region is opened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The scope.
    pub scope: u64,
    /// Whether it holds past the cleanup deadline: a finalizer or a release, which has a bound of its own.
    pub firm: bool,
}
