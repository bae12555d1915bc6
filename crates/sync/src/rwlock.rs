//! Many who look at a value, or one who changes it; and one who looks and may go on to change it.
//!
//! | guard | beside it | becomes |
//! |---|---|---|
//! | [`ReadGuard`] | readers, one upgradable | |
//! | [`UpgradableGuard`] | readers | a writer ([`upgrade`](UpgradableGuard::upgrade)), a reader |
//! | [`WriteGuard`] | nobody | a reader ([`downgrade`](WriteGuard::downgrade)) |
//!
//! Fairness: first come, first served, without exception but one. Who comes while somebody waits, waits behind it, so
//! neither readers nor writers starve; readers next to each other in the line go together. The exception is an upgrade,
//! which goes before the line, as nobody in it could go before it's done. So a task that holds a read guard must not ask
//! for another one: with a writer between the two it waits for itself.
//!
//! In the lab, circles of holders and waiters are reported before the clock moves, and a guard that is left in a future
//! that nobody polls, or was forgotten, is told with the line that took it and the line that waits for it.
//!
//! ```
//! use asupersync_sync::rwlock::RwLock;
//! use types::Res;
//!
//! async fn raise(cx: &mut cx::Cx, level: &RwLock<u32>) -> Res<u32> {
//!     let seen = level.upgradable(cx).await?;
//!     if *seen > 9 {
//!         return Ok(*seen);
//!     }
//!     let mut level = seen.upgrade(cx).await?; // nobody has changed it since it was seen
//!     *level += 1;
//!     Ok(*level)
//! }
//! ```
//!
//! Every guard also comes with a share of the lock (`H` is `Arc<RwLock<T>>`) and may then go to another task. Guards of readers and writers can be [mapped](ReadGuard::map) to a part of the value. There is no poisoning, as
//! with [`mutex`](crate::mutex).
//!
//! | file | what |
//! |---|---|
//! | `share` | the core: who holds what, and who comes next |
//! | `raw` | the value, and the guards that reach it |
//! | `wait` | the waits |
//!
//! Not here: the wait queue.

pub mod share;

#[cfg(not(loom))]
mod raw;
#[cfg(not(loom))]
mod wait;

#[cfg(not(loom))]
pub use raw::{MappedWriteGuard, ReadGuard, RwLock, UpgradableGuard, WriteGuard};
