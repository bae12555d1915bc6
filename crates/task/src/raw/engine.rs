//! The table of engines: how a woken task finds the queues of its own runtime.
//!
//! A header holds a 16-bit tag instead of a pointer, so that a task costs no more for it, and so that a wake
//! on another runtime's worker goes to the right injector. The table is static and its lines stay hot; a
//! slot is filled when an engine starts and emptied when it ends. An engine that had to write tasks off as
//! leaked keeps its slot for ever: their wakers may still be about.
use super::header::Header;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};

/// How many engines can exist at a time. Lab tests make one each.
pub const MAX_ENGINES: usize = 4096;

/// What an engine must be able to do for the kernel. The first field of the engine's own structure.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EngineHead {
    /// Queues a runnable that was woken. Called on any thread.
    ///
    /// Safety: the caller owns the runnable; the engine owns it afterwards.
    pub schedule: unsafe fn(engine: NonNull<EngineHead>, task: NonNull<Header>),
    /// Queues a runnable of a task that was just spawned, behind what is ready. Called on any thread.
    ///
    /// Safety: as `schedule`.
    pub schedule_new: unsafe fn(engine: NonNull<EngineHead>, task: NonNull<Header>),
    /// Queues the task that is being polled on this thread behind everything else: it was woken while it
    /// ran, or it gave way.
    ///
    /// Safety: as `schedule`.
    pub requeue: unsafe fn(engine: NonNull<EngineHead>, task: NonNull<Header>),
    /// Queues a chain of runnables, linked through `next`, in the cancel lane.
    ///
    /// Safety: as `schedule`, for every link of the chain.
    pub schedule_cancelled: unsafe fn(engine: NonNull<EngineHead>, chain: NonNull<Header>),
    /// Wakes the foreign wakers through which operations of the task were polled, so that a combinator that
    /// is not ours looks at them again. The caller holds a counted reference.
    pub wake_foreign: fn(task: &Header),
}

static ENGINES: [AtomicPtr<EngineHead>; MAX_ENGINES] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_ENGINES];

/// Where the next engine looks for a free slot first: behind the one before it. So a tag names the next engine only when as
/// many others as the table has room for have begun meanwhile, and what a task leaves after its engine's end is
/// nobody else's business.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// How many threads outside look at an engine right now ([`visit`]).
static VISITORS: [AtomicU32; MAX_ENGINES] = [const { AtomicU32::new(0) }; MAX_ENGINES];

/// A place in the table. Dropping it empties the slot.
#[derive(Debug)]
pub struct EngineSlot(u16);

impl EngineSlot {
    /// Puts `head` into a free slot, or returns `None` if there are [`MAX_ENGINES`] already.
    ///
    /// # Safety
    /// `head` stays valid until the slot is dropped, and no task that is not complete outlives that.
    pub unsafe fn register(head: NonNull<EngineHead>) -> Option<EngineSlot> {
        let first = NEXT.fetch_add(1, Relaxed) as usize;
        for i in (0..MAX_ENGINES).map(|i| first.wrapping_add(i) % MAX_ENGINES) {
            let slot = &ENGINES[i];
            if slot.load(Relaxed).is_null()
                && slot.compare_exchange(core::ptr::null_mut(), head.as_ptr(), AcqRel, Relaxed).is_ok()
            {
                return Some(EngineSlot(i as u16));
            }
        }
        None
    }

    /// The tag that tasks of this engine carry.
    pub fn tag(&self) -> u16 {
        self.0
    }
}

impl Drop for EngineSlot {
    fn drop(&mut self) {
        ENGINES[usize::from(self.0)].swap(core::ptr::null_mut(), SeqCst);
        // A visitor that came before the line above has to leave before the engine may go.
        while VISITORS[usize::from(self.0)].load(SeqCst) != 0 {
            core::hint::spin_loop();
        }
    }
}

/// The engine with this tag.
///
/// # Safety
/// A task with this tag is not complete, or the engine is otherwise known to be registered.
#[inline]
pub unsafe fn of(tag: u16) -> NonNull<EngineHead> {
    let p = ENGINES[usize::from(tag)].load(Acquire);
    debug_assert!(!p.is_null(), "no engine with tag {tag}");
    // SAFETY: registered, says the caller, so not null.
    unsafe { NonNull::new_unchecked(p) }
}

/// Calls `f` with the engine that has this tag, if there still is one, and keeps it from going meanwhile. For
/// threads outside, which may come at any time; `f` must be short.
pub fn visit<R>(tag: u16, f: impl FnOnce(NonNull<EngineHead>) -> R) -> Option<R> {
    struct Leave(u16);
    impl Drop for Leave {
        fn drop(&mut self) {
            VISITORS[usize::from(self.0)].fetch_sub(1, SeqCst);
        }
    }
    // Counted before looking: whoever empties the slot either is seen here or sees this count.
    VISITORS[usize::from(tag)].fetch_add(1, SeqCst);
    let _leave = Leave(tag);
    NonNull::new(ENGINES[usize::from(tag)].load(SeqCst)).map(f)
}

/// Queues a runnable with its own engine.
///
/// # Safety
/// The caller owns the runnable.
#[inline]
pub unsafe fn schedule(task: NonNull<Header>) {
    // SAFETY: whoever owns a runnable knows that its task is not complete, so the engine is registered.
    unsafe {
        let engine = of(task.as_ref().tag());
        (engine.as_ref().schedule)(engine, task)
    }
}

/// Queues a task that was just spawned with its own engine.
///
/// # Safety
/// The caller owns the runnable.
#[inline]
pub unsafe fn schedule_new(task: NonNull<Header>) {
    // SAFETY: as in `schedule`.
    unsafe {
        let engine = of(task.as_ref().tag());
        (engine.as_ref().schedule_new)(engine, task)
    }
}

/// Queues the running task behind the others.
///
/// # Safety
/// The caller owns the runnable.
#[inline]
pub(crate) unsafe fn requeue(task: NonNull<Header>) {
    // SAFETY: as in `schedule`.
    unsafe {
        let engine = of(task.as_ref().tag());
        (engine.as_ref().requeue)(engine, task)
    }
}
