//! The read-write lock's core: who holds what, and who comes next.
//!
//! ```text
//! free ──read──▶ readers ──upgradable──▶ readers + upgradable ──upgrade: the readers go first──▶ writer
//!  ▲──────────────────────────────────────── write ─────────────────────────────────────────────▶ │
//!                                    readers ◀──downgrade, with the readers who wait first in line─┘
//! ```
//!
//! Who holds it is one word (`held`), which changes without a lock as long as nobody waits. Whoever has to wait marks it as
//! crowded; from then on it changes under the lock of the line only, until nobody waits any more.
//!
//! Invariants:
//! - `rwlock.crowd`: while somebody stands in line, or an upgrade waits or was granted unseen, the word is crowded, and only
//!   who has the line's lock changes it.
//! - `rwlock.exclusive`: beside a writer there is nobody; beside an upgradable no other one.
//! - `rwlock.fifo`: nobody is let in while somebody waits, but an upgrade. So the waiter at position p waits for those
//!   who hold the lock now, for an upgrade of one of them at most, and for the p before it.
//! - `rwlock.upgrade`: between the upgradable hold and the write hold nobody writes.
//! - `rwlock.pass-on`: a hold that was assigned to a waiter which gives up goes to the next.
//!
//! Not here: the guarded value, `Cx`.

mod held;

use core::task::Poll;

use self::held::{CROWD, Held};
use crate::{
    WaitNode, Wakes,
    sync::{AcqRel, Acquire, AtomicUsize, Ordering, Relaxed, Release},
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

/// What the upgradable holder asks for.
enum Upgrade<W> {
    Unwanted,
    Waits(Option<W>),
    /// It has become the writer, and doesn't know it yet.
    Granted,
}

/// A lock without a value. Without others in the way each operation is one atomic one.
pub struct Share<W: Wakes> {
    word: AtomicUsize,
    line: WaitQueue<W, Upgrade<W>>,
}

impl<W: Wakes> Default for Share<W> {
    fn default() -> Self {
        Self { word: AtomicUsize::new(Held::NOBODY.0), line: WaitQueue::with_state(Upgrade::Unwanted) }
    }
}

/// As a waiter's weight.
const MODES: [Mode; 3] = [Mode::Read, Mode::Upgradable, Mode::Write];

impl<W: Wakes> Share<W> {
    /// Takes the lock if it can be had and nobody waits. Never waits.
    #[inline]
    pub fn try_acquire(&self, mode: Mode) -> bool {
        let enter = |held: Held| {
            let overtakes = types::seeded!("rwlock.readers-overtake") && mode == Mode::Read;
            ((!held.is_crowded() || overtakes) && held.admits(mode)).then(|| held.with(mode))
        };
        self.change(Acquire, enter).is_some()
    }

    /// Waits for the lock. After `Ready` the caller holds it.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    #[inline]
    pub fn poll_acquire(&self, node: &mut WaitNode, mode: Mode, make: impl FnOnce() -> W) -> Poll<()> {
        if node.is_queued() {
            return self.line.poll(node, make).map(drop);
        }
        if self.try_acquire(mode) {
            return Poll::Ready(());
        }
        self.stand_in_line(node, mode, make())
    }

    #[cold]
    fn stand_in_line(&self, node: &mut WaitNode, mode: Mode, fresh: W) -> Poll<()> {
        let mut waiters = self.line.lock();
        // Nobody waits: take it, or become the first who does.
        let taken = self.change(AcqRel, |held| match (held.is_crowded(), held.admits(mode)) {
            (true, _) => None,
            (false, true) => Some(held.with(mode)),
            (false, false) => Some(Held(held.0 | CROWD)),
        });
        if taken.is_some_and(|now| !now.is_crowded()) {
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
        let mut waiters = self.line.lock();
        let mode = MODES[waiters.weight(node)];
        let (settled, waiter) = waiters.remove(node);
        _waiter = waiter;
        if settled == Some(Settled::Granted) && !types::seeded!("rwlock.cancel-keeps-hold") {
            self.must_change(|held| held.without(mode));
        }
        self.hand_on(waiters);
    }

    /// Gives a hold up.
    ///
    /// # Panics
    /// If nobody holds the lock in this mode.
    #[inline]
    pub fn release(&self, mode: Mode) {
        self.turn(|held| held.without(mode));
    }

    /// The writer looks from now on, and lets those in who wait to look and are first in line.
    ///
    /// # Panics
    /// If nobody writes.
    pub fn downgrade(&self) {
        self.turn(|held| held.without(Mode::Write).with(Mode::Read));
    }

    /// The upgradable holder becomes a mere reader.
    ///
    /// # Panics
    /// If nobody holds the lock upgradably.
    pub fn settle_for_reading(&self) {
        self.turn(|held| held.without(Mode::Upgradable).with(Mode::Read));
    }

    /// Whether somebody waits, as far as can be said before it is over.
    pub fn is_crowded(&self) -> bool {
        Held(self.word.load(Acquire)).is_crowded()
    }

    /// A holder holds less from now on: whoever waits may have been waiting for that.
    #[inline]
    fn turn(&self, less: impl Fn(Held) -> Held) {
        let ordering = if types::seeded!("rwlock.release-relaxed") { Relaxed } else { Release };
        let alone = |held: Held| {
            let next = less(held);
            (!held.is_crowded() || types::seeded!("rwlock.crowd-unseen")).then_some(next)
        };
        if self.change(ordering, alone).is_none() {
            self.turn_in_crowd(less);
        }
    }

    #[cold]
    fn turn_in_crowd(&self, less: impl Fn(Held) -> Held) {
        let waiters = self.line.lock();
        self.must_change(less);
        self.hand_on(waiters);
    }

    /// The upgradable holder waits until it's alone. After `Ready` it's the writer. Only that holder may call this; after
    /// `Pending` it must call it again, or [`cancel_upgrade`](Self::cancel_upgrade).
    pub fn poll_upgrade(&self, make: impl FnOnce() -> W) -> Poll<()> {
        let fresh = make();
        // Declared before the lock, so that it's dropped after it (`queue.unlocked-wake`).
        let _stale;
        let mut waiters = self.line.lock();
        match core::mem::replace(&mut waiters.state, Upgrade::Unwanted) {
            Upgrade::Granted => {
                self.disperse(&waiters);
                return Poll::Ready(());
            }
            stale => _stale = stale,
        }
        let now = self.must_change(|held| {
            assert!(
                held.is_upgradable(),
                "an upgrade was asked for by somebody else than the upgradable holder"
            );
            match held.readers() {
                0 => held.without(Mode::Upgradable).with(Mode::Write),
                _ => Held(held.0 | CROWD),
            }
        });
        if now.is_writer() {
            self.disperse(&waiters);
            drop(waiters);
            drop(fresh);
            return Poll::Ready(());
        }
        waiters.state = Upgrade::Waits(Some(fresh));
        drop(waiters);
        Poll::Pending
    }

    /// The upgradable holder becomes the writer if it is alone. Never waits.
    ///
    /// # Panics
    /// If nobody holds the lock upgradably.
    pub fn try_upgrade(&self) -> bool {
        // While somebody waits the word is changed under the line's lock only.
        let _waiters = self.line.lock();
        let alone = |held: Held| {
            let beside_readers = types::seeded!("rwlock.tried-beside-readers");
            (held.readers() == 0 || beside_readers).then(|| held.without(Mode::Upgradable).with(Mode::Write))
        };
        self.change(AcqRel, alone).is_some()
    }

    /// The upgradable holder stays what it is.
    pub fn cancel_upgrade(&self) {
        let _stale;
        let mut waiters = self.line.lock();
        let before = core::mem::replace(&mut waiters.state, Upgrade::Unwanted);
        if matches!(before, Upgrade::Granted) {
            self.must_change(|held| held.without(Mode::Write).with(Mode::Upgradable));
        }
        _stale = before;
        if types::seeded!("rwlock.upgrade-holds-up") {
            return;
        }
        self.hand_on(waiters);
    }

    /// How many look, and whether somebody may go on to change or changes.
    pub fn holders(&self) -> (usize, Option<Mode>) {
        let held = Held(self.word.load(Acquire));
        let upgradable = held.is_upgradable().then_some(Mode::Upgradable);
        (held.readers(), if held.is_writer() { Some(Mode::Write) } else { upgradable })
    }

    /// How much of the lock is left by those who hold it: what a mode [wants](Mode::wanted), unless one of them keeps it out.
    pub fn left(&self) -> usize {
        let held = Held(self.word.load(Acquire));
        if held.is_writer() {
            0
        } else {
            WHOLE - held.readers() - if held.is_upgradable() { HALF } else { 0 }
        }
    }

    /// Changes the word to what `next` makes of it, unless that is nothing; what it is then.
    #[inline]
    fn change(&self, ordering: Ordering, next: impl Fn(Held) -> Option<Held>) -> Option<Held> {
        let mut now = self.word.load(Relaxed);
        loop {
            let next = next(Held(now))?;
            match self.word.compare_exchange_weak(now, next.0, ordering, Relaxed) {
                Ok(_) => return Some(next),
                Err(other) => now = other,
            }
        }
    }

    /// As [`change`](Self::change), under the line's lock and in any case. While somebody waits nobody else changes the
    /// word then, and it needs no read-modify-write.
    fn must_change(&self, next: impl Fn(Held) -> Held) -> Held {
        let now = Held(self.word.load(Acquire));
        if now.is_crowded() {
            let next = next(now);
            self.word.store(next.0, Release);
            return next;
        }
        self.change(AcqRel, |held| Some(next(held))).expect("it always is something")
    }

    /// Lets in whoever can be: the upgrade first, then the line as far as it goes.
    fn hand_on<'a>(&'a self, mut waiters: Guard<'a, W, Upgrade<W>>) {
        let mut upgraded = None;
        let held = || Held(self.word.load(Acquire));
        if held().readers() == 0
            && let Upgrade::Waits(waiter) = &mut waiters.state
        {
            upgraded = waiter.take();
            waiters.state = Upgrade::Granted;
            self.must_change(|held| held.without(Mode::Upgradable).with(Mode::Write));
        }
        while matches!(waiters.state, Upgrade::Unwanted)
            && let Some(&mut mode) = waiters.front_weight()
            && held().admits(MODES[mode])
        {
            self.must_change(|held| held.with(MODES[mode]));
            waiters.settle_front(Settled::Granted);
        }
        self.disperse(&waiters);
        self.line.wake_settled(waiters);
        if let Some(upgraded) = upgraded
            && !types::seeded!("rwlock.upgrade-unheard")
        {
            upgraded.wake();
        }
    }

    /// Nobody waits any more: the word is free again.
    fn disperse(&self, waiters: &Guard<'_, W, Upgrade<W>>) {
        let nobody = waiters.is_empty() && matches!(waiters.state, Upgrade::Unwanted);
        if nobody && Held(self.word.load(Relaxed)).is_crowded() {
            self.word.fetch_and(!CROWD, AcqRel);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
