//! One item in, at most one out, at once: [`Map`], [`Filter`], [`FilterMap`], [`Inspect`], [`Enumerate`], [`Scan`],
//! and [`MapOk`], [`MapErr`] for streams of results.
//!
//! They hold nothing, allocate nothing, wait for nothing but their source, and take no item that they don't answer in
//! the same poll. After the end they are as their source is; [`Scan`] is fused.
//!
//! Not here: what waits for a future per item (`then`).
use super::spell::Spell;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use types::Stream;

/// The adapters that are a source and a function.
macro_rules! source_and_function {
    ($(#[$doc:meta])* $name:ident) => {
        pin_project! {
            $(#[$doc])*
            #[must_use = "streams do nothing unless polled"]
            pub struct $name<S, F> {
                #[pin]
                source: S,
                f: F,
            }
        }

        impl<S, F> $name<S, F> {
            pub(super) fn new(source: S, f: F) -> Self {
                $name { source, f }
            }

            /// The source, with all that was not taken.
            pub fn into_inner(self) -> S {
                self.source
            }
        }

        impl<S: core::fmt::Debug, F> core::fmt::Debug for $name<S, F> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.source).finish()
            }
        }
    };
}

source_and_function! {
    /// Stream of [`StreamExt::map`](super::StreamExt::map).
    Map
}

impl<S: Stream, T, F: FnMut(S::Item) -> T> Stream for Map<S, F> {
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.project();
        this.source.poll_next(context).map(|item| item.map(this.f))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

source_and_function! {
    /// Stream of [`StreamExt::map_ok`](super::StreamExt::map_ok).
    MapOk
}

impl<S: Stream<Item = Result<T, E>>, T, E, U, F: FnMut(T) -> U> Stream for MapOk<S, F> {
    type Item = Result<U, E>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<U, E>>> {
        let this = self.project();
        this.source.poll_next(context).map(|item| item.map(|result| result.map(this.f)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

source_and_function! {
    /// Stream of [`StreamExt::map_err`](super::StreamExt::map_err).
    MapErr
}

impl<S: Stream<Item = Result<T, E>>, T, E, U, F: FnMut(E) -> U> Stream for MapErr<S, F> {
    type Item = Result<T, U>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T, U>>> {
        let this = self.project();
        this.source.poll_next(context).map(|item| item.map(|result| result.map_err(this.f)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

source_and_function! {
    /// Stream of [`StreamExt::filter`](super::StreamExt::filter).
    Filter
}

impl<S: Stream, F: FnMut(&S::Item) -> bool> Stream for Filter<S, F> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let mut spell = Spell::new();
        while let Some(item) = ready!(this.source.as_mut().poll_next(context)) {
            if (this.f)(&item) {
                return Poll::Ready(Some(item));
            }
            ready!(spell.poll_goes_on(context));
        }
        Poll::Ready(None)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.source.size_hint().1)
    }
}

source_and_function! {
    /// Stream of [`StreamExt::filter_map`](super::StreamExt::filter_map).
    FilterMap
}

impl<S: Stream, T, F: FnMut(S::Item) -> Option<T>> Stream for FilterMap<S, F> {
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        let mut spell = Spell::new();
        while let Some(item) = ready!(this.source.as_mut().poll_next(context)) {
            if let Some(item) = (this.f)(item) {
                return Poll::Ready(Some(item));
            }
            ready!(spell.poll_goes_on(context));
        }
        Poll::Ready(None)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.source.size_hint().1)
    }
}

source_and_function! {
    /// Stream of [`StreamExt::inspect`](super::StreamExt::inspect).
    Inspect
}

impl<S: Stream, F: FnMut(&S::Item)> Stream for Inspect<S, F> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let item = ready!(this.source.poll_next(context));
        if let Some(item) = &item {
            (this.f)(item)
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

pin_project! {
    /// Stream of [`StreamExt::enumerate`](super::StreamExt::enumerate).
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Enumerate<S> {
        #[pin]
        source: S,
        next: usize,
    }
}

impl<S> Enumerate<S> {
    pub(super) fn new(source: S) -> Self {
        Enumerate { source, next: 0 }
    }

    /// The source, with all that was not taken.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: Stream> Stream for Enumerate<S> {
    type Item = (usize, S::Item);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let item = ready!(this.source.poll_next(context));
        Poll::Ready(item.map(|item| {
            let index = *this.next;
            *this.next = index.wrapping_add(1);
            (index, item)
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

pin_project! {
    /// Stream of [`StreamExt::scan`](super::StreamExt::scan).
    #[must_use = "streams do nothing unless polled"]
    pub struct Scan<S, A, F> {
        #[pin]
        source: S,
        // `None` after the end.
        state: Option<(A, F)>,
    }
}

impl<S, A, F> Scan<S, A, F> {
    pub(super) fn new(source: S, initial: A, f: F) -> Self {
        Scan { source, state: Some((initial, f)) }
    }

    /// The source, with all that was not taken.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: core::fmt::Debug, A, F> core::fmt::Debug for Scan<S, A, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Scan").field(&self.source).finish()
    }
}

impl<S: Stream, A, T, F: FnMut(&mut A, S::Item) -> Option<T>> Stream for Scan<S, A, F> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.project();
        let Some((state, f)) = this.state else { return Poll::Ready(None) };
        let item = ready!(this.source.poll_next(context)).and_then(|item| f(state, item));
        if item.is_none() {
            *this.state = None
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, if self.state.is_some() { self.source.size_hint().1 } else { Some(0) })
    }
}
