//! Synchronisation: one wait queue, and the locks and channels that are built on it.
//!
//! Every structure has a core that is polled and knows no runtime: it stores a [`Wakes`] and is generic over it. Those
//! cores run under loom as they are, with seeded mistakes that the models must find. The asynchronous faces, which take
//! a `&Cx` and pass cancellation and obligations on, are built on the cores.
//!
//! | module | core | waits in |
//! |---|---|---|
//! | [`mpsc`] | two-phase bounded ring | wait queue (senders), waiter slot (receiver) |
//! | [`oneshot`] | one word, one allocation | the word |
//! | [`semaphore`] | permits in a word | wait queue |
//! | [`mutex`] | lock word | wait queue |
//! | [`notify`] | one stored permit | wait queue |
//!
//! Not here: timers, tasks, anything that reads a clock or starts a thread.

mod closed;
pub mod mpsc;
pub mod mutex;
pub mod notify;
pub mod oneshot;
pub mod semaphore;
mod sync;
mod wait_queue;
mod wakes;

pub use closed::Closed;
pub use wait_queue::WaitNode;
pub use wakes::Wakes;
