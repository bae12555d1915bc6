//! Exclusive access to a value, waited for asynchronously.
//!
//! ```
//! use asupersync_sync::mutex::Mutex;
//! use types::Res;
//!
//! async fn count(cx: &mut cx::Cx, total: &Mutex<u64>) -> Res {
//!     *total.lock(cx).await? += 1;
//!     Ok(())
//! }
//! ```
//!
//! A guard may be held across an `.await`; that is what this lock is for. Where no guard is, `std::sync::Mutex` is
//! faster under contention.
//!
//! | file | what |
//! |---|---|
//! | `lock_word` | the core: one word, two bits, and who comes next |
//! | `raw` | the value, and the guard that reaches it |
//! | `lock` | the wait |
//!
//! Not here: the wait queue; poisoning (see [`Mutex`]).

pub mod lock_word;

#[cfg(not(loom))]
mod lock;
#[cfg(not(loom))]
mod raw;

#[cfg(not(loom))]
pub use {
    lock::Lock,
    raw::{Guard, MappedGuard, Mutex, OwnedGuard, PartGuard},
};
