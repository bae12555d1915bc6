//! [`Driver`]: one worker's queue of readiness events.
//!
//! ```text
//! the worker            turn(until the next timer)     waits, reports events to their slots, which wake tasks
//! anybody, any time     unpark                         ends that wait, or the next one
//! an idle neighbour     try_turn                       reports a busy worker's events, if nobody is waiting there
//! ```
//!
//! Invariants:
//! - `driver.one-turner`: one thread at a time is in the system's wait; `turn` queues for it, `try_turn` doesn't.
//! - `driver.sticky`: after `unpark` either a wait that was going on or the next one ends at once, and whoever turned
//!   sees what the caller of `unpark` did before.
//! - `driver.coalesced`: unparks that nobody has answered yet cost one system call between them.
//! - `driver.no-lock-held`: no lock that a source takes is held while tasks are woken, since a wake may drop sources.
//!
//! Not here: when to turn, and for how long (`runtime`); which driver a source goes to (`group`).

use crate::entries::{Entries, Key};
use crate::selector::{Buffer, Selector};
use crate::slot::Slot;
use cx::Waiter;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::Duration;

/// One worker's queue of readiness events. Any thread may use it; see the module's picture for who does.
pub struct Driver {
    selector: Selector,
    entries: Entries,
    /// Somebody rang and nobody has answered.
    rung: AtomicBool,
    turning: Mutex<Buffer>,
}

impl Driver {
    /// A driver without sources. Opens two file descriptors on Linux: the epoll and an eventfd.
    ///
    /// # Errors
    /// What the system said: too many open files, or a Linux before 5.11.
    pub fn new() -> io::Result<Driver> {
        Ok(Driver {
            selector: Selector::new()?,
            entries: Entries::new(),
            rung: AtomicBool::new(false),
            turning: Mutex::new(Buffer::new()),
        })
    }

    /// Waits for events and wakes the tasks they are for: until there is one, until [`unpark`](Self::unpark), or for
    /// `timeout` (`None`: for ever; zero: takes what is there). Returns how many events it took, at most `max_events`
    /// and at most 256. May return 0 early, when a signal handler ran. One system call, about 130 ns when nothing is
    /// there.
    ///
    /// If another thread is turning, waits for it to come back first.
    ///
    /// # Errors
    /// None that a working system gives; a caller can only report it and give up.
    pub fn turn(&self, timeout: Option<Duration>, max_events: usize) -> io::Result<usize> {
        let mut buffer = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        self.turn_with(&mut buffer, timeout, max_events)
    }

    /// Takes the events that are there, without waiting, unless another thread is turning this driver: then `None`, and
    /// that thread sees to them.
    pub fn try_turn(&self, max_events: usize) -> Option<io::Result<usize>> {
        let mut buffer = match self.turning.try_lock() {
            Ok(buffer) => buffer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(self.turn_with(&mut buffer, Some(Duration::ZERO), max_events))
    }

    fn turn_with(
        &self,
        buffer: &mut Buffer,
        timeout: Option<Duration>,
        max_events: usize,
    ) -> io::Result<usize> {
        let report = |key, bits| {
            if let Some(slot) = self.entries.find(Key::from_word(key)) {
                slot.event(bits);
            }
        };
        let waited = self.selector.wait(buffer, timeout, max_events, report)?;
        if waited.rung {
            // A swap and not a store: it reads the flag of whoever found it set and therefore didn't ring, so what
            // that thread did before is seen after this turn (`driver.sticky`).
            self.rung.swap(false, AcqRel);
        }
        Ok(waited.events)
    }

    /// Ends the wait that is going on, or the next one. From any thread; one atomic operation when the last call has
    /// not been answered yet, else one system call more (0.3 us).
    pub fn unpark(&self) {
        if !self.rung.swap(true, AcqRel) {
            self.selector.ring();
        }
    }

    /// How many sources are registered. While it is 0 a turn with timeout zero finds nothing and can be left out. One
    /// relaxed load.
    pub fn sources(&self) -> usize {
        self.entries.live()
    }

    /// Where to add and delete sources.
    pub(crate) fn selector(&self) -> &Selector {
        &self.selector
    }

    /// A key for a source that is about to be added to the [`selector`](Self::selector), assumed to be ready as
    /// `assumed` says.
    pub(crate) fn admit(&self, assumed: u32) -> io::Result<Key> {
        self.entries.insert(assumed).ok_or_else(|| io::Error::other("too many sources on one worker"))
    }

    /// The source is no longer in the [`selector`](Self::selector).
    pub(crate) fn release(&self, key: Key) {
        self.entries.remove(key);
    }

    /// The slot of a source that is registered here.
    pub(crate) fn slot(&self, key: Key) -> &Slot<Waiter> {
        self.entries.slot(key)
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("sources", &self.sources()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
