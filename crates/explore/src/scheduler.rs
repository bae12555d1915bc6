//! [`Scheduler`]: the one interface between who executes a program and who decides what comes next.
//!
//! ```text
//! begin ─▶ ( pick ─▶ choose* ─▶ ran )* ─▶ ended        once for each execution
//!            ▲
//!            └ pick_unlisted, for who can do without the list of candidates
//! ```
//! Invariants the executor keeps:
//! - `explore.repeatable`: the same picks and choices give the same candidates, the same steps, in every execution.
//! - `explore.names`: tasks and objects have the same numbers in every execution that created them the same way,
//!   whatever else happened (spawn paths, not counters of the whole run).
//! - `explore.whole-step`: a step's touches are everything it did that another task could notice.
//!
//! Not here: any scheduler.
use crate::sample::Decisions;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trace::{Access, Choice, ObjectId, ObjectKind};
use types::TaskId;

/// One operation of a step on a shared object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The object.
    pub object: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// What was done.
    pub access: Access,
    /// Where in the source, if it is known.
    pub at: Option<&'static Location<'static>>,
}

/// The operation with which a task's next step begins: it has been announced, and nothing of it has happened.
pub type Announced = Touch;

/// A task that could take the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub task: TaskId,
    /// With what, if it said so. Only tasks whose announced operation would not have to wait are candidates, and those
    /// that heed a request which was made.
    pub announced: Option<Announced>,
    /// Whether it was asked to end: what its step looks at besides.
    pub request: Option<Request>,
}

impl Candidate {
    /// A task of which nobody knows what it will do.
    #[must_use]
    pub fn silent(task: TaskId) -> Candidate {
        Candidate { task, announced: None, request: None }
    }

    /// A task that will begin with this, and that nobody ever asks to end.
    #[must_use]
    pub fn announcing(task: TaskId, announced: Announced) -> Candidate {
        Candidate { task, announced: Some(announced), request: None }
    }
}

/// That a task is asked to end is a write to an object of its own, of kind [`ObjectKind::Value`]; each of its steps is a
/// look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The object.
    pub object: ObjectId,
    /// Whether the announced operation is refused once a request was made: it does not happen, and the task need not wait
    /// for it. Otherwise the request is hidden from it.
    pub heeded: bool,
}

/// A point at which somebody is next.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Who could be, in the order in which production would come to them; at least one.
    pub candidates: &'a [Candidate],
    /// Which of them production would take.
    pub usual: usize,
}

/// The candidates of a point, unlisted: for schedulers that need not look at all of them. A list of ten thousand at every
/// step makes a run quadratic.
///
/// Places count as in [`Point::candidates`]. Costs of each question: the executor's affair, but less than a list.
pub trait Crowd {
    /// How many could be next; at least one.
    fn size(&self) -> usize;
    /// Which of them production would take.
    fn usual(&self) -> usize;
    /// Who stands at this place.
    ///
    /// # Panics
    /// If nobody does.
    fn task(&self, at: usize) -> TaskId;
    /// How many before this place have this short name ([`name_of`](crate::name_of)).
    fn namesakes_before(&self, at: usize, name: u8) -> usize;
    /// Where the one of this short name stands that has `nth` of it before him.
    fn namesake(&self, name: u8, nth: usize) -> Option<usize>;
}

/// What one step did.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Whose it was; `None` for the world's own (the clock moved because nothing else could happen), before and
    /// after which everything else happens.
    pub task: Option<TaskId>,
    /// Its operations, in order.
    pub touches: &'a [Touch],
    /// Tasks that could not run before this step and can because of it: it spawned or woke them. (A task whose
    /// announced operation became possible is not listed: that follows from the touches. Nor is one that was woken while
    /// it had an operation announced, possible or not: it could go on with that in another order.) Who could have been
    /// the first to wake a task, and was not, is not listed; the step that was MUST have touches in conflict with his.
    pub enabled: &'a [TaskId],
}

/// A task that could not go on when the execution ended.
#[derive(Clone, Copy, Debug)]
pub struct Stuck {
    /// Who.
    pub task: TaskId,
    /// The operation it had announced and that never became possible, if that is what it waited for.
    pub announced: Option<Announced>,
    /// As in [`Candidate`].
    pub request: Option<Request>,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// Who never finished. Empty if everything ended.
    pub stuck: &'a [Stuck],
}

/// Whatever is in the box.
impl<S: Scheduler + ?Sized> Scheduler for Box<S> {
    fn begin(&mut self) {
        (**self).begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        (**self).pick(point)
    }
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        (**self).pick_unlisted(crowd)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        (**self).choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        (**self).ran(step)
    }
    fn ended(&mut self, how: &Ended<'_>) {
        (**self).ended(how)
    }
}

/// One that somebody else looks at too.
impl<S: Scheduler> Scheduler for Arc<Mutex<S>> {
    fn begin(&mut self) {
        shared(self).begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        shared(self).pick(point)
    }
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        shared(self).pick_unlisted(crowd)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        shared(self).choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        shared(self).ran(step)
    }
    fn ended(&mut self, how: &Ended<'_>) {
        shared(self).ended(how)
    }
}

fn shared<S>(scheduler: &Mutex<S>) -> MutexGuard<'_, S> {
    scheduler.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decides what comes next. One value serves one execution after the other.
pub trait Scheduler {
    /// An execution begins.
    fn begin(&mut self);

    /// Which candidate takes the next step, as an index. Asked at every step, even if there is but one candidate.
    /// `None` gives the execution up: its outcome is of no interest (it repeats another).
    fn pick(&mut self, point: &Point<'_>) -> Option<usize>;

    /// As [`Scheduler::pick`], and asked before it, of a scheduler that may not have to see everybody. `None`: it has to,
    /// and is asked again with the list, as if it had not been asked before. Default: it has to. Whether there is an
    /// answer MUST NOT change what it is.
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        let _ = crowd;
        None
    }

    /// Inside the step that was picked: which of `options` (at least 2) happens, `usual` being what happens when
    /// nobody interferes.
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32;

    /// The step has run.
    fn ran(&mut self, step: &Step<'_>);

    /// The execution is over.
    fn ended(&mut self, how: &Ended<'_>);

    /// What was decided so far in the execution that runs, for whoever has to say it before the process ends. Default:
    /// nobody has written it down.
    fn decided(&self) -> Option<Decisions> {
        None
    }
}
