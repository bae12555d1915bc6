//! Room for one value, as an obligation: [`Permit`], and [`OwnedPermit`] for those who outlive their sender.
//!
//! Both hold a record of their region and a credit of the ring. The record is settled first: only who wins it acts on
//! the channel (`obligation.linear`). A record that was reported as leaked changes nothing about the credit, which is
//! given back here and nowhere else.
//!
//! Not here: waiting for room (`sender`).

use cx::{Cx, Reserved, Row, Waiter};
use obligation::AlreadyLeaked;

use super::ring;
use crate::Sent;

/// Room for one value. Dropping it gives the room to the next in line.
#[derive(Debug)]
#[must_use = "dropping a permit gives the room back without sending"]
pub struct Permit<'a, T> {
    record: Reserved,
    credit: ring::Permit<'a, T, Waiter>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(record: Reserved, credit: ring::Permit<'a, T, Waiter>) -> Self {
        Self { record, credit }
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
        match self.record.commit() {
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
        self.record.rehome(cx)
    }

    /// The same permit with a sender of its own, so that it may go to another task. [`rehome`](Self::rehome) it if that
    /// task's region isn't the one it was reserved in.
    pub fn into_owned(self) -> OwnedPermit<T> {
        OwnedPermit { record: self.record, credit: self.credit.into_owned() }
    }
}

/// As [`Permit`], with a sender of its own.
#[derive(Debug)]
#[must_use = "dropping a permit gives the room back without sending"]
pub struct OwnedPermit<T> {
    record: Reserved,
    credit: ring::OwnedPermit<T, Waiter>,
}

impl<T> OwnedPermit<T> {
    /// See [`Permit::send`].
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn send(self, value: T) -> Sent<T> {
        match self.record.commit() {
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
        self.record.rehome(cx)
    }
}
