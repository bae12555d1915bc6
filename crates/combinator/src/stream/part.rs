//! A part of the items: [`Take`], [`TakeWhile`], [`TakeUntil`], [`Skip`], [`SkipWhile`]; and [`Fuse`].
//!
//! They hold nothing and allocate nothing. All but [`Skip`] and [`SkipWhile`] are fused.
use super::spell::Spell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use types::{FusedStream, Stream};

pin_project! {
    /// Stream of [`StreamExt::take`](super::StreamExt::take).
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Take<S> {
        #[pin]
        source: S,
        left: usize,
    }
}

impl<S> Take<S> {
    pub(super) fn new(source: S, left: usize) -> Self {
        Take { source, left }
    }

    /// The source, with all that was not taken.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: Stream> Stream for Take<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if *this.left == 0 {
            return Poll::Ready(None);
        }
        let item = ready!(this.source.poll_next(context));
        *this.left = if item.is_some() { *this.left - 1 } else { 0 };
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.left == 0 {
            return (0, Some(0));
        }
        let (low, high) = self.source.size_hint();
        (low.min(self.left), Some(high.map_or(self.left, |high| high.min(self.left))))
    }
}

pin_project! {
    /// Stream of [`StreamExt::take_while`](super::StreamExt::take_while).
    #[must_use = "streams do nothing unless polled"]
    pub struct TakeWhile<S, F> {
        #[pin]
        source: S,
        // `None` after the end.
        wanted: Option<F>,
    }
}

impl<S, F> TakeWhile<S, F> {
    pub(super) fn new(source: S, wanted: F) -> Self {
        TakeWhile { source, wanted: Some(wanted) }
    }

    /// The source, with all that was not taken.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: core::fmt::Debug, F> core::fmt::Debug for TakeWhile<S, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("TakeWhile").field(&self.source).finish()
    }
}

impl<S: Stream, F: FnMut(&S::Item) -> bool> Stream for TakeWhile<S, F> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(wanted) = this.wanted else { return Poll::Ready(None) };
        let item = ready!(this.source.poll_next(context)).filter(wanted);
        if item.is_none() {
            *this.wanted = None
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, if self.wanted.is_some() { self.source.size_hint().1 } else { Some(0) })
    }
}

pin_project! {
    /// Stream of [`StreamExt::take_until`](super::StreamExt::take_until).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TakeUntil<S, U> {
        #[pin]
        source: S,
        // `None` after the end.
        #[pin]
        until: Option<U>,
    }
}

impl<S, U> TakeUntil<S, U> {
    pub(super) fn new(source: S, until: U) -> Self {
        TakeUntil { source, until: Some(until) }
    }

    /// The source, with all that was not taken.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: Stream, U: Future> Stream for TakeUntil<S, U> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(until) = this.until.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        if until.poll(context).is_ready() {
            this.until.set(None);
            return Poll::Ready(None);
        }
        let item = ready!(this.source.poll_next(context));
        if item.is_none() {
            this.until.set(None)
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, if self.until.is_some() { self.source.size_hint().1 } else { Some(0) })
    }
}

pin_project! {
    /// Stream of [`StreamExt::skip`](super::StreamExt::skip).
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Skip<S> {
        #[pin]
        source: S,
        left: usize,
    }
}

impl<S> Skip<S> {
    pub(super) fn new(source: S, left: usize) -> Self {
        Skip { source, left }
    }

    /// The source, with all that was not taken.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: Stream> Stream for Skip<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut spell = Spell::new();
        while *this.left > 0 {
            if ready!(this.source.as_mut().poll_next(context)).is_none() {
                return Poll::Ready(None);
            }
            *this.left -= 1;
            ready!(spell.poll_goes_on(context));
        }
        this.source.poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        (low.saturating_sub(self.left), high.map(|high| high.saturating_sub(self.left)))
    }
}

pin_project! {
    /// Stream of [`StreamExt::skip_while`](super::StreamExt::skip_while).
    #[must_use = "streams do nothing unless polled"]
    pub struct SkipWhile<S, F> {
        #[pin]
        source: S,
        // `None` after the first item that was kept.
        unwanted: Option<F>,
    }
}

impl<S, F> SkipWhile<S, F> {
    pub(super) fn new(source: S, unwanted: F) -> Self {
        SkipWhile { source, unwanted: Some(unwanted) }
    }

    /// The source, with all that was not taken.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: core::fmt::Debug, F> core::fmt::Debug for SkipWhile<S, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("SkipWhile").field(&self.source).finish()
    }
}

impl<S: Stream, F: FnMut(&S::Item) -> bool> Stream for SkipWhile<S, F> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut spell = Spell::new();
        loop {
            let item = ready!(this.source.as_mut().poll_next(context));
            if let (Some(unwanted), Some(item)) = (this.unwanted.as_mut(), &item)
                && unwanted(item)
            {
                ready!(spell.poll_goes_on(context));
                continue;
            }
            *this.unwanted = None;
            return Poll::Ready(item);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.source.size_hint();
        (if self.unwanted.is_some() { 0 } else { low }, high)
    }
}

pin_project! {
    /// Stream of [`StreamExt::fuse`](super::StreamExt::fuse): the source is dropped at its end.
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Fuse<S> {
        #[pin]
        source: Option<S>,
    }
}

impl<S> Fuse<S> {
    pub(super) fn new(source: S) -> Self {
        Fuse { source: Some(source) }
    }

    /// Whether the source has ended.
    pub fn is_done(&self) -> bool {
        self.source.is_none()
    }

    /// The source, unless it has ended.
    pub fn into_inner(self) -> Option<S> {
        self.source
    }
}

impl<S: Stream> FusedStream for Fuse<S> {
    fn is_terminated(&self) -> bool {
        self.is_done()
    }
}

impl<S: Stream> Stream for Fuse<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut source = self.project().source;
        let Some(open) = source.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let item = ready!(open.poll_next(context));
        if item.is_none() {
            source.set(None)
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
