//! [`linearizable`]: an object that several tasks use at once behaves like one that they use in turn.
//!
//! The search is Wing and Gong's (JPDC 1993) with Lowe's memory of configurations ("Testing for linearizability", CCPE
//! 2017): pick an operation that was called before any remaining one returned, apply it to the model, go on if the model
//! returns what the object did, and never go twice to the same set of applied operations with the same state.
//!
//! Invariants:
//! - `linearizable.sound`: `Ok` is given only with an order found that the model agrees with.
//! - `linearizable.bounded`: after [`MOST`] configurations (or as many as the caller says) the search ends as a finding that says so; it never passes.
//!
//! Not here: where histories come from (`history`).

use alloc::{collections::BTreeSet, format, string::String, vec, vec::Vec};
use core::fmt::Debug;

use crate::{
    history::{History, Moment},
    report::{Findings, Report},
};

/// What an object is meant to be when it is used by one party at a time. A value is a state of it.
pub trait Sequential: Clone + Ord {
    /// What can be called.
    type Op: Debug;
    /// What calls return.
    type Ret: Debug + PartialEq;
    /// Does `op`, and returns what the object has to return for it. MUST depend on nothing but the state and `op`.
    fn apply(&mut self, op: &Self::Op) -> Self::Ret;
}

/// How many configurations (sets of applied operations, with the state they lead to) are looked at before the search is
/// given up.
pub const MOST: usize = 1_000_000;

/// Judges a history against a model that begins in the state `model`: there is one order of all operations, in which
/// whatever returned before another one was called stands before it, and in which the model returns what the object did.
/// An operation that never returned may stand anywhere after its call, or nowhere.
///
/// Fifty operations of a few tasks take far less than a second; the worst case is exponential in how many are under way
/// at once.
///
/// ```
/// use asupersync_oracle::{History, Sequential, linearizable};
/// use types::TaskId;
///
/// #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
/// struct Counter(u64);
/// impl Sequential for Counter {
///     type Op = &'static str;
///     type Ret = u64;
///     fn apply(&mut self, _increment: &&'static str) -> u64 {
///         self.0 += 1;
///         self.0
///     }
/// }
///
/// let mut history = History::new();
/// let one = history.call(TaskId::from_u64(1), "increment");
/// let other = history.call(TaskId::from_u64(2), "increment");
/// history.ret(one, 1);
/// history.ret(other, 1); // an update was lost
/// let report = linearizable(Counter(0), &history).unwrap_err();
/// assert!(report.to_string().contains("would return 2"), "{report}");
/// ```
///
/// # Errors
/// One finding: how far an order could be found, and which operation then returned what the model doesn't. Or that the
/// search was given up.
pub fn linearizable<M: Sequential>(model: M, history: &History<M::Op, M::Ret>) -> Result<(), Report> {
    linearizable_within(model, history, MOST)
}

/// As [`linearizable`], giving up after `most` configurations.
///
/// # Errors
/// As there.
pub fn linearizable_within<M: Sequential>(
    model: M,
    history: &History<M::Op, M::Ret>,
    most: usize,
) -> Result<(), Report> {
    let mut findings = Findings::of("linearizable");
    match Search::new(history, model).run(most) {
        Verdict::Linearizable => {}
        Verdict::GivenUp => findings.in_the_end(format_args!(
            "undecided: {most} configurations of {} operations did not suffice; judge shorter histories",
            history.len()
        )),
        Verdict::Stuck(deepest) => findings.in_the_end(format_args!("{}", tell(history, &deepest))),
    }
    findings.verdict()
}

enum Verdict<M> {
    Linearizable,
    GivenUp,
    Stuck(Deepest<M>),
}

/// The longest order that was found, and what stood in the way of a longer one.
struct Deepest<M> {
    order: Vec<usize>,
    state: M,
    /// The operation that has to come next, and can't.
    stuck: usize,
}

/// The moments that are left, as a list that operations can be taken out of and put back into.
struct Left {
    next: Vec<usize>,
    before: Vec<usize>,
    /// Where each operation was called and returned.
    called: Vec<usize>,
    returned: Vec<Option<usize>>,
}

/// Position 0 stands before all moments; moment `n` has the position `n + 1`.
const HEAD: usize = 0;

impl Left {
    fn of(moments: &[Moment], operations: usize) -> Left {
        let size = moments.len() + 2;
        let mut left = Left {
            next: (1..=size).collect(),
            before: (0..size).map(|at| at.saturating_sub(1)).collect(),
            called: vec![0; operations],
            returned: vec![None; operations],
        };
        for (at, moment) in moments.iter().enumerate() {
            match *moment {
                Moment::Called(n) => left.called[n] = at + 1,
                Moment::Returned(n) => left.returned[n] = Some(at + 1),
            }
        }
        left
    }

    fn unlink(&mut self, at: usize) {
        let (before, next) = (self.before[at], self.next[at]);
        self.next[before] = next;
        self.before[next] = before;
    }

    fn relink(&mut self, at: usize) {
        let (before, next) = (self.before[at], self.next[at]);
        self.next[before] = at;
        self.before[next] = at;
    }

    fn take_out(&mut self, operation: usize) {
        self.unlink(self.called[operation]);
        if let Some(at) = self.returned[operation] {
            self.unlink(at)
        }
    }

    /// The reverse of the last `take_out` that was not reversed.
    fn put_back(&mut self, operation: usize) {
        if let Some(at) = self.returned[operation] {
            self.relink(at)
        }
        self.relink(self.called[operation])
    }
}

struct Search<'h, M: Sequential> {
    history: &'h History<M::Op, M::Ret>,
    state: M,
    left: Left,
    /// What has been applied, in order, each with the state before it.
    applied: Vec<(usize, M)>,
    set: Vec<u64>,
    seen: BTreeSet<(Vec<u64>, M)>,
    /// Operations that returned and have not been applied.
    open: usize,
    deepest: Option<Deepest<M>>,
}

impl<'h, M: Sequential> Search<'h, M> {
    fn new(history: &'h History<M::Op, M::Ret>, state: M) -> Self {
        let operations = history.len();
        Search {
            history,
            state,
            left: Left::of(&history.moments, operations),
            applied: Vec::new(),
            set: vec![0; operations.div_ceil(64)],
            seen: BTreeSet::new(),
            open: history.operations.iter().filter(|operation| operation.ret.is_some()).count(),
            deepest: None,
        }
    }

    fn run(mut self, most: usize) -> Verdict<M> {
        let mut at = self.left.next[HEAD];
        while self.open > 0 {
            match self.history.moments[at - 1] {
                Moment::Called(operation) => {
                    at = match self.try_apply(operation) {
                        true => self.left.next[HEAD],
                        false => self.left.next[at],
                    };
                    if self.seen.len() > most {
                        return Verdict::GivenUp;
                    }
                }
                // Whatever comes later was called after this return: it can't stand before it.
                Moment::Returned(operation) => {
                    self.note_stuck(operation);
                    let Some(undone) = self.undo() else {
                        return match self.deepest {
                            Some(deepest) => Verdict::Stuck(deepest),
                            None => unreachable!("it was noted above"),
                        };
                    };
                    at = self.left.next[self.left.called[undone]];
                }
            }
        }
        Verdict::Linearizable
    }

    /// Applies the operation next, if the model returns what the object did and this leads somewhere new.
    fn try_apply(&mut self, operation: usize) -> bool {
        let Self { history, state, .. } = self;
        let wanted = &history.operations[operation];
        let mut next = state.clone();
        let ret = next.apply(&wanted.op);
        if wanted.ret.as_ref().is_some_and(|wanted| *wanted != ret) {
            return false;
        }
        self.set[operation / 64] |= 1 << (operation % 64);
        if !self.seen.insert((self.set.clone(), next.clone())) {
            self.set[operation / 64] &= !(1 << (operation % 64));
            return false;
        }
        let before = core::mem::replace(&mut self.state, next);
        self.applied.push((operation, before));
        self.left.take_out(operation);
        self.open -= usize::from(wanted.ret.is_some());
        true
    }

    /// Takes the last applied operation back, and returns it.
    fn undo(&mut self) -> Option<usize> {
        let (operation, before) = self.applied.pop()?;
        self.state = before;
        self.set[operation / 64] &= !(1 << (operation % 64));
        self.left.put_back(operation);
        self.open += usize::from(self.history.operations[operation].ret.is_some());
        Some(operation)
    }

    fn note_stuck(&mut self, stuck: usize) {
        if self.deepest.as_ref().is_none_or(|deepest| deepest.order.len() < self.applied.len()) {
            let order = self.applied.iter().map(|(operation, _)| *operation).collect();
            self.deepest = Some(Deepest { order, state: self.state.clone(), stuck });
        }
    }
}

fn tell<M: Sequential>(history: &History<M::Op, M::Ret>, deepest: &Deepest<M>) -> String {
    let name = |operation: usize| {
        let operation = &history.operations[operation];
        match &operation.ret {
            Some(ret) => format!("{:?} of {} returned {ret:?}", operation.op, operation.task),
            None => format!("{:?} of {} (which never returned)", operation.op, operation.task),
        }
    };
    let order: Vec<String> = deepest.order.iter().map(|operation| name(*operation)).collect();
    let ret = deepest.state.clone().apply(&history.operations[deepest.stuck].op);
    format!(
        "no order of the {} operations explains what they returned; the longest that does: {}; then {}, where the model \
         would return {ret:?}",
        history.len(),
        if order.is_empty() { "none".into() } else { order.join(", ") },
        name(deepest.stuck),
    )
}
