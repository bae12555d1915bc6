//! The pool of records, and the two ways to hold one.
//!
//! A record's `state` is `generation << 16 | epoch << 8 | status`. Generation: bumped when the record is
//! freed, so that a stale handle is refused. Epoch: bumped when the record changes its owner, so that a
//! region that is about to leak what it saw a moment ago cannot leak what has moved away. Status: see below;
//! `MOVING` is held for the few instructions in which owner and count change together.
use crate::{AlreadyLeaked, Note, Settled};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use types::{ObligationId, ObligationKind, TaskId};

const RESERVED: u64 = 0;
const FREE: u64 = 0x10;
const MOVING: u64 = 0x20;
const STATUS: u64 = 0xFF;
const EPOCH: u64 = 1 << 8;
const EPOCH_MASK: u64 = 0xFF << 8;
const GENERATION: u64 = 1 << 16;

const CHUNK: usize = 256;
const CHUNKS: usize = 1 << 14;

struct Record {
    state: AtomicU64,
    owner: AtomicPtr<Account>,
    site: AtomicPtr<Location<'static>>,
    by: AtomicU64,
    kind: AtomicU8,
    from_body: AtomicBool,
    next_free: AtomicU32,
}

/// The records of a process, in chunks that are never freed (`obligation.type-stable`).
struct Pool {
    chunks: [AtomicPtr<[Record; CHUNK]>; CHUNKS],
    used: AtomicUsize,
    /// Index + 1 of the first free record, with a counter against ABA in the high half.
    free: AtomicU64,
    growing: AtomicBool,
}

static POOL: Pool = Pool {
    chunks: [const { AtomicPtr::new(core::ptr::null_mut()) }; CHUNKS],
    used: AtomicUsize::new(0),
    free: AtomicU64::new(0),
    growing: AtomicBool::new(false),
};

impl Pool {
    fn record(&self, index: u32) -> &'static Record {
        let chunk = self.chunks[index as usize / CHUNK].load(Acquire);
        // SAFETY: an index is only ever handed out after its chunk was stored, and chunks are never freed.
        unsafe { &(&*chunk)[index as usize % CHUNK] }
    }

    fn take(&self) -> u32 {
        let mut head = self.free.load(Acquire);
        loop {
            let Some(index) = (head as u32).checked_sub(1) else {
                self.grow();
                head = self.free.load(Acquire);
                continue;
            };
            let next = self.record(index).next_free.load(Relaxed);
            let new = (head >> 32).wrapping_add(1) << 32 | u64::from(next);
            match self.free.compare_exchange_weak(head, new, AcqRel, Acquire) {
                Ok(_) => return index,
                Err(e) => head = e,
            }
        }
    }

    fn give(&self, first: u32, last: u32) {
        let mut head = self.free.load(Relaxed);
        loop {
            self.record(last).next_free.store(head as u32, Relaxed);
            let new = (head >> 32).wrapping_add(1) << 32 | u64::from(first + 1);
            match self.free.compare_exchange_weak(head, new, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(e) => head = e,
            }
        }
    }

    #[cold]
    fn grow(&self) {
        if self.growing.swap(true, Acquire) {
            core::hint::spin_loop();
            return;
        }
        let number = self.used.load(Relaxed);
        assert!(number < CHUNKS, "more than {} obligations outstanding in one process", CHUNKS * CHUNK);
        let base = (number * CHUNK) as u32;
        let chunk = Box::new(core::array::from_fn::<Record, CHUNK, _>(|i| Record {
            state: AtomicU64::new(FREE),
            owner: AtomicPtr::new(core::ptr::null_mut()),
            site: AtomicPtr::new(core::ptr::null_mut()),
            by: AtomicU64::new(0),
            kind: AtomicU8::new(0),
            from_body: AtomicBool::new(false),
            next_free: AtomicU32::new(if i + 1 < CHUNK { base + i as u32 + 2 } else { 0 }),
        }));
        self.chunks[number].store(Box::into_raw(chunk), Release);
        self.used.store(number + 1, Release);
        self.give(base, base + CHUNK as u32 - 1);
        self.growing.store(false, Release);
    }
}

/// The side of a region that its obligations see: how many are outstanding, and whom to tell at zero.
///
/// An account must stay where it is while its count is above zero, and after [`Account::settle`] returned
/// false until `zero` was called (`obligation.balanced`).
pub struct Account {
    /// Count, and `SETTLING` in the same word, so that exactly one party sees the last one go.
    outstanding: AtomicU32,
    zero: unsafe fn(NonNull<Account>),
}

const SETTLING: u32 = 1 << 31;

impl core::fmt::Debug for Account {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Account").field("outstanding", &self.outstanding()).finish_non_exhaustive()
    }
}

impl Account {
    /// An empty account. `zero` is called once, on whatever thread, with the account's address, when the
    /// last obligation goes after [`Account::settle`] returned false.
    pub const fn new(zero: unsafe fn(NonNull<Account>)) -> Account {
        Account { outstanding: AtomicU32::new(0), zero }
    }

    /// How many are outstanding.
    #[inline]
    pub fn outstanding(&self) -> u32 {
        self.outstanding.load(Acquire) & !SETTLING
    }

    /// From now on the owner wants to hear of zero. True if it is zero already: then `zero` is not called.
    /// Call it once.
    pub fn settle(&self) -> bool {
        self.outstanding.fetch_or(SETTLING, AcqRel) & !SETTLING == 0
    }

    /// One fewer.
    ///
    /// # Safety
    /// The caller settled a record of this account and has not counted it yet.
    unsafe fn settled_one(this: NonNull<Account>) {
        // SAFETY: until the count goes down, it keeps the account alive. Afterwards it is used only if the
        // owner waits for `zero`, which keeps it alive as well.
        unsafe {
            let tell = this.as_ref().zero;
            let before = this.as_ref().outstanding.fetch_sub(1, AcqRel);
            debug_assert!(before & !SETTLING > 0, "an account went below zero");
            if before == SETTLING | 1 {
                tell(this)
            }
        }
    }

    /// Every outstanding obligation of this account, oldest index first. Scans the pool: for reports and
    /// for leaking only.
    pub fn list(&self) -> Vec<Note> {
        self.each().map(|(index, state)| note(index, state)).collect()
    }

    fn each(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let me: *const Account = self;
        let count = if self.outstanding() == 0 { 0 } else { POOL.used.load(Acquire) * CHUNK };
        (0..count as u32).filter_map(move |index| {
            let record = POOL.record(index);
            let state = record.state.load(Acquire);
            (state & STATUS == RESERVED && core::ptr::eq(record.owner.load(Acquire), me))
                .then_some((index, state))
        })
    }

    /// Declares every outstanding obligation leaked and returns what they were. Each leaves `Reserved` by the
    /// same CAS that a commit needs, so it is one or the other.
    ///
    /// # Safety
    /// The account is alive during the call, also after `zero` was called by it.
    pub unsafe fn leak_all(&self) -> Vec<Note> {
        let found: Vec<_> = self.each().collect();
        let mut leaked = Vec::new();
        for (index, state) in found {
            let record = POOL.record(index);
            let to = (state & !STATUS) | Settled::Leaked as u64;
            if record.state.compare_exchange(state, to, AcqRel, Relaxed).is_ok() {
                leaked.push(note(index, state));
                // SAFETY: this CAS settled the record.
                unsafe { Account::settled_one(NonNull::from(self)) };
            }
        }
        leaked
    }

    /// Moves what the region's own body reserved and still holds to `other`: the body returned normally, and
    /// a permit may leave in its value (`obligation.owner`).
    ///
    /// # Safety
    /// Both accounts are alive during the call.
    pub unsafe fn move_body_obligations(&self, other: &Account) -> usize {
        let found: Vec<_> = self.each().collect();
        let mut moved = 0;
        for (index, state) in found {
            // SAFETY: says the caller.
            if POOL.record(index).from_body.load(Relaxed) && unsafe { rehome(index, state, self, other) } {
                moved += 1;
            }
        }
        moved
    }
}

fn note(index: u32, state: u64) -> Note {
    let record = POOL.record(index);
    // SAFETY: only `&'static Location` is ever stored, before the record became `Reserved`.
    let site = unsafe { &*record.site.load(Relaxed) };
    Note {
        id: id(index, state),
        kind: ObligationKind::from_u8(record.kind.load(Relaxed)).unwrap_or(ObligationKind::Lease),
        site,
        by: TaskId::from_u64(record.by.load(Relaxed)),
    }
}

fn id(index: u32, state: u64) -> ObligationId {
    ObligationId::from_u64((state / GENERATION) << 32 | u64::from(index))
}

/// # Safety
/// Both accounts are alive; `state` was seen as reserved and owned by `from`.
unsafe fn rehome(index: u32, state: u64, from: &Account, to: &Account) -> bool {
    let record = POOL.record(index);
    if record.state.compare_exchange(state, state | MOVING, AcqRel, Relaxed).is_err() {
        return false;
    }
    // The new owner counts first, so that the obligation is never uncounted.
    to.outstanding.fetch_add(1, Relaxed);
    record.owner.store(core::ptr::from_ref(to).cast_mut(), Release);
    record.from_body.store(false, Relaxed);
    let epoch = state.wrapping_add(EPOCH) & EPOCH_MASK;
    record.state.store((state & !EPOCH_MASK) | epoch, Release);
    // SAFETY: the record just left `from` and was counted there.
    unsafe { Account::settled_one(NonNull::from(from)) };
    true
}

/// A reserved effect that has to be committed or given up. Dropping it gives it up.
#[derive(Debug)]
pub struct Obligation {
    index: u32,
    generation: u32,
}

/// The owner of an account, for as long as something is outstanding in it.
#[derive(Clone, Copy, Debug)]
pub struct Outstanding<'a> {
    /// The account that counts it.
    pub account: &'a Account,
    /// What is reserved.
    pub kind: ObligationKind,
    /// Where.
    pub site: &'static Location<'static>,
    /// By which task.
    pub by: TaskId,
    /// Whether the body of a region (not one of its tasks) reserves it.
    pub from_body: bool,
}

impl Obligation {
    /// Opens a record. About 10 ns.
    ///
    /// # Safety
    /// The account stays alive until its count is zero again, as its type demands.
    pub unsafe fn open(of: Outstanding<'_>) -> Obligation {
        of.account.outstanding.fetch_add(1, Relaxed);
        let index = POOL.take();
        let record = POOL.record(index);
        record.owner.store(core::ptr::from_ref(of.account).cast_mut(), Relaxed);
        record.site.store(core::ptr::from_ref(of.site).cast_mut(), Relaxed);
        record.by.store(of.by.as_u64(), Relaxed);
        record.kind.store(of.kind as u8, Relaxed);
        record.from_body.store(of.from_body, Relaxed);
        let generation = record.state.load(Relaxed) / GENERATION;
        record.state.store((generation * GENERATION) | RESERVED, Release);
        Obligation { index, generation: generation as u32 }
    }

    /// Its identity within the process.
    pub fn id(&self) -> ObligationId {
        id(self.index, u64::from(self.generation) * GENERATION)
    }

    /// The effect happens now. Fails only if the region closed over the permit and reported it.
    #[inline]
    pub fn commit(self) -> Result<(), AlreadyLeaked> {
        ManuallyDrop::new(self).leave(Settled::Committed)
    }

    /// Gives the effect up, with nothing done.
    #[inline]
    pub fn abort(self) -> Result<(), AlreadyLeaked> {
        ManuallyDrop::new(self).leave(Settled::Aborted)
    }

    /// Moves the record to another account.
    ///
    /// # Safety
    /// `to` is as in [`Obligation::open`].
    pub unsafe fn rehome(&mut self, to: &Account) -> Result<(), AlreadyLeaked> {
        let record = POOL.record(self.index);
        loop {
            let state = record.state.load(Acquire);
            if state & STATUS == MOVING {
                core::hint::spin_loop();
                continue;
            }
            if state & STATUS != RESERVED {
                return Err(AlreadyLeaked);
            }
            let from = record.owner.load(Acquire);
            if core::ptr::eq(from, to) {
                return Ok(());
            }
            // SAFETY: the record is reserved in `from`, which therefore counts it and is alive; if it moves
            // meanwhile, the CAS on its state fails.
            if unsafe { rehome(self.index, state, &*from, to) } {
                return Ok(());
            }
        }
    }

    fn leave(&self, to: Settled) -> Result<(), AlreadyLeaked> {
        let record = POOL.record(self.index);
        let mut state = record.state.load(Acquire);
        loop {
            debug_assert_eq!((state / GENERATION) as u32, self.generation, "a permit outlived its record");
            if state & STATUS == MOVING {
                core::hint::spin_loop();
                state = record.state.load(Acquire);
                continue;
            }
            if state & STATUS == Settled::Leaked as u64 {
                // The region counted it already; the record is ours to free.
                self.free(record, state);
                return Err(AlreadyLeaked);
            }
            let owner = record.owner.load(Acquire);
            match record.state.compare_exchange_weak(state, (state & !STATUS) | to as u64, AcqRel, Acquire) {
                Ok(_) => {
                    self.free(record, state);
                    if let Some(owner) = NonNull::new(owner) {
                        // SAFETY: this call settled the record, and it was counted in `owner`.
                        unsafe { Account::settled_one(owner) }
                    }
                    return Ok(());
                }
                Err(e) => state = e,
            }
        }
    }

    fn free(&self, record: &Record, state: u64) {
        let generation = (state / GENERATION).wrapping_add(1) & 0xFFFF_FFFF;
        record.state.store((generation * GENERATION) | FREE, Release);
        POOL.give(self.index, self.index);
    }
}

impl Drop for Obligation {
    fn drop(&mut self) {
        let _ = self.leave(Settled::Aborted);
    }
}

#[cfg(test)]
mod tests;
