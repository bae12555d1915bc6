//! [`StreamExt`]: what every stream offers without a clock and without a region.
//!
//! Not here: what the adapters do (the modules named in `stream`), and those of streams of results (`try_ext`).
use super::{
    BufferUnorderedInTask, BufferedInTask, Chain, Chunks, Cut, Enumerate, Filter, FilterMap, FlatMap,
    Flatten, Fuse, Inspect, Map, Merge, Next, Peekable, Scan, Skip, SkipWhile, Take, TakeUntil, TakeWhile,
    Then, Windows, Zip, consume,
};
use core::future::Future;
use cx::{Cx, Row};
use types::{Cancelled, Stream};

/// Adapters and consumers, for every [`Stream`]. See [the module](super) for what holds for all of them; where nothing else is
/// said an adapter holds no item, allocates nothing, and costs a call. Those that may take many items for one of their own give way
/// after 128 in one poll.
///
/// An adapter takes the stream; `(&mut stream).take(3)` leaves it usable afterwards.
pub trait StreamExt: Stream {
    /// Changes each item.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let doubled = stream::iter(1..4).map(|n| n * 2);
    /// assert_eq!(doubled.collect::<Vec<_>, _>(cx).await.unwrap(), [2, 4, 6]);
    /// # });
    /// ```
    fn map<T, F: FnMut(Self::Item) -> T>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
    {
        Map::new(self, f)
    }

    /// Keeps the items that `wanted` says, and drops the others.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let even = stream::iter(0..5).filter(|n| n % 2 == 0);
    /// assert_eq!(even.collect::<Vec<_>, _>(cx).await.unwrap(), [0, 2, 4]);
    /// # });
    /// ```
    fn filter<F: FnMut(&Self::Item) -> bool>(self, wanted: F) -> Filter<Self, F>
    where
        Self: Sized,
    {
        Filter::new(self, wanted)
    }

    /// [`StreamExt::map`] and [`StreamExt::filter`] in one: keeps what `f` makes, where it makes something.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let numbers = stream::iter(["1", "x", "3"]).filter_map(|text| text.parse::<u8>().ok());
    /// assert_eq!(numbers.collect::<Vec<_>, _>(cx).await.unwrap(), [1, 3]);
    /// # });
    /// ```
    fn filter_map<T, F: FnMut(Self::Item) -> Option<T>>(self, f: F) -> FilterMap<Self, F>
    where
        Self: Sized,
    {
        FilterMap::new(self, f)
    }

    /// Awaits a future made of each item, one at a time.
    ///
    /// The future stays in the stream until it is over: a consumer that is cancelled meanwhile loses nothing and may go on later.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let later = stream::iter(1..4).then(|n| async move { n + 1 });
    /// assert_eq!(later.collect::<Vec<_>, _>(cx).await.unwrap(), [2, 3, 4]);
    /// # });
    /// ```
    fn then<F: FnMut(Self::Item) -> Fut, Fut: Future>(self, f: F) -> Then<Self, F, Fut>
    where
        Self: Sized,
    {
        Then::new(self, f)
    }

    /// Shows each item to `f` on its way.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let mut sum = 0;
    /// stream::iter(1..4).inspect(|n| sum += n).count(cx).await.unwrap();
    /// assert_eq!(sum, 6);
    /// # });
    /// ```
    fn inspect<F: FnMut(&Self::Item)>(self, f: F) -> Inspect<Self, F>
    where
        Self: Sized,
    {
        Inspect::new(self, f)
    }

    /// Counts the items, from 0: `(index, item)`. After `usize::MAX` it begins anew.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let mut letters = stream::iter(['a', 'b']).enumerate();
    /// letters.next(cx).await.unwrap();
    /// assert_eq!(letters.next(cx).await.unwrap(), Some((1, 'b')));
    /// # });
    /// ```
    fn enumerate(self) -> Enumerate<Self>
    where
        Self: Sized,
    {
        Enumerate::new(self)
    }

    /// Changes each item with a state that goes along; the first `None` is the end, and the item it was made of is dropped.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let sums = stream::iter(1..5).scan(0, |sum, n| {
    ///     *sum += n;
    ///     (*sum < 10).then_some(*sum)
    /// });
    /// assert_eq!(sums.collect::<Vec<_>, _>(cx).await.unwrap(), [1, 3, 6]);
    /// # });
    /// ```
    fn scan<A, T, F: FnMut(&mut A, Self::Item) -> Option<T>>(self, initial: A, f: F) -> Scan<Self, A, F>
    where
        Self: Sized,
    {
        Scan::new(self, initial, f)
    }

    /// The first `n` items. After them the source is not polled, and keeps the rest.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let mut source = stream::iter(1..);
    /// assert_eq!((&mut source).take(2).collect::<Vec<_>, _>(cx).await.unwrap(), [1, 2]);
    /// assert_eq!(source.next(cx).await.unwrap(), Some(3));
    /// # });
    /// ```
    fn take(self, n: usize) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, n)
    }

    /// The items before the first that is not `wanted`, which is dropped; [`Peekable::next_if`] leaves it where it is.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let small = stream::iter([1, 2, 9, 3]).take_while(|n| *n < 5);
    /// assert_eq!(small.collect::<Vec<_>, _>(cx).await.unwrap(), [1, 2]);
    /// # });
    /// ```
    fn take_while<F: FnMut(&Self::Item) -> bool>(self, wanted: F) -> TakeWhile<Self, F>
    where
        Self: Sized,
    {
        TakeWhile::new(self, wanted)
    }

    /// The items before `until` is over. It is polled first: once it is over nothing more is taken, and the rest stays in the source.
    ///
    /// With `cx.cancelled()` a consumer that is asked to stop sees an end instead, where that is what it wants.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let (tx, mut rx) = sync::mpsc::channel(2);
    /// tx.try_send(1).unwrap();
    /// let mut items = rx.stream(cx).take_until(core::future::ready(()));
    /// assert!(items.next(cx).await.unwrap().is_none());
    /// drop(items);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// # });
    /// ```
    fn take_until<U: Future>(self, until: U) -> TakeUntil<Self, U>
    where
        Self: Sized,
    {
        TakeUntil::new(self, until)
    }

    /// All but the first `n` items, which are dropped.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let rest = stream::iter(0..5).skip(3);
    /// assert_eq!(rest.collect::<Vec<_>, _>(cx).await.unwrap(), [3, 4]);
    /// # });
    /// ```
    fn skip(self, n: usize) -> Skip<Self>
    where
        Self: Sized,
    {
        Skip::new(self, n)
    }

    /// Drops items as long as they are `unwanted`, and keeps all from the first one that is not.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let rest = stream::iter([1, 2, 9, 1]).skip_while(|n| *n < 5);
    /// assert_eq!(rest.collect::<Vec<_>, _>(cx).await.unwrap(), [9, 1]);
    /// # });
    /// ```
    fn skip_while<F: FnMut(&Self::Item) -> bool>(self, unwanted: F) -> SkipWhile<Self, F>
    where
        Self: Sized,
    {
        SkipWhile::new(self, unwanted)
    }

    /// A stream that may be polled after its end, and is at its end again then.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let mut one = stream::iter([1]).map(|n| n).fuse();
    /// assert_eq!(one.next(cx).await.unwrap(), Some(1));
    /// assert_eq!(one.next(cx).await.unwrap(), None);
    /// assert!(one.is_done());
    /// assert_eq!(one.next(cx).await.unwrap(), None);
    /// # });
    /// ```
    fn fuse(self) -> Fuse<Self>
    where
        Self: Sized,
    {
        Fuse::new(self)
    }

    /// A stream whose next item may be looked at before it is taken. The item that was looked at is held; [`Peekable::into_parts`] gives it back.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let mut numbers = stream::iter([1, 2]).peekable();
    /// assert_eq!(numbers.peek(cx).await.unwrap(), Some(&1));
    /// assert_eq!(numbers.next_if(cx, |n| *n > 1).await.unwrap(), None);
    /// assert_eq!(numbers.next(cx).await.unwrap(), Some(1));
    /// # });
    /// ```
    fn peekable(self) -> Peekable<Self>
    where
        Self: Sized,
    {
        Peekable::new(self)
    }

    /// All items of this stream, then those of `next`, which is not polled before.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let all = stream::iter([1, 2]).chain(stream::iter([3]));
    /// assert_eq!(all.collect::<Vec<_>, _>(cx).await.unwrap(), [1, 2, 3]);
    /// # });
    /// ```
    fn chain<B: Stream<Item = Self::Item>>(self, next: B) -> Chain<Self, B>
    where
        Self: Sized,
    {
        Chain::new(self, next)
    }

    /// The items of the streams that are this one's items, one stream after the other.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let all = stream::iter([stream::iter(0..2), stream::iter(5..7)]).flatten();
    /// assert_eq!(all.collect::<Vec<_>, _>(cx).await.unwrap(), [0, 1, 5, 6]);
    /// # });
    /// ```
    fn flatten(self) -> Flatten<Self>
    where
        Self: Sized,
        Self::Item: Stream,
    {
        Flatten::new(self)
    }

    /// [`StreamExt::map`] to streams, and [`StreamExt::flatten`].
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let all = stream::iter(1..4).flat_map(|n| stream::iter(0..n));
    /// assert_eq!(all.collect::<Vec<_>, _>(cx).await.unwrap(), [0, 0, 1, 0, 1, 2]);
    /// # });
    /// ```
    fn flat_map<T: Stream, F: FnMut(Self::Item) -> T>(self, f: F) -> FlatMap<Self, T, F>
    where
        Self: Sized,
    {
        FlatMap::new(self, f)
    }

    /// Pairs of an item of each, until one of the two ends. Both are polled side by side; the item of the faster one is held, and [`Zip::into_parts`] gives back one that found no partner.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let pairs = stream::iter(1..).zip(stream::iter(['a', 'b']));
    /// assert_eq!(pairs.collect::<Vec<_>, _>(cx).await.unwrap(), [(1, 'a'), (2, 'b')]);
    /// # });
    /// ```
    fn zip<B: Stream>(self, other: B) -> Zip<Self, B>
    where
        Self: Sized,
    {
        Zip::new(self, other)
    }

    /// The items of both as they come, until both have ended. Fair (`merge.fair`): where both have an item they take turns. See [`merge_all`](super::merge_all) for more than two.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let both = stream::iter([1, 2, 3]).merge(stream::iter([10, 20]));
    /// assert_eq!(both.collect::<Vec<_>, _>(cx).await.unwrap(), [1, 10, 2, 20, 3]);
    /// # });
    /// ```
    fn merge<B: Stream<Item = Self::Item>>(self, other: B) -> Merge<Self, B>
    where
        Self: Sized,
    {
        Merge::new(self, other)
    }

    /// `size` items at a time, in a `Vec`; the last one may be shorter. What is held of a chunk that is not full comes back from [`Chunks::into_parts`].
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let chunks = stream::iter(0..5).chunks(2);
    /// assert_eq!(chunks.collect::<Vec<_>, _>(cx).await.unwrap(), [vec![0, 1], vec![2, 3], vec![4]]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `size` is 0.
    ///
    /// # Cost
    /// One allocation for each chunk.
    #[track_caller]
    fn chunks(self, size: usize) -> Chunks<Self>
    where
        Self: Sized,
    {
        Chunks::new(self, size)
    }

    /// Windows of `size` items that begin `step` items apart: tumbling ones if the two are equal, sliding ones with clones of what they share if `step` is less; if it is more, the items between windows are dropped. Items at the end that no window had come in a last, shorter one.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let sliding = stream::iter(0..4).windows(3, 1);
    /// assert_eq!(sliding.collect::<Vec<_>, _>(cx).await.unwrap(), [vec![0, 1, 2], vec![1, 2, 3]]);
    /// let tumbling = stream::iter(0..5).windows(3, 3);
    /// assert_eq!(tumbling.collect::<Vec<_>, _>(cx).await.unwrap(), [vec![0, 1, 2], vec![3, 4]]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `size` or `step` is 0.
    ///
    /// # Cost
    /// One allocation for each window, and a clone of each item that the next one shares.
    #[track_caller]
    fn windows(self, size: usize, step: usize) -> Windows<Self>
    where
        Self: Sized,
        Self::Item: Clone,
    {
        Windows::new(self, size, step)
    }

    /// The outputs of the futures that are the items, in their order, with at most `n` in flight. The futures may borrow, and stand still while nobody polls the stream; [`StreamCxExt::buffered`](super::StreamCxExt::buffered) has tasks instead.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let squares = stream::iter(0..4).map(|n| async move { n * n }).buffered_in_task(2);
    /// assert_eq!(squares.collect::<Vec<_>, _>(cx).await.unwrap(), [0, 1, 4, 9]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `n` is 0.
    ///
    /// # Cost
    /// Two allocations for each place in flight, at its first use; none for each item.
    #[track_caller]
    fn buffered_in_task(self, n: usize) -> BufferedInTask<Self>
    where
        Self: Sized,
        Self::Item: Future,
    {
        BufferedInTask::new(self, n)
    }

    /// As [`StreamExt::buffered_in_task`], in the order in which they are over.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let words = ["the", "end"];
    /// let lengths = stream::iter(&words).map(|word| async move { word.len() });
    /// assert_eq!(lengths.buffer_unordered_in_task(8).collect::<Vec<_>, _>(cx).await.unwrap(), [3, 3]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    fn buffer_unordered_in_task(self, n: usize) -> BufferUnorderedInTask<Self>
    where
        Self: Sized,
        Self::Item: Future,
    {
        BufferUnorderedInTask::new(self, n)
    }

    /// Waits for the next item and takes it; `None` at the end.
    ///
    /// One operation of the task's budget, which it gives way for when that is spent: a stream that always has an item does not keep the others waiting.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let mut numbers = stream::iter([7]);
    /// assert_eq!(numbers.next(cx).await.unwrap(), Some(7));
    /// assert_eq!(numbers.next(cx).await.unwrap(), None);
    /// # });
    /// ```
    ///
    /// # Errors
    /// Cancelled: nothing was taken, the stream was not polled, and may be gone on with.
    ///
    /// # Cancel behaviour
    /// Dropped, it has done nothing: an item that the stream holds stays there.
    #[inline]
    fn next<'s, 'c, C: Row>(&'s mut self, cx: &'c Cx<C>) -> Next<'s, 'c, Self, C>
    where
        Self: Unpin,
    {
        Next::new(self, cx)
    }

    /// All items, in a collection.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let cut = stream::iter(1..4).collect::<Vec<_>, _>(cx).await;
    /// assert_eq!(cut.unwrap(), [1, 2, 3]);
    /// # });
    /// ```
    ///
    /// # Errors
    /// Cancelled, with what was collected so far. The rest is dropped with the stream: collect `&mut stream` to keep it.
    fn collect<B: Default + Extend<Self::Item>, C: Row>(
        self,
        cx: &Cx<C>,
    ) -> impl Future<Output = Result<B, Cut<B>>>
    where
        Self: Sized,
    {
        consume::collect(self, cx)
    }

    /// How many items there are.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// assert_eq!(stream::iter(1..4).count(cx).await.unwrap(), 3);
    /// # });
    /// ```
    ///
    /// # Errors
    /// Cancelled, with the number so far.
    fn count<C: Row>(self, cx: &Cx<C>) -> impl Future<Output = Result<u64, Cut<u64>>>
    where
        Self: Sized,
    {
        consume::count(self, cx)
    }

    /// Makes one value of all items, with a future for each.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let sum = stream::iter(1..4).fold(cx, 0, |sum, n| async move { sum + n }).await;
    /// assert_eq!(sum.unwrap(), 6);
    /// # });
    /// ```
    ///
    /// # Errors
    /// Cancelled between two items, with the value so far.
    fn fold<B, F, Fut, C: Row>(self, cx: &Cx<C>, initial: B, f: F) -> impl Future<Output = Result<B, Cut<B>>>
    where
        Self: Sized,
        F: FnMut(B, Self::Item) -> Fut,
        Fut: Future<Output = B>,
    {
        consume::fold(self, cx, initial, f)
    }

    /// Awaits a future for each item, one at a time.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let (tx, rx) = sync::mpsc::channel(4);
    /// stream::iter(1..4).for_each(cx, async |n| tx.send(cx, n).await.unwrap()).await.unwrap();
    /// assert_eq!(rx.len(), 3);
    /// # });
    /// ```
    ///
    /// # Errors
    /// Cancelled between two items.
    fn for_each<F, Fut, C: Row>(self, cx: &Cx<C>, f: F) -> impl Future<Output = Result<(), Cancelled>>
    where
        Self: Sized,
        F: FnMut(Self::Item) -> Fut,
        Fut: Future<Output = ()>,
    {
        consume::for_each(self, cx, f)
    }

    /// As [`StreamExt::for_each`], until one fails.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let refused: types::Res =
    ///     stream::iter(1..4).try_for_each(cx, async |n| if n < 2 { Ok(()) } else { Err(core::fmt::Error.into()) }).await;
    /// assert!(refused.is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    /// The first error, or cancelled between two items. An item that failed is what its error says.
    fn try_for_each<E, F, Fut, C: Row>(self, cx: &Cx<C>, f: F) -> impl Future<Output = Result<(), E>>
    where
        Self: Sized,
        E: From<Cancelled>,
        F: FnMut(Self::Item) -> Fut,
        Fut: Future<Output = Result<(), E>>,
    {
        consume::try_for_each(self, cx, f)
    }

    /// As [`StreamExt::fold`], until one fails.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let sum: types::Res<u8> = stream::iter([200, 100]).try_fold(cx, 0_u8, async |sum, n| sum.checked_add(n).ok_or(core::fmt::Error.into())).await;
    /// assert!(sum.is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    /// The first error, or cancelled between two items. The value so far is dropped: [`StreamExt::fold`] returns it.
    fn try_fold<B, E, F, Fut, C: Row>(
        self,
        cx: &Cx<C>,
        initial: B,
        f: F,
    ) -> impl Future<Output = Result<B, E>>
    where
        Self: Sized,
        E: From<Cancelled>,
        F: FnMut(B, Self::Item) -> Fut,
        Fut: Future<Output = Result<B, E>>,
    {
        consume::try_fold(self, cx, initial, f)
    }
}

impl<S: Stream + ?Sized> StreamExt for S {}
