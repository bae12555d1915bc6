//! One value that changes, for many who want to know the latest: what was between is not seen.
//!
//! ```
//! use asupersync_sync::watch;
//! use types::Res;
//!
//! async fn until_level(cx: &mut cx::Cx, level: &mut watch::Receiver<u32>) -> Res<u32> {
//!     Ok(*level.wait_for(cx, |level| *level >= 3).await?)
//! }
//! let (tx, mut rx) = watch::channel(1);
//! tx.send(2);
//! assert!(rx.has_changed());
//! assert_eq!(*rx.borrow_and_update(), 2);
//! ```
//!
//! A look gives a share of the value (`Arc<T>`) and holds no lock, so it may be kept across an await, and a sender never
//! waits for who looks.
//!
//! | file | what |
//! |---|---|
//! | `latest` | the core: the value and its version |
//! | `sender` | who changes it |
//! | `receiver` | who waits for changes |
//!
//! Not here: every value in turn (`broadcast`), two phases: a value that is replaced was not lost.

pub mod latest;

#[cfg(not(loom))]
mod receiver;
#[cfg(not(loom))]
mod sender;

#[cfg(not(loom))]
pub use {
    receiver::Receiver,
    sender::{Sender, WeakSender},
};

/// A value to be watched. The receiver has seen it.
#[cfg(not(loom))]
#[track_caller]
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let core = std::sync::Arc::new(latest::Latest::new(value));
    let object = cx::Object::new(cx::ObjectKind::Value);
    let seen = core.look().1;
    (Sender::new(core.clone(), object.clone()), Receiver::new(core, object, seen))
}
