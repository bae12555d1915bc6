//! What every context offers: checkpoints, the clock, narrowing, user values, and the three calls that an
//! async leaf operation is made of.
//!
//! A leaf operation polls like this:
//!
//! ```text
//! ready!(cx.poll_proceed(context))?;      coop budget or scheduling point, then cancellation: `cancel.first`
//! try the effect; done? return Ready
//! register the waker; try again            (a wake between the two would otherwise be lost)
//! cx.poll_wait(context, &WAIT_KIND)        says what is waited for, and lets a request reach this waker
//! ```
use crate::port::WaitOn;
use crate::raw::ext;
use crate::raw::owner::contain;
use crate::raw::place::{Place, world_of};
use crate::row::sealed::Env;
use crate::scope::{effective, task_id};
use crate::*;
use alloc::sync::Arc;
use core::any::Any;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::Ordering::*;
use core::task::{Context, Poll, ready};
use task::raw::waiter::header_of;
use task::{Header, control};
use trace::{Label, ScopeId};
use types::{Cancelled, TaskId, Time, WaitKind};

impl<C> core::fmt::Debug for Cx<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Cx { .. }")
    }
}

impl<C: Row> Cx<C> {
    /// Returns the cancellation that is effective here, if there is one (`cancel.cooperative`). One relaxed
    /// load when nothing was asked.
    #[inline]
    pub fn checkpoint(&self) -> Result<(), Cancelled> {
        if self.header().control() & control::ATTENTION == 0 {
            return Ok(());
        }
        self.attend()
    }

    #[cold]
    #[inline(never)]
    fn attend(&self) -> Result<(), Cancelled> {
        let header = self.header();
        loop {
            let traced = header.control() & control::TRACE != 0;
            let owner = traced.then(|| crate::raw::place::owner_of(header));
            let since = owner.map_or(0, |owner| owner.emitted());
            let Some(c) = effective(self.place()) else {
                self.settle_attention();
                return Ok(());
            };
            header.control.fetch_or(control::ACKNOWLEDGED, Relaxed);
            let said = owner.is_none_or(|owner| {
                owner.emit_since(since, crate::scope::actor(header), || Label::TaskAck {
                    task: task_id(header),
                    scope: ScopeId(self.scope_id()),
                    kind: c.kind(),
                    origin: c.origin(),
                })
            });
            // Otherwise somebody may have raised the request in between.
            if said {
                return Err(c);
            }
        }
    }

    /// Nothing is effective at the root, and nothing is open inside the task that could have a request of its
    /// own: checkpoints are one load again.
    fn settle_attention(&self) {
        let Place::Root(header) = self.place() else { return };
        let quiet = ext::of(header).is_none_or(|ext| {
            let inner = ext.inner.lock();
            inner.opened.is_empty() && inner.branches == 0
        });
        if quiet {
            header.control.fetch_and(!control::INNER, AcqRel);
            // A request is stored before its bit is set: one whose bit was just taken off is seen here.
            if effective(self.place()).is_some() {
                header.control.fetch_or(control::INNER, AcqRel);
            }
        }
    }

    /// Tag of the engine that runs the task, for engines to know their own.
    pub fn engine_tag(&self) -> u16 {
        self.header().tag()
    }

    /// The task's identity.
    pub fn task_id(&self) -> TaskId {
        task_id(self.header())
    }

    /// Now, on this world's clock.
    #[inline]
    pub fn now(&self) -> Time
    where
        C: MayTime,
    {
        self.world().clock.now()
    }

    /// A random number from this task's own stream: the n-th number of a task is the same in every run with the
    /// same seed, whatever the schedule. Not for secrets.
    pub fn random(&self) -> u64
    where
        C: MayRandom,
    {
        let drawn = ext::make(self.header()).drawn.fetch_add(1, Relaxed);
        self.world().entropy.draw(self.task_id(), drawn)
    }

    /// A random number below `bound`: the next one of the task's own stream ([`Cx::random`]), brought to that size. Each
    /// is as likely as the others, but for `bound` in 2^64. Not for secrets.
    ///
    /// Say what the number is for by its bound, where it is small: a lab can try every value then (`random = "branch"`).
    ///
    /// # Panics
    /// If `bound` is 0: there is no such number.
    #[track_caller]
    pub fn random_below(&self, bound: u64) -> u64
    where
        C: MayRandom,
    {
        assert!(bound > 0, "there is no random number below 0");
        let drawn = ext::make(self.header()).drawn.fetch_add(1, Relaxed);
        self.world().entropy.below(self.task_id(), drawn, bound)
    }

    /// Writes a note into the trace, where there is one.
    pub fn trace(&self, text: impl Into<trace::Text>)
    where
        C: MayTrace,
    {
        let header = self.header();
        if header.control() & control::TRACE != 0 {
            let text = text.into();
            crate::raw::place::owner_of(header).emit(crate::scope::actor(header), || Label::User { text });
        }
    }

    /// The same place with less authority.
    ///
    /// ```compile_fail
    /// # use asupersync_cx::*;
    /// fn widen(cx: &mut Cx<TimeOnly>) -> &mut Cx<All> { cx.narrow() } // cannot narrow: that would ADD authority
    /// ```
    pub fn narrow<D: Row + NarrowOf<C>>(&mut self) -> &mut Cx<D> {
        self.narrowed()
    }

    /// Runs `body` with the user value `env` within reach ([`Cx::env`]), in its tasks too.
    pub async fn with<E, T>(&mut self, env: E, body: impl AsyncFnOnce(&mut Cx<With<C, E>>) -> T) -> T
    where
        E: Send + Sync + 'static,
    {
        self.with_env(Arc::new(env), body).await
    }

    /// The user value of type `T` that the nearest [`Cx::with`] supplied.
    pub fn env<T>(&self) -> &T
    where
        C::Env: EnvProvides<T>,
    {
        let found = self.nearest_env().and_then(|e| e.downcast_ref::<<C::Env as EnvProvides<T>>::Top>());
        match found {
            Some(env) => env.provide(),
            None => unreachable!("the row `{}` says that a user value is here", core::any::type_name::<C>()),
        }
    }

    /// The nearest user value's owner, for a task that is about to be spawned.
    pub(crate) fn inherited_env(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        if !<C::Env as Env>::PRESENT {
            return None;
        }
        let mut at = self.place();
        loop {
            match at {
                Place::Root(h) => return ext::of(h).and_then(|e| e.inner.lock().env.clone()),
                Place::Inner(s) => {
                    if let Some(env) = &s.env {
                        return Some(env.clone());
                    }
                    at = s.outer()
                }
            }
        }
    }

    /// Waits until a request is effective here, and returns it: for tasks that have nothing else to wait for.
    pub async fn cancelled(&self) -> Cancelled {
        static CANCELLED: WaitKind = WaitKind::new("a request to end");
        core::future::poll_fn(|context| match self.poll_proceed(context) {
            Poll::Ready(Err(c)) => Poll::Ready(c),
            Poll::Ready(Ok(())) => {
                self.poll_wait(context, &CANCELLED);
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// A scheduling point: takes one operation from the task's budget, giving way when it is spent. Free in production
    /// but for that; in the lab every one is a point at which any other task may come first. Put it where tasks meet
    /// without awaiting anything (`try_recv`, a shared value), if that meeting is to be explored.
    pub fn step(&self) -> impl Future<Output = ()> + '_ {
        core::future::poll_fn(|context| self.poll_budget(context))
    }

    /// Lets every other runnable task go first.
    pub fn yield_now(&self) -> YieldNow {
        YieldNow { yielded: false }
    }

    // ---- for authors of leaf operations

    /// The world's network.
    ///
    /// # Errors
    /// Where the world has none, saying so.
    pub fn net(&self) -> Result<&dyn port::Net, port::IoFailure>
    where
        C: MayNet,
    {
        self.world().net.as_deref().ok_or_else(|| port::IoFailure::absent("network"))
    }

    /// The world's signals.
    ///
    /// # Errors
    /// Where the world has none, saying so.
    pub fn signals(&self) -> Result<&dyn port::Signals, port::IoFailure>
    where
        C: MaySignal,
    {
        self.world().signals.as_deref().ok_or_else(|| port::IoFailure::absent("signals"))
    }

    /// First call of every poll of a leaf operation: takes one operation from the task's budget, giving way
    /// when it is spent (in the lab, at every operation), then looks for a cancellation.
    #[inline]
    pub fn poll_proceed(&self, context: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        // Found once: where the context stands in a scope, each look would load it again.
        let header = self.header();
        ready!(self.poll_budget_of(header, context));
        if header.control() & control::ATTENTION == 0 || types::seeded!("cancel.first-ignored") {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(self.attend())
    }

    /// As [`Cx::poll_proceed`] without looking for a cancellation: for the few operations that are never
    /// refused (joining a finished task).
    #[inline]
    pub fn poll_budget(&self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_budget_of(self.header(), context)
    }

    #[inline]
    fn poll_budget_of(&self, header: &Header, context: &mut Context<'_>) -> Poll<()> {
        let left = header.coop.load(Relaxed);
        if is_spent(left) {
            return self.give_way(context);
        }
        header.coop.store(left - 1, Relaxed);
        Poll::Ready(())
    }

    /// The budget is spent: the task has to give way. Unless somebody polls again and again through a waker of his own, which
    /// no future does that returns to its task: that is an executor inside of the task's poll (`block_on`), or a thread that
    /// the task waits for. The poll would never end, and so the budget never be renewed; then the operation is let go on, or,
    /// where nobody else can go on meanwhile, it is a panic.
    #[cold]
    #[inline(never)]
    fn give_way(&self, context: &Context<'_>) -> Poll<()> {
        let header = self.header();
        if !is_own(header, context) {
            // From 0 down from the top, where no budget is: how often that was. The next poll sets it anew.
            let refused = header.coop.load(Relaxed).wrapping_sub(1);
            if refused > port::MAX_COOP {
                header.coop.store(refused, Relaxed)
            } else if !types::seeded!("coop.spins") {
                assert!(
                    !self.world().single_file,
                    "the task spawned at {} is polled again and again inside of a poll of its own, by an executor such as \
                     `block_on` or a thread that it waits for: nobody else can go on meanwhile. Await what it waits for, or \
                     use `cx.spawn_blocking` and the `blocking_` forms",
                    header.spawned_at
                );
                return Poll::Ready(());
            }
        }
        if header.coop.load(Relaxed) == 0 {
            header.coop.store(u16::MAX, Relaxed)
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Last call of a poll that returns `Pending`: notes what is waited for, and, if the waker is not the
    /// task's own, has cancel requests wake it too (`cancel.wakes`).
    #[inline]
    pub fn poll_wait(&self, context: &Context<'_>, kind: &'static WaitKind) {
        self.poll_wait_on(context, kind, WaitOn::Anybody)
    }

    /// As [`Cx::poll_wait`], for a wait that only `on` can end: in the lab, a circle of such waits is a deadlock
    /// (`lab.deadlock`), whatever timers others have set.
    #[inline]
    pub fn poll_wait_on(&self, context: &Context<'_>, kind: &'static WaitKind, on: WaitOn) {
        let header = self.header();
        // An operation that did nothing has used nothing: otherwise a combinator that polls many waiting
        // branches would run out of budget, and be queued again although nothing is ready.
        let left = header.coop.load(Relaxed);
        if left < port::MAX_COOP {
            header.coop.store(left + 1, Relaxed)
        }
        header.set_wait(kind, (world_of(header).recent.load(Relaxed) >> 20) as u32);
        if header.control() & control::TRACE != 0 {
            crate::hold::note_wait(header, context, on)
        }
        self.register(header, context)
    }

    /// An operation around others', which may be operations themselves or know no context (a stream's consumer around
    /// the stream): looks for a cancellation, polls them, and takes one operation from the budget unless they did. What
    /// they say they wait for stands; where they say nothing it is `kind`.
    #[inline]
    pub fn poll_around<T>(
        &self,
        context: &mut Context<'_>,
        kind: &'static WaitKind,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, Cancelled>> {
        let header = self.header();
        let left = header.coop.load(Relaxed);
        if is_spent(left) {
            ready!(self.give_way(context))
        }
        if header.control() & control::ATTENTION != 0 && !types::seeded!("cancel.first-ignored") {
            self.attend()?
        }
        header.set_wait(kind, (world_of(header).recent.load(Relaxed) >> 20) as u32);
        let polled = poll(context);
        if polled.is_pending() {
            self.register(header, context)
        } else if !is_spent(left) && header.coop.load(Relaxed) == left {
            header.coop.store(left - 1, Relaxed)
        }
        polled.map(Ok)
    }

    /// Has cancel requests wake this waker too, unless it is the task's own.
    #[inline]
    fn register(&self, header: &Header, context: &Context<'_>) {
        if !is_own(header, context) {
            self.register_foreign(context)
        }
    }

    #[cold]
    fn register_foreign(&self, context: &Context<'_>) {
        if types::seeded!("cancel.foreign-unregistered") {
            return;
        }
        let header = self.header();
        let waker = context.waker();
        let world = self.world();
        let now = world.recent.load(Relaxed);
        let ext = ext::make(header);
        let renewed = ext.inner.lock().foreign.renew(waker, now);
        let stale = renewed.unwrap_or_else(|| {
            // Cloned without the lock: that is code of others, which may ask for whatever the lock guards.
            let kept = Arc::new(waker.clone());
            ext.inner.lock().foreign.add(kept, now)
        });
        stale.settle(|call| contain(world, call));
        let before = header.control.fetch_or(control::FOREIGN, AcqRel);
        // A request that was made after this operation looked, and before the line above, woke the task
        // only.
        if before & control::ATTENTION != 0 && effective(self.place()).is_some() {
            waker.wake_by_ref()
        }
    }
}

/// Whether this is the task's own waker.
#[inline]
fn is_own(task: &Header, context: &Context<'_>) -> bool {
    header_of(context.waker()).is_some_and(|h| core::ptr::eq(h.as_ptr(), task))
}

/// Whether no operation of a poll's budget is left. Above the largest budget stands how often one was refused in this poll
/// ([`Cx::poll_budget`]): one comparison tells both.
#[inline]
const fn is_spent(left: u16) -> bool {
    left.wrapping_sub(1) >= port::MAX_COOP
}

/// Future of [`Cx::yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();
    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        // Woken while running: the engine queues the task behind the others.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
