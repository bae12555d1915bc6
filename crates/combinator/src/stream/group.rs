//! Several items as one, by count: [`Chunks`], [`Windows`].
//!
//! Not here: groups by the clock (`timed_group`).
use super::part::Fuse;
use super::spell::Spell;
use super::then::plus;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use types::Stream;

pin_project! {
    /// Stream of [`StreamExt::chunks`](super::StreamExt::chunks). Holds fewer items than a chunk has.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Chunks<S: Stream> {
        #[pin]
        source: Fuse<S>,
        size: usize,
        held: Vec<S::Item>,
    }
}

impl<S: Stream> Chunks<S> {
    #[track_caller]
    pub(super) fn new(source: S, size: usize) -> Self {
        assert!(size > 0, "chunks of 0 items would never take anything");
        Chunks { source: Fuse::new(source), size, held: Vec::new() }
    }

    /// The source, unless it has ended, and what is held of a chunk that is not full.
    pub fn into_parts(self) -> (Option<S>, Vec<S::Item>) {
        (self.source.into_inner(), self.held)
    }
}

impl<S: Stream> Stream for Chunks<S> {
    type Item = Vec<S::Item>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        let mut spell = Spell::new();
        while let Some(item) = ready!(this.source.as_mut().poll_next(context)) {
            if this.held.capacity() == 0 {
                // A size that nobody expects to be reached costs no memory before it is.
                this.held.reserve((*this.size).min(1024))
            }
            this.held.push(item);
            if this.held.len() == *this.size {
                return Poll::Ready(Some(core::mem::take(this.held)));
            }
            ready!(spell.poll_goes_on(context));
        }
        let rest = core::mem::take(this.held);
        Poll::Ready((!rest.is_empty()).then_some(rest))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = plus(self.source.size_hint(), self.held.len());
        (low.div_ceil(self.size), high.map(|high| high.div_ceil(self.size)))
    }
}

pin_project! {
    /// Stream of [`StreamExt::windows`](super::StreamExt::windows). Holds fewer items than a window has, or clones of
    /// those that the next window shares with the last.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Windows<S: Stream> {
        #[pin]
        source: Fuse<S>,
        size: usize,
        step: usize,
        held: VecDeque<S::Item>,
        // How many of those held no window had yet.
        fresh: usize,
        // How many of the next items no window will have: a step that is longer than a window leaves some out.
        gap: usize,
    }
}

impl<S: Stream> Windows<S> {
    #[track_caller]
    pub(super) fn new(source: S, size: usize, step: usize) -> Self {
        assert!(size > 0 && step > 0, "windows of {size} items, {step} apart, would never take anything");
        Windows { source: Fuse::new(source), size, step, held: VecDeque::new(), fresh: 0, gap: 0 }
    }

    /// The source, unless it has ended, and the items that no window had yet.
    pub fn into_parts(mut self) -> (Option<S>, Vec<S::Item>) {
        let shared = self.held.len() - self.fresh;
        (self.source.into_inner(), self.held.drain(shared..).collect())
    }
}

impl<S: Stream> Stream for Windows<S>
where
    S::Item: Clone,
{
    type Item = Vec<S::Item>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        let mut spell = Spell::new();
        while let Some(item) = ready!(this.source.as_mut().poll_next(context)) {
            if *this.gap > 0 {
                *this.gap -= 1;
                ready!(spell.poll_goes_on(context));
                continue;
            }
            this.held.push_back(item);
            *this.fresh += 1;
            if this.held.len() == *this.size {
                *this.fresh = 0;
                *this.gap = this.step.saturating_sub(*this.size);
                // Only what the next window shares is cloned.
                let moved = (*this.step).min(*this.size);
                let mut window: Vec<_> = this.held.drain(..moved).collect();
                window.extend(this.held.iter().cloned());
                return Poll::Ready(Some(window));
            }
            ready!(spell.poll_goes_on(context));
        }
        // What no window had comes in a last one, with what it would have shared.
        let rest = core::mem::take(this.held);
        let left = core::mem::take(this.fresh) > 0;
        Poll::Ready(left.then(|| rest.into()))
    }
}
