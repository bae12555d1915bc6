//! What only some tasks need, hung on the header when first needed: the implicit region, open frames, a
//! request of its own, foreign wakers, the user environment. A leaf task never has one.
use super::scope::Scope;
use crate::close::Drain;
use crate::foreign::Foreign;
use crate::port::TimerKey;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use cancel::Slot;
use core::any::Any;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*, fence};
use core::time::Duration;
use region::{Lock, Region};
use task::raw::slab;
use task::{Header, control};
use types::Cancelled;

/// See the module.
#[derive(Default)]
pub(crate) struct Ext {
    implicit: AtomicPtr<Region>,
    /// The child scope owned by the root scope's slot.
    pub(crate) child: ChildSlot,
    pub(crate) scopes: AtomicU32,
    pub(crate) requests: AtomicU32,
    /// Random numbers drawn so far.
    pub(crate) drawn: AtomicU64,
    pub(crate) inner: Lock<ExtInner>,
}

#[derive(Default)]
pub(crate) struct ExtInner {
    /// What was asked of this very task.
    pub(crate) slot: Slot,
    /// The grace of its region, if that is not the runtime's: stored before the task starts and never changed after.
    pub(crate) grace: Option<Duration>,
    /// The timer that enforces that request's cleanup deadline.
    pub(crate) stop: Option<TimerKey>,
    /// Regions opened inside the task, by frames and branches, that are not closed.
    pub(crate) opened: Vec<Arc<Region>>,
    /// How many branches are open. Their requests are seen by checkpoints inside them only.
    pub(crate) branches: u32,
    /// Wakers other than the task's own through which operations wait.
    pub(crate) foreign: Foreign,
    /// What escalated to the task, which is rare.
    pub(crate) escalation: Option<Box<Escalation>>,
    /// What the task is called in dumps.
    pub(crate) name: Option<Box<Cow<'static, str>>>,
    /// The nearest user value of the row, stored before the task starts and never changed after.
    pub(crate) env: Option<Arc<dyn Any + Send + Sync>>,
    /// The close of the implicit region, once the body has ended.
    pub(crate) drain: Option<Drain>,
}

/// What escalated to a task from regions that it awaited.
#[derive(Default)]
pub(crate) struct Escalation {
    /// What came to its root scope: its checkpoints return it. Not a request on the task: its children don't hear
    /// of it.
    pub(crate) placed: Slot,
    /// What came to any of its scopes: its outcome is at least that.
    pub(crate) outcome: Option<Cancelled>,
}

/// Owner of at most one child scope.
#[derive(Debug, Default)]
pub(crate) struct ChildSlot(AtomicPtr<Scope>);

impl ChildSlot {
    /// Puts a scope in; the one that was there before is freed. Its `Cx` is out of reach: it borrowed the
    /// parent mutably, and so does the caller.
    ///
    /// # Safety
    /// The caller holds the parent's `&mut Cx`.
    pub(crate) unsafe fn replace(&self, scope: Box<Scope>) -> NonNull<Scope> {
        let new = Box::into_raw(scope);
        let old = self.0.swap(new, AcqRel);
        if !old.is_null() {
            // SAFETY: it came from `Box::into_raw`, and nobody can reach it any more, says the caller.
            drop(unsafe { Box::from_raw(old) })
        }
        // SAFETY: a box is not null.
        unsafe { NonNull::new_unchecked(new) }
    }
}

impl Drop for ChildSlot {
    fn drop(&mut self) {
        let p = *self.0.get_mut();
        if !p.is_null() {
            // SAFETY: as in `replace`; the parent is being dropped.
            drop(unsafe { Box::from_raw(p) })
        }
    }
}

impl Drop for Ext {
    fn drop(&mut self) {
        let p = *self.implicit.get_mut();
        if !p.is_null() {
            // SAFETY: `implicit_region` stored one counted reference.
            drop(unsafe { Arc::from_raw(p) })
        }
    }
}

/// The extension of a task, if it has one.
#[inline]
pub(crate) fn of(header: &Header) -> Option<&Ext> {
    // SAFETY: only `make` stores there, and it is freed with the header.
    unsafe { header.ext.load(Acquire).cast::<Ext>().as_ref() }
}

/// The extension of a task, made now if it has none.
pub(crate) fn make(header: &Header) -> &Ext {
    if let Some(ext) = of(header) {
        return ext;
    }
    let new = slab::put_with(Ext::default);
    match header.ext.compare_exchange(core::ptr::null_mut(), new.as_ptr().cast(), AcqRel, Acquire) {
        // SAFETY: just stored; freed with the header.
        Ok(_) => unsafe { new.as_ref() },
        Err(other) => {
            // SAFETY: not stored; the other one was.
            unsafe {
                slab::discard(new);
                &*other.cast::<Ext>()
            }
        }
    }
}

/// The end of a traced task is about to be told, after which no request may be: one that is under way is waited for, and
/// one that comes later finds the mark ([`is_over`]).
pub(crate) fn end(header: &Header) {
    header.control.fetch_or(control::OVER, SeqCst);
    // Ordered after the mark, as the look at the mark is after the making of an extension: whoever makes one that is not
    // seen here sees the mark.
    // SAFETY: as in `of`.
    if let Some(ext) = unsafe { header.ext.load(SeqCst).cast::<Ext>().as_ref() } {
        drop(ext.inner.lock())
    }
}

/// Whether the task's end was told, or is about to be. For who holds the lock of its extension.
pub(crate) fn is_over(header: &Header) -> bool {
    fence(SeqCst);
    header.control() & control::OVER != 0
}

/// Frees the extension of a header that nobody refers to.
pub(crate) fn release(header: &Header) {
    // Nobody competes for it.
    let p = header.ext.load(Acquire).cast::<Ext>();
    header.ext.store(core::ptr::null_mut(), Relaxed);
    if let Some(p) = NonNull::new(p) {
        // SAFETY: it came from `make`, and the last reference to the header is gone (`Owner::release`).
        unsafe { slab::discard(p) }
    }
}

/// The regions that hang on the task itself: those opened inside it and its own.
pub(crate) fn regions(header: &Header) -> Vec<Arc<Region>> {
    of(header).map_or_else(Vec::new, |ext| ext.regions_in(&ext.inner.lock()))
}

impl ExtInner {
    /// Whether something escalated that the task's outcome does not say yet.
    pub(crate) fn has_escalated(&self) -> bool {
        self.escalation.as_ref().is_some_and(|e| e.outcome.is_some())
    }
}

impl Ext {
    /// What the task's outcome must at least be, once.
    pub(crate) fn take_escalated(&self) -> Option<Cancelled> {
        self.inner.lock().escalation.as_mut()?.outcome.take()
    }

    /// As [`regions`], for whoever holds the lock.
    pub(crate) fn regions_in(&self, inner: &ExtInner) -> Vec<Arc<Region>> {
        let mut all = inner.opened.clone();
        all.extend(self.implicit().map(super::place::counted));
        all
    }

    /// Notes a region that was opened inside the task.
    pub(crate) fn note_opened(&self, region: &Arc<Region>) {
        self.inner.lock().opened.push(region.clone())
    }

    /// A region that was opened inside the task has closed, or belongs to somebody else now.
    pub(crate) fn forget(&self, region: &Region) {
        let mut inner = self.inner.lock();
        // Frames close innermost first, so it is likely the last one.
        let at = inner.opened.iter().rposition(|r| core::ptr::eq(&**r, region));
        let forgotten = at.map(|at| inner.opened.swap_remove(at));
        drop(inner);
        drop(forgotten);
    }

    /// The implicit region, if it was made.
    pub(crate) fn implicit(&self) -> Option<&Region> {
        // SAFETY: the stored reference lives until the extension is freed.
        unsafe { self.implicit.load(Acquire).as_ref() }
    }

    /// Stores the implicit region. Two threads may both have made one: the second gets its own back.
    pub(crate) fn set_implicit(&self, region: Arc<Region>) -> Result<(), Arc<Region>> {
        let p = Arc::into_raw(region).cast_mut();
        match self.implicit.compare_exchange(core::ptr::null_mut(), p, AcqRel, Acquire) {
            Ok(_) => Ok(()),
            // SAFETY: not stored: the reference is still ours.
            Err(_) => Err(unsafe { Arc::from_raw(p) }),
        }
    }
}
