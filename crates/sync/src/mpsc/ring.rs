//! The channel's core: polled, without a runtime, generic over the waiter it stores.
//!
//! | file | what |
//! |---|---|
//! | `raw.rs` | slots, the transfer of values, the receiving half |
//! | `credits.rs` | capacity: who may send, who waits for room |
//! | `tx.rs` | the sending half and its permit |
//!
//! Not here: obligations and `Cx`, which the asynchronous face adds.

mod credits;
mod raw;
mod tx;

pub use credits::{MAX_CAPACITY, TryReserveError};
pub use raw::{Head, Rx};
pub use tx::{OwnedPermit, Permit, Reserve, TrySendError, Tx, WeakTx};

/// A channel that holds at most `capacity` values and outstanding credits together.
///
/// The ring is allocated at once, with the next power of two of slots (each a value and four bytes).
///
/// # Panics
/// If `capacity` is 0 or more than [`MAX_CAPACITY`].
#[track_caller]
pub fn channel<T, W: crate::Wakes>(capacity: u32) -> (Tx<T, W>, Rx<T, W>) {
    let ring = crate::sync::Arc::new(raw::Ring::new(capacity));
    (Tx::new(ring.clone()), Rx::new(ring))
}

#[cfg(all(test, not(loom)))]
mod tests;
