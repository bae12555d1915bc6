//! `Stream`: a sequence of values that arrive over time; and [`FusedStream`], one that knows when it is over.
//!
//! The traits are ours and have the shapes everybody agreed on, so that adapters to another
//! ecosystem's traits are one line each way.
//!
//! Not here: adapters, and receiving with a `Cx` (channels have their own `recv(&cx)`, which is a
//! cancellation point; `poll_next` alone isn't one).

use alloc::boxed::Box;
use core::ops::DerefMut;
use core::pin::Pin;
use core::task::{Context, Poll};

/// An asynchronous sequence.
#[must_use = "streams do nothing unless polled"]
pub trait Stream {
    /// What the stream yields.
    type Item;

    /// The next item, `Ready(None)` once there will be no more, or `Pending` after arranging for
    /// `context`'s waker to be woken.
    ///
    /// # Panics
    /// May panic when polled again after `Ready(None)`.
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// At least and at most how many items are still to come, in the manner of
    /// [`Iterator::size_hint`]. A hint: nothing may break when it is wrong.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, None)
    }
}

/// A stream that knows when it is over. Polled after that it is at its end again.
pub trait FusedStream: Stream {
    /// Whether there will be no more items, so that polling is of no use. One that has not been told yet that its source
    /// has ended says no.
    fn is_terminated(&self) -> bool;
}

impl<S: Stream + Unpin + ?Sized> Stream for &mut S {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        Pin::new(&mut **self).poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (**self).size_hint()
    }
}

impl<S: Stream + Unpin + ?Sized> Stream for Box<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        Pin::new(&mut **self).poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (**self).size_hint()
    }
}

impl<P> Stream for Pin<P>
where
    P: DerefMut,
    P::Target: Stream,
{
    type Item = <P::Target as Stream>::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.as_deref_mut().poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (**self).size_hint()
    }
}

impl<S: FusedStream + Unpin + ?Sized> FusedStream for &mut S {
    fn is_terminated(&self) -> bool {
        (**self).is_terminated()
    }
}

impl<S: FusedStream + Unpin + ?Sized> FusedStream for Box<S> {
    fn is_terminated(&self) -> bool {
        (**self).is_terminated()
    }
}

impl<P> FusedStream for Pin<P>
where
    P: DerefMut,
    P::Target: FusedStream,
{
    fn is_terminated(&self) -> bool {
        (**self).is_terminated()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::marker::PhantomPinned;
    use core::task::Waker;

    /// Counts down; not `Unpin`, so that only the pinned forwarding can drive it.
    struct Once(bool, PhantomPinned);

    impl Stream for Once {
        type Item = u8;
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
            Poll::Ready(self.0.then_some(1))
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::from(self.0), Some(usize::from(self.0)))
        }
    }

    impl FusedStream for Once {
        fn is_terminated(&self) -> bool {
            !self.0
        }
    }

    type First<S> = (Poll<Option<<S as Stream>::Item>>, (usize, Option<usize>), bool);

    fn first<S: FusedStream + Unpin>(mut stream: S) -> First<S> {
        let (hint, over) = (stream.size_hint(), stream.is_terminated());
        (Pin::new(&mut stream).poll_next(&mut Context::from_waker(Waker::noop())), hint, over)
    }

    #[test]
    fn pointers_forward_every_method_to_what_they_point_to() {
        let expected = (Poll::Ready(Some(1)), (1, Some(1)), false);
        assert_eq!(first(Box::pin(Once(true, PhantomPinned))), expected);
        assert_eq!(first(Box::new(Box::pin(Once(true, PhantomPinned)))), expected);
        assert_eq!(first(&mut Box::pin(Once(true, PhantomPinned))), expected);
        let erased: Pin<Box<dyn FusedStream<Item = u8>>> = Box::pin(Once(false, PhantomPinned));
        assert_eq!(first(erased), (Poll::Ready(None), (0, Some(0)), true));
    }
}
