//! Items worked on by tasks of a region: [`Buffered`], [`BufferUnordered`].
//!
//! ```text
//! source ──body──▶ spawn into the region of `cx` ──▶ task ──value──▶ queue ──▶ consumer
//!                  at most n between here ─────────────────────────────▲ and here (`stream.in-flight`)
//! ```
//! - The tasks run by themselves, in parallel and while the consumer is busy. New ones are started when the stream is polled.
//! - Nothing outlives the region: the tasks are members of it. It does not close before they have ended, and a request on it
//!   reaches them.
//! - A value that a body returned is the consumer's next one, or waits in the queue. A stream that is dropped asks the tasks
//!   that still work to stop, and drops what is in the queue.
//! - A body that panics gives no item: its region deals with it by its policy, which by default asks the consumer to stop.
//!   The same for one that its region abandoned.
//! - What a body spawns may still run when its value comes; its region awaits that.
//!
//! Bodies are `Send + 'static`, as all tasks: what they share with others is in an `Arc`. For bodies that borrow see `in_task`.
//!
//! Cost: a spawn and a send and receive through a ring for each item. One allocation for the ring, and one whenever more tasks than
//! ever before are at work and it has to double.
use super::part::Fuse;
use super::reports::Reports;
use super::then::plus;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use cx::{Cx, MaySpawn, Task, TaskFn, TaskHandle, Waiter};
use pin_project_lite::pin_project;
use sync::mpsc::MAX_CAPACITY;
use sync::mpsc::ring::Tx;
use types::{Never, Stream};

/// What a task reports: the place it had, the number of its item, and its value, unless it has none.
type Report<T> = (usize, u64, Option<T>);

/// The tasks of one stream.
struct Crew<'c, T, C> {
    cx: &'c Cx<C>,
    at: &'static Location<'static>,
    reports: Reports<Report<T>>,
    /// By place; none where nobody works.
    tasks: Vec<Option<TaskHandle<(), Never>>>,
    free: Vec<usize>,
}

impl<'c, T, C> Crew<'c, T, C> {
    fn new(cx: &'c Cx<C>, limit: usize, at: &'static Location<'static>) -> Crew<'c, T, C> {
        let capacity = u32::try_from(limit).unwrap_or(u32::MAX);
        assert!(
            (1..=MAX_CAPACITY).contains(&capacity),
            "`n`, how many may be in flight, is {limit}: it must be at least 1 and at most {MAX_CAPACITY}"
        );
        Crew { cx, at, reports: Reports::new(capacity), tasks: Vec::new(), free: Vec::new() }
    }

    fn working(&self) -> usize {
        self.tasks.len() - self.free.len()
    }

    /// Spawns a task for the item with this number.
    fn start<F>(&mut self, body: F, number: u64)
    where
        T: Send + 'static,
        C: MaySpawn,
        F: Task<T, C>,
    {
        let place = self.free.pop().unwrap_or_else(|| {
            self.tasks.push(None);
            self.tasks.len() - 1
        });
        let due = Due { tx: self.reports.owe(), place, number, value: None };
        let spawned = self.cx.try_spawn_at(self.at, async move |cx: &mut Cx<C>| {
            let value = <F as TaskFn<'_, C>>::Fut::from(body(cx)).await;
            due.is(value)
        });
        match spawned {
            Ok(task) => self.tasks[place] = Some(task),
            Err(_) => panic!(
                "the stream made at {} spawns through a `Cx` that was kept past the end of its own region",
                self.at
            ),
        }
    }

    /// One operation of the task's budget, between the starts of two tasks: a source that always has an item must not keep
    /// the task until all places are taken.
    fn poll_budget(&self, context: &mut Context<'_>) -> Poll<()>
    where
        C: MaySpawn,
    {
        self.cx.poll_budget(context)
    }

    /// The next report: `None` if nobody works.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<(u64, Option<T>)>> {
        if self.working() == 0 {
            return Poll::Ready(None);
        }
        let (place, number, value) = ready!(self.reports.poll(context));
        self.tasks[place] = None;
        self.free.push(place);
        Poll::Ready(Some((number, value)))
    }
}

impl<T, C> Drop for Crew<'_, T, C> {
    fn drop(&mut self) {
        if types::seeded!("buffered.tasks-not-asked") {
            return;
        }
        for task in self.tasks.iter().flatten() {
            task.cancel("the stream that wanted its value was dropped")
        }
    }
}

/// A report that is due, and is made in any case.
struct Due<T> {
    tx: Tx<Report<T>, Waiter>,
    place: usize,
    number: u64,
    value: Option<T>,
}

impl<T> Due<T> {
    fn is(mut self, value: T) {
        self.value = Some(value)
    }
}

impl<T> Drop for Due<T> {
    fn drop(&mut self) {
        // There is room (`reports.room`). If the stream is gone the value goes with this.
        drop(self.tx.try_send((self.place, self.number, self.value.take())));
    }
}

pin_project! {
    /// Stream of [`StreamCxExt::buffer_unordered`](super::StreamCxExt::buffer_unordered).
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferUnordered<'c, S, T, C> {
        #[pin]
        source: Fuse<S>,
        limit: usize,
        crew: Crew<'c, T, C>,
    }
}

impl<'c, S, T, C> BufferUnordered<'c, S, T, C> {
    pub(super) fn new(source: S, cx: &'c Cx<C>, limit: usize, at: &'static Location<'static>) -> Self {
        BufferUnordered { source: Fuse::new(source), limit, crew: Crew::new(cx, limit, at) }
    }

    /// How many items were taken from the source and not given to the consumer.
    pub fn in_flight(&self) -> usize {
        self.crew.working()
    }
}

impl<S, T, C> core::fmt::Debug for BufferUnordered<'_, S, T, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BufferUnordered").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}

impl<S, T, C> Stream for BufferUnordered<'_, S, T, C>
where
    S: Stream,
    S::Item: Task<T, C>,
    T: Send + 'static,
    C: MaySpawn,
{
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        let mut goes_on = true;
        loop {
            while goes_on && this.crew.working() < *this.limit {
                let Poll::Ready(Some(body)) = this.source.as_mut().poll_next(context) else { break };
                this.crew.start(body, 0);
                goes_on = this.crew.working() == *this.limit || this.crew.poll_budget(context).is_ready();
            }
            match ready!(this.crew.poll(context)) {
                Some((_, Some(value))) => return Poll::Ready(Some(value)),
                // It has no value: there is a place for the next one.
                Some((_, None)) => {}
                None if this.source.is_done() => return Poll::Ready(None),
                None => return Poll::Pending,
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, plus(self.source.size_hint(), self.crew.working()).1)
    }
}

/// What is known of an item whose turn has not come.
enum Turn<T> {
    Working,
    Returned(T),
    /// It has no value.
    Lost,
}

pin_project! {
    /// Stream of [`StreamCxExt::buffered`](super::StreamCxExt::buffered). Holds the values that came before their turn.
    #[must_use = "streams do nothing unless polled"]
    pub struct Buffered<'c, S, T, C> {
        #[pin]
        source: Fuse<S>,
        limit: usize,
        crew: Crew<'c, T, C>,
        turns: VecDeque<Turn<T>>,
        // The number of the first of them.
        first: u64,
    }
}

impl<'c, S, T, C> Buffered<'c, S, T, C> {
    pub(super) fn new(source: S, cx: &'c Cx<C>, limit: usize, at: &'static Location<'static>) -> Self {
        Buffered {
            source: Fuse::new(source),
            limit,
            crew: Crew::new(cx, limit, at),
            turns: VecDeque::new(),
            first: 0,
        }
    }

    /// How many items were taken from the source and not given to the consumer.
    pub fn in_flight(&self) -> usize {
        self.turns.len()
    }
}

impl<S, T, C> core::fmt::Debug for Buffered<'_, S, T, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Buffered").field("in_flight", &self.turns.len()).finish_non_exhaustive()
    }
}

impl<S, T, C> Stream for Buffered<'_, S, T, C>
where
    S: Stream,
    S::Item: Task<T, C>,
    T: Send + 'static,
    C: MaySpawn,
{
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        let mut goes_on = true;
        loop {
            while goes_on && this.turns.len() < *this.limit {
                let Poll::Ready(Some(body)) = this.source.as_mut().poll_next(context) else { break };
                this.crew.start(body, *this.first + this.turns.len() as u64);
                this.turns.push_back(Turn::Working);
                goes_on = this.turns.len() == *this.limit || this.crew.poll_budget(context).is_ready();
            }
            match this.turns.pop_front() {
                None if this.source.is_done() => return Poll::Ready(None),
                None => return Poll::Pending,
                Some(Turn::Returned(value)) => {
                    *this.first += 1;
                    return Poll::Ready(Some(value));
                }
                Some(Turn::Lost) => {
                    *this.first += 1;
                    continue;
                }
                Some(Turn::Working) => this.turns.push_front(Turn::Working),
            }
            let Some((number, value)) = ready!(this.crew.poll(context)) else {
                unreachable!("the first in turn still works")
            };
            this.turns[(number - *this.first) as usize] = value.map_or(Turn::Lost, Turn::Returned);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, plus(self.source.size_hint(), self.turns.len()).1)
    }
}
