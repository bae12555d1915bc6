//! The two halves: [`Sender`], [`WeakSender`] and [`Receiver`].
//!
//! Not here: the table between them (`table`).

use core::{future::Future, panic::Location, task::Poll};
use std::sync::Arc;

use cx::{Access, Cx, Object, ObjectKind, Row, Waiter};
use types::{Cancelled, FusedStream, WaitKind};

use super::table::{Offer, Table};
use crate::{
    Closed, TryRecvError, WaitError, WaitNode,
    items::{Items, Owned, Source},
    mpsc::{SendError, TrySendError},
    park,
    wait::{Fused, Pends, Wait},
};

pub(super) static NOT_TAKEN: WaitKind = WaitKind::new("send (rendezvous)");
static NOT_OFFERED: WaitKind = WaitKind::new("recv (rendezvous)");

#[track_caller]
pub(super) fn pair<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared { table: Table::default(), object: Object::new(ObjectKind::Value) });
    (Sender { shared: shared.clone() }, Receiver { shared })
}

struct Shared<T> {
    table: Table<T, Waiter>,
    object: Object,
}

/// Hands values over. Clones hand over to the same receiver, which sees the end when the last is gone.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// A value on its way. Withdrawn when dropped.
pub(super) struct Handing<'s, T> {
    shared: &'s Shared<T>,
    offer: Offer,
    value: Option<T>,
}

impl<T> Drop for Handing<'_, T> {
    fn drop(&mut self) {
        if self.offer.is_made() {
            drop(self.withdraw());
        }
    }
}

impl<T> Handing<'_, T> {
    /// Offers the value or waits on: whether it was taken.
    pub(super) fn poll(&mut self, make: impl FnOnce() -> Waiter) -> Poll<bool> {
        let Self { shared, offer, value } = self;
        let polled = shared.table.poll_send(offer, value, make);
        shared.object.touch(Access::Write);
        polled
    }

    /// The value, unless it was taken.
    pub(super) fn withdraw(&mut self) -> Option<T> {
        let back = self.shared.table.withdraw(&mut self.offer);
        self.shared.object.touch(Access::Write);
        back.or_else(|| self.value.take())
    }
}

/// What a sink does with it besides.
#[cfg(feature = "futures")]
impl<T> Handing<'_, T> {
    pub(super) fn object(&self) -> &Object {
        &self.shared.object
    }

    /// Whether there is nothing that is to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.value.is_none() && !self.offer.is_made()
    }

    pub(super) fn fill(&mut self, value: T) {
        self.value = Some(value);
    }

    /// Whether nothing is taken any more.
    pub(super) fn is_refused(&self) -> bool {
        self.shared.object.touch(Access::Read);
        self.shared.table.is_closed()
    }
}

/// Why a wait ended that was not granted. Whether the value was taken all the same, the send finds out.
pub(super) enum Refused {
    Closed,
    Cancelled(Cancelled),
}

impl From<Cancelled> for Refused {
    fn from(cancelled: Cancelled) -> Self {
        Refused::Cancelled(cancelled)
    }
}

impl<T> Pends for &mut Handing<'_, T> {
    type Ready = ();
    type Refused = Refused;

    fn kind(&self) -> &'static WaitKind {
        &NOT_TAKEN
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.shared.object, Access::Write)
    }

    /// The node is the offer's own: it goes with the value.
    fn poll(&mut self, _: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<(), Refused>> {
        Handing::poll(self, make).map(|taken| if taken { Ok(()) } else { Err(Refused::Closed) })
    }

    fn leave(&mut self, _: &mut WaitNode) {}
}

impl<T> Sender<T> {
    /// Offers a value, in the order of first polls, and waits until it was taken. Dropping the future withdraws the
    /// offer, and drops the value with it unless it was taken.
    ///
    /// # Errors
    /// Closed, or cancelled, with the value: it was not taken. A request that comes after the value was taken changes
    /// nothing: the send is done.
    #[track_caller]
    pub fn send<'a, C: Row>(
        &'a self,
        cx: &'a Cx<C>,
        value: T,
    ) -> impl Future<Output = Result<(), SendError<T>>> + use<'a, T, C> {
        let site = Location::caller();
        let mut handing = self.hand(Some(value));
        async move {
            let refused = match Wait::new(&mut handing, cx, site).await {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            match (handing.withdraw(), refused) {
                (None, _) => Ok(()),
                (Some(value), Refused::Closed) => Err(SendError::Closed(value)),
                (Some(value), Refused::Cancelled(cancelled)) => Err(SendError::Cancelled(value, cancelled)),
            }
        }
    }

    pub(super) fn hand(&self, value: Option<T>) -> Handing<'_, T> {
        Handing { shared: &self.shared, offer: Offer::default(), value }
    }

    /// Hands a value over if the receiver waits for one just now, and nothing else is offered. Never waits, and isn't refused
    /// under cancellation. One short lock.
    ///
    /// The value is in the receiver's hand then: if its wait is given up at that moment, the next one gets the value.
    ///
    /// # Errors
    /// Nobody waits for it ([`TrySendError::Full`]), or nothing is taken any more: with the value.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let sent = self.shared.table.try_send(value);
        self.shared.object.touch(if sent.is_ok() { Access::Write } else { Access::Read });
        sent
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
        let (mut offer, mut value, table) = (Offer::default(), Some(value), &self.shared.table);
        let taken = park::block_on("blocking_send", |make| {
            // The offer makes its waiter before it looks whether it's refused.
            if value.is_some() && table.is_closed() {
                return Poll::Ready(false);
            }
            table.poll_send(&mut offer, &mut value, make)
        });
        if taken {
            return Ok(());
        }
        value.map_or(Ok(()), Err)
    }

    /// Waits until the receiver has closed the channel or is gone, so that nobody would take what is offered: to stop
    /// work whose results nobody wants.
    ///
    /// # Errors
    /// Cancelled.
    #[track_caller]
    pub fn closed<'s, 'c, C: Row>(
        &'s self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'s, 'c, T, C> {
        self.shared.table.leaving().wait(&self.shared.object, cx, Location::caller())
    }

    /// Whether the receiver has closed the channel or is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.object.touch(Access::Read);
        self.shared.table.is_closed()
    }

    /// How many values are offered now.
    pub fn offers(&self) -> usize {
        self.shared.object.touch(Access::Read);
        self.shared.table.offers()
    }

    /// Whether `other` hands over to the same receiver.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// A sender that doesn't keep the channel from ending.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { shared: self.shared.clone() }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.table.join_senders();
        Self { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.table.leave_senders();
        self.shared.object.touch(Access::Write);
    }
}

impl<T> core::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sender")
    }
}

/// A sender that counts for nothing until it is upgraded: the channel ends without it.
pub struct WeakSender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, unless the last one is gone: a channel that has ended never begins again. One short lock.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let lives = self.shared.table.rejoin_senders();
        self.shared.object.touch(if lives { Access::Write } else { Access::Read });
        lives.then(|| Sender { shared: self.shared.clone() })
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T> core::fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WeakSender")
    }
}

/// Takes what is offered. Dropping it refuses what was not taken.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

/// A value that is offered.
struct Taking<'r, T> {
    shared: &'r Shared<T>,
    waits: bool,
}

impl<T> Pends for Taking<'_, T> {
    type Ready = T;
    type Refused = WaitError;

    fn kind(&self) -> &'static WaitKind {
        &NOT_OFFERED
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.shared.object, Access::Write)
    }

    /// There is one receiver, which needs no place in a queue.
    fn poll(&mut self, _: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<T, WaitError>> {
        let polled = self.shared.table.poll_recv(make);
        self.waits = polled.is_pending();
        self.shared.object.touch(Access::Write);
        polled.map(|value| value.ok_or(Closed.into()))
    }

    fn leave(&mut self, _: &mut WaitNode) {}

    fn withdraw(&mut self) {
        if core::mem::take(&mut self.waits) {
            self.shared.table.forget_receiver();
        }
    }
}

impl<T> Drop for Taking<'_, T> {
    fn drop(&mut self) {
        self.withdraw()
    }
}

impl<T> Receiver<T> {
    /// Waits for the oldest offer and takes it: its send is over then.
    ///
    /// # Errors
    /// Closed: nothing is offered, and nothing will be; or this half has [closed](Self::close) it. Cancelled: nothing was
    /// taken.
    #[track_caller]
    pub fn recv<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<T, WaitError>> + Unpin + Fused + use<'r, 'c, T, C> {
        Wait::new(Taking { shared: &*self.shared, waits: false }, cx, Location::caller())
    }

    /// Takes the oldest offer if there is one. Never waits, and isn't refused under cancellation.
    ///
    /// # Errors
    /// Nothing is offered now, or nothing will be.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let taken = self.shared.table.try_recv();
        self.shared.object.touch(if taken.is_ok() { Access::Write } else { Access::Read });
        taken
    }

    /// As [`recv`](Self::recv), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// Nothing is offered, and nothing will be.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, Closed> {
        park::block_on("blocking_recv", |make| self.shared.table.poll_recv(make)).ok_or(Closed)
    }

    /// What is offered, taken one by one, as a stream that ends with the channel. Where a cancellation is effective its item
    /// says so, with nothing taken, and is the last one.
    #[track_caller]
    pub fn stream<'r, 'c, C: Row>(
        &'r mut self,
        cx: &'c Cx<C>,
    ) -> impl FusedStream<Item = Result<T, Cancelled>> + Unpin + use<'r, 'c, T, C> {
        let taking = Taking { shared: &*self.shared, waits: false };
        Items::new(Wait::new(taking, cx, Location::caller()))
    }

    /// As [`stream`](Self::stream), with a stream that owns the receiver. It has no `Cx`, so it is no cancellation point: whoever
    /// consumes it is, and what was not taken is still offered.
    pub fn into_stream(self) -> impl FusedStream<Item = T> + Unpin + use<T> {
        Owned::new(self)
    }

    /// How many values are offered now.
    pub fn offers(&self) -> usize {
        self.shared.object.touch(Access::Read);
        self.shared.table.offers()
    }

    /// Refuses what is offered and was not taken, now and later: the values go back to their senders, and nothing is
    /// received any more.
    pub fn close(&mut self) {
        self.shared.table.close();
        self.shared.object.touch(Access::Write);
    }
}

impl<T> Source for Receiver<T> {
    type Item = T;

    /// A waiter that a poll left behind is replaced by the next one, and gone with the receiver.
    fn poll_source(&mut self, _: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Option<T>> {
        let polled = self.shared.table.poll_recv(make);
        self.shared.object.touch(Access::Write);
        polled
    }

    fn leave(&mut self, _: &mut WaitNode) {}
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.table.leave_receiver();
        self.shared.object.touch(Access::Write);
    }
}

impl<T> core::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Receiver")
    }
}
