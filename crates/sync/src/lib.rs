//! Synchronisation: one wait queue, and the locks and channels that are built on it.
//!
//! | module | what | its core | waits in |
//! |---|---|---|---|
//! | [`mpsc`] | bounded channel in two phases | [`mpsc::ring`] | wait queue (senders), waiter slot (receiver) |
//! | [`mpsc::unbounded`](mod@mpsc::unbounded) | the same without a bound: sends never wait | [`mpsc::unbounded::line`] | wait queue (receiver) |
//! | [`oneshot`] | one value, once | [`oneshot::word`] | the word |
//! | [`rendezvous`] | from hand to hand: a send is over when the value was taken | [`rendezvous::table`] | wait queue (senders), a place (receiver) |
//! | [`session`] | requests and replies, with a peer that may leave | rendezvous and oneshot | theirs |
//! | [`broadcast`] | every value to every receiver, lag reported | [`broadcast::tape`] | wait queue |
//! | [`watch`](mod@watch) | the latest value | [`watch::latest`] | wait queue |
//! | [`semaphore`] | permits | [`semaphore::permits`] | wait queue |
//! | [`mutex`] | exclusive access to a value | [`mutex::lock_word`] | wait queue |
//! | [`rwlock`] | shared or exclusive access to a value | [`rwlock::share`] | wait queue |
//! | [`barrier`] | so many wait for each other | [`barrier::round`] | wait queue |
//! | [`latch`] | a count that goes down to 0 | [`latch::count`] | wait queue |
//! | [`event`] | a flag that is set by hand | [`event::flag`] | wait queue |
//! | [`once_cell`] | a value that is made once | a mutex and `std::sync::OnceLock` | mutex |
//! | [`notify`] | notifications without a value | [`notify::signal`] | wait queue |
//! | [`pool`] | things that are dear to make, leased and given back | a semaphore and [`shared`] | wait queue |
//! | [`shared`] | a value for looks and changes in one go | `std::sync::Mutex` | never |
//!
//! What is shared by its name alone (`Mutex`, `RwLock`, `Semaphore`, `Notify`, `Barrier`, `Latch`, `Event`, `OnceCell`, `Lazy`,
//! `Pool`, `Shared`) is at the root as well; everything about it, guards and errors too, stands in its module. Channels keep
//! theirs: `mpsc::channel`.
//!
//! ```
//! use asupersync_sync::{Mutex, Notify, Semaphore, mutex};
//! let (mutex, _notify) = (Mutex::new(1), Notify::new());
//! let guard: mutex::Guard<'_, i32> = mutex.try_lock().expect("nobody holds it");
//! assert_eq!((*guard, Semaphore::new(2).available()), (1, 2));
//! ```
//!
//! Every structure has a core that is polled and knows no runtime: it stores a [`Wakes`] and is generic over it. Those
//! cores run under loom as they are, with seeded mistakes that the models must find.
//!
//! The asynchronous faces take a `&Cx` wherever they may wait. They keep, all alike:
//! - `cancel.first`: a cancellation that is effective is returned before anything happens. An item stays in its channel;
//!   a grant (room, permits, a lock handed over, a notification) that was assigned already goes to the next in line.
//! - A future that is dropped at any point has done nothing, in the same sense. It may be polled with changing wakers, so
//!   the combinators of other crates work. With the feature `futures` the waits say when they are over (`FusedFuture`), which
//!   `select!` of the futures crate asks for.
//! - Permits are obligations of the region of the `Cx` they were reserved with (`obligation.owner`): a region that
//!   settles over one reports where it was reserved. Plain operations have no suspension between their two phases, and
//!   need no record.
//! - First come, first served; the exception is a free mutex, which whoever runs may take ([`mutex::lock_word`]).
//! - Nothing is allocated once a structure has seen its crowd, except by wakers of foreign executors and combinators.
//!
//! Forms named `blocking_` are for threads that poll no tasks; inside a task they panic. Every sender has `closed(cx)`, which
//! waits until nobody receives any more, so that work whose results nobody wants can stop. Every receiver has `stream(cx)`:
//! its items are errors where a cancellation was effective, and that is the last one, with nothing taken. Those of mpsc and
//! oneshot are streams themselves, the others become one (`into_stream`).
//!
//! Not here: timers, tasks, anything that reads a clock or starts a thread.

#![cfg_attr(
    feature = "futures",
    allow(
        clippy::implied_bounds_in_impls,
        reason = "a wait is `Future + Fused`, and only with this feature the second says the first"
    )
)]

pub mod barrier;
pub mod broadcast;
mod error;
pub mod event;
mod gone;
#[cfg(not(loom))]
mod items;
pub mod latch;
pub mod mpsc;
pub mod mutex;
pub mod notify;
mod object;
#[cfg(not(loom))]
pub mod once_cell;
pub mod oneshot;
#[cfg(not(loom))]
mod park;
#[cfg(not(loom))]
pub mod pool;
pub mod rendezvous;
pub mod rwlock;
pub mod semaphore;
#[cfg(not(loom))]
mod sent;
#[cfg(not(loom))]
pub mod session;
#[cfg(not(loom))]
pub mod shared;
mod sync;
#[cfg(not(loom))]
mod wait;
mod wait_queue;
mod wakes;
pub mod watch;

#[cfg(not(loom))]
#[doc(no_inline)]
pub use self::{
    barrier::Barrier,
    event::Event,
    latch::Latch,
    mutex::Mutex,
    notify::Notify,
    once_cell::{Lazy, OnceCell},
    pool::Pool,
    rwlock::RwLock,
    semaphore::Semaphore,
    shared::Shared,
};
pub use error::{Closed, TryRecvError, WaitError};
pub use gone::Leaving;
#[cfg(not(loom))]
pub use obligation::AlreadyLeaked;
#[cfg(not(loom))]
pub use sent::Sent;
pub use wait_queue::WaitNode;
pub use wakes::Wakes;
