//! [`Then`]: one item in, one out, after a future has made it.
//!
//! Not here: several such futures at once (`in_task`, `tasks`).
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use types::Stream;

pin_project! {
    /// Stream of [`StreamExt::then`](super::StreamExt::then).
    #[must_use = "streams do nothing unless polled"]
    pub struct Then<S, F, Fut> {
        #[pin]
        source: S,
        f: F,
        #[pin]
        working: Option<Fut>,
    }
}

impl<S, F, Fut> Then<S, F, Fut> {
    pub(super) fn new(source: S, f: F) -> Self {
        Then { source, f, working: None }
    }

    /// Whether an item was taken whose future has not returned yet.
    pub fn is_working(&self) -> bool {
        self.working.is_some()
    }
}

impl<S: core::fmt::Debug, F, Fut> core::fmt::Debug for Then<S, F, Fut> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Then")
            .field("source", &self.source)
            .field("working", &self.working.is_some())
            .finish()
    }
}

impl<S, F, Fut> Stream for Then<S, F, Fut>
where
    S: Stream,
    F: FnMut(S::Item) -> Fut,
    Fut: Future,
{
    type Item = Fut::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Fut::Output>> {
        let mut this = self.project();
        if this.working.is_none() {
            let Some(item) = ready!(this.source.poll_next(context)) else { return Poll::Ready(None) };
            this.working.set(Some((this.f)(item)));
        }
        let Some(working) = this.working.as_mut().as_pin_mut() else { return Poll::Pending };
        let output = ready!(working.poll(context));
        this.working.set(None);
        Poll::Ready(Some(output))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        plus(self.source.size_hint(), usize::from(self.working.is_some()))
    }
}

/// A hint for a source and `held` items that were taken from it.
pub(super) fn plus((low, high): (usize, Option<usize>), held: usize) -> (usize, Option<usize>) {
    (low.saturating_add(held), high.and_then(|high| high.checked_add(held)))
}
