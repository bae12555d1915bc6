//! The machine's clocks, random numbers and standard error, as ports.
use cx::port::{Clock, Entropy, Report, Reports};
use std::hash::BuildHasher;
// The standard library's hasher keys are the one source of system randomness it has; asked for one seed only.
#[allow(clippy::disallowed_types)]
use std::hash::RandomState;
use std::io::Write;
use std::time::{Instant, SystemTime};
use types::{TaskId, Time, WallTime};

/// The monotonic clock, counted from the runtime's start; and the system's clock on the wall.
#[derive(Debug)]
pub(crate) struct Monotonic(Instant);

impl Monotonic {
    pub(crate) fn start() -> Monotonic {
        Monotonic(Instant::now())
    }
}

impl Clock for Monotonic {
    #[inline]
    fn now(&self) -> Time {
        Time::from_nanos(self.0.elapsed().as_nanos() as u64)
    }

    fn wall(&self) -> Option<WallTime> {
        Some(match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => WallTime::UNIX_EPOCH.saturating_add(since),
            Err(before) => WallTime::UNIX_EPOCH.saturating_sub(before.duration()),
        })
    }
}

/// Random numbers from one seed: each task has a stream of its own.
#[derive(Debug)]
pub(crate) struct Mixed {
    seed: u64,
}

impl Mixed {
    pub(crate) fn new(seed: Option<u64>) -> Mixed {
        #[allow(clippy::disallowed_types)]
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0u64));
        Mixed { seed }
    }
}

impl Entropy for Mixed {
    fn draw(&self, task: TaskId, drawn: u64) -> u64 {
        region::mix(self.seed ^ task.as_u64(), drawn)
    }
}

/// Reports as lines on standard error.
#[derive(Debug)]
pub(crate) struct StandardError;

impl Reports for StandardError {
    fn report(&self, report: Report) {
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(std::io::stderr().lock(), "asupersync: {report}");
    }
}
