//! The ready queue of one worker: a fixed ring that its owner fills and empties at the two ends,
//! and from which other workers steal half.
//!
//! Why a fixed ring: a push is one store and a pop is one compare-and-swap, with no allocation
//! and no lock; what doesn't fit goes to the [injector](crate::inject) in halves, so the lock of
//! the injector is paid once per `N / 2` tasks.
//!
//! ```text
//!            steal        real                        tail
//!              v            v                           v
//!   . free . . | being copied | waiting tasks, in order | free . .
//!              by one thief
//! ```
//!
//! `head` holds `steal` and `real` in one word, so they change together. `steal == real` unless a
//! claim is being copied out: a claim moves `real` alone, and `steal` catches up when the
//! claimant no longer needs the slots. All three are free-running 32-bit counters; a slot is a
//! counter modulo `N`. They are wider than the index so that a claimant that slept while the ring
//! went round finds a different `head`; to be fooled it would have to sleep through an exact
//! multiple of 2^32 dispatches.
//!
//! | invariant | meaning |
//! |---|---|
//! | `queue.order` | `steal <= real <= tail <= steal + N`, as distances modulo 2^32 |
//! | `queue.owner` | only the holder of the [`Owner`] writes slots and `tail` |
//! | `queue.claim` | at most one claim is open; only its claimant reads `steal..real`, and nobody writes there |
//! | `queue.once` | an item pushed leaves exactly once, by pop, by a steal or by a drain |
//!
//! Items are addresses. The queue never follows them and doesn't own what they point to: a queue
//! that is dropped with items inside forgets them, so whoever counts references drains it first.
//! Slots are relaxed atomics (plain moves on the machines we run on), which makes this module
//! free of `unsafe`; the happens-before edges come from `head` and `tail`.
//!
//! The scheme (two heads, steal in halves) follows Go's runtime and its descendants; the proof
//! that it keeps `queue.once` is the loom model in `tests/loom_queue.rs`.
//!
//! Not here: the LIFO slot and the lanes (worker), and the choice of a victim (worker).

use core::array;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use crate::padded::CachePadded;
use crate::sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// The number of slots of a production queue.
pub const CAPACITY: usize = 1024;

/// The queue as everybody sees it. See the [module](self) for the scheme.
///
/// `N` is a power of two and at least 2, checked when the code is compiled.
///
/// ```
/// use asupersync_sched::queue::LocalQueue;
/// use core::ptr::NonNull;
///
/// let task = 7_u32;
/// let queue: LocalQueue<u32> = LocalQueue::new();
/// let owner = queue.claim().expect("nobody else owns it");
/// owner.push(NonNull::from(&task)).expect("there is room");
///
/// let thief_queue = LocalQueue::new();
/// let thief = thief_queue.claim().expect("nobody else owns it");
/// assert_eq!(queue.steal_into(&thief), Some(NonNull::from(&task)));
/// assert_eq!(owner.pop(), None);
/// ```
pub struct LocalQueue<H, const N: usize = CAPACITY> {
    /// `steal` in the high half, `real` in the low half.
    head: CachePadded<AtomicU64>,
    tail: CachePadded<AtomicU32>,
    owned: AtomicBool,
    /// Whether others may steal. Constant: where nobody does, the owner's pop needs no read-modify-write.
    stealable: bool,
    slots: [AtomicPtr<H>; N],
}

/// The right to push, pop and drain: at most one exists per queue at a time.
///
/// It may move to another thread but can't be shared between threads, so the owner's operations
/// never overlap (`queue.owner`). Dropping it lets somebody else claim the queue, with its items.
pub struct Owner<'q, H, const N: usize = CAPACITY> {
    queue: &'q LocalQueue<H, N>,
    /// Not `Sync`: two threads with a shared `Owner` could push at the same time.
    not_sync: PhantomData<Cell<()>>,
}

/// The slots `steal..real` of an open claim; closing it gives them back to the owner.
///
/// It closes in `drop`, so that a panicking sink can't leave the queue closed to thieves.
struct Claim<'q, H, const N: usize> {
    queue: &'q LocalQueue<H, N>,
    first: u32,
    count: u32,
}

impl<H, const N: usize> LocalQueue<H, N> {
    const SLOTS: u32 = {
        assert!(N.is_power_of_two() && N >= 2 && N <= 1 << 16, "N is a power of two from 2 to 65536");
        N as u32
    };

    /// An empty queue that nobody owns. It takes `8 * N` bytes and three cache lines, inline.
    #[must_use]
    pub fn new() -> Self {
        Self::with_thieves(true)
    }

    /// An empty queue that nobody will ever steal from: [`steal_into`](Self::steal_into) finds nothing in it.
    #[must_use]
    pub fn unshared() -> Self {
        Self::with_thieves(false)
    }

    fn with_thieves(stealable: bool) -> Self {
        const { assert!(Self::SLOTS >= 2) };
        LocalQueue {
            stealable,
            head: CachePadded::new(AtomicU64::new(0)),
            tail: CachePadded::new(AtomicU32::new(0)),
            owned: AtomicBool::new(false),
            slots: array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
        }
    }

    /// Becomes the owner, or `None` while there is one.
    ///
    /// What the previous owner did happens before what the new one does.
    #[must_use]
    pub fn claim(&self) -> Option<Owner<'_, H, N>> {
        let taken = self.owned.swap(true, Ordering::Acquire);
        (!taken).then_some(Owner { queue: self, not_sync: PhantomData })
    }

    /// The number of waiting items, those of an open claim not included.
    ///
    /// Exact for the owner when no thief is at work; for others a value from the recent past.
    #[must_use]
    pub fn len(&self) -> usize {
        // In this order: `real` never overtakes a `tail` that is read later, so the difference
        // can be too large, when the owner went on in between, but never negative.
        let (_, real) = unpack(self.head.load(Ordering::Acquire));
        let tail = self.tail.load(Ordering::Acquire);
        (tail.wrapping_sub(real) as usize).min(N)
    }

    /// Whether nothing waits, with the same caveat as [`len`](Self::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the older half of the waiting items (rounded up): the oldest is returned, to be run
    /// at once, the others go to the tail of the thief's queue in their order.
    ///
    /// `None` when nothing waits, when another claim is open, when the thief has no room for half
    /// a queue, when the queue is the thief's own or [unshared](Self::unshared). It never blocks, and costs two
    /// compare-and-swaps on the victim's `head` and one copy per item.
    #[must_use = "the returned item has left the queue and must be run"]
    pub fn steal_into(&self, thief: &Owner<'_, H, N>) -> Option<NonNull<H>> {
        let into = thief.queue;
        if !self.stealable || ptr::eq(self, into) || thief.room() < N / 2 {
            return None;
        }
        let claim = self.claim_older_half()?;
        let tail = into.tail.load(Ordering::Relaxed);
        let oldest = self.slot(claim.first).load(Ordering::Relaxed);
        for i in 1..claim.count {
            let item = self.slot(claim.first.wrapping_add(i)).load(Ordering::Relaxed);
            into.slot(tail.wrapping_add(i - 1)).store(item, Ordering::Relaxed);
        }
        let count = claim.count;
        drop(claim);
        // Release: whoever sees the new tail sees the items that were copied below it.
        into.tail.store(tail.wrapping_add(count - 1), Ordering::Release);
        Some(item(oldest))
    }

    fn claim_older_half(&self) -> Option<Claim<'_, H, N>> {
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let (steal, real) = unpack(head);
            if steal != real && !types::seeded!("queue.steal-no-guard") {
                return None;
            }
            // Acquire: the items below this tail are visible.
            let waiting = self.tail.load(Ordering::Acquire).wrapping_sub(real);
            if waiting > Self::SLOTS {
                // `head` is from before, `tail` from after a whole round of the ring. The owner
                // is alive and well: another victim is the better choice.
                return None;
            }
            let count = waiting.div_ceil(2);
            if count == 0 {
                return None;
            }
            let next = if types::seeded!("queue.copy-after-release") {
                pack(real.wrapping_add(count), real.wrapping_add(count))
            } else {
                pack(steal, real.wrapping_add(count))
            };
            match self.head.compare_exchange_weak(head, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(Claim { queue: self, first: real, count }),
                Err(now) => head = now,
            }
        }
    }

    fn slot(&self, counter: u32) -> &AtomicPtr<H> {
        // N is a power of two: this is a mask, and the compiler sees that it is in bounds.
        &self.slots[counter as usize % N]
    }
}

impl<H, const N: usize> Owner<'_, H, N> {
    /// Puts `item` at the tail; when there is no room for it, hands it back.
    ///
    /// Two loads and two stores, no read-modify-write. It wakes nobody: see
    /// [`Idle::notify_local`](crate::idle::Idle::notify_local).
    ///
    /// # Errors
    ///
    /// The item, when all slots are taken. Slots whose items a thief is still copying count as
    /// taken. [`push_or_overflow`](Self::push_or_overflow) is the push that can't fail.
    pub fn push(&self, item: NonNull<H>) -> Result<(), NonNull<H>> {
        let queue = self.queue;
        // Acquire: a thief that gave slots back has finished reading them.
        let (steal, _) = unpack(queue.head.load(Ordering::Acquire));
        let tail = queue.tail.load(Ordering::Relaxed);
        if tail.wrapping_sub(steal) >= LocalQueue::<H, N>::SLOTS {
            return Err(item);
        }
        if types::seeded!("queue.tail-before-slot") {
            queue.tail.store(tail.wrapping_add(1), Ordering::Release);
        }
        queue.slot(tail).store(item.as_ptr(), Ordering::Relaxed);
        // Release: whoever sees the new tail sees the item.
        let order = if types::seeded!("queue.tail-relaxed") { Ordering::Relaxed } else { Ordering::Release };
        queue.tail.store(tail.wrapping_add(1), order);
        Ok(())
    }

    /// Takes the oldest item. One compare-and-swap, more only under a concurrent steal, and none if the queue is
    /// [unshared](LocalQueue::unshared).
    #[inline]
    #[must_use = "the returned item has left the queue and must be run"]
    pub fn pop(&self) -> Option<NonNull<H>> {
        let queue = self.queue;
        let tail = queue.tail.load(Ordering::Relaxed);
        let mut head = queue.head.load(Ordering::Acquire);
        loop {
            let (steal, real) = unpack(head);
            if real == tail {
                return None;
            }
            debug_assert!(tail.wrapping_sub(real) as usize <= N, "`queue.order`");
            let found = queue.slot(real).load(Ordering::Relaxed);
            let after = real.wrapping_add(1);
            if !queue.stealable || types::seeded!("queue.pop-without-cas") {
                // The owner alone changes `head`, and has no claim open: `drain_half` closes its own, unless this is
                // its sink, and then the claim keeps its slots.
                let next = if steal == real { pack(after, after) } else { pack(steal, after) };
                queue.head.store(next, Ordering::Release);
                return Some(item(found));
            }
            // An open claim keeps its slots: only `real` moves then.
            let next = if steal == real { pack(after, after) } else { pack(steal, after) };
            match queue.head.compare_exchange_weak(head, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(item(found)),
                Err(now) => head = now,
            }
        }
    }

    /// Moves the oldest `N / 2` items into `sink`, in order, and says how many that were: `N / 2`,
    /// or 0 when a claim is open or fewer than that are left.
    ///
    /// It is called after a failed [`push`](Self::push), and a failed push is only a statement
    /// about the past: a thief may have emptied the queue since, so the number of items is read
    /// again in the word that the claim changes. On 0 the caller places its item elsewhere.
    ///
    /// The sink may use this queue. If it panics, the queue stays sound, and the items of the
    /// half that it hasn't seen are lost to the queue: a sink shouldn't panic.
    pub fn drain_half(&self, mut sink: impl FnMut(NonNull<H>)) -> usize {
        let queue = self.queue;
        let count = LocalQueue::<H, N>::SLOTS / 2;
        let head = queue.head.load(Ordering::Acquire);
        let (steal, real) = unpack(head);
        let waiting = queue.tail.load(Ordering::Relaxed).wrapping_sub(real);
        if steal != real {
            return 0;
        }
        if waiting < count && !types::seeded!("queue.overflow-unchecked") {
            return 0;
        }
        let next = pack(steal, real.wrapping_add(count));
        if queue.head.compare_exchange(head, next, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return 0;
        }
        // As a thief does, so that a push from inside the sink finds the slots still taken.
        let claim = Claim { queue, first: real, count };
        for i in 0..claim.count {
            sink(item(queue.slot(claim.first.wrapping_add(i)).load(Ordering::Relaxed)));
        }
        count as usize
    }

    /// The number of items that can be pushed now; thieves can only raise it.
    #[must_use]
    pub fn room(&self) -> usize {
        let (steal, _) = unpack(self.queue.head.load(Ordering::Acquire));
        let tail = self.queue.tail.load(Ordering::Relaxed);
        N - tail.wrapping_sub(steal) as usize
    }

    /// The queue this is the owner of.
    #[must_use]
    pub fn queue(&self) -> &LocalQueue<H, N> {
        self.queue
    }
}

impl<H, const N: usize> Drop for Owner<'_, H, N> {
    fn drop(&mut self) {
        self.queue.owned.store(false, Ordering::Release);
    }
}

impl<H, const N: usize> Drop for Claim<'_, H, N> {
    fn drop(&mut self) {
        let mut head = self.queue.head.load(Ordering::Acquire);
        loop {
            // `real` may have gone on: the owner pops while a claim is open.
            let (_, real) = unpack(head);
            // Release: our reads of the slots come before the owner's writes into them.
            let next = pack(real, real);
            match self.queue.head.compare_exchange_weak(head, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }
}

impl<H, const N: usize> Default for LocalQueue<H, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H, const N: usize> fmt::Debug for LocalQueue<H, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalQueue").field("len", &self.len()).field("capacity", &N).finish()
    }
}

impl<H, const N: usize> fmt::Debug for Owner<'_, H, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("queue", self.queue).finish()
    }
}

/// What was read from a slot between `real` and `tail` is what a push has stored there.
fn item<H>(slot: *mut H) -> NonNull<H> {
    NonNull::new(slot).expect("a slot below the tail holds an item (`queue.order`)")
}

fn pack(steal: u32, real: u32) -> u64 {
    u64::from(steal) << 32 | u64::from(real)
}

fn unpack(head: u64) -> (u32, u32) {
    ((head >> 32) as u32, head as u32)
}

#[cfg(all(test, not(loom)))]
mod tests;
