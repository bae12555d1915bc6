//! [`StreamCxExt`]: what a stream offers with the clock or the region of a `Cx`.
//!
//! Not here: consumers, which look for a cancellation in a `Cx` (`ext`).
use super::{BufferUnordered, Buffered, ChunksTimeout, Debounce, Sliding, Throttle, Timeout, Tumbling};
use core::panic::Location;
use core::time::Duration;
use cx::{Cx, MaySpawn, MayTime, Task};
use types::Stream;

/// What [`StreamCxExt::debounce`] makes of the item that waited and the one that came: the latter.
pub type KeepLast<T> = fn(T, T) -> T;

/// Adapters that need a `Cx`, for every [`Stream`]. They borrow it for as long as they live, and are no cancellation points:
/// whoever consumes them is.
///
/// Spans that reach beyond the end of time never end.
pub trait StreamCxExt: Stream {
    /// The values of tasks, in the order of the items, which are their bodies: each is spawned into the region of `cx`, with at most `n` in flight, from the spawn until the consumer has the value.
    ///
    /// The tasks work while the consumer is busy. When all `n` are over and untaken, nothing is started: a slow consumer slows the source down.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// cx.region(async |scope| {
    ///     let work = stream::iter(1..=3).map(|n| async move |cx: &mut cx::Cx| {
    ///         cx.sleep(Duration::from_millis(10 / n)).await.ok();
    ///         n
    ///     });
    ///     assert_eq!(work.buffered(scope, 2).collect::<Vec<_>, _>(scope).await.unwrap(), [1, 2, 3]);
    /// })
    /// .await;
    /// # });
    /// ```
    ///
    /// # Cancel behaviour
    /// A request on the region reaches the tasks, whose values come as they return them. Dropping the stream asks those that still
    /// work to stop (`Explicit`) and drops the values that were not taken; the region awaits the tasks.
    ///
    /// # Panics
    /// If `n` is 0 or more than [`MAX_CAPACITY`](sync::mpsc::MAX_CAPACITY). When polled, if the region of `cx` admits no more tasks, as
    /// `cx` was kept past its end. A body's panic is its region's matter: there is no item then.
    ///
    /// # Cost
    /// A spawn for each item, which takes one operation of the task's budget. Memory for as many values as tasks were at work, not for `n`.
    #[track_caller]
    fn buffered<T, C>(self, cx: &Cx<C>, n: usize) -> Buffered<'_, Self, T, C>
    where
        Self: Sized,
        Self::Item: Task<T, C>,
        T: Send + 'static,
        C: MaySpawn,
    {
        Buffered::new(self, cx, n, Location::caller())
    }

    /// As [`StreamCxExt::buffered`], in the order in which they are over. Of several that wait for the consumer while more tasks are
    /// at work than ever before, those that began earlier may come first.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// cx.region(async |scope| {
    ///     let work = stream::iter([3, 1, 2]).map(|n| async move |cx: &mut cx::Cx| {
    ///         cx.sleep(Duration::from_millis(n)).await.ok();
    ///         n
    ///     });
    ///     assert_eq!(work.buffer_unordered(scope, 3).collect::<Vec<_>, _>(scope).await.unwrap(), [1, 2, 3]);
    /// })
    /// .await;
    /// # });
    /// ```
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    fn buffer_unordered<T, C>(self, cx: &Cx<C>, n: usize) -> BufferUnordered<'_, Self, T, C>
    where
        Self: Sized,
        Self::Item: Task<T, C>,
        T: Send + 'static,
        C: MaySpawn,
    {
        BufferUnordered::new(self, cx, n, Location::caller())
    }

    /// Says [`Elapsed`](super::Elapsed) whenever the next item has not come `span` after it was first waited for. The source is not touched by that: the item may come after it. The time between two polls in which nobody waits counts, once somebody has waited.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let slow = core::pin::pin!(stream::once(cx.sleep(Duration::from_millis(15))));
    /// let said = slow.timeout(cx, Duration::from_millis(10)).map(|item| item.is_ok());
    /// assert_eq!(said.collect::<Vec<_>, _>(cx).await.unwrap(), [false, true]);
    /// # });
    /// ```
    ///
    /// # Cost
    /// A timer for each item that has to be waited for. With a span of zero it says so whenever there is no item at once.
    fn timeout<C: MayTime>(self, cx: &Cx<C>, span: Duration) -> Timeout<'_, Self, C>
    where
        Self: Sized,
    {
        Timeout::new(self, cx, span)
    }

    /// At most one item in `span`: after one was taken the source is not polled for so long. What comes too fast stays in it; nothing is dropped.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let paced = stream::iter(0..3).throttle(cx, Duration::from_millis(10));
    /// paced.count(cx).await.unwrap();
    /// assert_eq!(cx.now(), types::Time::ZERO + Duration::from_millis(30)); // the end comes after the last pause
    /// # });
    /// ```
    ///
    /// # Cost
    /// A timer for each item.
    fn throttle<C: MayTime>(self, cx: &Cx<C>, span: Duration) -> Throttle<'_, Self, C>
    where
        Self: Sized,
    {
        Throttle::new(self, cx, span)
    }

    /// The last item before each pause of `span`: an item that is followed by another one sooner is dropped. One whose pause is over when the stream is polled comes first, whatever has come since. One that waits for its pause comes at once when the source ends, and back from [`Debounce::into_parts`](super::Debounce::into_parts).
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let burst = stream::iter([1, 2, 3]).chain(Box::pin(stream::once(async {
    ///     cx.sleep(Duration::from_millis(50)).await.ok();
    ///     4
    /// })));
    /// let settled = burst.debounce(cx, Duration::from_millis(20));
    /// assert_eq!(settled.collect::<Vec<_>, _>(cx).await.unwrap(), [3, 4]);
    /// # });
    /// ```
    ///
    /// # Cost
    /// A timer for each item; each takes one operation of the task's budget, so that a source which always has an item keeps nobody waiting.
    fn debounce<C: MayTime>(self, cx: &Cx<C>, span: Duration) -> Debounce<'_, Self, KeepLast<Self::Item>, C>
    where
        Self: Sized,
    {
        Debounce::new(self, cx, span, |_, last| last)
    }

    /// As [`StreamCxExt::debounce`], and `merge` makes one of the item that waited and the one that came: for items that must not be dropped unseen.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let burst = stream::iter([1, 2, 3]);
    /// let sums = burst.debounce_with(cx, Duration::from_millis(20), |waited, came| waited + came);
    /// assert_eq!(sums.collect::<Vec<_>, _>(cx).await.unwrap(), [6]);
    /// # });
    /// ```
    fn debounce_with<F, C>(self, cx: &Cx<C>, span: Duration, merge: F) -> Debounce<'_, Self, F, C>
    where
        Self: Sized,
        F: FnMut(Self::Item, Self::Item) -> Self::Item,
        C: MayTime,
    {
        Debounce::new(self, cx, span, merge)
    }

    /// As [`StreamExt::chunks`](super::StreamExt::chunks), and a chunk waits no longer than `span` from its first item to be full.
    /// With a span of zero it takes what is there without a wait.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let items = stream::iter(0..3).chain(Box::pin(stream::once(async {
    ///     cx.sleep(Duration::from_millis(50)).await.ok();
    ///     3
    /// })));
    /// let chunks = items.chunks_timeout(cx, 2, Duration::from_millis(20));
    /// assert_eq!(chunks.collect::<Vec<_>, _>(cx).await.unwrap(), [vec![0, 1], vec![2], vec![3]]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `size` is 0.
    #[track_caller]
    fn chunks_timeout<C: MayTime>(self, cx: &Cx<C>, size: usize, span: Duration) -> ChunksTimeout<'_, Self, C>
    where
        Self: Sized,
    {
        ChunksTimeout::new(self, cx, size, span)
    }

    /// The items of each window of time, in a `Vec`: windows follow each other, `span` long, from the first poll on. One that nothing came in is left out; one with `limit` items comes at once, and the rest of its time gives another. Each item takes one operation of the task's budget, so that a source which always has an item keeps nobody waiting.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let items = stream::iter(0..3).throttle(cx, Duration::from_millis(4));
    /// let windows = items.tumbling(cx, Duration::from_millis(8), 100);
    /// assert_eq!(windows.collect::<Vec<_>, _>(cx).await.unwrap(), [vec![0, 1], vec![2]]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `span` or `limit` is 0.
    #[track_caller]
    fn tumbling<C: MayTime>(self, cx: &Cx<C>, span: Duration, limit: usize) -> Tumbling<'_, Self, C>
    where
        Self: Sized,
    {
        Tumbling::new(self, cx, span, limit)
    }

    /// For each item a `Vec` of clones of all that came less than `span` before it, and itself at the end; at most the last `limit`.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamCxExt, StreamExt};
    /// # use core::time::Duration;
    /// # use time::TimeExt;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let items = stream::iter(0..4).throttle(cx, Duration::from_millis(10));
    /// let windows = items.sliding(cx, Duration::from_millis(15), 100);
    /// assert_eq!(windows.collect::<Vec<_>, _>(cx).await.unwrap(), [vec![0], vec![0, 1], vec![1, 2], vec![2, 3]]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    fn sliding<C: MayTime>(self, cx: &Cx<C>, span: Duration, limit: usize) -> Sliding<'_, Self, C>
    where
        Self: Sized,
        Self::Item: Clone,
    {
        Sliding::new(self, cx, span, limit)
    }
}

impl<S: Stream + ?Sized> StreamCxExt for S {}
