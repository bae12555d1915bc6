//! Our streams as those of `futures_core`, and theirs as ours: [`IntoFutures`], [`FromFutures`].
//!
//! Both traits say the same, so each is a line. What holds here holds there: `poll_next` is no cancellation point, and our
//! streams may be polled by any executor through any waker.
use core::pin::Pin;
use core::task::{Context, Poll};
use cx::Row;
use futures_core::FusedFuture;
use pin_project_lite::pin_project;
use types::{FusedStream, Stream};

use super::Next;

/// One of our streams as a `futures_core::Stream`.
///
/// ```
/// use asupersync_combinator::stream::{self, into_futures};
/// use futures_util::{FutureExt, StreamExt};
///
/// let theirs = into_futures(stream::iter(1..4));
/// assert_eq!(theirs.collect::<Vec<_>>().now_or_never(), Some(vec![1, 2, 3]));
/// ```
pub fn into_futures<S: Stream>(stream: S) -> IntoFutures<S> {
    IntoFutures { stream }
}

pin_project! {
    /// Stream of [`into_futures`].
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct IntoFutures<S> {
        #[pin]
        stream: S,
    }
}

impl<S> IntoFutures<S> {
    /// Our stream.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Stream> futures_core::Stream for IntoFutures<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.project().stream.poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

/// For `select!` of the futures crate, without its own `fuse`: what [`StreamExt::fuse`](super::StreamExt::fuse) gives, and the
/// `stream(cx)` of a receiver.
impl<S: FusedStream> futures_core::FusedStream for IntoFutures<S> {
    fn is_terminated(&self) -> bool {
        self.stream.is_terminated()
    }
}

/// For the same, of the next item of a stream that knows when it has ended: it is polled no more.
impl<S: FusedStream + Unpin + ?Sized, C: Row> FusedFuture for Next<'_, '_, S, C> {
    fn is_terminated(&self) -> bool {
        self.stream().is_terminated()
    }
}

/// A `futures_core::Stream` as one of ours.
///
/// ```
/// use asupersync_combinator::stream::{StreamExt, from_futures};
///
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
/// let theirs = futures_util::stream::iter([1, 2, 3]);
/// assert_eq!(from_futures(theirs).map(|n| n * 2).collect::<Vec<_>, _>(cx).await.unwrap(), [2, 4, 6]);
/// # });
/// ```
pub fn from_futures<S: futures_core::Stream>(stream: S) -> FromFutures<S> {
    FromFutures { stream }
}

pin_project! {
    /// Stream of [`from_futures`].
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct FromFutures<S> {
        #[pin]
        stream: S,
    }
}

impl<S> FromFutures<S> {
    /// Their stream.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: futures_core::Stream> Stream for FromFutures<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.project().stream.poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}
