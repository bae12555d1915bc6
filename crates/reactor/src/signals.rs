//! [`SystemSignals`]: signals of the operating system, for their port.
//!
//! ```text
//! signal handler:  count += 1; write one byte     (atomics and one system call: all that a handler may do)
//! a driver's turn: the byte makes the pipe ready ─▶ Bell::wake ─▶ empty the pipe, wake who waits
//! a task:          store the waiter, then read the count
//! ```
//!
//! Invariants:
//! - `signals.counted`: a count only grows, by one for each delivery; a task compares it with what it saw before, so
//!   signals between two looks are not lost (the system itself may merge two of a kind that are pending).
//! - `signals.no-lost-wake`: the handler counts before it writes, and a task stores its waiter before it reads the
//!   count: either the task sees the count, or the bell finds the waiter.
//! - `signals.bounded`: what is kept for tasks that have ended is thrown out whenever the list has doubled.
//!
//! Once a signal was asked for, its default action (to end the process) does not come back, not even after this value is
//! gone: that is how signal dispositions are shared in one process.
//!
//! Not here: what a program makes of a signal (`net::signal`).

mod raw;

use crate::source::{Left, Source};
use crate::{Direction, Reactor, Wakes, failure};
use cx::Waiter;
use cx::port::{IoFailure, Signal, Signals};
use raw::Installed;
use std::io::{self, Read, Write};
use std::mem;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Wake, Waker};

const SIGNALS: usize = 3;

fn index(signal: Signal) -> usize {
    match signal {
        Signal::Interrupt => 0,
        Signal::Terminate => 1,
        Signal::User1 => 2,
    }
}

/// Signals of this process. Nothing is watched, and no descriptor open, until somebody asks for a signal; then two are.
#[derive(Debug)]
pub struct SystemSignals {
    reactor: Arc<Reactor>,
    hub: Mutex<Option<Arc<Hub>>>,
}

impl SystemSignals {
    /// Signals that are reported through one of these drivers.
    pub fn new(reactor: Arc<Reactor>) -> SystemSignals {
        SystemSignals { reactor, hub: Mutex::new(None) }
    }

    fn hub(&self) -> Result<Arc<Hub>, IoFailure> {
        let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hub) = &*hub {
            return Ok(hub.clone());
        }
        Ok(hub.insert(Hub::open(self.reactor.clone())?).clone())
    }
}

impl Signals for SystemSignals {
    fn poll_count(&self, signal: Signal, waker: &Waker) -> Result<u64, IoFailure> {
        let hub = self.hub()?;
        hub.watch(signal)?;
        hub.remember(signal, waker);
        Ok(hub.line.counts[index(signal)].load(Acquire))
    }
}

/// What the signal handler touches: counts, and a pipe to be heard through.
struct Line {
    counts: [AtomicU64; SIGNALS],
    sender: UnixStream,
}

impl Line {
    /// Called from the signal handler.
    fn deliver(&self, signal: Signal) {
        self.counts[index(signal)].fetch_add(1, AcqRel);
        // When the pipe is full there are bytes enough to be heard.
        let _ = (&self.sender).write(&[1]);
    }
}

struct Hub {
    source: Source<UnixStream>,
    line: Arc<Line>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    installed: [Option<Installed>; SIGNALS],
    waiting: [Vec<Waiter>; SIGNALS],
    /// The counts of the last time that waiters were woken.
    told: [u64; SIGNALS],
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("counts", &self.line.counts).finish_non_exhaustive()
    }
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pipe that is listened to, and no signal yet.
    fn open(reactor: Arc<Reactor>) -> Result<Arc<Hub>, IoFailure> {
        let (sender, receiver) = UnixStream::pair().map_err(failure::from)?;
        sender.set_nonblocking(true).map_err(failure::from)?;
        receiver.set_nonblocking(true).map_err(failure::from)?;
        let line = Arc::new(Line { counts: Default::default(), sender });
        let hub = Arc::new(Hub { source: Source::new(reactor, receiver), line, state: Mutex::default() });
        hub.listen()?;
        Ok(hub)
    }

    /// Has the signal counted from now on.
    fn watch(&self, signal: Signal) -> Result<(), IoFailure> {
        let installed = &mut self.state().installed[index(signal)];
        if installed.is_none() {
            *installed = Some(raw::install(signal, self.line.clone()).map_err(failure::from)?);
        }
        Ok(())
    }

    /// Empties the pipe and leaves the bell there for the next byte.
    fn listen(self: &Arc<Self>) -> Result<(), IoFailure> {
        let bell = Waker::from(Arc::new(Bell { hub: Arc::downgrade(self) }));
        let read = |mut pipe: &UnixStream| {
            let mut bytes = [0; 64];
            match pipe.read(&mut bytes)? {
                0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                n => Ok(((), if n < bytes.len() { Left::Nothing } else { Left::More })),
            }
        };
        loop {
            match self.source.poll_io(Direction::Read, &bell, read) {
                Poll::Pending => return Ok(()),
                Poll::Ready(read) => read?,
            }
        }
    }

    /// Stores a waiter, unless the same one is stored already.
    fn remember(&self, signal: Signal, waker: &Waker) {
        let is_stored = |state: &State| state.waiting[index(signal)].iter().any(|w| w.will_wake(waker));
        if is_stored(&self.state()) {
            return;
        }
        let mut over = Vec::new();
        // Without the lock: a waker's clone is code of others, which may ask for this very signal.
        let fresh = Waiter::from_waker(waker);
        let mut state = self.state();
        if is_stored(&state) {
            return;
        }
        let waiting = &mut state.waiting[index(signal)];
        if waiting.len() == waiting.capacity() {
            over = waiting.extract_if(.., |waiter| is_over(waiter)).collect();
            // Room to double before the next look: the looking costs each newcomer a constant share.
            waiting.reserve(waiting.len().max(8));
        }
        waiting.push(fresh);
        drop(state);
        // The last reference to a task may be among them: its destructors run without the lock.
        drop(over);
    }

    /// The bell has rung: wakes whoever waits for a signal that has come since the last time.
    fn hear(self: &Arc<Self>) {
        // It worked when the first signal was asked for, and nobody but us has the other end.
        let listening = self.listen();
        debug_assert!(listening.is_ok(), "the signal pipe broke: {listening:?}");
        let mut awake: [Vec<Waiter>; SIGNALS] = Default::default();
        let mut state = self.state();
        for (i, awake) in awake.iter_mut().enumerate() {
            let count = self.line.counts[i].load(Acquire);
            if mem::replace(&mut state.told[i], count) != count {
                *awake = mem::take(&mut state.waiting[i]);
            }
        }
        drop(state);
        awake.into_iter().flatten().for_each(Wakes::wake);
    }
}

/// Whether the waiter is a task that has ended.
fn is_over(waiter: &Waiter) -> bool {
    waiter.header().is_some_and(|header| header.word.is_complete())
}

/// What waits at the pipe. Weak: the slot that stores it belongs to the reactor, which the hub keeps alive.
struct Bell {
    hub: Weak<Hub>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if let Some(hub) = self.hub.upgrade() {
            hub.hear();
        }
    }
}

#[cfg(test)]
mod tests;
