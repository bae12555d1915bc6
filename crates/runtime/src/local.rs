//! `LocalRuntime`: one thread, and tasks that never leave it, so they need not be `Send`.
use crate::builder::{BuildError, Builder};
use crate::raw::LocalTask;
use cx::{All, Cx, Joins, MaySpawn, Row};
use std::marker::PhantomData;
use std::panic::Location;
use std::task::Waker;
use types::{LocalOutput, Outcome, TaskId};

/// A runtime of one worker, the calling thread.
#[derive(Debug)]
pub struct LocalRuntime(());

/// The right to spawn tasks that are not `Send`: only the thread of a [`LocalRuntime`] has it.
#[derive(Debug)]
pub struct Local {
    /// The engine whose home thread this is.
    tag: u16,
    here: PhantomData<*const ()>,
}

/// A handle on a local task; it stays on the thread as well.
#[derive(Debug)]
pub struct LocalHandle<T, E>(LocalTask<T, E>);

impl LocalRuntime {
    /// Runs `body` and everything it spawns on this thread.
    ///
    /// # Errors
    /// What [`Builder::build`] returns.
    ///
    /// # Panics
    /// As [`crate::Runtime::run`].
    ///
    /// ```
    /// use asupersync_runtime::LocalRuntime;
    /// use std::rc::Rc;
    /// let n = LocalRuntime::run(async |local, cx| {
    ///     let shared = Rc::new(20);
    ///     let twin = shared.clone();
    ///     let mut task = local.spawn(cx, async move |_cx| Ok::<_, std::fmt::Error>(Rc::new(*twin + 1)));
    ///     *task.join(cx).await.unwrap() * 2
    /// });
    /// assert_eq!(n.unwrap(), 42);
    /// ```
    #[track_caller]
    pub fn run<T>(body: impl AsyncFnOnce(&Local, &mut Cx<All>) -> T) -> Result<T, BuildError> {
        LocalRuntime::run_with(Builder::new(), body)
    }

    /// As [`LocalRuntime::run`], with the other knobs of a builder; its workers and its dedicated caller are ignored.
    ///
    /// # Errors
    /// What [`Builder::build`] returns.
    #[track_caller]
    pub fn run_with<T>(
        builder: Builder,
        body: impl AsyncFnOnce(&Local, &mut Cx<All>) -> T,
    ) -> Result<T, BuildError> {
        let runtime = builder.workers(1).dedicated_caller(false).build()?;
        let local = Local { tag: runtime.tag(), here: PhantomData };
        Ok(runtime.run(async |cx| body(&local, cx).await))
    }
}

impl Local {
    /// Spawns a task that stays on this thread into the region of `cx`. Neither its body nor its value need be `Send`; its
    /// error must, since one that nobody joined moves to whoever awaits the region.
    ///
    /// # Panics
    /// If `cx` is of another runtime: its tasks run on other threads.
    #[track_caller]
    pub fn spawn<C, T, F>(&self, cx: &Cx<C>, body: F) -> LocalHandle<T::Ok, T::Err>
    where
        C: Row + MaySpawn,
        T: LocalOutput,
        F: AsyncFnOnce(&mut Cx<C>) -> T + 'static,
    {
        LocalHandle(crate::raw::spawn_local(self.tag, cx, Location::caller(), body))
    }
}

impl<T, E> LocalHandle<T, E> {
    /// As [`TaskHandle::join`](cx::TaskHandle::join).
    pub async fn join<C: Row>(&mut self, cx: &Cx<C>) -> Outcome<T, E> {
        self.0.join(cx).await
    }

    /// As [`TaskHandle::cancel`](cx::TaskHandle::cancel).
    #[track_caller]
    pub fn cancel(&self, why: &'static str) {
        self.0.task().cancel(why)
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.0.task().is_finished()
    }
}

/// For a `TaskSet` of local tasks.
impl<T, E> Joins for LocalHandle<T, E> {
    type Ok = T;
    type Err = E;

    fn id(&self) -> TaskId {
        self.0.task().id()
    }

    fn try_join<C: Row>(&mut self, cx: &Cx<C>) -> Option<Outcome<T, E>> {
        self.0.try_join(cx)
    }

    fn wake_at_end(&mut self, waker: &Waker) -> bool {
        self.0.wake_at_end(waker)
    }

    fn cancel_at(&self, why: &'static str, at: &'static Location<'static>) {
        self.0.task().cancel_at(why, at)
    }
}
