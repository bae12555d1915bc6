//! Channel without a bound: a send never waits.
//!
//! Nothing is unbounded by accident, so this one has the word in its name. It is for values whose number something else
//! bounds: one for each connection, the replies to requests that are counted. Where nothing does, a sender that is faster
//! than its receiver fills the memory; [`channel`](super::channel) makes it wait instead.
//!
//! ```
//! use asupersync_sync::mpsc;
//! use types::Res;
//!
//! async fn gather(cx: &mut cx::Cx) -> Res<Vec<u32>> {
//!     let (tx, mut rx) = mpsc::unbounded();
//!     tx.send(1).unwrap();
//!     let permit = tx.reserve(cx)?; // never waits; from now on a value is owed
//!     permit.send(2);
//!     let mut all = Vec::new();
//!     rx.recv_many(cx, &mut all, 16).await?;
//!     tx.send(3).unwrap();
//!     let third = rx.recv_ack(cx).await?; // still the first in the channel
//!     all.push(third.ack()); // only now it leaves it
//!     Ok(all) // [1, 2, 3]
//! }
//! ```
//!
//! | file | what |
//! |---|---|
//! | `line` | the core: polled, without a runtime |
//! | `sender` | the sending half, weak senders, and places that are owed |
//! | `receiver` | the receiving half, and its waits |
//! | `ack` | a value that is received when it's acknowledged |
//! | `sink` | the sending half as a `Sink` of `futures-sink`, with feature `futures` |
//!
//! Not here: channels with room for so many (`mpsc`).

pub mod line;

#[cfg(not(loom))]
mod ack;
#[cfg(not(loom))]
mod receiver;
#[cfg(not(loom))]
mod sender;
#[cfg(all(feature = "futures", not(loom)))]
mod sink;

#[cfg(not(loom))]
pub use {
    ack::Ack,
    receiver::Receiver,
    sender::{OwnedPermit, Permit, Sender, WeakSender},
};

#[cfg(all(feature = "futures", not(loom)))]
pub use sink::SenderSink;

/// A channel that holds any number of values. It begins without memory for any, and keeps what it has grown to.
#[cfg(not(loom))]
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = line::channel();
    (Sender::new(tx), Receiver::new(rx))
}
