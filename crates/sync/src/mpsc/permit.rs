//! Room for one value, as an obligation: [`Permit`], and [`OwnedPermit`] for those who outlive their sender.
//!
//! Both hold a record of their region ([`Owed`]) and a credit of the ring. The record is settled first: only who wins it acts on
//! the channel (`obligation.linear`). A record that was reported as leaked changes nothing about the credit, which is
//! given back here and nowhere else.
//!
//! Not here: waiting for room (`sender`).

use core::panic::Location;

use cx::{Cx, Hold, Holding, Reserved, Row, Waiter};
use obligation::AlreadyLeaked;
use types::ObligationKind;

use super::ring::{self, Tx};
use crate::Sent;

/// In deadlock reports.
const WHAT: &str = "room in the channel";

/// A value that is owed for room that was reserved.
#[derive(Debug)]
pub(super) struct Owed {
    record: Reserved,
    /// Set where tasks are traced: it says who has the room. Anybody may, as a permit can be handed on.
    hold: Option<Hold>,
}

impl Owed {
    /// The caller has just reserved room for one.
    #[inline]
    pub(super) fn new<T, C: Row>(tx: &Tx<T, Waiter>, cx: &Cx<C>, site: &'static Location<'static>) -> Self {
        let record = cx.reserve(ObligationKind::SendPermit, site);
        let hold = cx.hold(tx.address(), WHAT, site, Holding::ForAnybody, || tx.free() as usize);
        Self { record, hold }
    }

    #[inline]
    fn commit(self) -> Result<(), AlreadyLeaked> {
        self.record.commit()?;
        if let Some(hold) = self.hold {
            hold.spend()
        }
        Ok(())
    }
}

/// Room for one value. Dropping it gives the room to the next in line.
#[derive(Debug)]
#[must_use = "dropping a permit gives the room back without sending"]
pub struct Permit<'a, T> {
    owed: Owed,
    credit: ring::Permit<'a, T, Waiter>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(owed: Owed, credit: ring::Permit<'a, T, Waiter>) -> Self {
        Self { owed, credit }
    }

    /// Sends. Can't wait, fail or be cancelled. After the receiver has gone, [`Sent`] hands the value back; it may be
    /// ignored. (A receiver that only closed the channel still receives it.)
    ///
    /// # Panics
    /// With debug assertions, if the permit's region has closed over it and reported it as leaked. Otherwise the value
    /// comes back then.
    #[inline]
    #[track_caller]
    pub fn send(self, value: T) -> Sent<T> {
        match self.owed.commit() {
            Ok(()) => Sent::new(self.credit.send(value)),
            Err(AlreadyLeaked) => {
                drop(self.credit);
                Sent::too_late(value)
            }
        }
    }

    /// Gives the room back, to the next in line if there is one. The same as dropping the permit.
    pub fn abort(self) {}

    /// Makes it an obligation of the region that `cx` stands in, before it is handed there.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.owed.record.rehome(cx)
    }

    /// The same permit with a sender of its own, so that it may go to another task. [`rehome`](Self::rehome) it if that
    /// task's region isn't the one it was reserved in.
    pub fn into_owned(self) -> OwnedPermit<T> {
        OwnedPermit { owed: self.owed, credit: self.credit.into_owned() }
    }
}

/// As [`Permit`], with a sender of its own.
#[derive(Debug)]
#[must_use = "dropping a permit gives the room back without sending"]
pub struct OwnedPermit<T> {
    owed: Owed,
    credit: ring::OwnedPermit<T, Waiter>,
}

impl<T> OwnedPermit<T> {
    /// See [`Permit::send`].
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn send(self, value: T) -> Sent<T> {
        match self.owed.commit() {
            Ok(()) => Sent::new(self.credit.send(value)),
            Err(AlreadyLeaked) => {
                drop(self.credit);
                Sent::too_late(value)
            }
        }
    }

    /// See [`Permit::abort`].
    pub fn abort(self) {}

    /// See [`Permit::rehome`].
    ///
    /// # Errors
    /// As there.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.owed.record.rehome(cx)
    }
}
