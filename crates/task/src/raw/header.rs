//! The header every task cell begins with, and the counted reference to it.
//!
//! A header is reached from many threads at once: from wakers, from the region's member list, from the join
//! handle, from queues. Who may touch which field when:
//!
//! | field | writer | guard |
//! |---|---|---|
//! | `word`, `control`, `join` | anyone | atomic protocols (`word.rs`, `control.rs`, `slot.rs`) |
//! | `next` | the holder of the runnable | `task.single-poller` |
//! | `prev_link`, `next_sibling` | the region | the region's lock |
//! | `coop`, `wait_*` | the polling thread | relaxed atomics; dumps may read any time |
//! | `tag_and_spare` | the polling thread (`spare.poller`) | relaxed; its low bits are constant |
//! | `vtable`, `region`, `spawned_at`, `index` (atomic only for its type) | the spawner, before publication | then constant |
//! | `ext` | the layer above | one CAS from null |
use super::polled::{BATCH, is_polled};
use super::{cell::Vtable, engine};
use crate::{control, slot::JoinSlot, word::Word};
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, Ordering::*};
use types::WaitKind;

/// The first 96 bytes of every task cell.
#[repr(C)]
pub struct Header {
    /// Completion, references, wakes.
    pub word: Word,
    pub(crate) vtable: &'static Vtable,
    /// Link while the runnable is in an intrusive queue.
    pub next: AtomicPtr<Header>,
    /// See [`crate::control`].
    pub control: AtomicU32,
    /// Operations left in this poll.
    pub coop: AtomicU16,
    /// The engine's tag in the low bits, and above it how many references the task keeps (`polled.rs`).
    pub(super) tag_and_spare: AtomicU16,
    /// The region that owns the task; its type is known above.
    pub region: *const (),
    /// Address of the pointer that points at this header in the region's list.
    pub prev_link: AtomicPtr<AtomicPtr<Header>>,
    /// Next member of the region.
    pub next_sibling: AtomicPtr<Header>,
    pub(crate) join: JoinSlot,
    /// What the layer above hangs on the task, made when first needed.
    pub ext: AtomicPtr<()>,
    /// What the task waits for, as of its last pending operation.
    pub wait_kind: AtomicPtr<WaitKind>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// Low bits of the engine's tick when it began to wait.
    pub wait_since: AtomicU32,
    /// Position among everything its region ever spawned: with the region's id, the task's identity.
    pub index: AtomicU32,
}

#[cfg(not(loom))]
const _: () = assert!(core::mem::size_of::<Header>() <= 96);

/// One kept reference, above the tag.
const SPARE: u16 = engine::MAX_ENGINES as u16;
const TAG: u16 = SPARE - 1;
/// From here on no further one fits.
const MOST_SPARE: u16 = u16::MAX - TAG;
const _: () = assert!(engine::MAX_ENGINES.is_power_of_two() && BATCH as u16 * SPARE / SPARE == BATCH as u16);

// SAFETY: every field is an atomic, or constant after publication; the links are only followed under the
// guards named in the table above.
unsafe impl Send for Header {}
// SAFETY: as for `Send`.
unsafe impl Sync for Header {}

impl core::fmt::Debug for Header {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Header")
            .field("word", &self.word)
            .field("spawned_at", &self.spawned_at)
            .finish_non_exhaustive()
    }
}

impl Header {
    /// Tag of the engine that runs the task.
    #[inline]
    pub fn tag(&self) -> u16 {
        self.tag_and_spare.load(Relaxed) & TAG
    }

    /// What a new header holds for its engine's tag.
    pub(crate) fn tagged(tag: u16) -> AtomicU16 {
        debug_assert!(tag <= TAG, "an engine's tag is below `MAX_ENGINES`");
        AtomicU16::new(tag & TAG)
    }

    /// A reference for a waiter of this task.
    #[inline]
    pub(crate) fn acquire_for_waiter(&self) {
        if !is_polled(self) {
            return self.word.acquire_ref();
        }
        // `spare.poller`: nobody else writes it.
        let now = self.tag_and_spare.load(Relaxed);
        if now >= SPARE {
            self.tag_and_spare.store(now - SPARE, Relaxed)
        } else {
            self.word.acquire_refs(1 + BATCH);
            self.tag_and_spare.store(now + BATCH as u16 * SPARE, Relaxed)
        }
    }

    /// Gives up a waiter's reference. True if it was the last one: then the caller frees the cell.
    #[inline]
    pub(crate) fn release_of_waiter(&self) -> bool {
        let now = self.tag_and_spare.load(Relaxed);
        if now < MOST_SPARE && is_polled(self) {
            self.tag_and_spare.store(now + SPARE, Relaxed);
            return false;
        }
        self.word.release_ref()
    }

    /// How many references the task keeps. For the thread that polls it.
    #[inline]
    pub(crate) fn spare(&self) -> u64 {
        u64::from(self.tag_and_spare.load(Relaxed) / SPARE)
    }

    /// The control word, relaxed.
    #[inline]
    pub fn control(&self) -> u32 {
        self.control.load(Relaxed)
    }

    /// Severity of the outcome; valid once the task is complete.
    #[inline]
    pub fn severity(&self) -> u8 {
        ((self.control() & control::SEVERITY) >> control::SEVERITY_SHIFT) as u8
    }

    /// Name of the task's body type, for reports.
    pub fn type_name(&self) -> &'static str {
        (self.vtable.type_name)()
    }

    /// What the task waits for, if it said so since it last ran.
    pub fn waits_for(&self) -> Option<&'static WaitKind> {
        // SAFETY: only `&'static WaitKind` is ever stored (`set_wait`).
        unsafe { self.wait_kind.load(Acquire).as_ref() }
    }

    /// Notes what the running task is about to wait for. Two relaxed stores.
    #[inline]
    pub fn set_wait(&self, kind: &'static WaitKind, tick: u32) {
        self.wait_kind.store(core::ptr::from_ref(kind).cast_mut(), Release);
        self.wait_since.store(tick, Relaxed);
    }

    /// Raises the told severity to `kind`. True if this request is the most severe so far.
    pub fn tell(&self, kind: u8) -> bool {
        let mut now = self.control.load(Relaxed);
        loop {
            if now & control::TOLD >= u32::from(kind) {
                return false;
            }
            let next = (now & !control::TOLD) | u32::from(kind);
            match self.control.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(e) => now = e,
            }
        }
    }

    /// Wakes the task from any thread, keeping whatever reference the caller has.
    #[inline]
    pub fn wake_by_ref(&self) {
        if self.word.wake_by_ref() {
            // SAFETY: this wake raised the count from zero, so the caller owns the runnable.
            unsafe { engine::schedule(self.cell()) }
        }
    }

    /// The header's address with the right to the whole cell, which a reference to the header alone does not
    /// carry (the cell exposed it when it was made).
    #[inline]
    pub fn cell(&self) -> NonNull<Header> {
        let address = core::ptr::from_ref(self).addr();
        // SAFETY: a reference is not null.
        unsafe { NonNull::new_unchecked(core::ptr::with_exposed_provenance_mut(address)) }
    }

    /// A new counted reference.
    #[inline]
    pub fn counted(&self) -> TaskRef {
        self.word.acquire_ref();
        TaskRef(self.cell())
    }
}

/// A counted reference to a task.
#[derive(Debug)]
pub struct TaskRef(NonNull<Header>);

// SAFETY: a header is `Sync`, and the count is atomic.
unsafe impl Send for TaskRef {}
// SAFETY: as for `Send`.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// Takes over a reference that `into_raw` or the cell's construction counted.
    ///
    /// # Safety
    /// The caller owns one counted reference to `header` and gives it up.
    pub unsafe fn from_raw(header: NonNull<Header>) -> TaskRef {
        TaskRef(header)
    }

    /// The header's address, without giving up the reference.
    pub fn as_ptr(&self) -> NonNull<Header> {
        self.0
    }

    /// Gives the reference to the caller.
    pub fn into_raw(self) -> NonNull<Header> {
        let p = self.0;
        core::mem::forget(self);
        p
    }
}

impl core::ops::Deref for TaskRef {
    type Target = Header;
    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: a counted reference keeps the cell allocated (`task.live-ref`).
        unsafe { self.0.as_ref() }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> TaskRef {
        self.counted()
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if self.word.release_ref() {
            // SAFETY: that was the last reference.
            unsafe { super::cell::free(self.0) }
        }
    }
}
