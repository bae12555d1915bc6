//! `Cx` is a zero-sized view: its ADDRESS says where in the task tree its holder stands.
//!
//! An even address is a task's header: the root scope of that task. An odd address, less one, is a [`Scope`]
//! inside a task. Nothing is stored in the `Cx` itself, so swapping two `&mut Cx` targets moves nothing,
//! narrowing is a change of type, and a `Cx` cannot be copied out of its place: users only ever hold
//! references. Addresses travel with exposed provenance.
//!
//! Invariant `cx.place`: whoever holds a `&Cx` that this module made is inside the lifetime for which the
//! place was promised: the task's body for a header, the frame or slot that owns it for a scope.
use super::scope::Scope;
use crate::port::World;
use core::marker::PhantomData;
use core::ptr::NonNull;
use region::Region;
use task::Header;

/// The capability context: where the holder stands in the tree of tasks and regions, and, as the row `C`,
/// what it may do.
///
/// All effects go through it: there is no global runtime and no thread-local "current" one. Users hold
/// `&Cx<C>` (operations that wait) or `&mut Cx<C>` (operations that open a scope) for as long as the scope
/// lives, never an owned `Cx`.
pub struct Cx<C = crate::All>(PhantomData<fn() -> C>);

const SCOPE: usize = 1;

/// Where a `Cx` points.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// The root scope of a task.
    Root(&'a Header),
    /// A scope inside a task.
    Inner(&'a Scope),
}

/// The address of a place, as a scope remembers its parent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(usize);

impl Address {
    pub(crate) fn of_task(task: NonNull<Header>) -> Address {
        Address(task.as_ptr().expose_provenance())
    }

    pub(crate) fn of_scope(scope: NonNull<Scope>) -> Address {
        Address(scope.as_ptr().expose_provenance() | SCOPE)
    }

    /// # Safety
    /// `cx.place` holds for the result's lifetime.
    #[inline]
    pub(crate) unsafe fn place<'a>(self) -> Place<'a> {
        // SAFETY: the address was exposed by one of the constructors, and the place is alive, says the caller.
        unsafe {
            if self.0 & SCOPE == 0 {
                Place::Root(&*core::ptr::with_exposed_provenance(self.0))
            } else {
                Place::Inner(&*core::ptr::with_exposed_provenance(self.0 & !SCOPE))
            }
        }
    }

    /// # Safety
    /// `cx.place` holds for the result's lifetime, and the row `C` was granted there.
    #[inline]
    pub(crate) unsafe fn cx<'a, C>(self) -> &'a mut Cx<C> {
        // SAFETY: `Cx` has no bytes, so a reference to it only needs an address that is not null; several
        // such references alias nothing.
        unsafe { &mut *core::ptr::without_provenance_mut::<Cx<C>>(self.0) }
    }
}

impl<C> Cx<C> {
    #[inline]
    pub(crate) fn address(&self) -> Address {
        Address(core::ptr::from_ref(self).addr())
    }

    #[inline]
    pub(crate) fn place(&self) -> Place<'_> {
        // SAFETY: `cx.place`.
        unsafe { self.address().place() }
    }

    /// The header of the task that this context belongs to.
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        match self.place() {
            Place::Root(header) => header,
            Place::Inner(scope) => scope.header(),
        }
    }

    /// The world that runs the task.
    #[inline]
    pub(crate) fn world(&self) -> &World {
        world_of(self.header())
    }

    /// The same place with another row.
    ///
    /// # Safety
    /// `D` grants nothing that `C` does not, or the place carries what it adds.
    pub(crate) unsafe fn retype<D>(&mut self) -> &mut Cx<D> {
        // SAFETY: the same place for the same lifetime; the row says the caller.
        unsafe { self.address().cx() }
    }
}

/// The world that runs a task which is not complete.
#[inline]
pub(crate) fn world_of(header: &Header) -> &World {
    // SAFETY: a task that is not complete keeps its engine registered, and every engine's structure begins
    // with its world (`port::World`), which begins with the head.
    unsafe { task::engine::of(header.tag()).cast::<World>().as_ref() }
}

/// The region that owns a task which is not complete.
#[inline]
pub(crate) fn owner_of(header: &Header) -> &Region {
    // SAFETY: a region closes only after its members have ended, and the pointer came from its `Arc`.
    unsafe { &*header.region.cast::<Region>() }
}

/// One more strong reference to a region.
pub(crate) fn counted(region: &Region) -> alloc::sync::Arc<Region> {
    region.counted()
}

impl<C: crate::Row> Cx<C> {
    pub(crate) fn narrowed<D: crate::Row + crate::NarrowOf<C>>(&mut self) -> &mut Cx<D> {
        // SAFETY: `D: NarrowOf<C>`: it grants nothing that `C` does not.
        unsafe { self.retype() }
    }

    pub(crate) async fn with_env<E: Send + Sync + 'static, T>(
        &mut self,
        env: alloc::sync::Arc<E>,
        body: impl AsyncFnOnce(&mut Cx<crate::With<C, E>>) -> T,
    ) -> T {
        let mut scope = Scope::new(
            self.task_ptr(),
            self.address(),
            self.new_scope_id(),
            Some(trace::ScopeKind::Combinator),
        );
        scope.env = Some(env);
        let scope = scope;
        let address = Address::of_scope(NonNull::from(&scope));
        // The scope carries the value that the row adds.
        let value = body(super::scope::enter(address, &scope)).await;
        let visible = scope.visible.lock().request().cloned();
        if let Some(c) = visible {
            crate::scope::leave_visible(scope.outer(), c)
        }
        value
    }

    /// The nearest user value.
    pub(crate) fn nearest_env(&self) -> Option<&(dyn core::any::Any + Send + Sync)> {
        let mut at = self.place();
        loop {
            match at {
                Place::Inner(s) => {
                    if let Some(env) = &s.env {
                        return Some(&**env);
                    }
                    at = s.outer()
                }
                Place::Root(h) => {
                    let inner = super::ext::of(h)?.inner.lock();
                    let env = inner.env.as_ref()?;
                    // SAFETY: it is stored before the task starts and never changed after, so the value
                    // lives as long as the header, which outlives this place.
                    return Some(unsafe { &*alloc::sync::Arc::as_ptr(env) });
                }
            }
        }
    }
}
