//! Timers: everything that turns a deadline into a wake-up.
//!
//! | file | what lives there |
//! |---|---|
//! | `wheel` | a pure data structure: told the time, it answers which deadlines have passed |
//! | `ext` | [`TimeExt`]: `cx.sleep`, `cx.sleep_until`, `cx.interval`, `cx.schedule` |
//! | `sleep` | [`Sleep`], the future behind them |
//! | `interval` | [`Interval`], and what happens to ticks that nobody took in time |
//! | `cron` | [`Cron`]: cron expressions; pure |
//! | `schedule` | [`Schedule`]: which instant of a wall clock is next; pure |
//! | `occurrences` | [`Occurrences`]: waiting for it, whatever the wall clock does |
//!
//! The wheel reads no clock, wakes no task and takes no lock, so the same code serves a worker thread on the
//! monotonic clock and the lab on its virtual one, and a test needs nothing but numbers. The futures reach
//! their wheel through the `Cx`: swapping the `Cx` swaps the clock.
//!
//! Not here: where the time comes from (the clock port of the runtime or the lab), the parking that waits
//! for [`Wheel::next_expiry`], and timeouts (`combinator`).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cron;
mod ext;
mod interval;
mod occurrences;
mod schedule;
mod sleep;
pub mod wheel;

pub use cron::{Cron, CronError, Field};
pub use ext::TimeExt;
pub use interval::{Interval, MissedTicks, Ticks};
pub use occurrences::{MissedOccurrences, NoWallClock, Occurrences};
pub use schedule::{Schedule, UtcOffset};
pub use sleep::Sleep;
pub use wheel::{Advanced, Key, Wheel};
