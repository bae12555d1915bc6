//! [`History`]: the calls of one object and what they returned, in the order in which that happened.
//!
//! Invariant `history.well-formed`: a call returns at most once, and after it was made; kept by [`Call`], which is given
//! out by [`History::call`] and used up by [`History::ret`].
//!
//! Not here: judging it (`linearizable`), writing it down in a lab run (`lab`).

use alloc::vec::Vec;

use types::TaskId;

/// One operation: who called it, and what it returned, if it did.
#[derive(Clone, Debug)]
pub(crate) struct Operation<Op, Ret> {
    pub(crate) task: TaskId,
    pub(crate) op: Op,
    pub(crate) ret: Option<Ret>,
}

/// A point of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The operation of this number was called.
    Called(usize),
    /// It returned.
    Returned(usize),
}

/// A call that has not returned: what [`History::ret`] wants. Dropping it leaves the operation pending for ever, which
/// may or may not have taken effect.
#[must_use = "hand it to `History::ret` with what the call returned"]
#[derive(Debug)]
pub struct Call(usize);

/// What was called on one object, and what came back.
///
/// ```
/// use asupersync_oracle::History;
/// use types::TaskId;
/// let (a, b) = (TaskId::from_u64(1), TaskId::from_u64(2));
/// let mut history = History::new();
/// let push = history.call(a, "push 1");
/// let pop = history.call(b, "pop");
/// history.ret(pop, Some(1));
/// history.ret(push, None);
/// assert_eq!(history.len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct History<Op, Ret> {
    pub(crate) operations: Vec<Operation<Op, Ret>>,
    pub(crate) moments: Vec<Moment>,
}

impl<Op, Ret> Default for History<Op, Ret> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Op, Ret> History<Op, Ret> {
    /// Nothing has been called.
    #[must_use]
    pub const fn new() -> Self {
        Self { operations: Vec::new(), moments: Vec::new() }
    }

    /// `task` calls `op` now.
    pub fn call(&mut self, task: TaskId, op: Op) -> Call {
        let number = self.operations.len();
        self.operations.push(Operation { task, op, ret: None });
        self.moments.push(Moment::Called(number));
        Call(number)
    }

    /// The call returns `ret` now.
    ///
    /// # Panics
    /// If the call is another history's, as far as that can be seen.
    pub fn ret(&mut self, call: Call, ret: Ret) {
        let Some(operation) = self.operations.get_mut(call.0).filter(|operation| operation.ret.is_none())
        else {
            panic!("a call returned in a history in which it was not made")
        };
        operation.ret = Some(ret);
        self.moments.push(Moment::Returned(call.0));
    }

    /// How many operations were called.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}
