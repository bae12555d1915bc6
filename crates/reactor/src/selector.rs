//! The system's queue of events. Two hands with the same five calls: epoll without a detour on Linux, whatever `polling` has
//! elsewhere.
//!
//! On Linux no crate stands between: `polling` would make five system calls of a wait where one will do (it arms a timer, drains
//! and re-arms its own eventfd; measured at 1.7 us against 0.13 us), can't ask for EPOLLRDHUP, without which an end of stream
//! that comes together with data looks like data alone (`slot.end-is-read`), and opens two more descriptors for each worker.
//!
//! Not here: what the keys mean (`driver`).

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Buffer, Selector};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{Buffer, Selector};

/// What a wait found besides events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waited {
    /// Events of sources.
    pub(crate) events: usize,
    /// The bell was rung.
    pub(crate) rung: bool,
}

/// The most events that one wait takes in: 3 kB of stack.
pub(crate) const MOST_EVENTS: usize = 256;
