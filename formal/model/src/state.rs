//! [`State`]: everything the rules talk about, in maps ordered by id.
//!
//! Nothing is ever removed: `region.quiescent` is a promise "for ever", so a closed region and a
//! finished task stay where later labels can be checked against them.
//!
//! Invariants: those of `invariant`, which recomputes every counter kept here.
//!
//! Not here: any rule.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use trace::{End, FinalizerEnd, FinalizerId, RegionKind, RegionPhase, ScopeEnd, ScopeId, ScopeKind, TimerId};
use types::{AfterGrace, CancelKind, ObligationId, Origin, Policy, RegionId, Severity, TaskId, Time};

use crate::unfinished::Unfinished;

/// A request to stop: its kind, and where it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// How severe, and why.
    pub kind: CancelKind,
    /// Where it was made. Never changes on the way down.
    pub origin: Origin,
}

/// The requests that were placed on one scope, task or region, or reached it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requests {
    /// Every one of them, in order of arrival.
    pub all: Vec<Request>,
    /// The cleanup deadline; `Time::MAX` while there is none.
    pub deadline: Time,
}

impl Requests {
    pub(crate) const NONE: Self = Self { all: Vec::new(), deadline: Time::MAX };

    /// The most severe request, the earlier one on a tie.
    #[must_use]
    pub fn top(&self) -> Option<Request> {
        self.all.iter().copied().reduce(|best, next| if next.kind > best.kind { next } else { best })
    }
}

/// A region, open or closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// The region that waits for this one.
    pub parent: Option<RegionId>,
    /// The scope it was opened in.
    pub within: Option<ScopeId>,
    /// How it came to be.
    pub kind: RegionKind,
    /// What a member's failure does.
    pub policy: Policy,
    /// What happens when the cleanup deadline is spent.
    pub after_grace: AfterGrace,
    /// Its phase.
    pub phase: RegionPhase,
    /// How its body ended, once it has.
    pub body: Option<End>,
    /// Whether its frame was dropped: nobody but its parent waits for it any more.
    pub dropped: bool,
    /// What it was asked.
    pub requests: Requests,
    /// Every task it ever owned.
    pub members: Vec<TaskId>,
    /// How many of them are alive.
    pub live: u32,
    /// How many child regions aren't closed.
    pub open_children: u32,
    /// How many obligations it owns that are still reserved.
    pub outstanding: u32,
    /// Registered finalizers that haven't ended, oldest first.
    pub finalizers: Vec<FinalizerId>,
    /// Whether a finalizer panicked.
    pub finalizer_panicked: bool,
    /// Whether a failure obliged it to cancel its members (`region.policy`).
    pub owes_cancel: bool,
    /// The failure of a member that nobody took and that hasn't moved on yet.
    pub owes_escalation: Option<Severity>,
    /// When it entered Settling.
    pub settling_since: Time,
    /// Whether shutdown wrote it off, which counts as closed and has no outcome.
    pub written_off: bool,
    /// Its outcome, once it's closed.
    pub outcome: Option<Severity>,
    /// The step at which it closed.
    pub closed_at: Option<u64>,
}

/// A task, live or finished.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// The region that owns it.
    pub region: RegionId,
    /// Whether it's a daemon.
    pub daemon: bool,
    /// The region made by its first spawn, if it has spawned.
    pub implicit: Option<RegionId>,
    /// What it was asked.
    pub requests: Requests,
    /// The most severe kind a checkpoint of it has returned.
    pub told: Option<CancelKind>,
    /// What escalation obliges its outcome to be at least.
    pub owed: Severity,
    /// Whether its future was dropped at its cleanup deadline.
    pub abandoned: bool,
    /// Whether shutdown wrote it off.
    pub written_off: bool,
    /// Its outcome, once it's finished.
    pub end: Option<End>,
    /// Whether that outcome is a failure.
    pub failure: bool,
    /// Whether `join` took the outcome.
    pub joined: bool,
}

impl Task {
    /// Whether it's neither finished nor written off.
    #[must_use]
    pub fn live(&self) -> bool {
        self.end.is_none() && !self.written_off
    }
}

/// A scope inside a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// The scope around it: another one of the same task, a region's body or the task's root.
    pub parent: ScopeId,
    /// The task it's in.
    pub task: TaskId,
    /// What it's for.
    pub kind: ScopeKind,
    /// Whether it hides requests on itself and above.
    pub masks: bool,
    /// What it was asked.
    pub requests: Requests,
    /// How many branches won, for a combinator; whether it won, for a branch.
    pub won: u32,
    /// How it ended, once it has.
    pub end: Option<ScopeEnd>,
}

/// Where an obligation's record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The permit is out.
    Reserved,
    /// The effect happened.
    Committed,
    /// Given back.
    Aborted,
    /// Declared leaked; capacity given back once. `late` if its holder came after that.
    Leaked {
        /// Whether a late commit or abort has lost already.
        late: bool,
    },
}

/// An obligation's record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obligation {
    /// The region that owns it.
    pub region: RegionId,
    /// Where it stands.
    pub standing: Standing,
}

/// A finalizer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finalizer {
    /// The region that runs it.
    pub region: RegionId,
    /// Whether it has started.
    pub started: bool,
    /// How it ended, once it has.
    pub end: Option<FinalizerEnd>,
}

/// The state of one runtime, as far as rules can see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// The time of the latest label.
    pub now: Time,
    /// How many labels were taken.
    pub steps: u64,
    /// The regions.
    pub regions: BTreeMap<RegionId, Region>,
    /// The tasks.
    pub tasks: BTreeMap<TaskId, Task>,
    /// The scopes inside tasks (not the root scopes of tasks and the body scopes of regions, which
    /// are the tasks and regions themselves).
    pub scopes: BTreeMap<ScopeId, Scope>,
    /// The obligations.
    pub obligations: BTreeMap<ObligationId, Obligation>,
    /// The finalizers.
    pub finalizers: BTreeMap<FinalizerId, Finalizer>,
    /// Armed timers and when they're due.
    pub timers: BTreeMap<TimerId, Time>,
    /// Numbers of the scopes on which a request or a refusal was ever made, and of what escalated.
    pub origins: BTreeSet<u64>,
    /// Failures that moved to a scope, which its code sees and its children don't.
    pub escalated: BTreeMap<ScopeId, Vec<Request>>,
    /// What of all this is not over.
    pub(crate) unfinished: Unfinished,
}

impl State {
    /// The state before the first label: nothing exists.
    pub const EMPTY: Self = Self {
        now: Time::ZERO,
        steps: 0,
        regions: BTreeMap::new(),
        tasks: BTreeMap::new(),
        scopes: BTreeMap::new(),
        obligations: BTreeMap::new(),
        finalizers: BTreeMap::new(),
        timers: BTreeMap::new(),
        origins: BTreeSet::new(),
        escalated: BTreeMap::new(),
        unfinished: Unfinished::NOTHING,
    };

    /// The root region, once it's open.
    #[must_use]
    pub fn root(&self) -> Option<RegionId> {
        self.regions.iter().find(|(_, region)| region.parent.is_none()).map(|(id, _)| *id)
    }

    /// Whether this is the root's body, which acts like a task, is owned by nobody and has the root's number.
    pub(crate) fn is_root_body(&self, task: TaskId) -> bool {
        self.regions.get(&RegionId::from_u64(task.as_u64())).is_some_and(|region| region.parent.is_none())
    }

    /// Whether no task, region or scope has this number yet (`scope.numbering`).
    pub(crate) fn number_is_free(&self, number: u64) -> bool {
        !self.regions.contains_key(&RegionId::from_u64(number))
            && !self.tasks.contains_key(&TaskId::from_u64(number))
            && !self.scopes.contains_key(&ScopeId(number))
    }
}

impl Default for State {
    fn default() -> Self {
        Self::EMPTY
    }
}
