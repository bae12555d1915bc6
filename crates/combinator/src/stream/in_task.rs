//! Items worked on side by side in the task of the consumer: [`BufferedInTask`], [`BufferUnorderedInTask`].
//!
//! The futures need be neither `Send` nor `'static`: they may borrow whatever the consumer may. In return they stand still
//! while nobody polls the stream, and share one thread. At most `n` items are taken from the source and not given to the
//! consumer (`stream.in-flight`).
//!
//! A future is polled when it was woken and when it is new, in turn. Where it was woken, the others are not polled. One poll of the
//! stream polls so many of them and then gives way, so that futures which wake themselves don't keep the task.
//!
//! Cost: one allocation for each of the `n` places, at its first use, and one for its waker, unless the futures there
//! never wait. After that none: a future is moved into its place.
//!
//! Not here: tasks of a region, which progress by themselves (`tasks`).
use super::part::Fuse;
use super::spell::Spell;
use super::then::plus;
use super::woken::Woken;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use types::Stream;

/// Futures in places, with something that is known of each.
struct Places<F, X> {
    places: Vec<(Pin<Box<Option<F>>>, X)>,
    free: Vec<usize>,
    woken: Woken,
    limit: usize,
}

impl<F: Future, X: Copy> Places<F, X> {
    fn new(limit: usize) -> Places<F, X> {
        Places { places: Vec::new(), free: Vec::new(), woken: Woken::new(), limit }
    }

    /// Polls one future that was woken, if any: `Ready` with its output when it has ended, `Pending(())` otherwise.
    fn poll_woken(&mut self) -> Option<Poll<(X, F::Output)>> {
        let index = self.woken.take()?;
        Some(self.poll_place(index))
    }

    fn poll_place(&mut self, index: usize) -> Poll<(X, F::Output)> {
        let Some((place, of)) = self.places.get_mut(index) else { return Poll::Pending };
        // A waker may outlive the future it was made for.
        let Some(future) = place.as_mut().as_pin_mut() else { return Poll::Pending };
        let Poll::Ready(output) = future.poll(&mut Context::from_waker(self.woken.waker(index))) else {
            return Poll::Pending;
        };
        place.set(None);
        self.free.push(index);
        Poll::Ready((*of, output))
    }

    /// Puts a new future into a free place and polls it.
    fn add(&mut self, future: F, of: X) -> Poll<(X, F::Output)> {
        let index = match self.free.pop() {
            Some(index) => {
                let (place, what) = &mut self.places[index];
                place.set(Some(future));
                *what = of;
                index
            }
            None => {
                self.places.push((Box::pin(Some(future)), of));
                self.places.len() - 1
            }
        };
        self.poll_place(index)
    }

    fn in_use(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

pin_project! {
    /// Stream of [`StreamExt::buffer_unordered_in_task`](super::StreamExt::buffer_unordered_in_task). Holds futures only:
    /// an output is given to the consumer in the poll it comes in.
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferUnorderedInTask<S: Stream> {
        #[pin]
        source: Fuse<S>,
        places: Places<S::Item, ()>,
    }
}

impl<S: Stream> BufferUnorderedInTask<S>
where
    S::Item: Future,
{
    #[track_caller]
    pub(super) fn new(source: S, limit: usize) -> Self {
        assert!(limit > 0, "`n`, how many may be in flight, is 0: nothing would ever be taken");
        BufferUnorderedInTask { source: Fuse::new(source), places: Places::new(limit) }
    }

    /// How many futures have been taken from the source and have not ended.
    pub fn in_flight(&self) -> usize {
        self.places.in_use()
    }
}

impl<S: Stream> core::fmt::Debug for BufferUnorderedInTask<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let in_flight = self.places.places.len() - self.places.free.len();
        f.debug_struct("BufferUnorderedInTask").field("in_flight", &in_flight).finish_non_exhaustive()
    }
}

impl<S: Stream> Stream for BufferUnorderedInTask<S>
where
    S::Item: Future,
{
    type Item = <S::Item as Future>::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        this.places.woken.polled_through(context.waker());
        let mut spell = Spell::new();
        while let Some(woken) = this.places.poll_woken() {
            if let Poll::Ready(((), output)) = woken {
                return Poll::Ready(Some(output));
            }
            if spell.poll_goes_on(context).is_pending() {
                break;
            }
        }
        while this.places.in_use() < this.places.limit {
            let Poll::Ready(Some(future)) = this.source.as_mut().poll_next(context) else { break };
            if let Poll::Ready(((), output)) = this.places.add(future, ()) {
                return Poll::Ready(Some(output));
            }
            if spell.poll_goes_on(context).is_pending() {
                break;
            }
        }
        // Marks that were set meanwhile have woken the task.
        if this.places.in_use() == 0 && this.source.is_done() { Poll::Ready(None) } else { Poll::Pending }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        plus(self.source.size_hint(), self.places.in_use())
    }
}

pin_project! {
    /// Stream of [`StreamExt::buffered_in_task`](super::StreamExt::buffered_in_task). Holds the outputs that came before
    /// their turn.
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferedInTask<S: Stream>
    where
        S::Item: Future,
    {
        #[pin]
        source: Fuse<S>,
        places: Places<S::Item, u64>,
        // In the order of the source; `None` while the future works.
        outputs: VecDeque<Option<<S::Item as Future>::Output>>,
        // The number of the first of them.
        first: u64,
    }
}

impl<S: Stream> BufferedInTask<S>
where
    S::Item: Future,
{
    #[track_caller]
    pub(super) fn new(source: S, limit: usize) -> Self {
        assert!(limit > 0, "`n`, how many may be in flight, is 0: nothing would ever be taken");
        BufferedInTask {
            source: Fuse::new(source),
            places: Places::new(limit),
            outputs: VecDeque::new(),
            first: 0,
        }
    }

    /// How many items were taken from the source and not given to the consumer.
    pub fn in_flight(&self) -> usize {
        self.outputs.len()
    }
}

impl<S: Stream> core::fmt::Debug for BufferedInTask<S>
where
    S::Item: Future,
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BufferedInTask").field("in_flight", &self.outputs.len()).finish_non_exhaustive()
    }
}

impl<S: Stream> Stream for BufferedInTask<S>
where
    S::Item: Future,
{
    type Item = <S::Item as Future>::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        this.places.woken.polled_through(context.waker());
        let mut spell = Spell::new();
        while let Some(woken) = this.places.poll_woken() {
            if let Poll::Ready((number, output)) = woken {
                this.outputs[(number - *this.first) as usize] = Some(output);
            }
            if spell.poll_goes_on(context).is_pending() {
                break;
            }
        }
        while this.outputs.len() < this.places.limit && !matches!(this.outputs.front(), Some(Some(_))) {
            let Poll::Ready(Some(future)) = this.source.as_mut().poll_next(context) else { break };
            let number = *this.first + this.outputs.len() as u64;
            this.outputs.push_back(None);
            if let Poll::Ready((_, output)) = this.places.add(future, number)
                && let Some(last) = this.outputs.back_mut()
            {
                *last = Some(output)
            }
            if spell.poll_goes_on(context).is_pending() {
                break;
            }
        }
        if let Some(next) = this.outputs.front_mut()
            && let Some(output) = next.take()
        {
            this.outputs.pop_front();
            *this.first += 1;
            return Poll::Ready(Some(output));
        }
        if this.outputs.is_empty() && this.source.is_done() { Poll::Ready(None) } else { Poll::Pending }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        plus(self.source.size_hint(), self.outputs.len())
    }
}
