//! One value, once, from one side to the other.
//!
//! A sender by itself is a chance to answer: dropping it tells the receiver that nothing will come. Where an answer is
//! owed, [`Sender::reserve`] makes the sender an obligation, and a region that settles over it reports where.
//!
//! ```
//! use asupersync_sync::oneshot;
//! use types::Res;
//!
//! async fn ask(cx: &mut cx::Cx) -> Res<u32> {
//!     let (answer, mut answered) = oneshot::channel();
//!     cx.spawn(async |cx: &mut cx::Cx| answer.reserve(cx).send(42).into_result().unwrap_or(()));
//!     Ok(answered.recv(cx).await?)
//! }
//! ```
//!
//! One allocation for both halves and the value, from the memory of task cells if it fits in a kilobyte.
//!
//! Not here: more than one value (`mpsc`), more than one receiver.

pub mod word;

#[cfg(not(loom))]
mod receiver;
#[cfg(not(loom))]
mod sender;

#[cfg(not(loom))]
pub use {
    receiver::{Receiver, Recv},
    sender::{Permit, Sender},
};

/// A new channel for one value.
#[cfg(not(loom))]
#[inline]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = word::channel();
    let value = cx::Object::new(cx::ObjectKind::Queue);
    (Sender::new(tx, value.clone()), Receiver::new(rx, value))
}
