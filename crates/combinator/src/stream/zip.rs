//! [`Zip`]: two streams in pairs.
use super::part::Fuse;
use super::then::plus;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use types::Stream;

pin_project! {
    /// Stream of [`StreamExt::zip`](super::StreamExt::zip). Holds one item at most: that of the side that was faster.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Zip<A: Stream, B: Stream> {
        #[pin]
        first: Fuse<A>,
        #[pin]
        second: Fuse<B>,
        held: (Option<A::Item>, Option<B::Item>),
    }
}

/// What a [`Zip`] is taken apart into: each side, unless it has ended, and what it holds of it.
type Sides<A, B> = ((Option<A>, Option<<A as Stream>::Item>), (Option<B>, Option<<B as Stream>::Item>));

impl<A: Stream, B: Stream> Zip<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Zip { first: Fuse::new(first), second: Fuse::new(second), held: (None, None) }
    }

    /// Each side, unless it has ended, with the item of it that found no partner yet.
    pub fn into_parts(self) -> Sides<A, B> {
        let (a, b) = self.held;
        ((self.first.into_inner(), a), (self.second.into_inner(), b))
    }
}

impl<A: Stream, B: Stream> Stream for Zip<A, B> {
    type Item = (A::Item, B::Item);

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let (a, b) = this.held;
        if a.is_none()
            && let Poll::Ready(item) = this.first.as_mut().poll_next(context)
        {
            *a = item
        }
        // Nothing more is taken from one side once the other has ended.
        let over = a.is_none() && this.first.is_done();
        if b.is_none()
            && !over
            && let Poll::Ready(item) = this.second.as_mut().poll_next(context)
        {
            *b = item
        }
        if over || (b.is_none() && this.second.is_done()) {
            return Poll::Ready(None);
        }
        match (a.take(), b.take()) {
            (Some(a), Some(b)) => Poll::Ready(Some((a, b))),
            held => {
                (*a, *b) = held;
                Poll::Pending
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let first = plus(self.first.size_hint(), usize::from(self.held.0.is_some()));
        let second = plus(self.second.size_hint(), usize::from(self.held.1.is_some()));
        let high = match (first.1, second.1) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        (first.0.min(second.0), high)
    }
}
