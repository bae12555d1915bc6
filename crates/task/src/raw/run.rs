//! Running a task: the waker, the poll with its panic guard, and the end of the cell's stages.
use super::cell;
use super::engine;
use super::header::Header;
use crate::word::WokenByValue;
use crate::{Whose, control};
use alloc::boxed::Box;
use core::any::Any;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use core::task::{RawWaker, RawWakerVTable, Waker};

/// One static table for all tasks, whatever their type, so that `will_wake` can compare addresses.
pub(crate) static WAKER_VTABLE: RawWakerVTable = RawWakerVTable::new(
    |p| {
        // SAFETY: the waker being cloned holds a reference.
        let header = unsafe { NonNull::new_unchecked(p.cast_mut().cast::<Header>()).as_ref() };
        header.word.acquire_ref();
        if header.control() & control::TRACE != 0 {
            header.control.fetch_or(control::SHARED, Relaxed);
        }
        RawWaker::new(p, &WAKER_VTABLE)
    },
    // SAFETY: the waker's reference is given up.
    |p| unsafe { wake_by_value(NonNull::new_unchecked(p.cast_mut().cast())) },
    // SAFETY: the waker holds a reference.
    |p| unsafe { NonNull::new_unchecked(p.cast_mut().cast::<Header>()).as_ref() }.wake_by_ref(),
    // SAFETY: the waker's reference is given up.
    |p| unsafe { drop_waker_ref(NonNull::new_unchecked(p.cast_mut().cast())) },
);

/// # Safety
/// The caller gives up one reference.
#[inline]
pub(crate) unsafe fn wake_by_value(task: NonNull<Header>) {
    // SAFETY: the caller's reference is still counted here. After it is given up the cell stays allocated
    // as long as it is not complete (`task.live-ref`), which is what `Schedule` means.
    unsafe {
        match task.as_ref().word.wake_by_value() {
            WokenByValue::Schedule => engine::schedule(task),
            WokenByValue::Free => cell::free(task),
            WokenByValue::Nothing => {}
        }
    }
}

/// # Safety
/// The caller gives up one reference.
#[inline]
pub(crate) unsafe fn drop_waker_ref(task: NonNull<Header>) {
    // SAFETY: the reference is still counted.
    if unsafe { task.as_ref() }.word.release_ref() {
        // SAFETY: it was the last one.
        unsafe { cell::free(task) }
    }
}

/// As [`drop_waker_ref`], for a waiter's.
///
/// # Safety
/// The caller gives up one reference.
#[inline]
pub(crate) unsafe fn drop_waiter_ref(task: NonNull<Header>) {
    // SAFETY: the reference is still counted.
    if unsafe { task.as_ref() }.release_of_waiter() {
        // SAFETY: it was the last one.
        unsafe { cell::free(task) }
    }
}

/// A waker for the task that borrows the live reference instead of counting its own.
///
/// # Safety
/// The task is not complete while the waker is used.
#[inline]
pub(crate) unsafe fn borrowed_waker(task: NonNull<Header>) -> ManuallyDrop<Waker> {
    let raw = RawWaker::new(task.as_ptr().cast_const().cast(), &WAKER_VTABLE);
    // SAFETY: the vtable is ours and the live reference outlives the use, says the caller.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw) })
}

/// The right to poll a task once: exactly one exists while the task is woken (`task.single-poller`).
#[derive(Debug)]
pub struct Runnable(NonNull<Header>);

// SAFETY: it is a unique right, and headers are `Sync`.
unsafe impl Send for Runnable {}

impl Runnable {
    /// # Safety
    /// The caller owns the runnable and gives it up.
    #[inline]
    pub unsafe fn from_raw(task: NonNull<Header>) -> Runnable {
        Runnable(task)
    }

    /// The header, without giving up the runnable.
    #[inline]
    pub fn header(&self) -> &Header {
        // SAFETY: the task of a runnable is not complete, so its cell is allocated (`task.live-ref`).
        unsafe { self.0.as_ref() }
    }

    /// The header's address; the runnable now belongs to whoever keeps it.
    #[inline]
    pub fn into_raw(self) -> NonNull<Header> {
        self.0
    }
}

/// How panics are caught: `std` has `catch_unwind`, bare metal has nothing.
pub trait Guard {
    /// Runs `f`, returning what it panicked with.
    fn catch(f: impl FnOnce()) -> Result<(), Box<dyn Any + Send>>;
}

/// Polls the task once. Whatever panics inside becomes its outcome; nothing is lost and nothing unwinds
/// out of here.
#[inline]
pub fn run<G: Guard>(runnable: Runnable) {
    let task = runnable.into_raw();
    // SAFETY: the runnable proves that the task is alive and that nobody else polls it.
    let header = unsafe { task.as_ref() };
    let vtable = header.vtable;
    let mut progress = Progress::Polling;
    // SAFETY: as above; the cell is of the type that the vtable was made for.
    let polled = G::catch(|| unsafe { (vtable.poll)(task, &mut progress) });
    if let Err(payload) = polled {
        // SAFETY: the poll unwound with the runnable still ours, unless it had completed the task.
        unsafe { panicked::<G>(task, payload, progress) }
    }
}

/// How far a run has come, for the case that it unwinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The future is in the cell.
    Polling,
    /// The future has been dropped, or its drop has begun; no outcome is in the cell.
    FutureGone,
    /// The outcome is in the cell and the task's children are being awaited.
    Draining,
    /// The task is complete, or parked or queued again: the cell may be somebody else's, or gone.
    Released,
}

/// The cold end of `run`: the body, its drop, or something the cell called has panicked.
///
/// # Safety
/// As `run`; `progress` is what the unwound call left behind.
#[cold]
#[inline(never)]
unsafe fn panicked<G: Guard>(task: NonNull<Header>, payload: Box<dyn Any + Send>, progress: Progress) {
    let forget = |p: Box<dyn Any + Send>| {
        // The drop of a payload can panic too; there is nobody left to tell.
        let _ = G::catch(move || drop(p));
    };
    if progress == Progress::Released {
        // A waker panicked. What happened before is final.
        return forget(payload);
    }
    // SAFETY: not released, so allocated, and the runnable is ours.
    let vtable = unsafe { task.as_ref() }.vtable;
    if progress == Progress::Polling {
        // SAFETY: the future is still in the cell, and this drops it once.
        let mut drop = || unsafe { (vtable.drop_future)(task) };
        // SAFETY: not released, so allocated.
        let header = unsafe { task.as_ref() };
        // Where nothing can be caught this may unwind all the same.
        if let Err(second) = G::catch(|| (vtable.discard)(header, Whose::Member, &mut drop)) {
            forget(second);
        }
    }
    let mut progress = progress;
    let mut payload = Some(payload);
    // SAFETY: the future is gone; `finish_panicked` knows from `progress` whether an outcome is there.
    let end = G::catch(|| unsafe {
        if let Some(p) = payload.take() {
            (vtable.finish_panicked)(task, p, &mut progress)
        }
    });
    if let Err(p) = end {
        forget(p);
    }
}
