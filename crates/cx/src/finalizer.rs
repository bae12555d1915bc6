//! One finalizer: what it is, and how it runs, in a masked scope of whoever closes its region, until its end or its bound.
//!
//! Invariant `finalizer.alone`: nothing that a finalizer leaves (an error, what it holds at its bound, a panic) is met by the
//! close that runs it; its panic is a value, and a panic of what is dropped is told (`task.unclaimed`).
//!
//! Not here: their order, what bounds them (`close`), where they are kept (`region`).
use crate::alarm::Alarm;
use crate::port::World;
use crate::raw::place::{Address, owner_of};
use crate::raw::scope::{Scope, enter};
use crate::scope::{actor, scope_number, task_id};
use crate::{Cx, NoSpawn, unclaimed};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use region::Region;
use task::{TaskRef, control};
use trace::{FinalizerEnd, Label, ScopeEnd, ScopeId, ScopeKind};
use types::{Panic, Res, Time};

/// A finalizer as it is stored in its region.
pub(crate) type FinalizerFn = Box<dyn for<'a> FnOnce(&'a mut Cx<NoSpawn>) -> FinalizerFuture<'a> + Send>;

/// What it runs as.
pub(crate) type FinalizerFuture<'a> = Pin<Box<dyn Future<Output = Res> + Send + 'a>>;

/// Which finalizer runs.
#[derive(Debug)]
pub(crate) struct Finalizing {
    /// The region that it was registered in.
    pub(crate) region: Arc<Region>,
    /// Where.
    pub(crate) registered_at: &'static Location<'static>,
}

/// A finalizer's future. Wherever it comes to its end, that of its values is none of whoever closes the region.
struct Running<'a> {
    future: Option<FinalizerFuture<'a>>,
    world: &'a World,
    registered_at: &'static Location<'static>,
}

impl Running<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(FinalizerEnd, Option<Panic>)> {
        let mut polled = Poll::Pending;
        let mut poll = || {
            if let Some(future) = &mut self.future {
                polled = future.as_mut().poll(context)
            }
        };
        if let Err(payload) = (self.world.unwinding.catch)(&mut poll) {
            return Poll::Ready((FinalizerEnd::Panicked, Some(Panic::from_payload(payload))));
        }
        polled.map(|result| match result {
            Ok(()) => (FinalizerEnd::Ok, None),
            Err(stop) => {
                let mut stop = Some(stop);
                self.discard(&mut || drop(stop.take()));
                (FinalizerEnd::Failed, None)
            }
        })
    }

    fn discard(&self, drop: &mut dyn FnMut()) {
        unclaimed::of_finalizer(self.world, self.registered_at, drop)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut future = self.future.take();
        self.discard(&mut || drop(future.take()))
    }
}

/// Runs one finalizer in a masked scope that only its own bound pierces. What it leaves is dropped here, and a panic of
/// that drop is told: whoever closes a region goes on (`task.unclaimed`).
pub(crate) async fn run(
    by: &TaskRef,
    world: &World,
    bound: impl Fn() -> Option<Time>,
    of: Arc<Finalizing>,
    run: FinalizerFn,
) -> (FinalizerEnd, Option<Panic>) {
    let address = Address::of_task(by.as_ptr());
    let (id, task, kind) = (scope_number(by), task_id(by), ScopeKind::Phase { masked: true });
    let mut scope = Scope::new(by.as_ptr(), address, id, Some(kind));
    let registered_at = of.registered_at;
    scope.immune = true;
    scope.finalizing = Some(of);
    /// Says that the scope is over, once what ran in it is gone.
    struct Over<'a>(&'a TaskRef, ScopeId, ScopeEnd);
    impl Over<'_> {
        fn emit(&self, label: Label) {
            if self.0.control() & control::TRACE != 0 {
                owner_of(self.0).emit(actor(self.0), || label)
            }
        }
    }
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.emit(Label::ScopeClose { scope: self.1, end: self.2 })
        }
    }
    let mut over = Over(by, ScopeId(id), ScopeEnd::Dropped);
    over.emit(Label::ScopeOpen { scope: over.1, parent: ScopeId(task.as_u64()), task, kind });
    let scope = scope;
    let at = Address::of_scope(NonNull::from(&scope));
    let future = Some(run(enter::<NoSpawn>(at, &scope)));
    let mut body = Running { future, world, registered_at };
    let mut alarm = None;
    let end = poll_fn(|context| match body.poll(context) {
        Poll::Ready(end) => Poll::Ready(end),
        // The bound may come later, or nearer, than it was.
        Poll::Pending => bound()
            .map_or(Poll::Pending, |bound| Alarm::poll_bound_at(&mut alarm, bound, world, context))
            .map(|()| (FinalizerEnd::TimedOut, None)),
    })
    .await;
    if let Some(alarm) = &mut alarm {
        alarm.disarm_in(world);
    }
    if matches!(end.0, FinalizerEnd::Ok | FinalizerEnd::Failed) {
        over.2 = ScopeEnd::Returned
    }
    end
}
