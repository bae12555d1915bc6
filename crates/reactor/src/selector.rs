//! The system's queue of events. Two hands with the same five calls: epoll without a detour on Linux, whatever `polling` has
//! elsewhere.
//!
//! `polling` owns the queue on both. On Linux two of its calls are made past it, on the same descriptor:
//! - the wait: `Poller::wait` costs five system calls where one will do (it arms a timer, drains and re-arms its own
//!   eventfd), measured at 1.7 us against 0.13 us;
//! - adding: `polling` can't ask for EPOLLRDHUP, without which an end of stream that comes together with data looks like
//!   data alone, and a short read would have to be followed by one more to find out (`slot.end-is-read`).
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
