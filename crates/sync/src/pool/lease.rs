//! [`Lease`]: something that is out, and [`Ticket`], the place that it takes.
//!
//! Not here: how it's got (`pool`).

use core::{
    fmt,
    ops::{Deref, DerefMut},
    panic::Location,
};
use std::sync::Arc;

use cx::{Cx, MayTime, Row};
use obligation::AlreadyLeaked;

use super::{Inner, Manage, Recycle};
use crate::semaphore::{Permit, Semaphore};

/// A place that is taken. Dropped, it goes to the next in line.
pub(super) struct Ticket<M: Manage<C>, C> {
    pool: Arc<Inner<M, C>>,
    permit: Option<Permit<Arc<Semaphore>>>,
    /// Its number among those that are out.
    number: u64,
}

impl<M: Manage<C>, C> Ticket<M, C> {
    /// `None` if the pool is closed, whenever its place was acquired (`pool.drained`): it goes back.
    pub(super) fn new(
        pool: &Arc<Inner<M, C>>,
        permit: Permit<Arc<Semaphore>>,
        cx: &Cx<C>,
        at: &'static Location<'static>,
    ) -> Option<Self>
    where
        C: MayTime,
    {
        let open = pool.state.write(|state| {
            state.out += usize::from(!state.closed);
            !state.closed
        });
        if !open {
            return None;
        }
        let number = pool.notes.leased(at, cx.task_id(), || cx.now());
        Some(Self { pool: pool.clone(), permit: Some(permit), number })
    }

    pub(super) fn lease(self, item: M::Item) -> Lease<M, C> {
        Lease { item: Some(item), ticket: self }
    }

    /// Puts something back.
    fn put(&self, item: M::Item) {
        let mut item = Some(item);
        self.pool.state.write(|state| {
            if !state.closed {
                state.idle.extend(item.take())
            }
        });
        // What a closed pool doesn't want is dropped outside of its lock.
        drop(item)
    }
}

impl<M: Manage<C>, C> Drop for Ticket<M, C> {
    fn drop(&mut self) {
        self.pool.notes.returned(self.number);
        let drained = self.pool.state.write(|state| {
            state.out -= 1;
            state.closed && state.out == 0
        });
        match self.permit.take() {
            Some(permit) if types::seeded!("pool.place-lost") => permit.retire(),
            permit => drop(permit),
        }
        if drained {
            self.pool.drained.set()
        }
    }
}

/// Something that is leased from a pool; `Deref` is the thing. Dropping it gives it back.
#[must_use = "dropping it gives it back"]
pub struct Lease<M: Manage<C>, C = cx::All> {
    /// Until it's given back.
    item: Option<M::Item>,
    ticket: Ticket<M, C>,
}

impl<M: Manage<C>, C> Lease<M, C> {
    /// Drops it instead of giving it back: it's broken. After that its place is free for a new one; if dropping it panics,
    /// all the same.
    pub fn discard(mut self) {
        if types::seeded!("pool.discarded-too-late") {
            return drop(self.into_inner());
        }
        drop(self.item.take())
    }

    /// Takes it out of the pool for good. Its place is free for a new one.
    pub fn into_inner(mut self) -> M::Item {
        match self.item.take() {
            Some(item) => item,
            None => unreachable!("it's there until the lease is dropped"),
        }
    }

    /// Makes it an obligation of the region that `cx` stands in, before it's handed there.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked>
    where
        C: Row,
    {
        self.ticket.permit.as_mut().map_or(Ok(()), |permit| permit.rehome(cx))
    }
}

impl<M: Manage<C>, C> Deref for Lease<M, C> {
    type Target = M::Item;
    fn deref(&self) -> &M::Item {
        match &self.item {
            Some(item) => item,
            None => unreachable!("it's there until the lease is dropped"),
        }
    }
}

impl<M: Manage<C>, C> DerefMut for Lease<M, C> {
    fn deref_mut(&mut self) -> &mut M::Item {
        match &mut self.item {
            Some(item) => item,
            None => unreachable!("it's there until the lease is dropped"),
        }
    }
}

impl<M: Manage<C>, C> Drop for Lease<M, C> {
    fn drop(&mut self) {
        let Some(mut item) = self.item.take() else { return };
        // If this panics the item is gone and the place goes back all the same. Either way the item is where it's going
        // before the place is free: that is the ticket's end, after this.
        if self.ticket.pool.manager.recycle(&mut item) == Recycle::Keep {
            self.ticket.put(item)
        }
    }
}

impl<M: Manage<C, Item: fmt::Debug>, C> fmt::Debug for Lease<M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.item).finish()
    }
}
