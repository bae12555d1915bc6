//! [`TryStreamExt`]: what streams of results offer.
//!
//! Not here: consumers whose function may fail (`ext`).
use super::{Cut, MapErr, MapOk, TryNext, consume};
use core::future::Future;
use cx::{Cx, Row};
use types::{Cancelled, Stream};

/// Adapters and consumers for every [`Stream`] of `Result<T, E>`.
///
/// For the consumers `E` must have room for a cancellation: [`Cancelled`] itself, [`Stop`](types::Stop), `sync::WaitError`, or a
/// type of yours with `From<Cancelled>`. [`TryStreamExt::map_err`] with `Stop::Err` makes one of any other.
pub trait TryStreamExt<T, E>: Stream<Item = Result<T, E>> {
    /// Changes the values, and leaves the errors as they are.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt, TryStreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let lengths = stream::iter([Ok("four"), Err(sync::Closed)]).map_ok(str::len);
    /// assert_eq!(lengths.collect::<Vec<_>, _>(cx).await.unwrap(), [Ok(4), Err(sync::Closed)]);
    /// # });
    /// ```
    fn map_ok<U, F: FnMut(T) -> U>(self, f: F) -> MapOk<Self, F>
    where
        Self: Sized,
    {
        MapOk::new(self, f)
    }

    /// Changes the errors, and leaves the values as they are.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt, TryStreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let told = stream::iter([Ok(4), Err(sync::Closed)]).map_err(|closed| closed.to_string());
    /// assert_eq!(told.collect::<Vec<_>, _>(cx).await.unwrap(), [Ok(4), Err("closed".into())]);
    /// # });
    /// ```
    fn map_err<U, F: FnMut(E) -> U>(self, f: F) -> MapErr<Self, F>
    where
        Self: Sized,
    {
        MapErr::new(self, f)
    }

    /// As [`StreamExt::next`](super::StreamExt::next), with the item's error as the error: of a stream of a channel both are cancellations.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt, TryStreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let (tx, mut rx) = sync::mpsc::channel(2);
    /// tx.try_send(7).unwrap();
    /// assert_eq!(rx.stream(cx).try_next(cx).await.unwrap(), Some(7));
    /// # });
    /// ```
    ///
    /// # Errors
    /// Cancelled: nothing was taken. Or what the stream yielded: it may be gone on with.
    fn try_next<'s, 'c, C: Row>(&'s mut self, cx: &'c Cx<C>) -> TryNext<'s, 'c, Self, C>
    where
        Self: Unpin,
        E: From<Cancelled>,
    {
        TryNext::new(self, cx)
    }

    /// The values before the first error, in a collection.
    ///
    /// ```
    /// # use asupersync_combinator::stream::{self, StreamExt, TryStreamExt};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let items: [types::Res<u8>; 3] = [Ok(1), Ok(2), Err(core::fmt::Error.into())];
    /// let cut = stream::iter(items).try_collect::<Vec<_>, _>(cx).await.unwrap_err();
    /// assert_eq!(cut.so_far, [1, 2]);
    /// assert!(!cut.why.is_cancelled());
    /// # });
    /// ```
    ///
    /// # Errors
    /// The first error, or cancelled, with what was collected so far.
    fn try_collect<B: Default + Extend<T>, C: Row>(
        self,
        cx: &Cx<C>,
    ) -> impl Future<Output = Result<B, Cut<B, E>>>
    where
        Self: Sized,
        E: From<Cancelled>,
    {
        consume::try_collect(self, cx)
    }
}

impl<S: Stream<Item = Result<T, E>> + ?Sized, T, E> TryStreamExt<T, E> for S {}
