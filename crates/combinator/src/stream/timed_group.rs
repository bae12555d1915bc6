//! Several items as one, by the clock: [`ChunksTimeout`], [`Tumbling`], [`Sliding`].
//!
//! They read the clock of the `Cx` they were made with. All have a limit to the number of items, which no span gives them.
//!
//! Not here: groups by count alone (`group`).
use super::part::Fuse;
use super::timer::Timer;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use cx::{Cx, MayTime};
use pin_project_lite::pin_project;
use types::{Stream, Time};

pin_project! {
    /// Stream of [`StreamExt::chunks_timeout`](super::StreamExt::chunks_timeout). Holds fewer items than a chunk has.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct ChunksTimeout<'c, S: Stream, C> {
        #[pin]
        source: Fuse<S>,
        size: usize,
        span: Duration,
        timer: Timer<'c, C>,
        held: Vec<S::Item>,
    }
}

impl<'c, S: Stream, C> ChunksTimeout<'c, S, C> {
    #[track_caller]
    pub(super) fn new(source: S, cx: &'c Cx<C>, size: usize, span: Duration) -> Self {
        assert!(size > 0, "chunks of 0 items would never take anything");
        ChunksTimeout { source: Fuse::new(source), size, span, timer: Timer::new(cx), held: Vec::new() }
    }

    /// The source, unless it has ended, and what is held of a chunk that is not full.
    pub fn into_parts(self) -> (Option<S>, Vec<S::Item>) {
        (self.source.into_inner(), self.held)
    }
}

impl<S: Stream, C: MayTime> Stream for ChunksTimeout<'_, S, C> {
    type Item = Vec<S::Item>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        loop {
            match this.source.as_mut().poll_next(context) {
                Poll::Ready(Some(item)) => {
                    if this.held.is_empty() && *this.size > 1 {
                        this.timer.start(*this.span)
                    }
                    this.held.push(item);
                    // Items that come without a wait keep neither the chunk open nor others from their turn. No span at all
                    // means what is there without a wait.
                    let in_time = this.span.is_zero() || this.timer.poll(context).is_pending();
                    if this.held.len() < *this.size && in_time {
                        ready!(this.timer.poll_budget(context));
                        continue;
                    }
                }
                Poll::Ready(None) if this.held.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) => {}
                Poll::Pending => ready!(this.timer.poll(context)),
            }
            this.timer.stop();
            return Poll::Ready(Some(core::mem::take(this.held)));
        }
    }
}

pin_project! {
    /// Stream of [`StreamExt::tumbling`](super::StreamExt::tumbling). Holds the items of the present window, fewer than
    /// its limit.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Tumbling<'c, S: Stream, C> {
        #[pin]
        source: Fuse<S>,
        span: Duration,
        limit: usize,
        // Where the grid of windows begins: the first poll.
        start: Option<Time>,
        timer: Timer<'c, C>,
        held: Vec<S::Item>,
    }
}

impl<'c, S: Stream, C> Tumbling<'c, S, C> {
    #[track_caller]
    pub(super) fn new(source: S, cx: &'c Cx<C>, span: Duration, limit: usize) -> Self {
        assert!(limit > 0 && !span.is_zero(), "windows of {span:?} with at most {limit} items hold nothing");
        Tumbling {
            source: Fuse::new(source),
            span,
            limit,
            start: None,
            timer: Timer::new(cx),
            held: Vec::new(),
        }
    }

    /// The source, unless it has ended, and what is held of the present window.
    pub fn into_parts(self) -> (Option<S>, Vec<S::Item>) {
        (self.source.into_inner(), self.held)
    }
}

/// The end of the window that `now` lies in: windows begin at `start`, and then every `span`.
fn window_end(start: Time, span: Duration, now: Time) -> Time {
    let past = now.saturating_since(start).as_nanos();
    // At most the time that has passed, or never.
    let into = u64::try_from(past % span.as_nanos()).unwrap_or(u64::MAX);
    Time::from_nanos(now.as_nanos() - into).saturating_add(span)
}

impl<S: Stream, C: MayTime> Stream for Tumbling<'_, S, C> {
    type Item = Vec<S::Item>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        let start = *this.start.get_or_insert_with(|| this.timer.now());
        loop {
            // A window that has ended is not given items that come now.
            if !this.held.is_empty() && this.timer.runs() && this.timer.poll(context).is_ready() {
                return Poll::Ready(Some(core::mem::take(this.held)));
            }
            match this.source.as_mut().poll_next(context) {
                Poll::Ready(Some(item)) => {
                    if this.held.is_empty() {
                        let end = window_end(start, *this.span, this.timer.now());
                        this.timer.start_until(end)
                    }
                    this.held.push(item);
                    if this.held.len() < *this.limit {
                        // Until then a source that always has an item must not keep the task.
                        ready!(this.timer.poll_budget(context));
                        continue;
                    }
                }
                Poll::Ready(None) if this.held.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) => {}
                Poll::Pending if this.held.is_empty() => return Poll::Pending,
                // The timer was looked at, and set, above or is set now.
                Poll::Pending => ready!(this.timer.poll(context)),
            }
            this.timer.stop();
            return Poll::Ready(Some(core::mem::take(this.held)));
        }
    }
}

pin_project! {
    /// Stream of [`StreamExt::sliding`](super::StreamExt::sliding). Holds clones of the items that the next window may
    /// share, at most its limit.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Sliding<'c, S: Stream, C> {
        #[pin]
        source: S,
        cx: &'c Cx<C>,
        span: Duration,
        limit: usize,
        held: VecDeque<(Time, S::Item)>,
    }
}

impl<'c, S: Stream, C> Sliding<'c, S, C> {
    #[track_caller]
    pub(super) fn new(source: S, cx: &'c Cx<C>, span: Duration, limit: usize) -> Self {
        assert!(limit > 0, "windows with at most 0 items hold nothing");
        Sliding { source, cx, span, limit, held: VecDeque::new() }
    }

    /// The source. Every item that was taken from it was in a window.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: Stream, C: MayTime> Stream for Sliding<'_, S, C>
where
    S::Item: Clone,
{
    type Item = Vec<S::Item>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let this = self.project();
        let Some(item) = ready!(this.source.poll_next(context)) else { return Poll::Ready(None) };
        let now = this.cx.now();
        if this.held.len() == *this.limit {
            this.held.pop_front();
        }
        while this.held.front().is_some_and(|(came, _)| now.saturating_since(*came) >= *this.span) {
            this.held.pop_front();
        }
        this.held.push_back((now, item));
        Poll::Ready(Some(this.held.iter().map(|(_, item)| item.clone()).collect()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_lie_on_the_grid_and_the_end_of_time_is_never() {
        let at = Time::from_nanos;
        let ns = Duration::from_nanos;
        for (start, span, now, end) in [(0, 10, 0, 10), (3, 10, 12, 13), (3, 10, 13, 23), (0, 7, 20, 21)] {
            assert_eq!(window_end(at(start), ns(span), at(now)), at(end), "{start} {span} {now}");
        }
        assert_eq!(window_end(at(5), Duration::MAX, at(9)), Time::MAX);
        assert_eq!(window_end(Time::ZERO, ns(10), at(u64::MAX - 2)), Time::MAX);
    }
}
