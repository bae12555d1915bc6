//! Pool of things that are dear to make: connections, buffers, interpreters. Leased, looked over, given back.
//!
//! ```
//! use asupersync_sync::pool::{Health, Manage, Pool};
//! use types::{Cancelled, Never, Res, Stop};
//!
//! struct Connections;
//!
//! impl Manage for Connections {
//!     type Item = String;
//!     type Error = Never;
//!     async fn create(&self, cx: &mut cx::Cx) -> Res<String, Never> {
//!         cx.checkpoint()?;
//!         Ok("hello".to_string())
//!     }
//! }
//!
//! async fn ask(cx: &mut cx::Cx, pool: &Pool<Connections>) -> Res<usize> {
//!     let mut connection = pool.lease(cx).await?;
//!     connection.push_str(", world");
//!     Ok(connection.len()) // given back here, for the next one
//! }
//! # let lab = lab::LabRuntime::new(lab::LabConfig::default());
//! # lab.run(async |cx| assert_eq!(ask(cx, &Pool::new(4, Connections)).await.unwrap(), 12));
//! ```
//!
//! ```text
//!             ┌── a place (first come, first served) ──┐
//! lease ──────▶ an idle thing? ──check──▶ well ────────┼──▶ Lease ──dropped──▶ recycle ──▶ idle
//!                   │    ▲         └────▶ sick: dropped│        │                 └──────▶ dropped
//!                   │none└───────── the next one ──────┘        ├── discard, into_inner: leaves the pool
//!                   └──▶ create ──▶ made, or failed             └── kept past its region: a leak, with its line
//! ```
//! Invariants:
//! - `pool.bounded`: things that are idle, leased, being made or looked over are never more than the pool's size.
//! - `pool.conserved`: a place goes back exactly once, whatever became of making, checking or using: an error, a
//!   cancellation, a panic, a dropped frame. What is leased when its lease is forgotten keeps its place (as any leaked
//!   permit), and is reported.
//! - `pool.drained`: a place is taken and counted in the section that looks whether the pool is closed, so nothing is out
//!   once it was drained.
//! - `pool.fifo`: who waits for a place is not overtaken.
//! - `pool.sound`: what was being checked when its check was cancelled or panicked is dropped, as nobody knows how it is.
//!
//! | file | what |
//! |---|---|
//! | `manage` | [`Manage`]: how things are made, looked over and prepared for the next one |
//! | `lease` | [`Lease`] |
//! | `overdue` | who has had something for too long |
//!
//! Not here: the line (`semaphore`), lifetimes of idle things: `check` may say that one is too old.

mod lease;
mod manage;
mod overdue;

pub use lease::Lease;
pub use manage::{Health, Manage, Recycle};
pub use overdue::Overdue;

use core::{fmt, future::Future, panic::Location, time::Duration};
use std::sync::Arc;

use cx::{Access, Branch, Cx, MayTime, ScopeKind};
use types::{ObligationKind, Res, Stop};

use crate::{
    WaitError,
    event::Event,
    semaphore::{Semaphore, TryAcquireError},
    shared::Shared,
};
use lease::Ticket;
use overdue::Notes;

/// Things of one kind, at most so many. Its clones are the same pool.
///
/// # Cost
/// A lease of something idle: a semaphore's permit (one obligation), three short locks, and the check.
pub struct Pool<M: Manage<C>, C = cx::All>(Arc<Inner<M, C>>);

impl<M: Manage<C>, C> Clone for Pool<M, C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

pub(crate) struct Inner<M: Manage<C>, C> {
    manager: M,
    size: usize,
    places: Arc<Semaphore>,
    state: Shared<State<M::Item>>,
    notes: Notes,
    /// Set when it's closed and nothing is out.
    drained: Event,
}

struct State<T> {
    /// The one that was given back last is leased next: the others grow old and are found out by their checks.
    idle: Vec<T>,
    /// Places that are taken.
    out: usize,
    closed: bool,
}

/// Why nothing was leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolError<E> {
    /// The pool is closed.
    Closed,
    /// Nothing was idle, and making one failed.
    Create(E),
}

impl<E: fmt::Display> fmt::Display for PoolError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("pool closed"),
            Self::Create(error) => write!(f, "failed to make one for the pool: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for PoolError<E> {}

impl<M: Manage<C>, C: MayTime> Pool<M, C> {
    /// An empty pool of at most `size`; nothing is made before it's needed.
    ///
    /// # Panics
    /// If `size` is 0, since nothing could ever be leased, or more than [`Semaphore::MAX`].
    #[track_caller]
    pub fn new(size: usize, manager: M) -> Self {
        Self::make(size, manager, None)
    }

    /// As [`Pool::new`]; what is leased for longer than `lease_time` is reported (`Report::LeaseOverdue`), with the line
    /// that leased it: once for each lease, by whoever waits for a place, or by [`Pool::watch`]. It isn't taken away.
    ///
    /// # Panics
    /// As there, and if `lease_time` is zero: everything would be overdue as soon as it's leased.
    #[track_caller]
    pub fn with_lease_time(size: usize, manager: M, lease_time: Duration) -> Self {
        assert!(!lease_time.is_zero(), "a lease time of nothing is over before anything is leased");
        Self::make(size, manager, Some(lease_time))
    }

    #[track_caller]
    fn make(size: usize, manager: M, lease_time: Option<Duration>) -> Self {
        assert!(size > 0, "a pool of no size has nothing to lease");
        Self(Arc::new(Inner {
            manager,
            size,
            places: Arc::new(Semaphore::new(size)),
            state: Shared::new(State { idle: Vec::new(), out: 0, closed: false }),
            notes: Notes::new(lease_time),
            drained: Event::new(false),
        }))
    }

    /// Leases something: waits for a place, behind those who came before; takes what is idle and well, or makes one.
    ///
    /// The lease is an obligation of the region that `cx` stands in, reported by the line of this call.
    ///
    /// # Errors
    /// Closed; or nothing was idle and making one failed; or cancelled. The place has gone to the next in line then.
    ///
    /// # Panics
    /// With a panic of the manager's; the place goes back.
    ///
    /// # Cancel behaviour
    /// `cancel.first` while it waits; creating and checking see a request at their own checkpoints. Something that was being
    /// checked is dropped then.
    #[track_caller]
    pub fn lease(&self, cx: &mut Cx<C>) -> impl Future<Output = Res<Lease<M, C>, PoolError<M::Error>>> {
        let at = Location::caller();
        async move {
            let ticket = self.ticket(cx, at).await?;
            self.filled(cx, ticket).await
        }
    }

    /// As [`lease`](Self::lease), with a context that others borrow too, so that several leases may be waited for at once, or
    /// beside other things. Creating and checking open scopes and so need a context to themselves: they have one in a scope of
    /// their own, with which a lease of something idle costs about twice as much. What they spawn belongs to the region around.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn lease_shared(&self, cx: &Cx<C>) -> impl Future<Output = Res<Lease<M, C>, PoolError<M::Error>>> {
        let at = Location::caller();
        async move {
            let ticket = self.ticket(cx, at).await?;
            let phase = Branch::new(cx, ScopeKind::Phase { masked: false });
            phase.run(async |cx| self.filled(cx, ticket).await).await
        }
    }

    /// Waits for a place.
    async fn ticket(
        &self,
        cx: &Cx<C>,
        at: &'static Location<'static>,
    ) -> Res<Ticket<M, C>, PoolError<M::Error>> {
        let permit = match overdue::place(&self.0, cx, at).await {
            Ok(permit) => permit,
            Err(WaitError::Closed) => return Err(Stop::Err(PoolError::Closed)),
            Err(WaitError::Cancelled(cancelled)) => return Err(Stop::Cancelled(cancelled)),
        };
        Ticket::new(&self.0, permit, cx, at).ok_or(Stop::Err(PoolError::Closed))
    }

    /// Something for the place: idle and well, or made.
    async fn filled(&self, cx: &mut Cx<C>, ticket: Ticket<M, C>) -> Res<Lease<M, C>, PoolError<M::Error>> {
        while let Some(mut item) = self.take_idle(cx).await {
            match self.0.manager.check(cx, &mut item).await? {
                Health::Well => return Ok(ticket.lease(item)),
                Health::Sick => drop(item),
            }
        }
        let made = self.0.manager.create(cx).await;
        Ok(ticket.lease(made.map_err(|stop| stop.map_err(PoolError::Create))?))
    }

    /// Leases what is idle, without a check, if nobody waits. Never waits, and isn't refused under cancellation.
    #[track_caller]
    pub fn try_lease(&self, cx: &Cx<C>) -> Option<Lease<M, C>> {
        let at = Location::caller();
        let permit = self.0.places.try_acquire_owned_at(cx, 1, ObligationKind::Lease, at);
        let permit = match permit {
            Ok(permit) => permit,
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => return None,
        };
        let ticket = Ticket::new(&self.0, permit, cx, at)?;
        self.pop().map(|item| ticket.lease(item))
    }

    async fn take_idle(&self, cx: &Cx<C>) -> Option<M::Item> {
        cx.step_to(self.0.state.object(), Access::Write).await;
        self.pop()
    }

    fn pop(&self) -> Option<M::Item> {
        self.0.state.update(|state| state.idle.pop())
    }

    /// Leases nothing more; who waits for a place is refused, also who was assigned one just now. Who has a place and makes
    /// something, or looks it over, still gets it. What is idle is dropped now, what is out when it's given back.
    pub fn close(&self) {
        self.0.places.close();
        let (idle, drained) = self.0.state.write(|state| {
            state.closed = true;
            (core::mem::take(&mut state.idle), state.out == 0)
        });
        drop(idle);
        if drained {
            self.0.drained.set()
        }
    }

    /// [Closes](Self::close) it, and waits until everything that is out has been given back, what is being made or looked over
    /// included. Nothing is leased after that.
    ///
    /// # Errors
    /// Cancelled; it stays closed.
    pub async fn drain(&self, cx: &Cx<C>) -> Result<(), types::Cancelled> {
        self.close();
        self.0.drained.wait(cx).await
    }

    /// Reports what is overdue as soon as it is, until it's cancelled: for a daemon of its own
    /// (`cx.spawn_daemon`), where nobody may wait for a place for long. Without a lease time it has nothing to do.
    pub async fn watch(&self, cx: &Cx<C>) -> types::Cancelled {
        overdue::watch(&self.0, cx).await
    }

    /// What has been leased for too long, as far as it's known: since when, where, and by whom.
    pub fn overdue(&self, cx: &Cx<C>) -> Vec<Overdue> {
        self.0.notes.overdue(cx.now())
    }
}

impl<M: Manage<C>, C> Pool<M, C> {
    /// How many there can be.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// How many are idle.
    pub fn idle(&self) -> usize {
        self.0.state.read(|state| state.idle.len())
    }

    /// How many are leased, being made or looked over.
    pub fn out(&self) -> usize {
        self.0.state.read(|state| state.out)
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.state.read(|state| state.closed)
    }
}

impl<M: Manage<C>, C> fmt::Debug for Pool<M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Pool");
        shown.field("size", &self.size()).field("idle", &self.idle()).field("out", &self.out());
        shown.finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
