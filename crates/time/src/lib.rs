//! Timers: everything that turns a deadline into a wake-up.
//!
//! The base is [`wheel`], a pure data structure: it is told the time and answers which deadlines
//! have passed. It reads no clock, wakes no task and takes no lock, so the same code serves a
//! worker thread on the monotonic clock and the lab on its virtual one, and a test needs nothing
//! but numbers.
//!
//! Not here: where the time comes from (the clock port of the runtime or the lab) and the parking
//! that waits for [`Wheel::next_expiry`].

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod wheel;

pub use wheel::{Advanced, Key, Wheel};
