//! The join slot: one word that says who waits for a task's outcome, and who may take it.
//!
//! ```text
//!  EMPTY ──register──▶ waiter ───┐
//!    │                           ├─ publish ──▶ DONE ──take (CAS)──▶ TAKEN
//!    └──── close ──────▶ CLOSED ─┘                └─ discard ──────────▲
//! ```
//! `DONE` means that the outcome is in the cell. The handle and the closing region may both want it, unless it is
//! `Ok`, which is the handle's alone; the CAS to `TAKEN` decides (`task.outcome-once`). Whoever swaps a waiter out of the word owns it: the task's end wakes it,
//! a registration or a close forgets it.
//!
//! | operation | who |
//! |---|---|
//! | `register`, `close` | the one handle, on one thread at a time |
//! | `publish`, `discard` | the task's last poll, once |
//! | `take` | the handle, and the region that closes |
//!
//! A waiter is an address above the four states, and is never looked at here. Loom runs this very code in
//! `tests/loom_join.rs`. Not here: what a waiter is (`raw/waiter.rs`), where the outcome lies (`raw/join.rs`).
use crate::sync::{AtomicPtr, Ordering::*};
use core::ptr::NonNull;

const EMPTY: *mut () = core::ptr::null_mut();
const DONE: *mut () = core::ptr::without_provenance_mut(2);
const CLOSED: *mut () = core::ptr::without_provenance_mut(4);
const TAKEN: *mut () = core::ptr::without_provenance_mut(6);

/// Who waits for an outcome, and who gets it. See the module.
#[derive(Debug)]
pub struct JoinSlot(AtomicPtr<()>);

/// Who was in the slot when the outcome was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The handle is there, and does not wait.
    Nobody,
    /// The handle has been dropped.
    Unclaimed,
    /// This waiter, which now belongs to the caller.
    Waiter(NonNull<()>),
}

/// What came of a registration. Every address in it belongs to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The outcome is there already, or was. The waiter that was made for nothing, if one was.
    Finished(Option<NonNull<()>>),
    /// The waiter is in the slot. The one that it replaced, if there was one.
    Waiting(Option<NonNull<()>>),
}

impl Default for JoinSlot {
    fn default() -> JoinSlot {
        JoinSlot::new()
    }
}

impl JoinSlot {
    /// The slot of a task that has not ended, with a handle that does not wait.
    #[inline]
    pub fn new() -> JoinSlot {
        JoinSlot(AtomicPtr::new(EMPTY))
    }

    /// The slot of a task whose outcome is in its cell from the start.
    #[inline]
    pub fn finished() -> JoinSlot {
        JoinSlot(AtomicPtr::new(DONE))
    }

    /// Whether the outcome is there, or was.
    #[inline]
    pub fn is_finished(&self) -> bool {
        let now = self.0.load(Acquire);
        now == DONE || now == TAKEN
    }

    /// Whether the outcome has left the cell.
    #[inline]
    pub fn is_taken(&self) -> bool {
        self.0.load(Acquire) == TAKEN
    }

    /// Whether the outcome is in the cell. Relaxed: for whoever has the cell to itself.
    #[inline]
    pub fn holds_outcome(&self) -> bool {
        self.0.load(Relaxed) == DONE
    }

    /// The outcome is in the cell from here on, for whoever takes it.
    #[inline]
    pub fn publish(&self) -> Published {
        let order = if types::seeded!("join.relaxed-publish") { Relaxed } else { AcqRel };
        let now = self.0.load(Acquire);
        // A handle that is gone writes no more, so nothing can come between these two.
        if now == CLOSED || types::seeded!("join.publish-without-swap") && now == EMPTY {
            self.0.store(DONE, Release);
            return if now == CLOSED { Published::Unclaimed } else { Published::Nobody };
        }
        let before = self.0.swap(DONE, order);
        match waiter(before) {
            Some(waiter) => Published::Waiter(waiter),
            None if before == CLOSED => Published::Unclaimed,
            None => Published::Nobody,
        }
    }

    /// Takes back what was published for nobody: the caller drops the outcome. Only after [`Published::Unclaimed`],
    /// and for an outcome that no region asks for, so nobody competes.
    #[inline]
    pub fn discard(&self) {
        self.0.store(TAKEN, Relaxed)
    }

    /// As [`JoinSlot::take`], for the handle, which knows from `contested` whether a region may ask for this outcome
    /// as well: if not, no read-modify-write has to decide.
    #[inline]
    pub fn take_as_handle(&self, contested: impl FnOnce() -> bool) -> bool {
        if self.0.load(Acquire) != DONE {
            return false;
        }
        if contested() && !types::seeded!("join.handle-never-contested") {
            return self.take();
        }
        self.0.store(TAKEN, Relaxed);
        true
    }

    /// The right to the outcome, once: true for one caller, if the outcome is there.
    #[inline]
    pub fn take(&self) -> bool {
        if types::seeded!("join.take-unchecked") {
            let there = self.0.load(Acquire) == DONE;
            if there {
                self.0.store(TAKEN, Release)
            }
            return there;
        }
        self.0.load(Acquire) == DONE && self.0.compare_exchange(DONE, TAKEN, AcqRel, Acquire).is_ok()
    }

    /// Puts the waiter that `make` gives into the slot, unless the one that is there `stays` or the outcome is
    /// there. A waiter in the slot may be woken and freed by the task's end while it is looked at, so `stays` may
    /// compare its address and nothing else.
    #[inline]
    pub fn register(
        &self,
        stays: impl FnOnce(NonNull<()>) -> bool,
        make: impl FnOnce() -> NonNull<()>,
    ) -> Registered {
        let now = self.0.load(Acquire);
        if now == DONE || now == TAKEN {
            return Registered::Finished(None);
        }
        if waiter(now).is_some_and(stays) {
            return Registered::Waiting(None);
        }
        let new = make();
        debug_assert!(waiter(new.as_ptr()).is_some(), "a waiter's address is none of the states");
        if types::seeded!("join.register-overwrites") {
            return Registered::Waiting(waiter(self.0.swap(new.as_ptr(), AcqRel)));
        }
        let order = if types::seeded!("join.relaxed-register") { Relaxed } else { AcqRel };
        // Only the task's end competes with the handle, and after it nothing is left to wait for.
        match self.0.compare_exchange(now, new.as_ptr(), order, Acquire) {
            Ok(old) => Registered::Waiting(waiter(old)),
            Err(_) => Registered::Finished(Some(new)),
        }
    }

    /// The handle is dropped. `Ok` if nobody will ask for the outcome any more: the waiter that was still there,
    /// if one was, belongs to the caller. `Err` if the outcome is there already, or was.
    #[inline]
    pub fn close(&self) -> Result<Option<NonNull<()>>, Finished> {
        let now = self.0.load(Acquire);
        if now == DONE || now == TAKEN {
            return Err(Finished);
        }
        if types::seeded!("join.close-overwrites") {
            return Ok(waiter(self.0.swap(CLOSED, AcqRel)));
        }
        match self.0.compare_exchange(now, CLOSED, AcqRel, Acquire) {
            Ok(_) if types::seeded!("join.close-forgets-waiter") => Ok(None),
            Ok(old) => Ok(waiter(old)),
            // As in `register`: it was the task's end.
            Err(_) => Err(Finished),
        }
    }
}

/// The task had ended before its handle was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished;

/// The waiter in a word of the slot, if that is what it is.
#[inline]
fn waiter(word: *mut ()) -> Option<NonNull<()>> {
    if word.addr() > TAKEN.addr() { NonNull::new(word) } else { None }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    static PARTIES: [u64; 2] = [0; 2];

    fn party(number: usize) -> NonNull<()> {
        NonNull::from(&PARTIES[number]).cast()
    }

    #[test]
    fn the_last_waiter_is_the_one_that_is_woken_and_the_replaced_one_comes_back() {
        let slot = JoinSlot::new();
        assert_eq!(slot.register(|_| false, || party(0)), Registered::Waiting(None));
        assert_eq!(slot.register(|old| old == party(0), || unreachable!()), Registered::Waiting(None));
        assert_eq!(slot.register(|_| false, || party(1)), Registered::Waiting(Some(party(0))));
        assert_eq!(slot.publish(), Published::Waiter(party(1)));
        assert_eq!(slot.register(|_| false, || party(0)), Registered::Finished(None));
    }

    #[test]
    fn an_outcome_is_taken_once() {
        let slot = JoinSlot::new();
        assert!(!slot.take() && !slot.is_finished());
        assert_eq!(slot.publish(), Published::Nobody);
        assert!(slot.holds_outcome() && slot.is_finished());
        assert!(slot.take() && !slot.take() && !slot.take_as_handle(|| false));
        assert!(slot.is_taken() && slot.is_finished() && !slot.holds_outcome());
    }

    #[test]
    fn a_dropped_handle_leaves_the_outcome_unclaimed() {
        let slot = JoinSlot::new();
        assert_eq!(slot.register(|_| false, || party(0)), Registered::Waiting(None));
        assert_eq!(slot.close(), Ok(Some(party(0))));
        assert_eq!(slot.publish(), Published::Unclaimed);
        slot.discard();
        assert!(slot.is_taken());
        assert_eq!(JoinSlot::finished().close(), Err(Finished));
    }
}
