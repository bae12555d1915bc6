//! Closures that block, as tasks of a region: the region waits for them, cancelling drops those that have
//! not begun, and one that runs can ask whether it should stop (`blocking.owned`, `blocking.bounded`).
//!
//! A closure that runs can't be dropped. If the wait for it is (its task was abandoned, or stood in a frame that is
//! gone, or in a finalizer that was ended at its bound), a task of the region's own waits in its place, which nothing but
//! the closure's end ends, or a shutdown that writes it off.
use crate::port::{PanicPayload, World};
use crate::raw::place::{counted, world_of};
use crate::raw::start::{self, Start};
use crate::scope::task_id;
use crate::{Cx, MayBlock, MaySpawn, NoSpawn, Row, TaskHandle};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::poll_fn;
use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering::*};
use core::task::{Context, Poll};
use region::{Lock, Region, Via};
use task::{TaskRef, Waiter, Whose, control};
use types::{Cancelled, Never, Stop, TaskId, WaitKind};

/// What a blocking closure can ask.
#[derive(Clone, Debug)]
pub struct BlockingCx {
    cancelled: Arc<AtomicBool>,
}

impl BlockingCx {
    /// Whether the task that waits for this closure has been asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Acquire)
    }
}

/// The handle of a blocking task.
pub type BlockingHandle<T, E> = TaskHandle<T, E>;

struct Shared<T, F> {
    /// Whoever takes it decides: the pool runs it, the task that no longer wants it drops it.
    closure: Lock<Option<F>>,
    done: Lock<Done<T>>,
}
struct Done<T> {
    result: Option<Result<T, PanicPayload>>,
    waiter: Option<Waiter>,
    /// The job is over: with a result, or dropped before it began.
    over: bool,
}

static WAITING: WaitKind = WaitKind::new("a blocking closure");

impl<C: Row> Cx<C> {
    /// Runs `f` on the blocking pool, as a task of this context's region. A request drops a closure that has
    /// not begun; one that runs holds the region open, and sees the request through [`BlockingCx`]. Its
    /// panic is the task's outcome. In the lab it runs inline, as one step: a `blocking_` form of a primitive in it does what
    /// can be done at once, and panics where it would have to wait, as nobody else can go on meanwhile.
    ///
    /// # Errors
    /// The task ends `Cancelled` if it was cancelled before it began.
    #[track_caller]
    pub fn spawn_blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&BlockingCx) -> T + Send + 'static,
    ) -> TaskHandle<T, types::Never>
    where
        C: MaySpawn + MayBlock,
    {
        self.spawn::<Result<T, Stop<types::Never>>, _>(async move |cx: &mut Cx<C>| cx.run_blocking(f).await)
    }

    /// As [`Cx::spawn_blocking`] without a task of its own: this task waits. If this future is dropped while the closure
    /// runs, the region around waits for it; in a finalizer, the region that it was registered in.
    pub async fn run_blocking<T: Send + 'static, E>(
        &self,
        f: impl FnOnce(&BlockingCx) -> T + Send + 'static,
    ) -> Result<T, Stop<E>>
    where
        C: MayBlock,
    {
        self.checkpoint()?;
        let flag = BlockingCx { cancelled: Arc::new(AtomicBool::new(false)) };
        let unwinding = self.world().unwinding;
        let shared = Arc::new(Shared {
            closure: Lock::new(Some(f)),
            done: Lock::new(Done { result: None, waiter: None, over: false }),
        });
        let task = self.header();
        submit(
            self.world(),
            Tell { shared: Some(shared.clone()), by: task.counted(), id: task_id(task) },
            flag.clone(),
        );
        // Whoever stops waiting, in whatever way, does not want it to begin any more.
        let mut wait = Wait { cx: self, shared: &shared, flag: &flag, answered: false };
        let result = poll_fn(|context| {
            if self.poll_budget(context).is_pending() {
                return Poll::Pending;
            }
            if let Poll::Ready(result) = shared.poll_over(context) {
                return Poll::Ready(result.ok_or(None));
            }
            if let Err(c) = self.checkpoint() {
                flag.cancelled.store(true, Release);
                let revoked = shared.closure.lock().take();
                if revoked.is_some() {
                    return Poll::Ready(Err(Some(c)));
                }
            }
            self.poll_wait(context, &WAITING);
            Poll::Pending
        })
        .await;
        wait.answered = true;
        drop(wait);
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(payload)) => (unwinding.resume)(payload),
            Err(Some(c)) => Err(Stop::Cancelled(c)),
            Err(None) => Err(Stop::Cancelled(no_pool())),
        }
    }
}

impl<T, F> Shared<T, F> {
    /// The end of the job: with its result, once, or without one, if it never began.
    fn poll_over(&self, context: &Context<'_>) -> Poll<Option<Result<T, PanicPayload>>> {
        // Made before the lock, and dropped after it: a foreign waker's code runs.
        let waiter = Waiter::from_waker(context.waker());
        let mut done = self.done.lock();
        if let Some(result) = done.result.take() {
            return Poll::Ready(Some(result));
        }
        if done.over {
            return Poll::Ready(None);
        }
        let old = done.waiter.replace(waiter);
        drop(done);
        drop(old);
        Poll::Pending
    }
}

/// The wait for a closure. With it ends the wish to have it begin; one that runs is told, and waited for by somebody
/// else.
struct Wait<'a, C: Row, T: Send + 'static, F: Send + 'static> {
    cx: &'a Cx<C>,
    shared: &'a Arc<Shared<T, F>>,
    flag: &'a BlockingCx,
    answered: bool,
}

impl<C: Row, T: Send + 'static, F: Send + 'static> Drop for Wait<'_, C, T, F> {
    fn drop(&mut self) {
        self.flag.cancelled.store(true, Release);
        let closure = self.shared.closure.lock().take();
        if closure.is_some() || self.answered {
            return;
        }
        let mut done = self.shared.done.lock();
        // It may have ended meanwhile. A value is nobody's; a panic is a member's, as if it had come later.
        let mut value = done.result.take_if(|result| result.is_ok());
        let is_awaited = value.is_none() && (done.result.is_some() || !done.over);
        drop(done);
        if is_awaited {
            return outwait(self.cx, self.shared.clone());
        }
        let task = self.cx.header();
        let mut drop = || drop(value.take());
        crate::unclaimed::within(world_of(task), Some(task_id(task)), task.spawned_at, &mut drop)
    }
}

/// Has the region wait for a closure that runs, in the place of a wait that was dropped: the nearest one around that still
/// waits for anybody. What a finalizer has begun is its own region's.
fn outwait<C: Row, T: Send + 'static, F: Send + 'static>(cx: &Cx<C>, shared: Arc<Shared<T, F>>) {
    let (mut region, at) = match cx.finalizing() {
        Some(of) => (of.region.clone(), of.registered_at),
        _ => (counted(cx.spawn_region()), cx.header().spawned_at),
    };
    while !outwait_in(&region, at, shared.clone()) {
        let Some(around) = region.parent().cloned() else { return };
        region = around;
    }
}

/// Whether the region admitted whoever waits.
fn outwait_in<T: Send + 'static, F: Send + 'static>(
    region: &Region,
    at: &'static Location<'static>,
    shared: Arc<Shared<T, F>>,
) -> bool {
    let start = Start { at, via: Via::Closure, daemon: false, control: control::JANITOR };
    let body = async move |cx: &mut Cx<NoSpawn>| -> Result<T, Stop<Never>> {
        let over = poll_fn(|context| {
            let over = shared.poll_over(context);
            if over.is_pending() {
                cx.poll_wait(context, &WAITING)
            }
            over
        });
        match over.await {
            Some(Ok(value)) => Ok(value),
            Some(Err(payload)) => (cx.world().unwinding.resume)(payload),
            None => Err(Stop::Cancelled(no_pool())),
        }
    };
    start::task::<Result<T, Stop<Never>>, _, NoSpawn>(region, start, |_| {}, body).is_ok()
}

fn no_pool() -> Cancelled {
    Cancelled::new(types::CancelKind::Shutdown, types::Origin::OUTSIDE)
        .why("the blocking pool dropped the closure before it began: it is closed, or has no thread and could start none")
        .build()
}

/// Tells the waiting task whatever happens to the job, even that it was dropped.
struct Tell<T, F> {
    /// Until it is dropped.
    shared: Option<Arc<Shared<T, F>>>,
    by: TaskRef,
    id: TaskId,
}

impl<T, F> Drop for Tell<T, F> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        let mut done = shared.done.lock();
        done.over = true;
        let waiter = done.waiter.take();
        drop(done);
        if let Some(waiter) = waiter {
            waiter.wake()
        }
        // Nobody waits any more, and what the closure returned is nobody's.
        let mut unclaimed = Arc::into_inner(shared);
        if unclaimed.is_some() {
            crate::unclaimed::discard(&self.by, Whose::Known(self.id), &mut || drop(unclaimed.take()))
        }
    }
}

fn submit<T: Send + 'static, F: FnOnce(&BlockingCx) -> T + Send + 'static>(
    world: &World,
    tell: Tell<T, F>,
    flag: BlockingCx,
) {
    let catch = world.unwinding.catch;
    let job = move || {
        let tell = tell;
        let Some(shared) = &tell.shared else { return };
        let mut f = shared.closure.lock().take();
        if f.is_none() {
            return;
        }
        let mut value = None;
        let ran = catch(&mut || value = f.take().map(|f| f(&flag)));
        let result = match (ran, value) {
            (Ok(()), Some(v)) => Some(Ok(v)),
            (Err(p), _) => Some(Err(p)),
            (Ok(()), None) => None,
        };
        shared.done.lock().result = result;
    };
    match &world.blocking {
        Some(pool) => pool.submit(Box::new(job)),
        None => task::run_inline(job),
    }
}
