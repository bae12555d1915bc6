//! The read-write lock's core: who holds what, and who comes next.
//!
//! ```text
//! free ──read──▶ readers ──upgradable──▶ readers + upgradable ──upgrade: the readers go first──▶ writer
//!  ▲──────────────────────────────────────── write ─────────────────────────────────────────────▶ │
//!                                    readers ◀──downgrade, with the readers who wait first in line─┘
//! ```
//!
//! One lock, because everything about it changes together: two kinds of counts, a line, and who stands before it.
//!
//! Invariants:
//! - `rwlock.exclusive`: beside a writer there is nobody; beside an upgradable no other one.
//! - `rwlock.fifo`: nobody is let in while somebody waits, but an upgrade. So the waiter at position p waits for those
//!   who hold the lock now, for an upgrade of one of them at most, and for the p before it.
//! - `rwlock.upgrade`: between the upgradable hold and the write hold nobody writes.
//! - `rwlock.pass-on`: a hold that was assigned to a waiter which gives up goes to the next.
//!
//! Not here: the guarded value, `Cx`.

use core::task::Poll;

use crate::{
    WaitNode, Wakes,
    wait_queue::{Guard, Settled, WaitQueue},
};

/// How the lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With others that look.
    Read,
    /// With others that look, as the only one that may go on to change.
    Upgradable,
    /// Alone.
    Write,
}

/// What an upgradable holder takes of the lock, counted for deadlock reports: so much that the rest is not enough for
/// another one, but for any number of readers.
const HALF: usize = usize::MAX / 4;
const WHOLE: usize = 2 * HALF;

impl Mode {
    /// How much of the lock has to be [left](Share::left) for this mode.
    pub const fn wanted(self) -> usize {
        match self {
            Mode::Read => 1,
            Mode::Upgradable => HALF + 1,
            Mode::Write => WHOLE,
        }
    }
}

struct State<W> {
    readers: usize,
    upgradable: bool,
    writer: bool,
    upgrade: Upgrade<W>,
}

/// What the upgradable holder asks for.
enum Upgrade<W> {
    Unwanted,
    Waits(Option<W>),
    /// It has become the writer, and doesn't know it yet.
    Granted,
}

impl<W> State<W> {
    fn admits(&self, mode: Mode) -> bool {
        let upgrades = !matches!(self.upgrade, Upgrade::Unwanted);
        match mode {
            Mode::Read => !self.writer && !upgrades,
            Mode::Upgradable => !self.writer && !self.upgradable,
            Mode::Write => !self.writer && !self.upgradable && self.readers == 0,
        }
    }

    fn enter(&mut self, mode: Mode) {
        match mode {
            Mode::Read => self.readers += 1,
            Mode::Upgradable => self.upgradable = true,
            Mode::Write => self.writer = true,
        }
    }

    fn leave(&mut self, mode: Mode) {
        let held = match mode {
            Mode::Read => self.readers.checked_sub(1).map(|left| self.readers = left).is_some(),
            Mode::Upgradable => core::mem::take(&mut self.upgradable),
            Mode::Write => core::mem::take(&mut self.writer),
        };
        assert!(held, "a lock was given up that nobody held");
    }

    fn become_writer(&mut self) {
        (self.upgradable, self.writer) = (false, true);
    }
}

/// A lock without a value. Every operation is one short critical section.
pub struct Share<W: Wakes> {
    state: WaitQueue<W, State<W>>,
}

impl<W: Wakes> Default for Share<W> {
    fn default() -> Self {
        let state = State { readers: 0, upgradable: false, writer: false, upgrade: Upgrade::Unwanted };
        Self { state: WaitQueue::with_state(state) }
    }
}

/// As a waiter's weight.
const MODES: [Mode; 3] = [Mode::Read, Mode::Upgradable, Mode::Write];

impl<W: Wakes> Share<W> {
    /// Takes the lock if it can be had and nobody waits. Never waits.
    pub fn try_acquire(&self, mode: Mode) -> bool {
        Self::enters(&mut self.state.lock(), mode)
    }

    /// Waits for the lock. After `Ready` the caller holds it.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_acquire(&self, node: &mut WaitNode, mode: Mode, make: impl FnOnce() -> W) -> Poll<()> {
        if node.is_queued() {
            return self.state.poll(node, make).map(drop);
        }
        if self.try_acquire(mode) {
            return Poll::Ready(());
        }
        let fresh = make();
        let mut waiters = self.state.lock();
        if Self::enters(&mut waiters, mode) {
            drop(waiters);
            return Poll::Ready(());
        }
        waiters.push(node, Some(fresh), mode as usize);
        Poll::Pending
    }

    /// Stops waiting. A hold that was assigned goes to the next, and who was held up by this wait goes on.
    pub fn cancel(&self, node: &mut WaitNode) {
        if !node.is_queued() {
            return;
        }
        // Declared before the lock, so that it's dropped after it (`queue.unlocked-wake`).
        let _waiter;
        let mut waiters = self.state.lock();
        let mode = MODES[waiters.weight(node)];
        let (settled, waiter) = waiters.remove(node);
        _waiter = waiter;
        if settled == Some(Settled::Granted) && !types::seeded!("rwlock.cancel-keeps-hold") {
            waiters.state.leave(mode);
        }
        self.hand_on(waiters);
    }

    /// Gives a hold up.
    ///
    /// # Panics
    /// If nobody holds the lock in this mode.
    pub fn release(&self, mode: Mode) {
        let mut waiters = self.state.lock();
        waiters.state.leave(mode);
        self.hand_on(waiters);
    }

    /// The writer looks from now on, and lets those in who wait to look and are first in line.
    ///
    /// # Panics
    /// If nobody writes.
    pub fn downgrade(&self) {
        let mut waiters = self.state.lock();
        waiters.state.leave(Mode::Write);
        waiters.state.enter(Mode::Read);
        self.hand_on(waiters);
    }

    /// The upgradable holder becomes a mere reader.
    ///
    /// # Panics
    /// If nobody holds the lock upgradably.
    pub fn settle_for_reading(&self) {
        let mut waiters = self.state.lock();
        waiters.state.leave(Mode::Upgradable);
        waiters.state.enter(Mode::Read);
        self.hand_on(waiters);
    }

    /// The upgradable holder waits until it's alone. After `Ready` it's the writer. Only that holder may call this; after
    /// `Pending` it must call it again, or [`cancel_upgrade`](Self::cancel_upgrade).
    pub fn poll_upgrade(&self, make: impl FnOnce() -> W) -> Poll<()> {
        let fresh = make();
        // Declared before the lock, so that it's dropped after it (`queue.unlocked-wake`).
        let _stale;
        let mut waiters = self.state.lock();
        let state = &mut waiters.state;
        match core::mem::replace(&mut state.upgrade, Upgrade::Unwanted) {
            Upgrade::Granted => return Poll::Ready(()),
            stale => _stale = stale,
        }
        assert!(state.upgradable, "an upgrade was asked for by somebody else than the upgradable holder");
        if state.readers == 0 {
            state.become_writer();
            drop(waiters);
            drop(fresh);
            return Poll::Ready(());
        }
        state.upgrade = Upgrade::Waits(Some(fresh));
        drop(waiters);
        Poll::Pending
    }

    /// The upgradable holder stays what it is.
    pub fn cancel_upgrade(&self) {
        let _stale;
        let mut waiters = self.state.lock();
        let state = &mut waiters.state;
        let before = core::mem::replace(&mut state.upgrade, Upgrade::Unwanted);
        if matches!(before, Upgrade::Granted) {
            (state.upgradable, state.writer) = (true, false);
        }
        _stale = before;
        if types::seeded!("rwlock.upgrade-holds-up") {
            return;
        }
        self.hand_on(waiters);
    }

    /// How many look, and whether somebody may go on to change or changes.
    pub fn holders(&self) -> (usize, Option<Mode>) {
        self.state.with(|state| {
            let special =
                if state.writer { Some(Mode::Write) } else { state.upgradable.then_some(Mode::Upgradable) };
            (state.readers, special)
        })
    }

    /// How much of the lock is left by those who hold it: what a mode [wants](Mode::wanted), unless one of them keeps it out.
    pub fn left(&self) -> usize {
        self.state.with(|state| match state {
            State { writer: true, .. } => 0,
            State { upgradable, readers, .. } => WHOLE - *readers - if *upgradable { HALF } else { 0 },
        })
    }

    fn enters(waiters: &mut Guard<'_, W, State<W>>, mode: Mode) -> bool {
        let free = waiters.state.admits(mode)
            && (waiters.is_empty() || types::seeded!("rwlock.readers-overtake") && mode == Mode::Read);
        if free {
            waiters.state.enter(mode);
        }
        free
    }

    /// Lets in whoever can be: the upgrade first, then the line as far as it goes.
    fn hand_on<'a>(&'a self, mut waiters: Guard<'a, W, State<W>>) {
        let mut upgraded = None;
        let state = &mut waiters.state;
        if state.readers == 0
            && let Upgrade::Waits(waiter) = &mut state.upgrade
        {
            upgraded = waiter.take();
            state.upgrade = Upgrade::Granted;
            state.become_writer();
        }
        while let Some(&mut mode) = waiters.front_weight()
            && waiters.state.admits(MODES[mode])
        {
            waiters.state.enter(MODES[mode]);
            waiters.settle_front(Settled::Granted);
        }
        self.state.wake_settled(waiters);
        if let Some(upgraded) = upgraded
            && !types::seeded!("rwlock.upgrade-unheard")
        {
            upgraded.wake();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
