//! [`Timeline`]: what happened in a run, as nouns that know the rows at which they began and ended.
//!
//! A *row* is one thing worth a line: an event, several events that make one step of thought (a region's last phases, a
//! request on its way down), a touch of a shared object, a wait. Rows are in the order of the run. Tasks are in the
//! order in which they were spawned; [`Timeline::order`] puts them so that the tasks of a region stand side by side.
//!
//! A task is called by its *path*: `main` is the root body, `2` its second child, `2.1` that one's first.
//! Other than an id it can be said aloud, and other than a number of the run it is the same in every schedule in
//! which its parent spawned in the same order. (A path that grows too long is cut: `1.1.1.1…t412`, with the task's number.)
//!
//! Not here: how it is made (`build`, `causes`), how it is said (`words`).
use crate::run::{Run, TouchAt};
use trace::{End, FinalizerId, RegionKind, RegionPhase, ScopeEnd, ScopeId, ScopeKind, Site, TimerId};
use types::{CancelKind, ObligationId, ObligationKind, Origin, RegionId, Severity, TaskId, Time};

/// A task: one lane of the picture.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its path: `main`, `2`, `2.1`.
    pub path: String,
    /// The name it gave itself, made harmless; empty if it has none.
    pub name: String,
    /// Where it was spawned.
    pub site: Option<Site>,
    /// Who spawned it: index of a task.
    pub parent: Option<usize>,
    /// The region it is a member of: index of a region.
    pub region: Option<usize>,
    /// Whether it is a daemon.
    pub daemon: bool,
    /// The row of its spawn.
    pub from: usize,
    /// The row of its end, if it ended.
    pub to: Option<usize>,
    /// How it ended.
    pub end: Option<End>,
    /// Whether its end counts as a failure.
    pub failure: bool,
    /// Whether it was written off: the run ended without it.
    pub lost: bool,
    /// How many tasks it has spawned.
    pub children: usize,
}

/// A region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its id.
    pub id: RegionId,
    /// What it is called: `R2`, or its name.
    pub name: String,
    /// How it came to be.
    pub kind: RegionKind,
    /// The region that waits for it.
    pub parent: Option<usize>,
    /// The task its body runs in: index of a task.
    pub body: Option<usize>,
    /// Where it was opened.
    pub site: Site,
    /// The row at which it was opened.
    pub from: usize,
    /// The row at which it closed or was written off.
    pub to: Option<usize>,
    /// The phases it entered, with their rows.
    pub phases: Vec<(RegionPhase, usize)>,
    /// Its outcome, if it closed.
    pub outcome: Option<Severity>,
    /// The rows and kinds of the requests that reached it.
    pub requests: Vec<(CancelKind, usize)>,
}

/// A scope inside a task: a combinator, one of its branches, a mask, a phase of a bracket.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its id.
    pub id: ScopeId,
    /// The task it is in.
    pub task: Option<usize>,
    /// What it is for.
    pub kind: ScopeKind,
    /// The scope around it, if that is one of these.
    pub parent: Option<usize>,
    /// How deep it lies in its task, from 0.
    pub depth: usize,
    /// The row at which it was opened.
    pub from: usize,
    /// The row at which it closed.
    pub to: Option<usize>,
    /// How it closed.
    pub end: Option<ScopeEnd>,
    /// Whether it is the branch that its combinator chose.
    pub won: bool,
}

/// A request to stop, with everybody it reached.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its kind.
    pub kind: CancelKind,
    /// Where it was made.
    pub origin: Origin,
    /// Its row.
    pub row: usize,
    /// The tasks it reached.
    pub tasks: Vec<usize>,
    /// The regions it reached.
    pub regions: Vec<usize>,
    /// The scopes inside tasks it reached, by their tasks.
    pub scopes: Vec<Option<usize>>,
    /// Which tasks have seen it, and when.
    pub seen: Vec<(usize, usize)>,
}

/// How an obligation was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The permit was used.
    Committed,
    /// It was given back.
    Aborted,
    /// Nobody did either in time.
    Leaked,
}

/// A permit: an effect that was promised.
#[derive(Clone, Debug)]
pub struct Obligation {
    /// Its id.
    pub id: ObligationId,
    /// What was promised.
    pub kind: ObligationKind,
    /// The region that owns it.
    pub region: Option<usize>,
    /// The task that reserved it.
    pub by: Option<usize>,
    /// Where.
    pub site: Site,
    /// The row at which it was reserved.
    pub from: usize,
    /// How and when it was settled.
    pub settled: Option<(Settled, usize)>,
}

/// A task that waits.
#[derive(Clone, Debug)]
pub struct Wait {
    /// Who.
    pub task: usize,
    /// For what, made harmless.
    pub what: String,
    /// Who holds it, if that is known.
    pub holder: Option<usize>,
    /// The row from which on.
    pub from: usize,
    /// The row at which it was over, if it was.
    pub to: Option<usize>,
    /// Where in the source, if it is known.
    pub site: Option<Site>,
}

/// A timer.
#[derive(Clone, Debug)]
pub struct Timer {
    /// Its id.
    pub id: TimerId,
    /// Who waits for it.
    pub task: Option<usize>,
    /// When it is due.
    pub due: Time,
    /// The row at which it was set.
    pub from: usize,
    /// The row at which it fired or was taken back.
    pub to: Option<usize>,
    /// Whether it fired.
    pub fired: bool,
}

/// What a row is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOf {
    /// So many events, from this index of [`Run::events`] on.
    Events {
        /// The first of them.
        first: usize,
        /// How many.
        count: usize,
    },
    /// A touch of a shared object.
    Touch(TouchAt),
    /// An index of [`Run::waits`].
    Wait(usize),
}

/// One line of the picture.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Position of its first event in the trace, or of the step it belongs to.
    pub seq: u64,
    /// When.
    pub time: Time,
    /// The task that did it or that it happened to, if it is known.
    pub task: Option<usize>,
    /// What it is made of.
    pub of: RowOf,
}

/// Why one row had to come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArrowKind {
    /// A task was spawned.
    Spawn,
    /// A task's outcome was taken.
    Join,
    /// A task was made runnable.
    Wake,
    /// A message was sent and received.
    Message,
    /// A lock or permit was given back and taken.
    Handover,
    /// A value was written and read.
    Data,
    /// Something was waited for that happened.
    Moment,
}

impl ArrowKind {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spawn => "spawn",
            Self::Join => "join",
            Self::Wake => "wake",
            Self::Message => "message",
            Self::Handover => "handover",
            Self::Data => "data",
            Self::Moment => "moment",
        }
    }
}

/// One row had to come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// The row of the cause.
    pub from: usize,
    /// The task of the cause.
    pub from_task: usize,
    /// The row of the consequence.
    pub to: usize,
    /// The task of the consequence.
    pub to_task: usize,
    /// Why.
    pub kind: ArrowKind,
}

/// Something that went wrong.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Who says so: an oracle's name, or "the run" for what the caller gave.
    pub by: &'static str,
    /// What, made harmless; may have several lines.
    pub what: String,
    /// The row that showed it; `None` if the run's end did.
    pub row: Option<usize>,
    /// The tasks it concerns.
    pub tasks: Vec<usize>,
}

/// What happened in a run.
#[derive(Clone, Debug)]
pub struct Timeline<'a> {
    /// What it was made of.
    pub run: &'a Run<'a>,
    /// Everything worth a line, in the order of the run.
    pub rows: Vec<Row>,
    /// The tasks, in the order in which they were spawned.
    pub tasks: Vec<Task>,
    /// The tasks so that those of a region stand side by side, and those a task spawned stand after it.
    pub order: Vec<usize>,
    /// The regions, in the order in which they were opened.
    pub regions: Vec<Region>,
    /// The scopes inside tasks.
    pub scopes: Vec<Scope>,
    /// The requests to stop.
    pub requests: Vec<Request>,
    /// The permits.
    pub obligations: Vec<Obligation>,
    /// Who waited.
    pub waits: Vec<Wait>,
    /// The timers.
    pub timers: Vec<Timer>,
    /// What had to come before what, in the order of the consequences.
    pub arrows: Vec<Arrow>,
    /// What went wrong; the first is why the run is looked at.
    pub troubles: Vec<Trouble>,
    /// The rows of two touches that race.
    pub race: Option<[usize; 2]>,
    /// The finalizers, with their regions.
    pub(crate) finalizers: Vec<(FinalizerId, Option<usize>)>,
    /// The shared objects, in the order in which they were first touched.
    pub(crate) objects: Vec<trace::ObjectId>,
}

impl Timeline<'_> {
    /// The row that a reader wants to see: that of the first trouble, else of the race, else the last one. `None` if
    /// there are no rows.
    #[must_use]
    pub fn focus(&self) -> Option<usize> {
        let last = self.rows.len().checked_sub(1)?;
        match self.troubles.first() {
            Some(trouble) => Some(trouble.row.unwrap_or(last)),
            None => Some(self.race.map_or(last, |[_, second]| second)),
        }
    }

    /// The tasks that the troubles and the race are about.
    #[must_use]
    pub fn suspects(&self) -> Vec<usize> {
        let mut all: Vec<usize> =
            self.troubles.iter().flat_map(|trouble| trouble.tasks.iter().copied()).collect();
        all.extend(self.race.iter().flatten().filter_map(|row| self.rows[*row].task));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether a task is there at a row.
    #[must_use]
    pub fn alive(&self, task: usize, row: usize) -> bool {
        let task = &self.tasks[task];
        task.from <= row && task.to.is_none_or(|to| to > row)
    }

    /// What a task waits for at a row.
    #[must_use]
    pub fn wait_of(&self, task: usize, row: usize) -> Option<&Wait> {
        self.waits
            .iter()
            .rev()
            .find(|wait| wait.task == task && wait.from <= row && wait.to.is_none_or(|to| to > row))
    }
}
