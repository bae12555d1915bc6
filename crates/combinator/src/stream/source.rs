//! Where streams begin, apart from channels: [`iter()`], [`once`], [`empty`], [`pending`], [`repeat`], [`from_fn`],
//! [`unfold`], [`poll_fn`].
//!
//! All but [`pending`] and those that call the user's code are always ready and never wait; a consumer gives way to
//! other tasks by its own budget ([`StreamExt::next`](super::StreamExt::next)). All are fused: polled after their end they are at their end
//! again, except [`poll_fn`], which is what its function is.
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use types::Stream;

/// The items of an iterator.
///
/// ```
/// use asupersync_combinator::stream::{self, StreamExt};
///
/// # async fn example(cx: &mut cx::Cx) -> Result<(), types::Cancelled> {
/// let mut numbers = stream::iter(1..=3);
/// assert_eq!(numbers.next(cx).await?, Some(1));
/// # Ok(())
/// # }
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| example(cx).await).unwrap();
/// ```
pub fn iter<I: IntoIterator>(items: I) -> Iter<I::IntoIter> {
    Iter { items: Some(items.into_iter()) }
}

/// Stream of [`iter()`]. Its cost is the iterator's.
#[derive(Clone, Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Iter<I> {
    /// `None` after the end: iterators need not be fused.
    items: Option<I>,
}

/// The iterator is moved, never pinned.
impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        let Some(items) = &mut self.items else { return Poll::Ready(None) };
        let item = items.next();
        if item.is_none() {
            self.items = None
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

/// One item: what a future returns.
///
/// ```
/// use asupersync_combinator::stream::{self, StreamExt};
///
/// # async fn example(cx: &mut cx::Cx) -> Result<(), types::Cancelled> {
/// let mut one = core::pin::pin!(stream::once(async { 7 }));
/// assert_eq!(one.next(cx).await?, Some(7));
/// assert_eq!(one.next(cx).await?, None);
/// # Ok(())
/// # }
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| example(cx).await).unwrap();
/// ```
pub fn once<F: Future>(item: F) -> Once<F> {
    Once { item: Some(item) }
}

pin_project! {
    /// Stream of [`once`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Once<F> {
        #[pin]
        item: Option<F>,
    }
}

impl<F: Future> Stream for Once<F> {
    type Item = F::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let mut item = self.project().item;
        let Some(future) = item.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let output = ready!(future.poll(context));
        item.set(None);
        Poll::Ready(Some(output))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::from(self.item.is_some());
        (left, Some(left))
    }
}

/// No items: at its end from the start.
pub fn empty<T>() -> Empty<T> {
    Empty { item: PhantomData }
}

/// Stream of [`empty`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Empty<T> {
    item: PhantomData<fn() -> T>,
}

impl<T> Stream for Empty<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(0))
    }
}

/// No items and no end: it registers no waker, so nothing but its consumer's cancellation or another stream ends the
/// wait.
pub fn pending<T>() -> Pending<T> {
    Pending { item: PhantomData }
}

/// Stream of [`pending`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Pending<T> {
    item: PhantomData<fn() -> T>,
}

impl<T> Stream for Pending<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Pending
    }
}

/// The same item, cloned for ever.
pub fn repeat<T: Clone>(item: T) -> Repeat<T> {
    Repeat { item }
}

/// Stream of [`repeat`].
#[derive(Clone, Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Repeat<T> {
    item: T,
}

/// The item is cloned, never pinned.
impl<T> Unpin for Repeat<T> {}

impl<T: Clone> Stream for Repeat<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(Some(self.item.clone()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

/// What a function makes, until it makes `None`.
///
/// ```
/// use asupersync_combinator::stream::{self, StreamExt};
///
/// # async fn example(cx: &mut cx::Cx) -> Result<(), types::Cancelled> {
/// let mut left = 3;
/// let countdown = stream::from_fn(|| {
///     left -= 1;
///     (left >= 0).then_some(left)
/// });
/// assert_eq!(countdown.collect::<Vec<_>, _>(cx).await.map_err(|cut| cut.why)?, [2, 1, 0]);
/// # Ok(())
/// # }
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| example(cx).await).unwrap();
/// ```
pub fn from_fn<T, F: FnMut() -> Option<T>>(make: F) -> FromFn<F> {
    FromFn { make: Some(make) }
}

/// Stream of [`from_fn`]. The function is not called again after its `None`.
#[must_use = "streams do nothing unless polled"]
pub struct FromFn<F> {
    make: Option<F>,
}

impl<F> core::fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FromFn").field("ended", &self.make.is_none()).finish()
    }
}

/// The function is called, never pinned.
impl<F> Unpin for FromFn<F> {}

impl<T, F: FnMut() -> Option<T>> Stream for FromFn<F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        let item = self.make.as_mut().and_then(|make| make());
        if item.is_none() {
            self.make = None
        }
        Poll::Ready(item)
    }
}

/// What an asynchronous function makes of a state: `Some((item, next state))`, or the end.
///
/// ```
/// use asupersync_combinator::stream::{self, StreamExt};
///
/// # async fn example(cx: &mut cx::Cx) -> Result<(), types::Cancelled> {
/// let pages = stream::unfold(0, |page| async move { (page < 3).then_some((page * 10, page + 1)) });
/// assert_eq!(pages.collect::<Vec<_>, _>(cx).await.map_err(|cut| cut.why)?, [0, 10, 20]);
/// # Ok(())
/// # }
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| example(cx).await).unwrap();
/// ```
///
/// The future in which the state is stays in the stream between polls: a consumer that is cancelled loses nothing of it.
pub fn unfold<S, T, F, Fut>(state: S, step: F) -> Unfold<S, F, Fut>
where
    F: FnMut(S) -> Fut,
    Fut: Future<Output = Option<(T, S)>>,
{
    Unfold { state: Some(state), step, working: None }
}

pin_project! {
    /// Stream of [`unfold`].
    #[must_use = "streams do nothing unless polled"]
    pub struct Unfold<S, F, Fut> {
        // Between two futures.
        state: Option<S>,
        step: F,
        #[pin]
        working: Option<Fut>,
    }
}

impl<S, F, Fut> core::fmt::Debug for Unfold<S, F, Fut> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Unfold").field("working", &self.working.is_some()).finish_non_exhaustive()
    }
}

impl<S, T, F, Fut> Stream for Unfold<S, F, Fut>
where
    F: FnMut(S) -> Fut,
    Fut: Future<Output = Option<(T, S)>>,
{
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        if let Some(state) = this.state.take() {
            let working = (this.step)(state);
            this.working.set(Some(working));
        }
        let Some(working) = this.working.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let made = ready!(working.poll(context));
        this.working.set(None);
        Poll::Ready(made.map(|(item, state)| {
            *this.state = Some(state);
            item
        }))
    }
}

/// What a poll function yields.
pub fn poll_fn<T, F: FnMut(&mut Context<'_>) -> Poll<Option<T>>>(poll: F) -> PollFn<F> {
    PollFn { poll }
}

/// Stream of [`poll_fn`].
#[must_use = "streams do nothing unless polled"]
pub struct PollFn<F> {
    poll: F,
}

impl<F> core::fmt::Debug for PollFn<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PollFn")
    }
}

/// The function is called, never pinned.
impl<F> Unpin for PollFn<F> {}

impl<T, F: FnMut(&mut Context<'_>) -> Poll<Option<T>>> Stream for PollFn<F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        (self.poll)(context)
    }
}
