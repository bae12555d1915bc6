//! Runnables in intrusive lists, the current worker of a thread, and the entry points that the kernel calls
//! through [`EngineHead`].
use crate::engine::Engine;
use crate::worker::Worker;
use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use task::engine::{EngineHead, EngineSlot};
use task::{Header, Runnable};

/// A first-in first-out chain of runnables linked through their headers' `next`. The chain owns them.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    first: Option<NonNull<Header>>,
    last: Option<NonNull<Header>>,
    pub(crate) len: usize,
}

// SAFETY: it owns its runnables, and a runnable may be run anywhere its engine says.
unsafe impl Send for Chain {}

impl Chain {
    pub(crate) fn push(&mut self, runnable: Runnable) {
        let task = runnable.into_raw();
        // SAFETY: whoever holds a runnable may use its link; linked tasks are not complete.
        unsafe {
            task.as_ref().next.store(core::ptr::null_mut(), Relaxed);
            match self.last {
                Some(last) => last.as_ref().next.store(task.as_ptr(), Relaxed),
                None => self.first = Some(task),
            }
        }
        self.last = Some(task);
        self.len += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<Runnable> {
        let task = self.first?;
        // SAFETY: the chain owns the runnable that this gives out.
        unsafe {
            self.first = NonNull::new(task.as_ref().next.load(Relaxed));
            if self.first.is_none() {
                self.last = None;
            }
            self.len -= 1;
            Some(Runnable::from_raw(task))
        }
    }

    /// Takes over a chain that the kernel linked.
    ///
    /// # Safety
    /// The caller owns every runnable of the chain and gives them up.
    unsafe fn adopt(first: NonNull<Header>) -> Chain {
        let mut chain = Chain { first: Some(first), last: Some(first), len: 1 };
        // SAFETY: linked tasks are alive, says the caller.
        unsafe {
            let mut at = first;
            while let Some(next) = NonNull::new(at.as_ref().next.load(Relaxed)) {
                chain.len += 1;
                chain.last = Some(next);
                at = next;
            }
        }
        chain
    }

    pub(crate) fn append(&mut self, mut other: Chain) {
        match (self.last, other.first.take()) {
            (_, None) => return,
            (None, first) => self.first = first,
            // SAFETY: the chain owns its last runnable.
            (Some(last), Some(first)) => unsafe { last.as_ref().next.store(first.as_ptr(), Relaxed) },
        }
        self.last = other.last.take();
        self.len += core::mem::take(&mut other.len);
    }
}

std::thread_local! {
    /// The worker that runs on this thread. Constant, without a destructor: one plain access.
    static CURRENT: Cell<*const Worker<'static>> = const { Cell::new(core::ptr::null()) };
}

/// Makes `worker` the thread's current one for as long as the guard lives.
pub(crate) struct Entered(*const Worker<'static>);

impl Entered {
    pub(crate) fn new(worker: &Worker<'_>) -> Entered {
        let me: *const Worker<'_> = worker;
        // The lifetime is erased: the guard is dropped before the worker, in the frame that owns both.
        Entered(CURRENT.replace(me.cast()))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0)
    }
}

/// Calls `f` with the worker of this thread, if it belongs to `engine`.
#[inline]
pub(crate) fn with_current<R>(engine: NonNull<EngineHead>, f: impl FnOnce(&Worker<'_>) -> R) -> Option<R> {
    let p = CURRENT.get();
    // SAFETY: `Entered` keeps the pointer valid while it is set, and it is only used on this thread.
    let worker = unsafe { p.as_ref() }?;
    core::ptr::addr_eq(worker.engine(), engine.as_ptr()).then(|| f(worker))
}

/// The index of this thread's worker, if it is one of the engine at this address.
#[inline]
pub(crate) fn current_index(engine: *const Engine) -> Option<usize> {
    // SAFETY: as in `with_current`.
    let worker = unsafe { CURRENT.get().as_ref() }?;
    core::ptr::eq(worker.engine(), engine).then_some(worker.index)
}

/// Calls `f` while this thread's worker, if it is one of the engine at this address, takes wakes for timers'.
pub(crate) fn as_timed<R>(engine: *const Engine, f: impl FnOnce() -> R) -> R {
    // SAFETY: as in `with_current`.
    match unsafe { CURRENT.get().as_ref() } {
        Some(worker) if core::ptr::eq(worker.engine(), engine) => worker.firing(f),
        _ => f(),
    }
}

/// Gives `runnable` to this thread's worker, or to the injector of its engine.
#[inline]
fn place(head: NonNull<EngineHead>, runnable: Runnable, here: impl FnOnce(&Worker<'_>, Runnable)) {
    let mut runnable = Some(runnable);
    with_current(head, |worker| {
        if let Some(r) = runnable.take() {
            here(worker, r)
        }
    });
    if let Some(r) = runnable {
        from_outside(r.header().tag(), |engine| engine.inject(r))
    }
}

/// # Safety
/// As [`EngineHead::schedule`]; the head is that of an [`Engine`].
unsafe fn schedule(head: NonNull<EngineHead>, task: NonNull<Header>) {
    // SAFETY: the runnable is given to us.
    place(head, unsafe { Runnable::from_raw(task) }, |worker, r| worker.woken(r))
}

/// # Safety
/// As [`EngineHead::schedule_new`]; the head is that of an [`Engine`].
unsafe fn schedule_new(head: NonNull<EngineHead>, task: NonNull<Header>) {
    // SAFETY: the runnable is given to us.
    place(head, unsafe { Runnable::from_raw(task) }, |worker, r| worker.spawned(r))
}

/// Calls `f` with the engine that has this tag and keeps it from going until `f` returns: a runnable that was
/// handed over may run at once, and be the last one of its runtime.
fn from_outside(tag: u16, f: impl FnOnce(&Engine)) {
    let there = task::engine::visit(tag, |head| {
        // SAFETY: the visit keeps the engine registered, and a registered head is the first field of its engine.
        f(unsafe { head.cast::<Engine>().as_ref() })
    });
    debug_assert!(there.is_some(), "the engine of a runnable is registered");
}

/// # Safety
/// As [`EngineHead::requeue`].
unsafe fn requeue(head: NonNull<EngineHead>, task: NonNull<Header>) {
    // SAFETY: the runnable is given to us.
    place(head, unsafe { Runnable::from_raw(task) }, |worker, r| worker.requeued(r))
}

/// # Safety
/// As [`EngineHead::schedule_cancelled`].
unsafe fn schedule_cancelled(_head: NonNull<EngineHead>, chain: NonNull<Header>) {
    // SAFETY: the chain is given to us, and a linked task is not complete.
    let tag = unsafe { chain.as_ref() }.tag();
    // SAFETY: the chain is given to us.
    let chain = unsafe { Chain::adopt(chain) };
    from_outside(tag, |engine| engine.cancelled(chain))
}

/// The head of an engine of this crate.
pub(crate) const HEAD: EngineHead =
    EngineHead { schedule, schedule_new, requeue, schedule_cancelled, wake_foreign: cx::wake_foreign };

/// Registers an engine that will not move.
pub(crate) fn register(engine: &std::sync::Arc<Engine>) -> Option<EngineSlot> {
    let head = NonNull::from(&**engine).cast::<EngineHead>();
    // SAFETY: the engine begins with its world, which begins with the head. It lives in an `Arc` that the one
    // caller keeps beside the slot for as long as the slot lives (`engine::Registration`).
    unsafe { EngineSlot::register(head) }
}

/// A runnable from the address that a queue held.
///
/// Queues of this crate hold only what was pushed as a runnable, and give each address out once.
pub(crate) fn runnable(task: NonNull<Header>) -> Runnable {
    // SAFETY: see above.
    unsafe { Runnable::from_raw(task) }
}
