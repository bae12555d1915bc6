//! Closures that block, as tasks of a region: the region waits for them, cancelling drops those that have
//! not begun, and one that runs can ask whether it should stop.
use crate::port::World;
use crate::scope::task_id;
use crate::{Cx, MayBlock, MaySpawn, Row, TaskHandle};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::Any;
use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, Ordering::*};
use core::task::Poll;
use region::Lock;
use task::{TaskRef, Waiter, Whose};
use types::{Cancelled, Stop, TaskId, WaitKind};

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
    result: Option<Result<T, Box<dyn Any + Send>>>,
    waiter: Option<Waiter>,
    lost: bool,
}

static WAITING: WaitKind = WaitKind::new("a blocking closure");

impl<C: Row> Cx<C> {
    /// Runs `f` on the blocking pool, as a task of this context's region. A request drops a closure that has
    /// not begun; one that runs holds the region open, and sees the request through [`BlockingCx`]. Its
    /// panic is the task's outcome. In the lab it runs inline, as one step.
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

    /// As [`Cx::spawn_blocking`] without a task of its own: this task waits.
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
            done: Lock::new(Done { result: None, waiter: None, lost: false }),
        });
        let task = self.header();
        submit(
            self.world(),
            Tell { shared: Some(shared.clone()), by: task.counted(), id: task_id(task) },
            flag.clone(),
        );
        // Whoever stops waiting, in whatever way, does not want it to begin any more.
        let _revoke = Revoke(&shared, &flag);
        let result = poll_fn(|context| {
            if self.poll_budget(context).is_pending() {
                return Poll::Pending;
            }
            let mut done = shared.done.lock();
            if let Some(result) = done.result.take() {
                return Poll::Ready(Ok(result));
            }
            if done.lost {
                return Poll::Ready(Err(None));
            }
            let old = done.waiter.replace(Waiter::from_waker(context.waker()));
            drop(done);
            drop(old);
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
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(payload)) => (unwinding.resume)(payload),
            Err(Some(c)) => Err(Stop::Cancelled(c)),
            Err(None) => Err(Stop::Cancelled(no_pool())),
        }
    }
}

/// Ends the wait for a closure: one that has not begun is dropped, one that runs is told.
struct Revoke<'a, T, F>(&'a Shared<T, F>, &'a BlockingCx);

impl<T, F> Drop for Revoke<'_, T, F> {
    fn drop(&mut self) {
        self.1.cancelled.store(true, Release);
        let closure = self.0.closure.lock().take();
        drop(closure)
    }
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
        done.lost = done.result.is_none();
        let waiter = done.waiter.take();
        drop(done);
        if let Some(waiter) = waiter {
            waiter.wake()
        }
        // The task has been given up meanwhile: what the closure returned is nobody's.
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
        None => job(),
    }
}
