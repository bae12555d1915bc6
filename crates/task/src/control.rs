//! The control word of a task: what a checkpoint has to know, in one 32-bit load.
//!
//! The low byte is the severity of the most severe cancel request that was told to the task (0: none).
//! The bits above say what else sends a checkpoint to its slow path, and what the cell and its region
//! remember about the task. Written with read-modify-writes, read relaxed: a request also wakes the task,
//! and that wake orders it before the next poll.

/// Mask of the byte that holds the [`types::CancelKind`] told to the task.
pub const TOLD: u32 = 0xFF;
/// A scope inside the task carries a request of its own.
pub const INNER: u32 = 1 << 8;
/// Steps of this task are traced.
pub const TRACE: u32 = 1 << 9;
/// The task is to be dropped between polls instead of polled.
pub const ABANDON: u32 = 1 << 10;
/// The task is a daemon: it ends when only daemons are left.
pub const DAEMON: u32 = 1 << 11;
/// Masks of this task are pierced: its cleanup deadline has passed.
pub const PIERCED: u32 = 1 << 12;
/// The future is gone; what is left is the drain of the task's children, or its outcome.
pub const BODY_GONE: u32 = 1 << 13;
/// The task has seen a request at an unmasked checkpoint.
pub const ACKNOWLEDGED: u32 = 1 << 14;
/// The task runs finalizers: nothing but its own bound may pierce its mask.
pub const JANITOR: u32 = 1 << 15;
/// Severity of the outcome, two bits, valid once the join slot says done.
pub const SEVERITY_SHIFT: u32 = 16;
/// Mask of the severity bits.
pub const SEVERITY: u32 = 0b11 << SEVERITY_SHIFT;
/// The outcome was handed to nobody and must reach the region.
pub const UNCLAIMED: u32 = 1 << 19;
/// The body ended in a failure that was already told to its region's policy.
pub const FAILURE: u32 = 1 << 20;
/// The task polls inside an operation that was given a foreign waker: a request wakes that one too.
pub const FOREIGN: u32 = 1 << 21;

/// Only the engine's home thread may poll and drop the task.
pub const PINNED: u32 = 1 << 22;

/// The task is the body of its engine's root region: no member, no identity of its own.
pub const ROOT: u32 = 1 << 23;

/// A shutdown gave the task up: it is no member of its region any more.
pub const WRITTEN_OFF: u32 = 1 << 24;

/// The task's region abandons what is still there at the cleanup deadline.
pub const ABANDONABLE: u32 = 1 << 25;

/// A traced task's waker was cloned, by code that is not the runtime's (our own operations keep a `Waiter`):
/// what wakes it is no longer known from its waits. Stays set.
pub const SHARED: u32 = 1 << 26;
/// The task is polled for no reason, by an engine that looks for lost wakes: who counts polls leaves this one out.
pub const NUDGED: u32 = 1 << 28;
/// The end of this traced task is about to be told: a request that comes now reaches nobody.
pub const OVER: u32 = 1 << 29;
/// The task was polled before: an engine that counts polls says so.
pub const BEGUN: u32 = 1 << 30;

/// What sends a checkpoint to its slow path.
pub const ATTENTION: u32 = TOLD | INNER;
