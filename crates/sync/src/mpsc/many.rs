//! Several places or values at once, senders that keep nothing alive, threads outside, and the receiver as a stream.
//!
//! | noun | what |
//! |---|---|
//! | [`Permits`] | room for several values, one obligation each |
//! | [`WeakSender`] | a sender that doesn't keep the channel from ending |
//!
//! Not here: one at a time (`sender`, `receiver`).

use core::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use cx::{Access, Cx, Object, Row, Waiter};
use types::{Cancelled, FusedStream, Stream, WaitKind};

use super::{
    Permit, Receiver, Sender,
    permit::Owed,
    ring::{TryReserveError, Tx, WeakTx},
    sender::FULL,
};
use crate::{
    Closed, TryRecvError, WaitError, WaitNode,
    items::Items,
    park,
    wait::{Fused, Made, Pends, Wait},
};

/// Room for so many.
struct Room<'s, T> {
    tx: &'s Tx<T, Waiter>,
    count: u32,
}

impl<T> Pends for Room<'_, T> {
    type Ready = ();
    type Refused = WaitError;

    fn kind(&self) -> &'static WaitKind {
        &FULL
    }

    fn announces(&self) -> (&Object, Access) {
        (self.tx.room(), Access::Acquire(self.count))
    }

    fn poll(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<(), WaitError>> {
        let polled = self.tx.poll_reserve_many(node, self.count, make);
        self.tx.room().touch(match polled {
            Poll::Ready(Ok(())) => Access::Acquire(self.count),
            Poll::Ready(Err(_)) => Access::Read,
            Poll::Pending => Access::Write,
        });
        polled.map_err(WaitError::from)
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.tx.cancel(node);
    }

    fn held(&self) -> Option<(usize, usize)> {
        Some((self.tx.address(), self.count as usize))
    }
}

impl<T> Sender<T> {
    /// Waits until there is room for `count` values at once, in the order of first polls, and holds it in permits: who
    /// wants many is not overtaken by those who want few.
    ///
    /// Each permit is an obligation of its own, of the region that `cx` stands in; that costs about 10 ns each. They are
    /// used or given up one by one.
    ///
    /// # Errors
    /// Closed, or cancelled: then no room is held, and room that had been assigned went to the next in line.
    ///
    /// # Panics
    /// If `count` is 0 or more than the channel's capacity.
    #[track_caller]
    pub fn reserve_many<'a, C: Row>(
        &'a self,
        cx: &'a Cx<C>,
        count: usize,
    ) -> impl Future<Output = Result<Permits<'a, T>, WaitError>> + Unpin + Fused + use<'a, T, C> {
        let site = Location::caller();
        let room = Room { tx: &self.tx, count: self.room_for(count) };
        Made::of(Wait::new(room, cx, site), move |there| {
            there?;
            let owed = (0..count).map(|_| Owed::new(&self.tx, cx, site)).collect();
            Ok(Permits { tx: &self.tx, owed })
        })
    }

    /// Room for `count` values at once, if it's there and nobody waits for some. Never waits, and isn't refused under
    /// cancellation: `cx` says whose obligations they are.
    ///
    /// # Errors
    /// Full or closed: no room is held, not even a part of it.
    ///
    /// # Panics
    /// If `count` is 0 or more than the channel's capacity.
    #[track_caller]
    pub fn try_reserve_many<C: Row>(
        &self,
        cx: &Cx<C>,
        count: usize,
    ) -> Result<Permits<'_, T>, TryReserveError> {
        let (site, count) = (Location::caller(), self.room_for(count));
        let taken = self.tx.try_reserve_many(count);
        self.tx.room().touch(match taken {
            Ok(()) => Access::TryAcquire(count),
            Err(TryReserveError::Full) => Access::Refused(count),
            Err(TryReserveError::Closed) => Access::Read,
        });
        taken?;
        let owed = (0..count).map(|_| Owed::new(&self.tx, cx, site)).collect();
        Ok(Permits { tx: &self.tx, owed })
    }

    #[track_caller]
    fn room_for(&self, count: usize) -> u32 {
        assert!(
            0 < count && count <= self.capacity(),
            "room for {count} values was asked for, in a channel for {}",
            self.capacity()
        );
        // At most the capacity, which is a u32.
        count as u32
    }

    /// As [`send`](Self::send), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// The receiver has closed the channel or is gone: the value comes back.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), T> {
        let mut node = WaitNode::new();
        match park::block_on("blocking_send", |make| self.tx.poll_permit(&mut node, make)) {
            Ok(credit) => credit.send(value),
            Err(Closed) => Err(value),
        }
    }

    /// A sender that doesn't keep the channel from ending.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { tx: self.tx.downgrade() }
    }
}

/// Room for several values: an iterator of permits. Dropping it gives back what was not taken out.
#[derive(Debug)]
#[must_use = "dropping permits gives the room back without sending"]
pub struct Permits<'a, T> {
    tx: &'a Tx<T, Waiter>,
    /// One for each credit that is held.
    owed: Vec<Owed>,
}

impl<'a, T> Iterator for Permits<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.owed.pop().map(|owed| Permit::new(owed, self.tx.permit_of_credit()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.owed.len(), Some(self.owed.len()))
    }
}

impl<T> ExactSizeIterator for Permits<'_, T> {}

impl<T> Drop for Permits<'_, T> {
    fn drop(&mut self) {
        for permit in self.by_ref() {
            drop(permit);
        }
    }
}

/// A sender that counts for nothing until it is upgraded: the channel ends without it.
#[derive(Debug)]
pub struct WeakSender<T> {
    tx: WeakTx<T, Waiter>,
}

impl<T> WeakSender<T> {
    /// A sender, unless the last one is gone: a channel that has ended never begins again. A few atomic operations.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let tx = self.tx.upgrade();
        self.tx.values().touch(Access::Read);
        tx.map(Sender::new)
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone() }
    }
}

impl<T> Receiver<T> {
    /// Waits for a value and takes it with all that are behind it, `limit` at most, to the end of `into`; how many.
    /// One cancellation point, before the first is taken.
    ///
    /// # Errors
    /// As [`recv`](Self::recv): then `into` is as it was.
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    pub fn recv_many<'a, C: Row>(
        &'a mut self,
        cx: &'a Cx<C>,
        into: &'a mut Vec<T>,
        limit: usize,
    ) -> impl Future<Output = Result<usize, WaitError>> + use<'a, T, C> {
        assert!(limit > 0, "receiving at most 0 values would wait for nothing");
        // Made here, so that the wait is at the caller's line.
        let site = Location::caller();
        async move {
            into.push(self.recv_at(cx, site).await?);
            let mut taken = 1;
            while taken < limit
                && let Ok(value) = self.try_recv()
            {
                into.push(value);
                taken += 1;
            }
            Ok(taken)
        }
    }

    /// As [`recv`](Self::recv), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// Nothing is in the channel, and nothing will come.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, Closed> {
        // A look first: the wait looks for the end once it has left its waiter.
        let received = park::block_on("blocking_recv", |make| match self.rx.try_recv() {
            Ok(value) => Poll::Ready(Some(value)),
            Err(TryRecvError::Closed) => Poll::Ready(None),
            Err(TryRecvError::Empty) => self.rx.poll_recv(make),
        });
        received.ok_or(Closed)
    }

    /// The values as a stream that ends with the channel. Where a cancellation is effective its item says so, with nothing
    /// taken, and is the last one.
    #[track_caller]
    pub fn stream<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl FusedStream<Item = Result<T, Cancelled>> + Unpin + use<'r, 'c, T, C> {
        Items::new(self.recv(cx))
    }
}

/// The receiver itself is a stream too, of values alone. It has no `Cx`, so it is no cancellation point: whoever consumes the
/// stream is (`combinator`'s `next(cx)`), and what is in the channel stays there. A waiter that a poll left behind is replaced
/// by the next one, and gone with the receiver.
impl<T> Stream for Receiver<T> {
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().rx.poll_recv(|| Waiter::from_waker(context.waker()))
    }
}
