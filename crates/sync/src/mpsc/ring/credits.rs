//! Capacity of a channel: credits, and the senders who wait for one.
//!
//! ```text
//! sending word = tail:32 | WAITERS | CLOSED | RX_GONE | TX_GONE | reserved:28      written by senders
//! head word    = head:32 | WAITERS                                                 written by the receiver
//!
//! reserve        one CAS: reserved + 1 (or + n), if tail + reserved + 1 (or + n) - head <= capacity
//! commit         one CAS: tail + 1, reserved - 1; the old tail is the value's ticket
//! send at once   one CAS: tail + 1
//! abort          one CAS: reserved - 1 (or - n)
//! receive        one add: head + 1; the old word says whether somebody waits
//! ```
//!
//! A credit is capacity, not a slot: a slot that is held but not committed would block every later value, and
//! deadlock a holder that waits for an answer queued behind itself.
//!
//! Who waits for room sets `WAITERS` in both words, under the queue's lock, each with a read-modify-write, and then
//! looks again. In the sending word the bit stops others from taking credits out of turn and tells `abort`; in the head
//! word it tells the receiver with the operation that moves the head anyway. So the receiver needs no fence and never
//! reads the senders' line, and room is handed on at the receive that made it. (The prototype looked only every half
//! ring and before sleeping. That saves an add per value, but a receiver that takes one value and then waits for the very
//! sender that it made room for would wait for ever.)
//!
//! Invariants:
//! - `ring.credit`: tail + reserved - head <= capacity, always (wrapping).
//! - `ring.fifo`: while somebody waits nobody else takes a credit; credits go to the oldest waiter.
//! - `ring.waiters-bit`: the bits are set exactly while the queue has unsettled waiters; they change under its lock.
//! - `ring.closed`: once `CLOSED` is set `reserved` never grows.
//!
//! Not here: values and slots.

use core::task::Poll;

use crate::{
    Closed, WaitNode, Wakes,
    sync::{AcqRel, Acquire, AtomicU32, AtomicU64, CacheLine, Relaxed, Release},
    wait_queue::{Guard, Settled, WaitQueue},
    wakes::FirstPanic,
};

const ONE_TICKET: u64 = 1 << 32;
const WAITERS: u64 = 1 << 31;
const CLOSED: u64 = 1 << 30;
const RX_GONE: u64 = 1 << 29;
const TX_GONE: u64 = 1 << 28;
const RESERVED: u64 = TX_GONE - 1;

/// The largest capacity of a channel: 2^28 - 1.
pub const MAX_CAPACITY: u32 = RESERVED as u32;

/// Why no credit was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryReserveError {
    /// The channel is full, or others wait already.
    Full,
    /// The receiver has closed the channel or is gone.
    Closed,
}

impl core::fmt::Display for TryReserveError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Full => "channel full",
            Self::Closed => "channel closed",
        })
    }
}

impl core::error::Error for TryReserveError {}

/// What became of a credit that was given back.
pub(super) enum Abort {
    Done,
    /// It was the last thing that a receiver of a closed channel could still wait for.
    LastAfterClose,
}

pub(super) struct Credits<W: Wakes> {
    sending: CacheLine<Sending>,
    head: CacheLine<AtomicU64>,
    queue: WaitQueue<W>,
    capacity: u32,
}

struct Sending {
    word: AtomicU64,
    /// A head seen by some sender, so that most of them need not touch the receiver's line. May be old, never ahead.
    head: AtomicU32,
}

impl<W: Wakes> Credits<W> {
    pub(super) fn new(capacity: u32) -> Self {
        assert!(0 < capacity && capacity <= MAX_CAPACITY, "a channel's capacity is 1 to 2^28 - 1");
        Self {
            sending: CacheLine(Sending { word: AtomicU64::new(0), head: AtomicU32::new(0) }),
            head: CacheLine(AtomicU64::new(0)),
            queue: WaitQueue::new(),
            capacity,
        }
    }

    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Room that is neither taken by values nor held by permits.
    pub(super) fn free(&self) -> u32 {
        // The word first: a head read after it is not behind it, so no more seems used than was.
        let word = self.sending.0.word.load(Acquire);
        let head = head_of(self.head.0.load(Acquire));
        // Values sent and received in between make it look as if less than nothing were used.
        let used = self.used(word, head);
        self.capacity - if used > self.capacity { 0 } else { used }
    }

    /// Values sent and not received.
    pub(super) fn len(&self) -> u32 {
        let head = head_of(self.head.0.load(Acquire));
        tail_of(self.sending.0.word.load(Acquire)).wrapping_sub(head)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sending.0.word.load(Acquire) & CLOSED != 0
    }

    /// Reserves a credit.
    #[inline]
    pub(super) fn try_reserve(&self, count: u32) -> Result<(), TryReserveError> {
        self.admit(u64::from(count), count).map(drop)
    }

    /// Reserves and commits in one step: the ticket.
    #[inline]
    pub(super) fn try_ticket(&self) -> Result<u32, TryReserveError> {
        self.admit(ONE_TICKET, 1).map(tail_of)
    }

    /// Adds `what` (credits or a ticket) to the sending word if there's room for `count`; the word before.
    #[inline]
    fn admit(&self, what: u64, count: u32) -> Result<u64, TryReserveError> {
        let sending = &self.sending.0;
        let mut word = sending.word.load(Relaxed);
        loop {
            if word & (CLOSED | WAITERS) != 0 {
                return Err(if word & CLOSED != 0 { TryReserveError::Closed } else { TryReserveError::Full });
            }
            // Acquire, as the head may have been read by another sender: what the receiver did to the slots up to this
            // head happened before. A head that is ahead of an old `word` lets nothing through: the CAS would fail.
            if !self.fits(word, sending.head.load(Acquire), count) {
                let head = head_of(self.head.0.load(Acquire));
                sending.head.store(head, Release);
                if !self.fits(word, head, count) {
                    // Full only if the word is still the one that was compared with that head.
                    let now = sending.word.load(Acquire);
                    if now == word {
                        return Err(TryReserveError::Full);
                    }
                    word = now;
                    continue;
                }
            }
            match sending.word.compare_exchange_weak(word, word.wrapping_add(what), AcqRel, Relaxed) {
                Ok(_) => return Ok(word),
                Err(now) => word = now,
            }
        }
    }

    /// Waits for `count` credits at once, first come, first served.
    pub(super) fn poll_reserve(
        &self,
        node: &mut WaitNode,
        count: u32,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<(), Closed>> {
        if node.is_queued() {
            return self.queue.poll(node, make).map(|settled| match settled {
                Settled::Granted => Ok(()),
                Settled::Told => Err(Closed),
            });
        }
        match self.try_reserve(count) {
            Ok(()) => return Poll::Ready(Ok(())),
            Err(TryReserveError::Closed) => return Poll::Ready(Err(Closed)),
            Err(TryReserveError::Full) => {}
        }
        let waiter = make();
        let mut waiters = self.queue.lock();
        let early = self.head.0.load(Relaxed);
        let word = self.sending.0.word.fetch_or(WAITERS, AcqRel);
        let head = head_of(self.head.0.fetch_or(WAITERS, AcqRel));
        let head = if types::seeded!("mpsc.waiters-after-check") { head_of(early) } else { head };
        // From here on whoever makes room sees a bit, takes the lock after us, and finds us in the queue.
        let decided = if word & CLOSED != 0 {
            Some(Err(Closed))
        } else if waiters.is_empty() && self.take_under_lock(word, head, count) {
            Some(Ok(()))
        } else {
            None
        };
        if let Some(result) = decided {
            self.drop_waiters_bits(&waiters);
            drop(waiters);
            return Poll::Ready(result);
        }
        waiters.push(node, Some(waiter), count as usize);
        Poll::Pending
    }

    /// A queued node stops waiting; a credit that was assigned already is given back, to the next waiter first.
    pub(super) fn cancel(&self, node: &mut WaitNode) -> Abort {
        let mut waiters = self.queue.lock();
        let count = waiters.weight(node) as u32;
        let (settled, _waiter) = waiters.remove(node);
        self.drop_waiters_bits(&waiters);
        let others = !waiters.is_empty();
        drop(waiters);
        if settled == Some(Settled::Granted) && !types::seeded!("mpsc.cancel-drops-grant") {
            return self.abort(if types::seeded!("mpsc.cancel-returns-one") { 1 } else { count });
        }
        // Who wanted many may have held up those behind it that want few.
        if others && count > 1 && !types::seeded!("mpsc.cancel-holds-up") {
            self.hand_on();
        }
        Abort::Done
    }

    /// Turns a credit into a ticket; `None` if the receiver is gone and took no notice.
    ///
    /// # Panics
    /// If no credit is outstanding. Checked before anything changes (hence a CAS and not an addition): a broken caller
    /// can take another's credit, but not overfill the ring.
    #[inline]
    pub(super) fn commit(&self) -> Option<u32> {
        let before = self.spend(1, |word| word.wrapping_add(ONE_TICKET - 1));
        (before & RX_GONE == 0).then(|| tail_of(before))
    }

    /// Gives `count` credits back, to the oldest waiters if there are any.
    ///
    /// # Panics
    /// If that many are not outstanding.
    pub(super) fn abort(&self, count: u32) -> Abort {
        let count = u64::from(count);
        let before = self
            .spend(count, |word| if types::seeded!("mpsc.abort-keeps-room") { word } else { word - count });
        if before & WAITERS != 0 && !types::seeded!("mpsc.abort-forgets-waiters") {
            self.hand_on();
        }
        if before & CLOSED != 0 && before & RESERVED == count { Abort::LastAfterClose } else { Abort::Done }
    }

    #[inline]
    fn spend(&self, count: u64, how: impl Fn(u64) -> u64) -> u64 {
        let mut word = self.sending.0.word.load(Relaxed);
        loop {
            assert!(word & RESERVED >= count, "a credit was spent that nobody had reserved");
            match self.sending.0.word.compare_exchange_weak(word, how(word), AcqRel, Relaxed) {
                Ok(_) => return word,
                Err(now) => word = now,
            }
        }
    }

    /// The receiver has emptied the slot at its head: that's room.
    #[inline]
    pub(super) fn advance(&self) {
        let before = if types::seeded!("mpsc.head-overwritten") {
            let before = self.head.0.load(Relaxed);
            self.head.0.store(before.wrapping_add(ONE_TICKET), Release);
            before
        } else {
            self.head.0.fetch_add(ONE_TICKET, AcqRel)
        };
        if before & WAITERS != 0 {
            self.hand_on();
        }
    }

    /// Gives room to those who wait for it, oldest first.
    #[cold]
    fn hand_on(&self) {
        let mut waiters = self.queue.lock();
        // Old values of either word show less room than there is, and whoever made the difference comes here next.
        let head = head_of(self.head.0.load(Acquire));
        while let Some(&mut count) = waiters.front_weight()
            && self.take_under_lock(self.sending.0.word.load(Acquire), head, count as u32)
        {
            waiters.settle_front(Settled::Granted);
        }
        self.drop_waiters_bits(&waiters);
        self.queue.wake_settled(waiters);
    }

    /// Takes credits with the lock held and `WAITERS` set. Only commits and aborts interfere, and they don't add to
    /// tail + reserved: what fits stays fitting.
    fn take_under_lock(&self, word: u64, head: u32, count: u32) -> bool {
        let fits = self.fits(word, head, count);
        if fits {
            self.sending.0.word.fetch_add(u64::from(count), AcqRel);
        }
        fits
    }

    fn drop_waiters_bits(&self, waiters: &Guard<'_, W>) {
        if waiters.is_empty() {
            self.head.0.fetch_and(!WAITERS, AcqRel);
            self.sending.0.word.fetch_and(!WAITERS, AcqRel);
        }
    }

    /// Gives out no more credits and tells everybody who waits; with `gone`, commits are refused too. The tail at that
    /// instant: tickets before it were given out, later ones never will be.
    pub(super) fn close(&self, gone: bool, first: &mut FirstPanic) -> u32 {
        let mut waiters = self.queue.lock();
        let before = self.sending.0.word.fetch_or(if gone { CLOSED | RX_GONE } else { CLOSED }, AcqRel);
        waiters.settle_all(Settled::Told);
        self.drop_waiters_bits(&waiters);
        first.keep(|| self.queue.wake_settled(waiters));
        tail_of(before)
    }

    /// The last sender is gone.
    pub(super) fn senders_gone(&self) {
        self.sending.0.word.fetch_or(TX_GONE, AcqRel);
    }

    /// Whether a receiver at `head` has nothing left to wait for.
    pub(super) fn is_finished(&self, head: u32) -> bool {
        let word = self.sending.0.word.load(Acquire);
        tail_of(word) == head && (word & TX_GONE != 0 || word & CLOSED != 0 && word & RESERVED == 0)
    }

    /// Whether there's room for `count` more. An old `head` may be so far behind that more than the capacity seems used.
    #[inline]
    fn fits(&self, word: u64, head: u32, count: u32) -> bool {
        u64::from(self.used(word, head)) + u64::from(count) <= u64::from(self.capacity)
    }

    #[inline]
    fn used(&self, word: u64, head: u32) -> u32 {
        tail_of(word).wrapping_add((word & RESERVED) as u32).wrapping_sub(head)
    }
}

#[inline]
fn tail_of(word: u64) -> u32 {
    (word >> 32) as u32
}

#[inline]
fn head_of(word: u64) -> u32 {
    (word >> 32) as u32
}
