//! [`ManyExt`]: one body for many items, and attempts that follow each other, as methods of a `Cx`.
//!
//! Bodies that are called many times are `AsyncFnOnce + Clone`: a closure that borrows is `Clone`, and for `AsyncFn` the
//! compiler would not see that a task which uses it stays `Send` (`ext`).
//!
//! Not here: what they do (`each`, `hedge`).
use crate::ext::sealed::OfRow;
use crate::hedge::Hedge;
use crate::pipeline::{OnRequest, Pipeline, Source};
use crate::{each, hedge, pipeline};
use core::fmt::Debug;
use core::future::Future;
use core::panic::Location;
use cx::{Cx, MayTime, Row};
use sync::mpsc::Sender;
use types::{Cancelled, Res};

/// Bodies that begin one after another, a few at a time. Implemented for every [`Cx`].
///
/// All of them run inside the task of the caller, in turns: they borrow its locals, and need not be `Send`. For parallel work
/// spawn tasks.
///
/// In a task that is spawned, items should be values without a lifetime (an index, a clone): for a body that takes a
/// reference the compiler cannot see that the task is `Send`, and says that something "is not general enough". What the body
/// captures may be borrowed.
///
/// ```
/// use asupersync_combinator::{Hedge, ManyExt};
/// use core::time::Duration;
/// use cx::Cx;
/// use time::TimeExt;
/// use types::Res;
///
/// async fn size(cx: &Cx, name: &str) -> Res<usize> {
///     cx.sleep(Duration::from_millis(name.len() as u64)).await?;
///     Ok(name.len())
/// }
///
/// let lab = lab::LabRuntime::new(lab::LabConfig::default());
/// let names = ["one", "three", "twelve"];
/// let total = lab.run(|cx| async {
///     cx.map_reduce(2, names, async |cx: &mut Cx, name| size(cx, name).await, |a, b| a + b).await
/// });
/// assert_eq!(total.unwrap(), Some(14));
///
/// let mirrors = ["mirror-of-the-mirror", "mirror"];
/// let fastest = lab::LabRuntime::new(lab::LabConfig::default()).run(|cx| async {
///     let hedge = Hedge::after(Duration::from_millis(10)).at_most(2);
///     cx.hedge(hedge, mirrors.map(|name| async move |cx: &mut Cx| size(cx, name).await)).await
/// });
/// assert_eq!(fastest.unwrap(), 6); // began 10 ms later, and was there after 16, not 20
/// ```
pub trait ManyExt: OfRow {
    /// Runs `body` once for each item, at most `limit` at a time. Items are taken in order, when there is room.
    ///
    /// # Errors
    /// With the request that was effective when an item was to be taken. It, and all after it, are left in the iterator, if
    /// that is borrowed (`&mut items`); bodies that began have ended. A request that comes when all items have been taken
    /// is no error.
    ///
    /// # Panics
    /// With the first panic of a body, after the others were asked to stop (`SiblingFailed`) and have ended. If `limit` is 0.
    ///
    /// # Cancel behaviour
    /// Bodies that began see the request at their own checkpoints; no further one begins. Except that an iterator which
    /// cannot say whether it is empty (its `size_hint` begins with 0) is asked once more, if any item was begun: it decides
    /// whether all is done, and an item that it still had is begun and not lost.
    ///
    /// # Cost
    /// Two allocations for each item; all bodies that run are polled at each wake, so keep `limit` below some hundreds.
    #[track_caller]
    fn for_each_concurrent<I: IntoIterator, F>(
        &mut self,
        limit: usize,
        items: I,
        body: F,
    ) -> impl Future<Output = Result<(), Cancelled>>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>, I::Item) + Clone;

    /// As [`ManyExt::for_each_concurrent`] for a body that may fail: the first failure ends the intake, and stops the others
    /// (`SiblingFailed`).
    ///
    /// # Errors
    /// With that failure, once everybody has ended; errors that came after it are reported. With the request that ended
    /// the intake, if no body failed.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    fn try_for_each_concurrent<I: IntoIterator, E: Debug, F>(
        &mut self,
        limit: usize,
        items: I,
        body: F,
    ) -> impl Future<Output = Res<(), E>>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>, I::Item) -> Res<(), E> + Clone;

    /// Runs `map` once for each item, at most `limit` at a time, and combines the values in the order of the items, whatever
    /// the order in which they come: `reduce(left, right)` gets neighbours. So it has to be associative, and need not be
    /// commutative. `None` if there are no items.
    ///
    /// At most `limit + 1` values are held at a time: what has come is combined as soon as its neighbour has.
    ///
    /// # Errors
    /// As [`ManyExt::try_for_each_concurrent`]; what was combined until then is dropped.
    ///
    /// # Panics
    /// As there. A panic of `reduce` drops the bodies that run, as dropping this future does.
    #[track_caller]
    fn map_reduce<I: IntoIterator, T, E: Debug, F>(
        &mut self,
        limit: usize,
        items: I,
        map: F,
        reduce: impl FnMut(T, T) -> T,
    ) -> impl Future<Output = Res<Option<T>, E>>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>, I::Item) -> Res<T, E> + Clone;

    /// Stages that work at the same time on an item each, in order, with bounded channels between them. `source` sends items
    /// and ends; it is to drop its sender, which is what ends the stages. What a request does to items that have left it says
    /// [`OnRequest`].
    ///
    /// ```
    /// use asupersync_combinator::{ManyExt, OnRequest};
    /// use cx::Cx;
    /// use sync::mpsc::Sender;
    /// use types::Res;
    ///
    /// let lab = lab::LabRuntime::new(lab::LabConfig::default());
    /// let total = std::cell::Cell::new(0);
    /// let through: Res = lab.run(|cx| {
    ///     let total = &total;
    ///     async move {
    ///         cx.pipeline(OnRequest::Drain, async |cx: &mut Cx, lines: Sender<&str>| {
    ///             for line in ["1", "2", "3"] {
    ///                 lines.send(cx, line).await?;
    ///             }
    ///             Ok(())
    ///         })
    ///         .stage(4, async |_: &mut Cx, line: &str| Ok(line.parse::<u32>()?))
    ///         .each(4, async |_: &mut Cx, n| Ok(total.set(total.get() + n)))
    ///         .await
    ///     }
    /// });
    /// through.unwrap();
    /// assert_eq!(total.get(), 6);
    /// ```
    fn pipeline<A, E, F>(&mut self, how: OnRequest, source: F) -> Pipeline<'_, Self::Row, Source<F>, A, E>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>, Sender<A>) -> Res<(), E>;

    /// Tries the first attempt; when it is late ([`Hedge::after`]) or has failed, the next one too, and so on. The first
    /// success wins, and the others are asked to stop (`LostRace`) and drained.
    ///
    /// # Errors
    /// If all fail, with the failure that came first.
    ///
    /// # Panics
    /// If there are no attempts. With a panic that came before a success, after the others have ended.
    ///
    /// # Cancel behaviour
    /// Not refused: the first attempt begins, and all that run see a request at their own checkpoints. No further attempt begins
    /// once a request is effective.
    ///
    /// # Cost
    /// A list of all attempts; two allocations and a timer for each that begins.
    #[track_caller]
    fn hedge<T, E, F>(
        &mut self,
        how: Hedge,
        attempts: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = Res<T, E>>
    where
        Self::Row: MayTime,
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E>;
}

impl<C: Row> ManyExt for Cx<C> {
    #[track_caller]
    fn for_each_concurrent<I: IntoIterator, F>(
        &mut self,
        limit: usize,
        items: I,
        body: F,
    ) -> impl Future<Output = Result<(), Cancelled>>
    where
        F: AsyncFnOnce(&mut Cx<C>, I::Item) + Clone,
    {
        each::for_each(self, Location::caller(), limit, items, body)
    }

    #[track_caller]
    fn try_for_each_concurrent<I: IntoIterator, E: Debug, F>(
        &mut self,
        limit: usize,
        items: I,
        body: F,
    ) -> impl Future<Output = Res<(), E>>
    where
        F: AsyncFnOnce(&mut Cx<C>, I::Item) -> Res<(), E> + Clone,
    {
        each::try_for_each(self, Location::caller(), limit, items, body)
    }

    #[track_caller]
    fn map_reduce<I: IntoIterator, T, E: Debug, F>(
        &mut self,
        limit: usize,
        items: I,
        map: F,
        reduce: impl FnMut(T, T) -> T,
    ) -> impl Future<Output = Res<Option<T>, E>>
    where
        F: AsyncFnOnce(&mut Cx<C>, I::Item) -> Res<T, E> + Clone,
    {
        each::map_reduce(self, Location::caller(), limit, items, map, reduce)
    }

    #[track_caller]
    fn hedge<T, E, F>(
        &mut self,
        how: Hedge,
        attempts: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = Res<T, E>>
    where
        C: MayTime,
        F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    {
        hedge::hedge(self, Location::caller(), how, attempts)
    }

    fn pipeline<A, E, F>(&mut self, how: OnRequest, source: F) -> Pipeline<'_, C, Source<F>, A, E>
    where
        F: AsyncFnOnce(&mut Cx<C>, Sender<A>) -> Res<(), E>,
    {
        pipeline::pipeline(self, how, source)
    }
}
