//! What one step does to the things that tasks share, for worlds that explore schedules: an object's name, what
//! kind of object it is, and the operations on it.
//!
//! Two steps of different tasks can be swapped without a difference unless they touch one object in ways that
//! don't commute. Which ways those are is not said here (`explore`, the relation), nor who records them (`cx`,
//! objects).
use core::fmt;

/// Name of a shared object, the same in every run of a program: made of the task that created it and of how many
/// it had created before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct ObjectId(pub u64);

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object#{:x}", self.0)
    }
}

/// What an object is, which decides how operations on it commute.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ObjectKind {
    /// A value that is read and written; also whatever has no better description, every change being a write.
    Value,
    /// Held by one at a time.
    Lock,
    /// Held by many who share it, or by one who excludes the others; who excludes takes all `total` permits.
    SharedLock {
        /// What an exclusive holder takes.
        total: u32,
    },
    /// So many anonymous permits: a semaphore.
    Permits {
        /// How many there are when nobody holds one.
        total: u32,
    },
    /// The room of a bounded channel: as [`ObjectKind::Permits`], given back in the order in which it was taken.
    Slots {
        /// The channel's capacity.
        total: u32,
    },
    /// Messages, first in, first out.
    Queue,
    /// Something that happens: the end of a task, the close of a region.
    Moment,
}

/// One operation on an object.
///
/// What takes permits takes `u32` of them; 1 of a lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Value: looked at; also a compare-exchange that failed.
    Read,
    /// Value: changed; also a successful read-modify-write.
    Write,
    /// Value: as [`Access::Write`], of a value that has compare-exchanges: what it is now, as a number (itself, or a
    /// hash). The value it began with is 0.
    Set(u32),
    /// Value, only as an announcement: a compare-exchange that succeeds if the value has this number. It turns out to be
    /// a [`Access::Set`], or a [`Access::Read`] if it fails.
    Exchange(u32),
    /// Lock, permits, slots: taken by an operation that waits until they are there.
    Acquire(u32),
    /// Taken by an operation that would have been refused otherwise (`try_lock`).
    TryAcquire(u32),
    /// Refused: not enough were there. A look, and nothing changed.
    Refused(u32),
    /// Given back.
    Release(u32),
    /// Queue: a message was put in.
    Send,
    /// Queue: a message was taken by an operation that waits for one.
    Receive,
    /// Queue: a message was taken by an operation that would have found nothing otherwise (`try_recv`).
    TryReceive,
    /// Queue: nothing was there. A look, and nothing changed.
    Empty,
    /// Queue or permits: no more will come, waiters are told; the last sender went, or the receiver did.
    Close,
    /// Queue: a receive that waited, or would have, and found it closed and empty. An attempt that finds that is a
    /// [`Access::Read`]: it could have come before the close.
    Ended,
    /// Moment: it happens.
    Happen,
    /// Moment: somebody waited for it, and goes on because it happened.
    Observe,
}

impl Access {
    /// The word for it in reports: "takes", "looks at".
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Access::Read => "reads",
            Access::Write | Access::Set(_) => "writes",
            Access::Exchange(_) => "compares and exchanges",
            Access::Acquire(_) | Access::TryAcquire(_) => "takes",
            Access::Refused(_) => "is refused by",
            Access::Release(_) => "gives back",
            Access::Send => "sends into",
            Access::Receive | Access::TryReceive => "receives from",
            Access::Empty => "finds nothing in",
            Access::Close => "closes",
            Access::Ended => "finds the end of",
            Access::Happen => "completes",
            Access::Observe => "goes on after",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}
