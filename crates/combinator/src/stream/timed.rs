//! Items and the clock: [`Timeout`], [`Throttle`], [`Debounce`].
//!
//! They read the clock of the `Cx` they were made with, set one timer at a time, and take it back when they are dropped.
//! A timer is set when a poll has to wait, and costs O(1); it fires never early, and at most one tick of the wheel late.
//!
//! Not here: groups by the clock (`timed_group`).
use super::part::Fuse;
use super::timer::Timer;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use cx::{Cx, MayTime};
use pin_project_lite::pin_project;
use types::Stream;

/// No item came in time: what [`Timeout`] says in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elapsed;

impl core::fmt::Display for Elapsed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no item came in time")
    }
}

impl core::error::Error for Elapsed {}

pin_project! {
    /// Stream of [`StreamExt::timeout`](super::StreamExt::timeout). Holds nothing.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Timeout<'c, S, C> {
        #[pin]
        source: Fuse<S>,
        span: Duration,
        timer: Timer<'c, C>,
    }
}

impl<'c, S, C> Timeout<'c, S, C> {
    pub(super) fn new(source: S, cx: &'c Cx<C>, span: Duration) -> Self {
        Timeout { source: Fuse::new(source), span, timer: Timer::new(cx) }
    }

    /// The source, unless it has ended.
    pub fn into_inner(self) -> Option<S> {
        self.source.into_inner()
    }
}

impl<S: Stream, C: MayTime> Stream for Timeout<'_, S, C> {
    type Item = Result<S::Item, Elapsed>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        // The source first: an item that is there is not late.
        if let Poll::Ready(item) = this.source.poll_next(context) {
            this.timer.stop();
            return Poll::Ready(item.map(Ok));
        }
        if !this.timer.runs() {
            this.timer.start(*this.span)
        }
        this.timer.poll(context).map(|()| Some(Err(Elapsed)))
    }
}

pin_project! {
    /// Stream of [`StreamExt::throttle`](super::StreamExt::throttle). Holds nothing: what comes too fast stays in the
    /// source.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Throttle<'c, S, C> {
        #[pin]
        source: Fuse<S>,
        span: Duration,
        timer: Timer<'c, C>,
    }
}

impl<'c, S, C> Throttle<'c, S, C> {
    pub(super) fn new(source: S, cx: &'c Cx<C>, span: Duration) -> Self {
        Throttle { source: Fuse::new(source), span, timer: Timer::new(cx) }
    }

    /// The source, unless it has ended.
    pub fn into_inner(self) -> Option<S> {
        self.source.into_inner()
    }
}

impl<S: Stream, C: MayTime> Stream for Throttle<'_, S, C> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if this.timer.runs() && this.timer.poll(context).is_pending() && !types::seeded!("throttle.early") {
            return Poll::Pending;
        }
        let item = core::task::ready!(this.source.poll_next(context));
        if item.is_some() && !this.span.is_zero() {
            this.timer.start(*this.span)
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

pin_project! {
    /// Stream of [`StreamExt::debounce`](super::StreamExt::debounce) and
    /// [`StreamExt::debounce_with`](super::StreamExt::debounce_with). Holds one item at most: the last that came.
    #[must_use = "streams do nothing unless polled"]
    pub struct Debounce<'c, S: Stream, F, C> {
        #[pin]
        source: Fuse<S>,
        span: Duration,
        timer: Timer<'c, C>,
        held: Option<S::Item>,
        merge: F,
    }
}

impl<'c, S: Stream, F, C> Debounce<'c, S, F, C> {
    pub(super) fn new(source: S, cx: &'c Cx<C>, span: Duration, merge: F) -> Self {
        Debounce { source: Fuse::new(source), span, timer: Timer::new(cx), held: None, merge }
    }

    /// The source, unless it has ended, and the item that waits for the end of its span.
    pub fn into_parts(self) -> (Option<S>, Option<S::Item>) {
        (self.source.into_inner(), self.held)
    }
}

impl<S: Stream, F, C> core::fmt::Debug for Debounce<'_, S, F, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Debounce").field("holds", &self.held.is_some()).finish_non_exhaustive()
    }
}

impl<S, F, C> Stream for Debounce<'_, S, F, C>
where
    S: Stream,
    F: FnMut(S::Item, S::Item) -> S::Item,
    C: MayTime,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        // The timer first: an item whose pause is over is not dropped for one that came since.
        if this.timer.is_over() {
            this.timer.stop();
            return Poll::Ready(this.held.take());
        }
        loop {
            match this.source.as_mut().poll_next(context) {
                Poll::Ready(Some(item)) => {
                    *this.held = Some(match this.held.take() {
                        Some(before) => (this.merge)(before, item),
                        None => item,
                    });
                    this.timer.start(*this.span);
                    // A source that always has an item must not keep the task for ever.
                    core::task::ready!(this.timer.poll_budget(context));
                }
                Poll::Ready(None) => {
                    this.timer.stop();
                    let last = if types::seeded!("debounce.drops-last") { None } else { this.held.take() };
                    return Poll::Ready(last);
                }
                Poll::Pending => return this.timer.poll(context).map(|()| this.held.take()),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let held = usize::from(self.held.is_some());
        (held, super::then::plus(self.source.size_hint(), held).1)
    }
}
