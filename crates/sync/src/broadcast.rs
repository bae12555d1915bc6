//! Every value to every receiver, through a ring that keeps the newest: who is too slow is told how many it has lost.
//!
//! ```text
//! sender      send(value)                    puts it at the tail, over the oldest if the ring is full; never waits
//!             reserve(cx) ──▶ Permit ──send(value)──▶ Sent            a value that is owed, as an obligation
//! receiver    recv(cx)                       the next value, or Lagged(n): n values are gone, the oldest kept is next
//! ```
//!
//! ```
//! use asupersync_sync::broadcast::{self, RecvError, TryRecvError};
//!
//! let (tx, mut slow) = broadcast::channel(2);
//! for value in 1..=3 {
//!     tx.send(value).unwrap();
//! }
//! assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(1)));
//! assert_eq!((slow.try_recv(), slow.try_recv()), (Ok(2), Ok(3)));
//! ```
//!
//! A value stays in the ring until it's overwritten, also if everybody has received it. It's dropped when no value of its page (32, or as many
//! as the ring keeps) can be received any more and no receiver stands in that page, by whoever is the last to leave it.
//! Receiving takes no lock but once a page.
//!
//! | file | what |
//! |---|---|
//! | `tape` | the core: the newest values, numbered |
//! | `sender` | the sending half, and a value that is owed |
//! | `receiver` | the receiving half, its wait and its errors |
//!
//! Not here: senders that wait for slow receivers (an `mpsc` for each).

pub mod tape;

#[cfg(not(loom))]
mod receiver;
#[cfg(not(loom))]
mod sender;

#[cfg(not(loom))]
pub use {
    receiver::{Receiver, RecvError, TryRecvError},
    sender::{Permit, Sender, WeakSender},
    tape::Missed,
};

/// A channel that keeps the `capacity` newest values. The receiver gets everything that is sent from now on.
///
/// # Panics
/// If `capacity` is 0.
#[cfg(not(loom))]
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let core = std::sync::Arc::new(tape::Tape::new(capacity));
    let object = cx::Object::new(cx::ObjectKind::Value);
    (Sender::new(core.clone(), object.clone()), Receiver::new(core, object, tape::Cursor::new(0)))
}
