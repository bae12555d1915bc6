//! One obligation's record, and the compare-and-swap on its state word that everybody competes for.
//!
//! `state` is `generation << 16 | epoch << 8 | status`. Generation: bumped when the record is freed, so that a
//! stale permit is noticed. Epoch: bumped when the record changes its owner, so that a region that is about
//! to leak what it saw a moment ago cannot leak what has moved away. `MOVING` is held for the few instructions
//! in which owner and counts change together.
//!
//! Invariant `record.counted`: a record that is `RESERVED` or `MOVING` holds one admission of the account in
//! `owner`; whoever takes it out of these states gives that admission up.
// Public for the models in `tests/loom_account.rs`, which build with `--cfg loom`.
#![cfg_attr(not(loom), allow(unreachable_pub))]
use super::account::{Account, Leaving};
use crate::sync::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering::*, spin_loop};
use crate::{AlreadyLeaked, Note, Settled};
use core::panic::Location;
use core::ptr::NonNull;
use types::{ObligationId, ObligationKind, TaskId};

const RESERVED: u64 = 0;
const FREE: u64 = 0x10;
const MOVING: u64 = 0x20;
const STATUS: u64 = 0xFF;
const EPOCH: u64 = 1 << 8;
const EPOCH_MASK: u64 = 0xFF << 8;
const GENERATION: u64 = 1 << 16;

/// What an obligation is about, and whose it is.
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

/// A record, free or in use. Type-stable: it never becomes anything else.
pub struct Record {
    state: AtomicU64,
    owner: AtomicPtr<Account>,
    site: AtomicPtr<Location<'static>>,
    by: AtomicU64,
    kind: AtomicU8,
    from_body: AtomicBool,
    pub(super) next_free: AtomicU32,
}

/// Why a record's owner did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmoved {
    /// The other account's owner settles: nothing changed.
    Refused,
    /// The record was not as it had been seen.
    Changed,
}

/// What became of a record that was to move.
#[derive(Debug)]
pub enum Rehomed {
    /// It is the other account's now, and the one before has yet to be told.
    Moved(Leaving),
    /// It was the other account's already.
    There,
    /// The other account's owner settles: nothing changed.
    Refused,
}

impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Record").field("state", &self.state.load(Relaxed)).finish_non_exhaustive()
    }
}

/// The identity of the obligation that a record with this state stands for.
pub(super) fn id(index: u32, state: u64) -> ObligationId {
    ObligationId::from_u64((state / GENERATION) << 32 | u64::from(index))
}

/// The identity of the obligation in this generation of a record.
pub(super) fn id_of(index: u32, generation: u32) -> ObligationId {
    id(index, u64::from(generation) * GENERATION)
}

impl Record {
    /// A free record.
    pub fn new(next_free: u32) -> Record {
        Record {
            state: AtomicU64::new(FREE),
            owner: AtomicPtr::new(core::ptr::null_mut()),
            site: AtomicPtr::new(core::ptr::null_mut()),
            by: AtomicU64::new(0),
            kind: AtomicU8::new(0),
            from_body: AtomicBool::new(false),
            next_free: AtomicU32::new(next_free),
        }
    }

    /// Reserves a free record. Returns its generation.
    ///
    /// # Safety
    /// The record is the caller's alone, who owns one admission of `of.account` and gives it to the record. The
    /// account stays alive as its type demands.
    pub unsafe fn reserve(&self, of: Outstanding<'_>) -> u32 {
        self.owner.store(core::ptr::from_ref(of.account).cast_mut(), Relaxed);
        self.site.store(core::ptr::from_ref(of.site).cast_mut(), Relaxed);
        self.by.store(of.by.as_u64(), Relaxed);
        self.kind.store(of.kind as u8, Relaxed);
        self.from_body.store(of.from_body, Relaxed);
        let generation = self.state.load(Relaxed) / GENERATION;
        self.state.store((generation * GENERATION) | RESERVED, Release);
        generation as u32
    }

    /// Takes the record out of `Reserved`, for the permit's holder (`obligation.linear`), and frees it. `Err`
    /// if its region leaked it first: then the region has counted it, and it is freed all the same.
    ///
    /// The caller puts the record back into the pool; nobody else will touch it.
    #[inline]
    pub fn settle(&self, generation: u32, to: Settled) -> Result<(), AlreadyLeaked> {
        self.settle_apart(generation, to).map(drop)
    }

    /// As [`Record::settle`], with what the record's account has yet to be told.
    #[inline]
    pub(super) fn settle_apart(
        &self,
        generation: u32,
        to: Settled,
    ) -> Result<Option<Leaving>, AlreadyLeaked> {
        let mut state = self.state.load(Acquire);
        loop {
            debug_assert_eq!((state / GENERATION) as u32, generation, "a permit outlived its record");
            if state & STATUS == MOVING {
                spin_loop();
                state = self.state.load(Acquire);
                continue;
            }
            if state & STATUS == Settled::Leaked as u64 {
                self.free(state);
                return Err(AlreadyLeaked);
            }
            let owner = self.owner.load(Acquire);
            match self.state.compare_exchange_weak(state, (state & !STATUS) | to as u64, AcqRel, Acquire) {
                Ok(_) => {
                    self.free(state);
                    // SAFETY: this call took the record out of `Reserved`, and `owner` was its owner in that state (a
                    // move changes the epoch), so the admission is this call's to give up.
                    return Ok(NonNull::new(owner).map(|owner| unsafe { Leaving::new(owner) }));
                }
                Err(e) => state = e,
            }
        }
    }

    fn free(&self, state: u64) {
        let generation = (state / GENERATION).wrapping_add(1) & 0xFFFF_FFFF;
        self.state.store((generation * GENERATION) | FREE, Release);
    }

    /// The state, if the record is reserved in `account`.
    pub fn reserved_in(&self, account: &Account) -> Option<u64> {
        let state = self.state.load(Acquire);
        let here = state & STATUS == RESERVED && core::ptr::eq(self.owner.load(Acquire), account);
        here.then_some(state)
    }

    /// Whether a region's own body reserved it.
    pub(super) fn is_from_body(&self) -> bool {
        self.from_body.load(Relaxed)
    }

    /// Declares the record leaked, if it still is as [`Record::reserved_in`] saw it: the same compare-and-swap
    /// that a commit needs, so it is one or the other. Returns what the account has yet to be told.
    ///
    /// # Safety
    /// `account` is the one that `state` was seen in, and is alive until the result is dropped, also after `zero`.
    pub unsafe fn leak(&self, state: u64, account: &Account) -> Option<Leaving> {
        let to = (state & !STATUS) | Settled::Leaked as u64;
        if types::seeded!("record.leak-without-cas") {
            self.state.store(to, Release);
        } else if self.state.compare_exchange(state, to, AcqRel, Relaxed).is_err() {
            return None;
        }
        // SAFETY: this call took the record out of `Reserved` in `account`.
        Some(unsafe { Leaving::new(NonNull::from(account)) })
    }

    /// Moves the record, if it still is as it was seen, from one account to another. Returns what the one that it has
    /// left has yet to be told.
    ///
    /// # Safety
    /// `state` was seen together with the owner `from`, which is alive if the record is still so; `to` is alive
    /// during the call.
    pub unsafe fn move_to(
        &self,
        state: u64,
        from: NonNull<Account>,
        to: &Account,
    ) -> Result<Leaving, Unmoved> {
        if self.state.compare_exchange(state, state | MOVING, AcqRel, Relaxed).is_err() {
            return Err(Unmoved::Changed);
        }
        // The new owner counts first, so that the obligation is never uncounted.
        if !to.admit() {
            self.state.store(state, Release);
            return Err(Unmoved::Refused);
        }
        self.owner.store(core::ptr::from_ref(to).cast_mut(), Release);
        self.from_body.store(false, Relaxed);
        let epoch = if types::seeded!("record.move-keeps-epoch") { state } else { state.wrapping_add(EPOCH) };
        self.state.store((state & !EPOCH_MASK) | (epoch & EPOCH_MASK), Release);
        // SAFETY: the record just left `from`, and with it the admission there.
        Ok(unsafe { Leaving::new(from) })
    }

    /// Moves the record, whoever its owner is.
    ///
    /// # Safety
    /// The caller holds the permit of this generation; `to` is alive during the call.
    pub(super) unsafe fn rehome(&self, to: &Account) -> Result<Rehomed, AlreadyLeaked> {
        loop {
            let state = self.state.load(Acquire);
            if state & STATUS == MOVING {
                spin_loop();
                continue;
            }
            if state & STATUS != RESERVED {
                return Err(AlreadyLeaked);
            }
            let from = self.owner.load(Acquire);
            if core::ptr::eq(from, to) {
                return Ok(Rehomed::There);
            }
            let Some(from) = NonNull::new(from) else { return Err(AlreadyLeaked) };
            // SAFETY: if the record is still reserved in this epoch, `from` counts it and is alive; if not,
            // `from` is not touched.
            match unsafe { self.move_to(state, from, to) } {
                Ok(left) => return Ok(Rehomed::Moved(left)),
                Err(Unmoved::Refused) => return Ok(Rehomed::Refused),
                Err(Unmoved::Changed) => {}
            }
        }
    }

    /// What reports say of it.
    pub(super) fn note(&self, index: u32, state: u64) -> Option<Note> {
        // SAFETY: null, or the `&'static Location` of whoever reserved it last.
        let site = unsafe { self.site.load(Relaxed).as_ref() }?;
        Some(Note {
            id: id(index, state),
            kind: ObligationKind::from_u8(self.kind.load(Relaxed)).unwrap_or(ObligationKind::Lease),
            site,
            by: TaskId::from_u64(self.by.load(Relaxed)),
        })
    }
}
