//! A scope inside a task: the body of a region's frame, a branch of a combinator, a masked section.
//!
//! It has its own request, mask and, when something is spawned in it, region; its parent is the place it was
//! opened from. Frames of `region` live in a slot of their parent, because their `Cx` may be kept until the
//! parent is used again; all others live in the frame of the combinator that opened them.
use super::ext::ChildSlot;
use super::place::{Address, Place};
use crate::finalizer::Finalizing;
use alloc::sync::Arc;
use cancel::Slot;
use core::any::Any;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering::*};
use region::{Lock, Region};
use task::Header;
use trace::ScopeKind;

/// See the module.
pub(crate) struct Scope {
    task: NonNull<Header>,
    pub(crate) parent: Address,
    pub(crate) id: u64,
    /// `None` for the body of a region's frame.
    pub(crate) kind: Option<ScopeKind>,
    /// Whether requests on this scope and above are hidden.
    pub(crate) masked: AtomicBool,
    /// Whether the cleanup deadline leaves the mask alone: a finalizer or release has a bound of its own.
    pub(crate) immune: bool,
    /// The finalizer that runs in this scope.
    pub(crate) finalizing: Option<Arc<Finalizing>>,
    /// Whether the cleanup deadline of the request on this very scope has passed: masks inside are pierced.
    pub(crate) overdue: AtomicBool,
    /// Kind of the request on this very scope, 0 for none.
    pub(crate) requested: AtomicU8,
    pub(crate) slot: Lock<Slot>,
    /// What escalated to this scope (see `ExtInner::placed`).
    pub(crate) placed: Lock<Slot>,
    /// A cancellation that a member of a region which was awaited here acknowledged, and that nobody has been
    /// told of (`cancel.visible`). It moves outward when the scope ends.
    pub(crate) visible: Lock<Slot>,
    region: AtomicPtr<Region>,
    pub(crate) child: ChildSlot,
    pub(crate) env: Option<Arc<dyn Any + Send + Sync>>,
    /// Cost units left, `u64::MAX` for no limit.
    pub(crate) cost: AtomicU64,
    pub(crate) entered: AtomicBool,
}

// SAFETY: the pointers are to a counted-alive header (the scope lives inside its task) and to regions behind
// `Arc`s; everything else is atomic or locked.
unsafe impl Send for Scope {}
// SAFETY: as for `Send`.
unsafe impl Sync for Scope {}

impl core::fmt::Debug for Scope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Scope").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Scope {
    pub(crate) fn new(task: NonNull<Header>, parent: Address, id: u64, kind: Option<ScopeKind>) -> Scope {
        Scope {
            task,
            parent,
            id,
            kind,
            masked: AtomicBool::new(kind.is_some_and(ScopeKind::masks)),
            immune: false,
            finalizing: None,
            overdue: AtomicBool::new(false),
            requested: AtomicU8::new(0),
            slot: Lock::new(Slot::default()),
            placed: Lock::new(Slot::default()),
            visible: Lock::new(Slot::default()),
            region: AtomicPtr::new(core::ptr::null_mut()),
            child: ChildSlot::default(),
            env: None,
            cost: AtomicU64::new(u64::MAX),
            entered: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: a scope lives inside a task whose body has not ended.
        unsafe { self.task.as_ref() }
    }

    /// The place around this one.
    pub(crate) fn outer(&self) -> Place<'_> {
        // SAFETY: a scope borrows the `Cx` it was opened from, or lives in a slot of it.
        unsafe { self.parent.place() }
    }

    /// The region whose body this is, or that was made by a spawn in it.
    pub(crate) fn region(&self) -> Option<&Region> {
        // SAFETY: the stored reference lives until the scope is dropped.
        unsafe { self.region.load(Acquire).as_ref() }
    }

    /// Gives a new scope that nobody else knows its region.
    pub(crate) fn with_region(mut self, region: Arc<Region>) -> Scope {
        debug_assert!(self.region().is_none(), "a new scope has no region");
        *self.region.get_mut() = Arc::into_raw(region).cast_mut();
        self
    }

    /// Stores the scope's region, once; the loser of a race gets its own back.
    pub(crate) fn set_region(&self, region: Arc<Region>) -> Result<(), Arc<Region>> {
        let p = Arc::into_raw(region).cast_mut();
        match self.region.compare_exchange(core::ptr::null_mut(), p, AcqRel, Acquire) {
            Ok(_) => Ok(()),
            // SAFETY: not stored: the reference is still ours.
            Err(_) => Err(unsafe { Arc::from_raw(p) }),
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let p = *self.region.get_mut();
        if !p.is_null() {
            // SAFETY: `set_region` stored one counted reference.
            drop(unsafe { Arc::from_raw(p) })
        }
    }
}

/// The context of a scope, for the one body that runs in it.
// A `Cx` has no bytes: the exclusive reference excludes nobody from the scope, whose fields are all atomic or
// locked.
#[allow(clippy::mut_from_ref)]
pub(crate) fn enter<C>(address: Address, scope: &Scope) -> &mut crate::Cx<C> {
    debug_assert_eq!(address, Address::of_scope(NonNull::from(scope)));
    // SAFETY: the result borrows the scope, so the place outlives it; callers enter a scope once, with the
    // row of its parent or a narrower one.
    unsafe { address.cx() }
}

/// Puts the body scope of a frame into its parent's slot and returns its address.
///
/// Only called by `Frame::open`, under the parent's `&mut Cx` (the public methods take it).
pub(crate) fn place_child(slot: &ChildSlot, scope: Scope) -> usize {
    // SAFETY: the caller's caller holds the parent's `&mut Cx`.
    let p = unsafe { slot.replace(alloc::boxed::Box::new(scope)) };
    p.as_ptr().expose_provenance()
}

/// The context of a frame's body: the scope stays in its parent's slot until the parent is used again, which
/// the lifetime that the caller ties to the parent's `&'a mut` prevents.
pub(crate) fn enter_child<'a, C>(address: usize) -> &'a mut crate::Cx<C> {
    let scope = core::ptr::with_exposed_provenance_mut::<Scope>(address);
    // SAFETY: `place_child` stored it, so it is not null.
    let address = Address::of_scope(unsafe { NonNull::new_unchecked(scope) });
    // SAFETY: see above.
    unsafe { address.cx() }
}

/// What was left to be seen on the body scope of a frame that is still open.
pub(crate) fn seen_in_child(address: usize, _frame: &region::Region) -> Option<types::Cancelled> {
    // SAFETY: `place_child` stored it, and the parent's slot is not used again while the frame is open.
    let scope = unsafe { &*core::ptr::with_exposed_provenance::<Scope>(address) };
    scope.visible.lock().request().cloned()
}

/// The place that a frame was opened from; its task is alive, and so is the scope that the frame borrows.
pub(crate) fn place_of<'a>(address: Address, _task: &'a task::TaskRef) -> Place<'a> {
    // SAFETY: callers hold the `&mut Cx` that the address came from.
    unsafe { address.place() }
}
