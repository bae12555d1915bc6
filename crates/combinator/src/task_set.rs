//! [`TaskSet`]: tasks that come and go, joined in the order in which they end.
//!
//! ```text
//! spawn ──▶ running ──▶ ended, its outcome kept ──join_next──▶ the caller's
//! drop: everybody who runs is asked to stop, and awaited by the region they were spawned into
//! ```
//! Invariants:
//! - `task-set.no-loss`: each outcome is returned exactly once, or is its region's: a join that is cancelled has taken
//!   nothing, and a set that is dropped leaves what nobody joined to the region, as any handle does.
//! - `task-set.one-wake`: a task that ends puts its place into the line of those who have ended, once, and wakes whoever
//!   waits. So a join costs the same in a set of ten and of ten thousand.
//!
//! Not here: who has ended and who waits for it (`line`), bodies that borrow and take turns inside one task (`each`).
mod line;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::panic::Location;
use core::task::{Context, Poll, Waker};
use cx::{Cx, Joins, MaySpawn, Row, Task, TaskHandle};
use line::{End, Line};
use types::{Cancelled, Error, Outcome, TaskId, TaskOutput, WaitKind};

static ENDS: WaitKind = WaitKind::new("a task of a set to end");

/// Tasks of one kind that are spawned and joined one by one. They run in parallel, in the region of the `Cx` they are
/// spawned with, which awaits them whatever becomes of the set. With a key for each, if `K` is not `()`. Tasks that were
/// spawned in another way are [adopted](TaskSet::adopt).
///
/// A set does not change what a failure does to the region: in one that fails fast (the default) a failed task stops its
/// siblings, joined or not. To go on, spawn into [`Cx::region_with`] and `RegionOptions::keep_going()`.
///
/// Dropped, it asks the tasks that still run to stop; their region awaits them.
///
/// ```
/// use asupersync_combinator::TaskSet;
/// use core::time::Duration;
/// use cx::Cx;
/// use time::TimeExt;
/// use types::Res;
///
/// async fn total(cx: &mut Cx) -> Res<u64> {
///     let mut set = TaskSet::new();
///     for n in [3, 1, 2] {
///         set.spawn(cx, async move |cx: &mut Cx| -> Res<u64> {
///             cx.sleep(Duration::from_millis(n)).await?;
///             Ok(n)
///         });
///     }
///     let mut total = 0;
///     while let Some(outcome) = set.join_next(cx).await? {
///         total = total * 10 + outcome.ok()?;
///     }
///     Ok(total)
/// }
/// let lab = lab::LabRuntime::new(lab::LabConfig::default());
/// assert_eq!(lab.run(|cx| async { total(cx).await }).unwrap(), 123);
/// ```
///
/// `H` is what the tasks are held by: a [`TaskHandle`], or what [`TaskSet::adopting`] is given.
pub struct TaskSet<T, E = Error, K = (), H = TaskHandle<T, E>>
where
    H: Joins<Ok = T, Err = E>,
{
    /// By place; places are used again.
    tasks: Vec<Option<(K, H)>>,
    free: Vec<usize>,
    line: Arc<Line>,
    /// Outcomes that a `join_all` had collected when it was cancelled.
    collected: VecDeque<(K, Outcome<T, E>)>,
}

/// What a join ends in: somebody, nobody, or the request that cut it short.
type Joined<K, T, E> = Result<Option<(K, Outcome<T, E>)>, Cancelled>;

impl<T, E, K, H: Joins<Ok = T, Err = E>> fmt::Debug for TaskSet<T, E, K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T, E, K, H: Joins<Ok = T, Err = E>> Default for TaskSet<T, E, K, H> {
    #[track_caller]
    fn default() -> Self {
        TaskSet::adopting()
    }
}

impl<T, E> TaskSet<T, E> {
    /// A set of nobody.
    #[track_caller]
    pub fn new() -> TaskSet<T, E> {
        TaskSet::keyed()
    }

    /// Spawns a task through `cx`, as [`Cx::spawn`] does: one that is refused ends at once, as `Cancelled`.
    ///
    /// # Cost
    /// A spawn and one allocation.
    #[track_caller]
    pub fn spawn<C, O, F>(&mut self, cx: &Cx<C>, body: F) -> TaskId
    where
        C: MaySpawn,
        O: TaskOutput<Ok = T, Err = E>,
        F: Task<O, C>,
    {
        self.spawn_keyed(cx, (), body)
    }
}

impl<T, E, H: Joins<Ok = T, Err = E>> TaskSet<T, E, (), H> {
    /// Takes in a task that was spawned elsewhere, by a region's handle for example. It stays in its region; from now on
    /// its outcome comes with the others', and it is cancelled with them.
    ///
    /// # Cost
    /// One allocation.
    pub fn adopt(&mut self, task: H) -> TaskId {
        self.adopt_keyed((), task)
    }

    /// Waits for the next task to end and returns its outcome; `None` if nobody is left.
    ///
    /// # Errors
    /// If a request is effective and nobody has ended: nothing was taken. Whoever has ended is never refused.
    pub async fn join_next<C: Row>(&mut self, cx: &Cx<C>) -> Result<Option<Outcome<T, E>>, Cancelled> {
        Ok(self.join_next_keyed(cx).await?.map(|((), outcome)| outcome))
    }

    /// The outcome of somebody who has ended, if there is one. Never waits.
    pub fn try_join_next<C: Row>(&mut self, cx: &Cx<C>) -> Option<Outcome<T, E>> {
        self.try_join_next_keyed(cx).map(|((), outcome)| outcome)
    }

    /// Waits until everybody has ended, and returns the outcomes in that order.
    ///
    /// # Errors
    /// If a request is effective while somebody runs. The outcomes so far are kept: the next join returns them.
    pub async fn join_all<C: Row>(&mut self, cx: &Cx<C>) -> Result<Vec<Outcome<T, E>>, Cancelled> {
        Ok(self.join_all_keyed(cx).await?.into_iter().map(|((), outcome)| outcome).collect())
    }
}

impl<T, E, K> TaskSet<T, E, K> {
    /// A set of nobody, whose tasks have keys. Keys need not be unique.
    #[track_caller]
    pub fn keyed() -> TaskSet<T, E, K> {
        TaskSet::adopting()
    }

    /// As [`TaskSet::spawn`], with a key.
    #[track_caller]
    pub fn spawn_keyed<C, O, F>(&mut self, cx: &Cx<C>, key: K, body: F) -> TaskId
    where
        C: MaySpawn,
        O: TaskOutput<Ok = T, Err = E>,
        F: Task<O, C>,
    {
        self.adopt_keyed(key, cx.spawn(body))
    }
}

impl<T, E, K, H: Joins<Ok = T, Err = E>> TaskSet<T, E, K, H> {
    /// A set of nobody, with or without keys, for tasks that are spawned by somebody else: tasks that stay on a thread, of a
    /// `LocalRuntime`.
    #[track_caller]
    pub fn adopting() -> TaskSet<T, E, K, H> {
        TaskSet {
            tasks: Vec::new(),
            free: Vec::new(),
            line: Arc::new(Line::new()),
            collected: VecDeque::new(),
        }
    }

    /// How many were spawned and not joined.
    pub fn len(&self) -> usize {
        self.running() + self.collected.len()
    }

    /// Whose outcome is still with the task.
    fn running(&self) -> usize {
        self.tasks.len() - self.free.len()
    }

    /// Whether everybody was joined.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As [`TaskSet::adopt`], with a key.
    pub fn adopt_keyed(&mut self, key: K, task: H) -> TaskId {
        let mut handle = task;
        let id = handle.id();
        let place = self.free.pop().unwrap_or_else(|| {
            self.tasks.push(None);
            self.tasks.len() - 1
        });
        let end = End::new(&self.line, place);
        if !handle.wake_at_end(&Waker::from(end.clone())) {
            end.has_come()
        }
        self.tasks[place] = Some((key, handle));
        id
    }

    /// As [`TaskSet::join_next`], with the key.
    ///
    /// # Errors
    /// As there.
    pub async fn join_next_keyed<C: Row>(
        &mut self,
        cx: &Cx<C>,
    ) -> Result<Option<(K, Outcome<T, E>)>, Cancelled> {
        if let Some(before) = self.collected.pop_front() {
            return Ok(Some(before));
        }
        poll_fn(|context| self.poll_ended(cx, context)).await
    }

    /// As [`TaskSet::try_join_next`], with the key.
    pub fn try_join_next_keyed<C: Row>(&mut self, cx: &Cx<C>) -> Option<(K, Outcome<T, E>)> {
        self.collected.pop_front().or_else(|| self.take_ended(cx))
    }

    /// Whoever has ended and was not taken.
    fn take_ended<C: Row>(&mut self, cx: &Cx<C>) -> Option<(K, Outcome<T, E>)> {
        let place = self.line.take()?;
        let slot = self.tasks.get_mut(place)?;
        let (_, handle) = slot.as_mut()?;
        let Some(outcome) = handle.try_join(cx) else {
            unreachable!(
                "a task is in the line once it has ended, and its outcome is its handle's until then"
            )
        };
        let (key, _) = slot.take()?;
        self.free.push(place);
        Some((key, outcome))
    }

    /// As [`TaskSet::join_all`], with the keys.
    ///
    /// # Errors
    /// As there.
    pub async fn join_all_keyed<C: Row>(&mut self, cx: &Cx<C>) -> Result<Vec<(K, Outcome<T, E>)>, Cancelled> {
        // Into the set, so that whoever is cancelled here has lost nothing.
        while let Some(next) = poll_fn(|context| self.poll_ended(cx, context)).await? {
            self.collected.push_back(next)
        }
        Ok(core::mem::take(&mut self.collected).into())
    }

    /// Asks everybody who runs to end (`Explicit`). They are still to be joined.
    #[track_caller]
    pub fn cancel_all(&self, why: &'static str) {
        let at = Location::caller();
        for (_, handle) in self.tasks.iter().flatten() {
            handle.cancel_at(why, at)
        }
    }

    /// Asks whoever has this key to end (`Explicit`). Returns how many have it. Looks at every task.
    #[track_caller]
    pub fn cancel_keyed(&self, key: &K, why: &'static str) -> usize
    where
        K: PartialEq,
    {
        let at = Location::caller();
        let these = self.tasks.iter().flatten().filter(|(its, _)| its == key);
        these.map(|(_, handle)| handle.cancel_at(why, at)).count()
    }

    fn poll_ended<C: Row>(&mut self, cx: &Cx<C>, context: &mut Context<'_>) -> Poll<Joined<K, T, E>> {
        if cx.poll_budget(context).is_pending() {
            return Poll::Pending;
        }
        if self.running() == 0 {
            return Poll::Ready(Ok(None));
        }
        if let Some(next) = self.take_ended(cx) {
            return Poll::Ready(Ok(Some(next)));
        }
        if let Err(c) = cx.checkpoint() {
            return Poll::Ready(Err(c));
        }
        if !self.line.waits(context.waker()) {
            // Somebody ended between the two looks, and may have found nobody to wake.
            context.waker().wake_by_ref()
        }
        cx.poll_wait(context, &ENDS);
        Poll::Pending
    }
}

impl<T, E, K, H: Joins<Ok = T, Err = E>> Drop for TaskSet<T, E, K, H> {
    fn drop(&mut self) {
        if !types::seeded!("task-set.drop-forgets") {
            self.cancel_all("the set that it belongs to was dropped")
        }
    }
}
