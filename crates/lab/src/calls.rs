//! [`Calls`]: the history of one object of a lab program, written down while it runs, for
//! [`oracle::linearizable`].
//!
//! Where schedules are explored a history is an object itself, which a call reads and a return writes: which call came
//! before which return decides what is allowed, so no such pair may be taken for independent.
//!
//! Not here: judging it (`oracle`).
use crate::world::locked;
use cx::{Access, Cx, Object, ObjectKind, Row};
use oracle::{Call, History, Report, Sequential};
use std::fmt;
use std::sync::{Arc, Mutex};

/// A history that tasks write to. A clone is the same history.
///
/// ```
/// use asupersync_lab::{Calls, LabConfig, LabRuntime};
/// use oracle::Sequential;
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering::SeqCst}};
///
/// #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
/// struct Counter(u64);
/// impl Sequential for Counter {
///     type Op = ();
///     type Ret = u64;
///     fn apply(&mut self, _: &()) -> u64 {
///         self.0 += 1;
///         self.0
///     }
/// }
///
/// let lab = LabRuntime::new(LabConfig::default());
/// let (counter, calls) = (Arc::new(AtomicU64::new(0)), Calls::new());
/// let judged = calls.clone();
/// lab.run(async |cx| {
///     for _ in 0..3 {
///         let (counter, calls) = (counter.clone(), calls.clone());
///         cx.spawn(async move |cx| {
///             calls.record(cx, (), async |_| counter.fetch_add(1, SeqCst) + 1).await;
///         });
///     }
/// });
/// judged.linearizable(Counter(0)).unwrap();
/// ```
pub struct Calls<Op, Ret> {
    history: Arc<Mutex<History<Op, Ret>>>,
    object: Object,
}

impl<Op, Ret> Clone for Calls<Op, Ret> {
    fn clone(&self) -> Self {
        Calls { history: self.history.clone(), object: self.object.clone() }
    }
}

impl<Op, Ret> fmt::Debug for Calls<Op, Ret> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("operations", &locked(&self.history).len()).finish()
    }
}

impl<Op, Ret> Default for Calls<Op, Ret> {
    #[track_caller]
    fn default() -> Self {
        Calls::new()
    }
}

impl<Op, Ret> Calls<Op, Ret> {
    /// An empty history. Made inside of the program if its schedules are explored, like everything that tasks share.
    #[track_caller]
    pub fn new() -> Self {
        Calls { history: Arc::default(), object: Object::new(ObjectKind::Value) }
    }

    /// The task calls `op` now.
    pub fn call<C: Row>(&self, cx: &Cx<C>, op: Op) -> Call {
        self.object.touch(Access::Read);
        locked(&self.history).call(cx.task_id(), op)
    }

    /// The call returns `ret` now.
    ///
    /// # Panics
    /// If it is another history's call.
    pub fn ret(&self, call: Call, ret: Ret) {
        self.object.touch(Access::Write);
        locked(&self.history).ret(call, ret)
    }

    /// Calls `op`, does it, and notes what it returns. Cancelled or dropped before its end, the operation stays pending: it
    /// may or may not have taken effect.
    pub async fn record<C: Row>(&self, cx: &Cx<C>, op: Op, does: impl AsyncFnOnce(&Cx<C>) -> Ret) -> Ret
    where
        Ret: Clone,
    {
        let call = self.call(cx, op);
        let ret = does(cx).await;
        self.ret(call, ret.clone());
        ret
    }

    /// The history so far.
    pub fn history(&self) -> History<Op, Ret>
    where
        Op: Clone,
        Ret: Clone,
    {
        locked(&self.history).clone()
    }

    /// Judges the history so far against a model that begins in this state.
    ///
    /// # Errors
    /// As [`oracle::linearizable`].
    pub fn linearizable<M: Sequential<Op = Op, Ret = Ret>>(&self, model: M) -> Result<(), Report> {
        oracle::linearizable(model, &locked(&self.history))
    }
}
