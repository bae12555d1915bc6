//! [`Program`]: a program of the mini-language as a tree, easy to interpret: by [`super::Machine`] here, by tasks on
//! the real kernel in the lab.
//!
//! Invariant `mini.names`: an index of a [`Cell`], [`Lock`] or [`Channel`] is below the number of names of its kind.

/// A variable, as an index into [`Program::cells`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cell(pub usize);

/// A lock, as an index into [`Program::locks`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lock(pub usize);

/// A channel, as an index into [`Program::channels`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Channel(pub usize);

/// What is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operand {
    /// This number.
    Value(i64),
    /// The value the task read last (0 if it read none) and so much more.
    Last {
        /// What is added.
        plus: i64,
    },
}

/// One operation, or a choice between blocks of them. What an operation reads becomes the task's last value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// `Wx=v`
    Store {
        /// Where.
        cell: Cell,
        /// What.
        value: Operand,
    },
    /// `Rx`
    Load {
        /// From where.
        cell: Cell,
    },
    /// `Fx+k`: reads the value from before the addition.
    FetchAdd {
        /// Where.
        cell: Cell,
        /// What is added.
        add: i64,
    },
    /// `Cx:e>n`: stores `new` if the value is `expected`; reads the value from before, whichever happened.
    CompareExchange {
        /// Where.
        cell: Cell,
        /// What has to be there.
        expected: i64,
        /// What is stored then.
        new: i64,
    },
    /// `Lm`: waits until the lock is free.
    Lock {
        /// Which.
        lock: Lock,
    },
    /// `Um`
    Unlock {
        /// Which; the task must hold it.
        lock: Lock,
    },
    /// `Tm`: reads 1 if the lock was taken, 0 if it was not free.
    TryLock {
        /// Which.
        lock: Lock,
    },
    /// `Sc`: never waits.
    Send {
        /// Into which.
        channel: Channel,
    },
    /// `Xc`: waits until a message is there.
    Receive {
        /// From which.
        channel: Channel,
    },
    /// `Qc`: reads 1 if a message was taken, 0 if there was none.
    TryReceive {
        /// From which.
        channel: Channel,
    },
    /// `?=v{..}`, `?!v{..}`: no step of its own.
    If {
        /// Whether `then` is for the last value being `value` (`=`) or not being it (`!`).
        equal: bool,
        /// What the last value is compared with.
        value: i64,
        /// The block if so.
        then: Vec<Op>,
        /// The block if not; empty when there is none.
        otherwise: Vec<Op>,
    },
    /// `#`: the task never does anything again, and has not ended. No step of its own.
    Stop,
}

/// A program: what each task does, and what the variables are called.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    pub(super) tasks: Vec<Vec<Op>>,
    pub(super) cells: Vec<String>,
    pub(super) locks: Vec<String>,
    pub(super) channels: Vec<String>,
}

impl Program {
    /// What each task does, copies written out.
    #[must_use]
    pub fn tasks(&self) -> &[Vec<Op>] {
        &self.tasks
    }

    /// The names of the cells, in the order in which the text first mentions them.
    #[must_use]
    pub fn cells(&self) -> &[String] {
        &self.cells
    }

    /// The names of the locks, in the order in which the text first mentions them.
    #[must_use]
    pub fn locks(&self) -> &[String] {
        &self.locks
    }

    /// The names of the channels, in the order in which the text first mentions them.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.channels
    }
}
