//! The records of a process, in chunks that are never freed, and the list of those that are free.
//!
//! Invariant `pool.type-stable`: an index that was handed out once names a [`Record`] for ever, so a permit kept
//! past its region is harmless.
use super::account::Account;
use super::record::{Record, id};
use crate::Note;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};
use types::ObligationId;

/// Something that happens to one obligation, at once; says to which, if it did.
pub type Step<'a> = &'a mut dyn FnMut() -> Option<ObligationId>;

const CHUNK: usize = 256;
const CHUNKS: usize = 1 << 14;

pub(super) struct Pool {
    chunks: [AtomicPtr<[Record; CHUNK]>; CHUNKS],
    used: AtomicUsize,
    /// Index + 1 of the first free record, with a counter against ABA in the high half.
    free: AtomicU64,
    growing: AtomicBool,
}

pub(super) static POOL: Pool = Pool {
    chunks: [const { AtomicPtr::new(core::ptr::null_mut()) }; CHUNKS],
    used: AtomicUsize::new(0),
    free: AtomicU64::new(0),
    growing: AtomicBool::new(false),
};

impl Pool {
    pub(super) fn record(&self, index: u32) -> &'static Record {
        let chunk = self.chunks[index as usize / CHUNK].load(Acquire);
        // SAFETY: an index is only ever handed out after its chunk was stored, and chunks are never freed
        // (`pool.type-stable`).
        unsafe { &(&*chunk)[index as usize % CHUNK] }
    }

    /// Takes a free record.
    ///
    /// # Panics
    /// With more than four million records in use.
    pub(super) fn take(&self) -> u32 {
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

    /// Puts a chain of free records back, linked from `first` to `last`.
    pub(super) fn give(&self, first: u32, last: u32) {
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
        if number == CHUNKS {
            // Whoever else waits for more finds out as well.
            self.growing.store(false, Release);
            panic!("more than {} obligations outstanding in one process", CHUNKS * CHUNK)
        }
        let base = (number * CHUNK) as u32;
        let chunk = Box::new(core::array::from_fn::<Record, CHUNK, _>(|i| {
            Record::new(if i + 1 < CHUNK { base + i as u32 + 2 } else { 0 })
        }));
        self.chunks[number].store(Box::into_raw(chunk), Release);
        self.used.store(number + 1, Release);
        self.give(base, base + CHUNK as u32 - 1);
        self.growing.store(false, Release);
    }

    /// What is reserved in `account`, with the state in which it was seen. Scans the pool.
    fn reserved_in<'a>(&'a self, account: &'a Account) -> impl Iterator<Item = (u32, u64)> + 'a {
        let count = if account.outstanding() == 0 { 0 } else { self.used.load(Acquire) * CHUNK };
        (0..count as u32).filter_map(move |i| self.record(i).reserved_in(account).map(|state| (i, state)))
    }
}

impl Account {
    /// Every outstanding obligation of this account, oldest index first. Scans the pool: for reports and
    /// for leaking only.
    pub fn list(&self) -> Vec<Note> {
        POOL.reserved_in(self).filter_map(|(index, state)| POOL.record(index).note(index, state)).collect()
    }

    /// Declares every outstanding obligation leaked and returns what they were. Each leaves `Reserved` by the
    /// same CAS that a commit needs, so it is one or the other. `each` is called with that step, which it takes, and
    /// which says what it leaked.
    ///
    /// # Safety
    /// The account is alive during the call, also after `zero` was called by it.
    pub unsafe fn leak_all(&self, mut each: impl FnMut(Step<'_>)) -> Vec<Note> {
        let found: Vec<_> = POOL.reserved_in(self).collect();
        let mut leaked = Vec::new();
        for (index, state) in found {
            let record = POOL.record(index);
            // Read before the permit's holder can free the record, which a leaked one allows.
            let note = record.note(index, state);
            let mut left = None;
            each(&mut || {
                // SAFETY: seen in this account, which is alive, says the caller.
                left = unsafe { record.leak(state, self) };
                left.is_some().then(|| id(index, state))
            });
            if left.is_some() {
                leaked.extend(note)
            }
        }
        leaked
    }

    /// Moves what the region's own body reserved and still holds to `other`: the body returned normally, and
    /// a permit may leave in its value (`obligation.owner`). What `other` no longer admits stays. `each` is called
    /// with the step that moves one of them, which it takes, and which says what moved.
    ///
    /// # Safety
    /// Both accounts are alive during the call.
    pub unsafe fn move_body_obligations(&self, other: &Account, mut each: impl FnMut(Step<'_>)) {
        let found: Vec<_> = POOL.reserved_in(self).collect();
        for (index, state) in found {
            let record = POOL.record(index);
            let mut left = None;
            if record.is_from_body() {
                each(&mut || {
                    // SAFETY: seen in this account; both are alive, says the caller.
                    left = unsafe { record.move_to(state, NonNull::from(self), other) }.ok();
                    left.is_some().then(|| id(index, state))
                })
            }
        }
    }
}
