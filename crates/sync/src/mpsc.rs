//! Bounded channel, many senders, one receiver, in two phases: reserve room, then send.
//!
//! ```text
//! sender      send(cx, value)                waits for room and sends
//!             reserve(cx) ──▶ Permit ──send(value)──▶ Sent       may wait │ can't wait, fail or be cancelled
//!                                 └──abort, drop──▶ room for the next
//! receiver    recv(cx)                       waits for a value and takes it
//!             recv_ack(cx) ──▶ Ack ──ack──▶ the value is yours
//!                                └──nack, drop──▶ it's still the first in the channel
//! ```
//!
//! ```
//! use asupersync_sync::mpsc::{Receiver, Sender};
//! use types::Res;
//!
//! async fn produce(cx: &mut cx::Cx, jobs: &Sender<String>) -> Res {
//!     let permit = jobs.reserve(cx).await?; // may wait, may be cancelled, nothing happened yet
//!     permit.send("expensive".into()); // happens now
//!     Ok(())
//! }
//!
//! async fn consume(cx: &mut cx::Cx, jobs: &mut Receiver<String>) -> Res {
//!     loop {
//!         let job = jobs.recv_ack(cx).await?;
//!         if job.len() > 3 {
//!             job.ack(); // only now it leaves the channel
//!         }
//!     }
//! }
//! ```
//!
//! Invariants of the face, on top of the [`ring`]'s:
//! - `obligation.no-loss`: a value is the sender's, or in the channel, or the receiver's; what was not taken comes back
//!   to the sender in the error or in [`Sent`](crate::Sent).
//! - Capacity is given back exactly once: by the permit, also by one whose region has reported it as leaked. Room whose
//!   permit was forgotten (`mem::forget`) stays taken; the region's report names it.
//!
//! | file | what |
//! |---|---|
//! | `ring` | the core: polled, without a runtime |
//! | `sender` | the sending half, and its two waits |
//! | `permit` | room for one value, as an obligation |
//! | `receiver` | the receiving half, and its wait |
//! | `ack` | a value that is received when it's acknowledged |
//! | `many` | several places or values at once, weak senders, threads outside, streams |
//! | `sink` | the sending half as a `Sink` of `futures-sink`, with feature `futures` |
//! | `unbounded` | the channel whose senders never wait |
//!
//! Not here: channels with many receivers (`broadcast`, `watch`).

pub mod ring;
pub mod unbounded;

#[cfg(not(loom))]
mod ack;
#[cfg(not(loom))]
mod many;
#[cfg(not(loom))]
mod permit;
#[cfg(not(loom))]
mod receiver;
#[cfg(not(loom))]
mod sender;
#[cfg(all(feature = "futures", not(loom)))]
mod sink;

#[cfg(not(loom))]
pub use {
    ack::{Ack, RecvAck},
    many::{Permits, WeakSender},
    permit::{OwnedPermit, Permit},
    receiver::{Receiver, Recv},
    sender::{Delivery, Reserve, SendError, Sender},
};

#[cfg(all(feature = "futures", not(loom)))]
pub use sink::SenderSink;

#[cfg(not(loom))]
pub use unbounded::unbounded;

pub use ring::{MAX_CAPACITY, TryReserveError, TrySendError};

/// A channel that holds at most `capacity` values and outstanding permits together.
///
/// The memory is allocated at once: a power of two of slots (each a value and four bytes), at least `capacity`.
///
/// # Panics
/// If `capacity` is 0 or more than [`MAX_CAPACITY`]. A channel without capacity is a rendezvous, which can't be split
/// into two phases.
#[cfg(not(loom))]
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    // A capacity too large for the type is too large for the ring, which refuses it.
    let (tx, rx) = ring::channel(u32::try_from(capacity).unwrap_or(u32::MAX));
    (Sender::new(tx), Receiver::new(rx))
}
