//! Mutual exclusion that waits asynchronously.
//!
//! Not here: the wait queue. The guarded value and its guard belong to the asynchronous face.

mod lock_word;

pub use lock_word::{Lock, LockWord, PATIENCE};
