//! Readiness from the operating system, and what is built on it: the production worlds of the net and signal ports.
//!
//! | module | what lives there |
//! |---|---|
//! | [`slot`] | what is known to be ready on one source, and who waits for the rest; checked under loom |
//! | `entries` | the slots of one driver, found by index and generation |
//! | `raw` | what system calls return: a descriptor, or a failure |
//! | `selector` | the system's queue of events: epoll, elsewhere what `polling` knows |
//! | [`driver`] | one worker's queue: turned by the worker, rung by the others |
//! | `group` | all drivers of a runtime, and which one is this thread's |
//! | `source` | a socket that registers itself when it first has to wait |
//! | `sockets` | [`SystemNet`]: TCP for the net port |
//! | `signals` | [`SystemSignals`]: signals for their port |
//!
//! Not here: threads and parking (`runtime`), what users call (`net`), timers.

#[cfg(not(loom))]
pub mod driver;
#[cfg(not(loom))]
mod entries;
#[cfg(not(loom))]
mod failure;
#[cfg(not(loom))]
mod group;
#[cfg(not(loom))]
mod raw;
#[cfg(not(loom))]
mod selector;
#[cfg(not(loom))]
mod signals;
pub mod slot;
#[cfg(not(loom))]
mod sockets;
#[cfg(not(loom))]
mod source;
mod sync;

#[cfg(not(loom))]
pub use driver::Driver;
#[cfg(not(loom))]
pub use group::{Entered, Reactor, precise_timers};
#[cfg(not(loom))]
pub use signals::SystemSignals;
pub use slot::{Direction, Seen, Slot, Wakes, event};
#[cfg(not(loom))]
pub use sockets::SystemNet;
