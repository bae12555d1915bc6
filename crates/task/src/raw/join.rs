//! The join slot: who waits for a task's outcome, and who gets it.
//!
//! One pointer-sized word in the header:
//!
//! ```text
//!  EMPTY ──register──▶ waiter ───┐
//!    │                           ├─ task ends ─▶ DONE ──take (CAS)──▶ TAKEN
//!    └──── handle dropped ─▶ CLOSED ┘
//! ```
//! `DONE` means the outcome is in the cell. The handle and the closing region may both want it; the CAS to
//! `TAKEN` decides (`task.outcome-once`).
use super::header::{Header, TaskRef};
use super::waiter::Waiter;
use crate::Loss;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use types::Outcome;

pub(crate) const EMPTY: *mut () = core::ptr::null_mut();
pub(crate) const DONE: *mut () = core::ptr::without_provenance_mut(2);
pub(crate) const CLOSED: *mut () = core::ptr::without_provenance_mut(4);
pub(crate) const TAKEN: *mut () = core::ptr::without_provenance_mut(6);

/// Whether a word of the slot is somebody who waits.
pub(crate) fn is_waiter(p: *mut ()) -> bool {
    p.addr() > TAKEN.addr()
}

/// The typed right to a task's outcome. Dropping it neither stops nor frees the task.
#[derive(Debug)]
pub struct JoinRef<T, E> {
    pub(super) task: TaskRef,
    pub(super) marker: PhantomData<Outcome<T, E>>,
}

// SAFETY: it moves an outcome between threads, and is otherwise a counted reference.
unsafe impl<T: Send, E: Send> Send for JoinRef<T, E> {}
// SAFETY: nothing reaches the outcome through a shared reference.
unsafe impl<T: Send, E: Send> Sync for JoinRef<T, E> {}

impl<T, E> JoinRef<T, E> {
    /// The task.
    pub fn task(&self) -> &TaskRef {
        &self.task
    }

    /// Whether the outcome is there, or was.
    pub fn is_finished(&self) -> bool {
        let j = self.task.join.load(Acquire);
        j == DONE || j == TAKEN
    }

    /// Takes the outcome, if it is there and still in the cell.
    pub fn try_take(&mut self) -> Option<Outcome<T, E>> {
        if !take(&self.task) {
            return None;
        }
        // SAFETY: the CAS to TAKEN gave this call the right to the outcome, which has the type that the cell
        // was made with, at the offset its vtable names.
        unsafe {
            let at = self.task.as_ptr().byte_add(self.task.vtable.outcome_offset).cast::<Outcome<T, E>>();
            Some(at.read())
        }
    }

    /// Whether the outcome has left the cell already: this handle took it, or the closing region did.
    pub fn is_taken(&self) -> bool {
        self.task.join.load(Acquire) == TAKEN
    }

    /// Registers to be woken when the outcome is there. False if it is there already.
    pub fn register(&mut self, waker: &core::task::Waker) -> bool {
        let slot = &self.task.join;
        let mut now = slot.load(Acquire);
        loop {
            if now == DONE || now == TAKEN {
                return false;
            }
            // A waiter in the slot may be woken and freed by the task's end while it is looked at, so only its
            // address is compared; a foreign waker is always replaced.
            if is_waiter(now) && Waiter::is_own_task(now, waker) {
                return true;
            }
            let new = Waiter::from_waker(waker).into_raw().as_ptr();
            match slot.compare_exchange(now, new, AcqRel, Acquire) {
                Ok(old) => {
                    if is_waiter(old) {
                        // SAFETY: it was swapped out, so it is ours.
                        drop(unsafe { Waiter::from_raw(NonNull::new_unchecked(old)) });
                    }
                    return true;
                }
                Err(e) => {
                    // SAFETY: it was not stored.
                    drop(unsafe { Waiter::from_raw(NonNull::new_unchecked(new)) });
                    now = e;
                }
            }
        }
    }
}

impl<T, E> Drop for JoinRef<T, E> {
    #[inline]
    fn drop(&mut self) {
        let slot = &self.task.join;
        let mut now = slot.load(Acquire);
        loop {
            if now == TAKEN {
                return;
            }
            if now == DONE {
                // An outcome that is not Ok stays for the region.
                if self.task.severity() == 0 {
                    drop(self.try_take());
                }
                return;
            }
            match slot.compare_exchange(now, CLOSED, AcqRel, Acquire) {
                Ok(old) => {
                    if is_waiter(old) {
                        // SAFETY: it was swapped out, so it is ours.
                        drop(unsafe { Waiter::from_raw(NonNull::new_unchecked(old)) });
                    }
                    return;
                }
                Err(e) => now = e,
            }
        }
    }
}

fn take(task: &Header) -> bool {
    task.join.load(Acquire) == DONE && task.join.compare_exchange(DONE, TAKEN, AcqRel, Acquire).is_ok()
}

impl TaskRef {
    /// Takes the outcome of a finished task away from its handle, erased; `None` if it was taken or is `Ok`.
    pub fn take_loss(&self) -> Option<Loss> {
        if self.severity() == 0 || !take(self) {
            return None;
        }
        // SAFETY: the CAS to TAKEN gave this call the right to the outcome.
        unsafe { (self.vtable.take_loss)(self.as_ptr()) }
    }

    /// Whether the outcome was taken.
    pub fn is_taken(&self) -> bool {
        self.join.load(Acquire) == TAKEN
    }
}
