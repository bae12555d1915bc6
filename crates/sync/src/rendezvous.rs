//! A channel without room: a value goes from hand to hand, and a send is over when the value was taken.
//!
//! ```
//! use asupersync_sync::rendezvous;
//! use types::Res;
//!
//! async fn hand_over(cx: &mut cx::Cx) -> Res {
//!     let (tx, mut rx) = rendezvous::channel();
//!     let mut taker = cx.spawn(async move |cx: &mut cx::Cx| -> Res<u32> { Ok(rx.recv(cx).await?) });
//!     tx.send(cx, 7).await?; // now the other task has it
//!     assert_eq!(taker.join(cx).await.unwrap(), 7);
//!     Ok(())
//! }
//! ```
//!
//! There are no two phases: what would be reserved is the receiver's attention. Instead a send that is cancelled says for
//! certain whether the value was taken: it comes back, or the send is done.
//!
//! | file | what |
//! |---|---|
//! | `table` | the core: what is offered, and who waits |
//! | `hands` | the two halves, and their waits |
//! | `sink` | the sending half as a `Sink` of `futures-sink`, with feature `futures` |
//!
//! Not here: channels that hold values (`mpsc`).

pub mod table;

#[cfg(not(loom))]
mod hands;
#[cfg(all(feature = "futures", not(loom)))]
mod sink;

#[cfg(not(loom))]
pub use hands::{Receiver, Sender, WeakSender};

#[cfg(all(feature = "futures", not(loom)))]
pub use sink::SenderSink;

/// A channel without room.
#[cfg(not(loom))]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    hands::pair()
}
