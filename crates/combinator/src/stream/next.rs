//! One item: [`Next`], [`TryNext`]. These are where a consumer learns of a cancellation ([`Cx::poll_around`]).
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use cx::{Cx, Row};
use types::{Cancelled, Stream, WaitKind};

static NEXT: WaitKind = WaitKind::new("the next item of a stream");

/// Future of [`StreamExt::next`](super::StreamExt::next).
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Next<'s, 'c, S: ?Sized, C> {
    stream: &'s mut S,
    cx: &'c Cx<C>,
}

impl<'s, 'c, S: ?Sized, C> Next<'s, 'c, S, C> {
    #[inline]
    pub(super) fn new(stream: &'s mut S, cx: &'c Cx<C>) -> Self {
        Next { stream, cx }
    }
}

#[cfg(feature = "futures")]
impl<S: ?Sized, C> Next<'_, '_, S, C> {
    pub(super) fn stream(&self) -> &S {
        self.stream
    }
}

impl<S: ?Sized + Stream + Unpin, C: Row> Future for Next<'_, '_, S, C> {
    type Output = Result<Option<S::Item>, Cancelled>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.cx.poll_around(context, &NEXT, |context| Pin::new(&mut *this.stream).poll_next(context))
    }
}

/// Future of [`TryStreamExt::try_next`](super::TryStreamExt::try_next).
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct TryNext<'s, 'c, S: ?Sized, C> {
    next: Next<'s, 'c, S, C>,
}

impl<'s, 'c, S: ?Sized, C> TryNext<'s, 'c, S, C> {
    pub(super) fn new(stream: &'s mut S, cx: &'c Cx<C>) -> Self {
        TryNext { next: Next::new(stream, cx) }
    }
}

impl<S, T, E, C> Future for TryNext<'_, '_, S, C>
where
    S: ?Sized + Stream<Item = Result<T, E>> + Unpin,
    E: From<Cancelled>,
    C: Row,
{
    type Output = Result<Option<T>, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.next).poll(context))?.transpose())
    }
}
