//! One stream after the other: [`Chain`], [`Flatten`], [`FlatMap`].
//!
//! They hold no items, only the stream they are in the middle of; all are fused.
use super::each::Map;
use super::part::Fuse;
use super::spell::Spell;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use types::Stream;

pin_project! {
    /// Stream of [`StreamExt::chain`](super::StreamExt::chain).
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Chain<A, B> {
        #[pin]
        first: Fuse<A>,
        #[pin]
        second: Fuse<B>,
    }
}

impl<A, B> Chain<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Chain { first: Fuse::new(first), second: Fuse::new(second) }
    }

    /// Those of the two that have not ended.
    pub fn into_inner(self) -> (Option<A>, Option<B>) {
        (self.first.into_inner(), self.second.into_inner())
    }
}

impl<A: Stream, B: Stream<Item = A::Item>> Stream for Chain<A, B> {
    type Item = A::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A::Item>> {
        let this = self.project();
        if let Some(item) = ready!(this.first.poll_next(context)) {
            return Poll::Ready(Some(item));
        }
        this.second.poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        sum(self.first.size_hint(), self.second.size_hint())
    }
}

/// A hint for the items of both.
pub(super) fn sum(a: (usize, Option<usize>), b: (usize, Option<usize>)) -> (usize, Option<usize>) {
    (a.0.saturating_add(b.0), a.1.zip(b.1).and_then(|(a, b)| a.checked_add(b)))
}

pin_project! {
    /// Stream of [`StreamExt::flatten`](super::StreamExt::flatten).
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Flatten<S: Stream> {
        #[pin]
        outer: Fuse<S>,
        #[pin]
        inner: Option<S::Item>,
    }
}

impl<S: Stream> Flatten<S> {
    pub(super) fn new(outer: S) -> Self {
        Flatten { outer: Fuse::new(outer), inner: None }
    }

    /// The source, unless it has ended, and the stream that was in the middle.
    pub fn into_parts(self) -> (Option<S>, Option<S::Item>) {
        (self.outer.into_inner(), self.inner)
    }
}

impl<S: Stream> Stream for Flatten<S>
where
    S::Item: Stream,
{
    type Item = <S::Item as Stream>::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let mut spell = Spell::new();
        loop {
            if let Some(inner) = this.inner.as_mut().as_pin_mut() {
                if let Some(item) = ready!(inner.poll_next(context)) {
                    return Poll::Ready(Some(item));
                }
                this.inner.set(None);
                // It may have been empty, as may all that follow.
                ready!(spell.poll_goes_on(context));
            }
            let Some(next) = ready!(this.outer.as_mut().poll_next(context)) else { return Poll::Ready(None) };
            this.inner.set(Some(next));
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint);
        (low, high.filter(|_| self.outer.size_hint().1 == Some(0)))
    }
}

pin_project! {
    /// Stream of [`StreamExt::flat_map`](super::StreamExt::flat_map).
    #[must_use = "streams do nothing unless polled"]
    pub struct FlatMap<S: Stream, T, F: FnMut(S::Item) -> T> {
        #[pin]
        streams: Flatten<Map<S, F>>,
    }
}

impl<S: Stream, T: Stream, F: FnMut(S::Item) -> T> FlatMap<S, T, F> {
    pub(super) fn new(source: S, f: F) -> Self {
        FlatMap { streams: Flatten::new(Map::new(source, f)) }
    }

    /// The source, unless it has ended, and the stream that was in the middle.
    pub fn into_parts(self) -> (Option<S>, Option<T>) {
        let (outer, inner) = self.streams.into_parts();
        (outer.map(Map::into_inner), inner)
    }
}

impl<S: Stream, T, F: FnMut(S::Item) -> T> core::fmt::Debug for FlatMap<S, T, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FlatMap")
            .field("in_the_middle", &self.streams.inner.is_some())
            .finish_non_exhaustive()
    }
}

impl<S: Stream, T: Stream, F: FnMut(S::Item) -> T> Stream for FlatMap<S, T, F> {
    type Item = T::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T::Item>> {
        self.project().streams.poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.streams.size_hint()
    }
}
