//! The channel's core: polled, without a runtime, generic over the waiter it stores.
//!
//! Not here: obligations and `Cx`, which the asynchronous face adds.

mod raw;

pub use raw::{Rx, Tx, channel};

#[cfg(all(test, not(loom)))]
mod tests;
