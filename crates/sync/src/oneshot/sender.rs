//! The sending half: [`Sender`], and [`Permit`], the same as an obligation.
//!
//! Sending never waits; what can be waited for is that the receiver leaves.
//!
//! Not here: the word (`word`).

use core::{future::Future, panic::Location, task::Poll};

use cx::{Access, Cx, Object, Reserved, Row, Waiter};
use obligation::AlreadyLeaked;
use types::{Cancelled, ObligationKind, WaitKind};

use super::word::Tx;
use crate::{
    Sent, WaitNode,
    wait::{Fused, Pends, Wait},
};

static WANTED: WaitKind = WaitKind::new("closed (somebody receives)");

/// Sends one value. Dropping it tells the receiver that none will come.
#[derive(Debug)]
pub struct Sender<T> {
    tx: Tx<T, Waiter>,
    end: End,
}

/// That the receiver is gone or has closed.
struct Left<'s, T> {
    tx: &'s mut Tx<T, Waiter>,
    value: &'s Object,
    waits: bool,
}

impl<'s, T> Left<'s, T> {
    /// What `closed` returns, of a sender and of a permit.
    fn wait<'c, C: Row>(
        tx: &'s mut Tx<T, Waiter>,
        value: &'s Object,
        cx: &'c Cx<C>,
        site: &'static Location<'static>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'s, 'c, T, C> {
        Wait::new(Left { tx, value, waits: false }, cx, site)
    }
}

impl<T> Pends for Left<'_, T> {
    type Ready = ();
    type Refused = Cancelled;

    fn kind(&self) -> &'static WaitKind {
        &WANTED
    }

    fn announces(&self) -> (&Object, Access) {
        (self.value, Access::Read)
    }

    /// There is one sender, which needs no place in a queue.
    fn poll(&mut self, _: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<(), Cancelled>> {
        let polled = self.tx.poll_closed(make);
        self.waits = polled.is_pending();
        self.value.touch(Access::Read);
        polled.map(Ok)
    }

    fn leave(&mut self, _: &mut WaitNode) {}

    fn withdraw(&mut self) {
        if core::mem::take(&mut self.waits) {
            self.tx.forget_closed();
        }
    }
}

impl<T> Drop for Left<'_, T> {
    fn drop(&mut self) {
        self.withdraw()
    }
}

/// Says that nothing will come, unless something did. Dropped after the half it stands beside.
#[derive(Debug)]
struct End {
    value: Object,
    sent: bool,
}

impl End {
    /// Something came.
    #[inline]
    fn sent(mut self) {
        self.sent = true;
        self.value.touch(Access::Send)
    }
}

impl Drop for End {
    #[inline]
    fn drop(&mut self) {
        if !self.sent {
            self.value.touch(Access::Close)
        }
    }
}

impl<T> Sender<T> {
    #[inline]
    pub(super) fn new(tx: Tx<T, Waiter>, value: Object) -> Self {
        Self { tx, end: End { value, sent: false } }
    }

    /// Sends the value and wakes the receiver. Can't wait or be cancelled.
    ///
    /// # Errors
    /// The receiver is gone or has closed: the value comes back.
    #[inline]
    pub fn send(self, value: T) -> Result<(), T> {
        let sent = self.tx.send(value);
        self.end.sent();
        sent
    }

    /// Makes the answer an obligation of the region that `cx` stands in. Never waits, and isn't refused under
    /// cancellation.
    #[track_caller]
    pub fn reserve<C: Row>(self, cx: &Cx<C>) -> Permit<T> {
        self.reserve_at(cx, Location::caller())
    }

    pub(crate) fn reserve_at<C: Row>(self, cx: &Cx<C>, site: &'static Location<'static>) -> Permit<T> {
        self.owed_by(Owner::Region(cx.reserve(ObligationKind::SendPermit, site)))
    }

    /// For a thread outside of all regions; `site` is where it took this on.
    pub(crate) fn reserve_by_thread(self, site: &'static Location<'static>) -> Permit<T> {
        self.owed_by(Owner::Thread(site))
    }

    fn owed_by(self, owner: Owner) -> Permit<T> {
        Permit { owner, tx: self.tx, end: self.end }
    }

    /// Waits until the receiver is gone or has closed, so that a value would come back: to stop work whose result nobody
    /// wants.
    ///
    /// # Errors
    /// Cancelled.
    #[track_caller]
    pub fn closed<'s, 'c, C: Row>(
        &'s mut self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'s, 'c, T, C> {
        Left::wait(&mut self.tx, &self.end.value, cx, Location::caller())
    }

    /// Whether the receiver is gone or has closed, so that a value would come back.
    pub fn is_closed(&self) -> bool {
        self.end.value.touch(Access::Read);
        self.tx.is_closed()
    }
}

/// Who owes an answer.
#[derive(Debug)]
enum Owner {
    Region(Reserved),
    /// Nobody who could be told, until a task takes it over: a thread that took it on there.
    Thread(&'static Location<'static>),
}

impl Owner {
    #[inline]
    fn commit(self) -> Result<(), AlreadyLeaked> {
        match self {
            Owner::Region(record) => record.commit(),
            Owner::Thread(_) => Ok(()),
        }
    }
}

/// An answer that is owed. Dropping it tells the receiver that none will come.
#[derive(Debug)]
#[must_use = "dropping a permit tells the receiver that nothing will come"]
pub struct Permit<T> {
    owner: Owner,
    tx: Tx<T, Waiter>,
    end: End,
}

impl<T> Permit<T> {
    /// Sends the value. Can't wait, fail or be cancelled. If the receiver has gone, [`Sent`] hands the value back; it
    /// may be ignored.
    ///
    /// # Panics
    /// With debug assertions, if the permit's region has closed over it and reported it as leaked. Otherwise the value
    /// comes back then.
    #[track_caller]
    pub fn send(self, value: T) -> Sent<T> {
        match self.owner.commit() {
            Ok(()) => {
                let sent = Sent::new(self.tx.send(value));
                self.end.sent();
                sent
            }
            Err(AlreadyLeaked) => {
                drop(self.tx);
                Sent::too_late(value)
            }
        }
    }

    /// Tells the receiver that nothing will come. The same as dropping the permit.
    pub fn abort(self) {}

    /// Makes it an obligation of the region that `cx` stands in.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        match &mut self.owner {
            Owner::Region(record) => return record.rehome(cx),
            Owner::Thread(site) => self.owner = Owner::Region(cx.reserve(ObligationKind::SendPermit, site)),
        }
        Ok(())
    }

    /// See [`Sender::closed`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn closed<'s, 'c, C: Row>(
        &'s mut self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'s, 'c, T, C> {
        Left::wait(&mut self.tx, &self.end.value, cx, Location::caller())
    }

    /// See [`Sender::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.end.value.touch(Access::Read);
        self.tx.is_closed()
    }
}
