//! The two parties that may take a task's outcome: its join handle, typed, and the region that closes, untyped.
//!
//! Who of them gets it, and who is woken when it is there, is decided by [`JoinSlot`](crate::JoinSlot); here are the
//! waiters and outcomes that its word stands for.
use super::header::TaskRef;
use super::waiter::Waiter;
use crate::slot::{Finished, Registered};
use crate::{Loss, Whose};
use core::marker::PhantomData;
use core::mem::needs_drop;
use core::ptr::NonNull;
use types::{Outcome, TaskId};

/// The typed right to a task's outcome. Dropping it neither stops nor frees the task.
#[derive(Debug)]
pub struct JoinRef<T, E> {
    pub(super) task: TaskRef,
    pub(super) id: TaskId,
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

    /// What the layer above calls the task; 0 for one that was refused.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Whether the outcome is there, or was.
    pub fn is_finished(&self) -> bool {
        self.task.join.is_finished()
    }

    /// Takes the outcome, if it is there and still in the cell.
    pub fn try_take(&mut self) -> Option<Outcome<T, E>> {
        // A region never asks for an `Ok` (`TaskRef::take_loss`).
        if !self.task.join.take_as_handle(|| self.task.severity() != 0) {
            return None;
        }
        // SAFETY: the slot gave this call the right to the outcome, which has the type that the cell
        // was made with, at the offset its vtable names.
        unsafe {
            let at = self.task.as_ptr().byte_add(self.task.vtable.outcome_offset).cast::<Outcome<T, E>>();
            Some(at.read())
        }
    }

    /// Whether the outcome has left the cell already: this handle took it, or the closing region did.
    pub fn is_taken(&self) -> bool {
        self.task.join.is_taken()
    }

    /// Registers to be woken when the outcome is there. False if it is there already.
    pub fn register(&mut self, waker: &core::task::Waker) -> bool {
        // A foreign waker is always replaced: its box must not be looked at.
        let registered = self.task.join.register(
            |old| Waiter::is_own_task(old.as_ptr(), waker),
            || Waiter::from_waker(waker).into_raw(),
        );
        let (waits, ours) = match registered {
            Registered::Waiting(replaced) => (true, replaced),
            Registered::Finished(unused) => (false, unused),
        };
        forget(ours);
        waits
    }
}

impl<T, E> Drop for JoinRef<T, E> {
    #[inline]
    fn drop(&mut self) {
        match self.task.join.close() {
            Ok(waiter) => forget(waiter),
            Err(Finished) if self.task.severity() == 0 => {
                let mut unwanted = self.try_take();
                if needs_drop::<T>() && unwanted.is_some() {
                    let whose = Whose::Known(self.id);
                    (self.task.vtable.discard)(&self.task, whose, &mut || drop(unwanted.take()))
                }
            }
            // An outcome that is not Ok stays for the region.
            Err(Finished) => {}
        }
    }
}

/// Drops a waiter that the slot gave back.
#[inline]
fn forget(waiter: Option<NonNull<()>>) {
    if let Some(raw) = waiter {
        // SAFETY: only `Waiter::into_raw` fills the slot, and what leaves it belongs to who made it leave.
        drop(unsafe { Waiter::from_raw(raw) })
    }
}

impl TaskRef {
    /// Takes the outcome of a finished task away from its handle, erased; `None` if it was taken or is `Ok`.
    pub fn take_loss(&self) -> Option<Loss> {
        if self.severity() == 0 || !self.join.take() {
            return None;
        }
        // SAFETY: the CAS to TAKEN gave this call the right to the outcome.
        unsafe { (self.vtable.take_loss)(self.as_ptr()) }
    }

    /// Whether the outcome was taken.
    pub fn is_taken(&self) -> bool {
        self.join.is_taken()
    }
}
