//! The readiness slot of one source: what is known to be ready, and who waits for the rest.
//!
//! ```text
//! word = write tick:12 | read tick:12 | WRITER END CLOSED ERROR HANGUP | WRITE READ
//!
//! the poll loop: event      set bits, move ticks (one CAS); take the waiters; wake them
//! a task:        ready      is my direction's bit set? (with the tick: what I have Seen)
//!                ...        try the system call
//!                clear      "would block": drop the bit, unless the tick moved since (a newer event)
//!                drained    gave less than was asked for: the same, unless an end is still to be read
//!                wait       store the waiter, look again (a writer: and say in the word that there is one)
//! ```
//!
//! Events are edge triggered: an event that is erased by mistake never comes again. The tick prevents that: between
//! the failed system call and `clear` the kernel may have reported new readiness. Twelve bits: 4095 events between
//! two neighbouring operations of one task would have to pass to deceive it.
//!
//! Invariants:
//! - `slot.no-lost-wake`: an event either finds the waiter and wakes it, or the waiter's second look sees the event.
//! - `slot.no-erased-event`: `clear` drops only readiness that was seen before the system call that disproved it.
//! - `slot.no-busy-error`: an error or hang-up makes both directions ready once. It is remembered, but doesn't keep a
//!   direction ready: sockets report hang-up before they connect, and errors go away when they are read.
//! - `slot.end-is-read`: data and the end of the stream may come in one event, which gives one edge. After an end (or
//!   hang-up, or error) was reported, a short read therefore doesn't drop readiness: the next one reads the end.
//! - `slot.closed`: after `close` both directions stay ready, so that nobody waits for a source that is gone.
//! - `slot.one-waiter`: each direction has one waiter; a later one replaces it. Faces give out one `&mut` per
//!   direction. The replaced one is not woken: a task that polls twice would wake itself for ever.
//!
//! Almost every event of a connection says that it can be written to, and hardly ever does a writer wait for that. So the
//! word says whether one does (`WRITER`), and the poll loop takes a writer out only then. A reader waits before most events:
//! saying so would cost what it saves.
//!
//! Not here: registration, system calls, cancellation.

mod raw;

use core::task::Poll;

pub use raw::Wakes;

use crate::sync::{AcqRel, Acquire, AtomicU32, Relaxed, Release};
use raw::Place;

/// Bits of an event, as the poll loop reports them.
pub mod event {
    /// Reading may give something: data, end of stream, a connection to accept.
    pub const READ: u32 = 1;
    /// Writing may take something, or a connection attempt has ended.
    pub const WRITE: u32 = 2;
    /// Both sides are shut, or the source isn't connected (yet).
    pub const HANGUP: u32 = 4;
    /// The source has an error to report.
    pub const ERROR: u32 = 8;
    /// The peer writes no more: behind the data that are there, the end can be read.
    pub const END: u32 = 32;
    /// All of them.
    pub(super) const ALL: u32 = READ | WRITE | HANGUP | ERROR | END;
}

const CLOSED: u32 = 16;
/// A writer's waiter was stored, and no event for it has come since.
const WRITER: u32 = 64;
const FLAGS: u32 = 0xff;
const TICK_BITS: u32 = 12;
const TICK_MASK: u32 = (1 << TICK_BITS) - 1;
const READ_TICK: u32 = 8;
const WRITE_TICK: u32 = READ_TICK + TICK_BITS;

/// What a task waits to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Read, accept, receive.
    Read,
    /// Write, send, finish connecting.
    Write,
}

impl Direction {
    const fn bit(self) -> u32 {
        match self {
            Self::Read => event::READ,
            Self::Write => event::WRITE,
        }
    }

    const fn tick(self, word: u32) -> u32 {
        word >> self.tick_shift() & TICK_MASK
    }

    const fn tick_shift(self) -> u32 {
        match self {
            Self::Read => READ_TICK,
            Self::Write => WRITE_TICK,
        }
    }

    /// The word with this direction's bit set and its tick moved, without disturbing the other's.
    const fn readied(self, word: u32) -> u32 {
        let tick = (self.tick(word) + 1) & TICK_MASK;
        word & !(TICK_MASK << self.tick_shift()) | tick << self.tick_shift() | self.bit()
    }
}

/// Proof of having looked before trying: which readiness a system call may disprove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "give it to `clear` when the system call would block"]
pub struct Seen {
    direction: Direction,
    tick: u32,
}

/// A source's readiness and its waiters, one per direction. 24 bytes.
pub struct Slot<W: Wakes> {
    word: AtomicU32,
    read: Place<W>,
    write: Place<W>,
}

impl<W: Wakes> Slot<W> {
    /// Nothing known to be ready: the first edge will say so.
    pub fn new() -> Self {
        Self { word: AtomicU32::new(0), read: Place::new(), write: Place::new() }
    }

    /// The poll loop's report: some of [`event`]'s bits. Wakes whom it concerns; others' waiters stay.
    pub fn event(&self, bits: u32) {
        self.report(bits & event::ALL);
    }

    /// The source is going away: both directions are ready from now on, and whoever waits is woken to see it.
    pub fn close(&self) {
        self.report(event::READ | event::WRITE | CLOSED);
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.word.load(Acquire) & CLOSED != 0
    }

    /// Whether a hang-up was ever reported.
    pub fn is_hung_up(&self) -> bool {
        self.word.load(Acquire) & event::HANGUP != 0
    }

    /// Whether an error was ever reported. It's the system call that says which.
    pub fn has_error(&self) -> bool {
        self.word.load(Acquire) & event::ERROR != 0
    }

    /// Whether a direction is worth a system call. One load.
    pub fn ready(&self, direction: Direction) -> Option<Seen> {
        ready(self.word.load(Acquire), direction)
    }

    /// What [`ready`](Self::ready) would have seen, for a call that is tried without being asked for (writes are: a
    /// socket's buffer mostly has room).
    pub fn assume_ready(&self, direction: Direction) -> Seen {
        Seen { direction, tick: direction.tick(self.word.load(Acquire)) }
    }

    /// The system call would have blocked: drops the readiness it disproves. Newer readiness stays.
    pub fn clear(&self, seen: Seen) {
        let mut word = self.word.load(Acquire);
        while word & seen.direction.bit() != 0
            && (seen.direction.tick(word) == seen.tick || types::seeded!("slot.clear-ignores-tick"))
        {
            match self.word.compare_exchange_weak(word, word & !seen.direction.bit(), AcqRel, Acquire) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// The system call moved fewer bytes than it was given room for, so a stream has nothing left for this direction:
    /// drops the readiness, which saves the call that would block. Readiness stays where an end, a hang-up or an error
    /// was reported, since that is what the next call will find.
    pub fn drained(&self, seen: Seen) {
        let more = match seen.direction {
            Direction::Read => event::END | event::HANGUP | event::ERROR,
            Direction::Write => event::HANGUP | event::ERROR,
        };
        // An end that comes after this load moves the tick, and `clear` leaves its readiness alone.
        if self.word.load(Acquire) & more == 0 || types::seeded!("slot.drained-ignores-end") {
            self.clear(seen);
        }
    }

    /// Begins anew for another source, with some of [`event`]'s bits assumed, and without waiters. An event of the
    /// source before that is still on its way may make this one look ready: a system call will disprove it.
    pub fn reset(&self, assumed: u32) {
        self.forget_waiter(Direction::Read);
        self.forget_waiter(Direction::Write);
        self.word.store(assumed & event::ALL, Release);
    }

    /// Waits for a direction to be ready: the proof to try with, or the waiter is in place.
    pub fn poll_ready(&self, direction: Direction, make: impl FnOnce() -> W) -> Poll<Seen> {
        if let Some(seen) = self.ready(direction) {
            return Poll::Ready(seen);
        }
        // Register before the second look: an event between the two would otherwise be lost. Both sides' accesses to
        // the place are read-modify-writes, so either the event takes this waiter or this look sees the event.
        drop(self.place(direction).put(make()));
        let word = match direction {
            Direction::Read => self.word.load(Acquire),
            // Either the event comes after this and finds the bit, or this finds the event.
            Direction::Write if !types::seeded!("slot.writer-unannounced") => {
                self.word.fetch_or(WRITER, AcqRel)
            }
            Direction::Write => self.word.load(Acquire),
        };
        if types::seeded!("slot.no-second-look") {
            return Poll::Pending;
        }
        match ready(word, direction) {
            Some(seen) => {
                self.forget_waiter(direction);
                Poll::Ready(seen)
            }
            None => Poll::Pending,
        }
    }

    /// Takes a direction's waiter back: its task waits no more.
    pub fn forget_waiter(&self, direction: Direction) {
        drop(self.place(direction).take());
    }

    fn report(&self, bits: u32) {
        let both = bits & (event::HANGUP | event::ERROR) != 0;
        let ends = bits & event::END != 0;
        let concerns = |direction: Direction| {
            both || bits & direction.bit() != 0 || ends && direction == Direction::Read
        };
        let next = |word: u32| {
            let mut word = word | bits & FLAGS;
            if concerns(Direction::Read) {
                word = Direction::Read.readied(word);
            }
            if concerns(Direction::Write) {
                word = Direction::Write.readied(word) & !WRITER;
            }
            word
        };
        let wake = |before: u32| {
            if concerns(Direction::Read) {
                wake(&self.read);
            }
            if concerns(Direction::Write) && before & WRITER != 0 {
                wake(&self.write);
            }
        };
        let mut word = self.word.load(Relaxed);
        if types::seeded!("slot.wake-before-event") {
            wake(word);
        }
        while let Err(now) = self.word.compare_exchange_weak(word, next(word), AcqRel, Relaxed) {
            word = now;
        }
        if !types::seeded!("slot.wake-before-event") {
            wake(word);
        }
    }

    fn place(&self, direction: Direction) -> &Place<W> {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }
}

/// Whether this word has a direction ready.
fn ready(word: u32, direction: Direction) -> Option<Seen> {
    (word & (direction.bit() | CLOSED) != 0).then(|| Seen { direction, tick: direction.tick(word) })
}

fn wake<W: Wakes>(place: &Place<W>) {
    if let Some(waiter) = place.take() {
        waiter.wake();
    }
}

impl<W: Wakes> Default for Slot<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wakes> core::fmt::Debug for Slot<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let word = self.word.load(Relaxed);
        f.debug_struct("Slot")
            .field("read", &(word & event::READ != 0))
            .field("write", &(word & event::WRITE != 0))
            .field("closed", &(word & CLOSED != 0))
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
