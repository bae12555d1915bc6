//! Permits that are held: [`Permit`].
//!
//! The count goes back exactly once, whatever became of the record: a permit that is given back after its region reported
//! it is late, but it's given back.
//!
//! Not here: waiting for permits (`acquire`).

use core::{ops::Deref, panic::Location};

use cx::{Access, Cx, Hold, Holding, Reserved, Row};
use obligation::AlreadyLeaked;
use types::ObligationKind;

use super::{Semaphore, acquire::weight};

/// Some permits of a semaphore, held by reference (`H` is `&Semaphore`) or with a share of it (`H` is `Arc<Semaphore>`).
/// Dropping it gives them back; that needs no `Cx`.
#[must_use = "dropping it gives the permits back"]
#[derive(Debug)]
pub struct Permit<H: Deref<Target = Semaphore>> {
    /// `None` of a thread outside of all regions.
    record: Option<Reserved>,
    held: Held<H>,
}

impl<H: Deref<Target = Semaphore>> Permit<H> {
    pub(super) fn new(record: Reserved, held: Held<H>) -> Self {
        Self { record: Some(record), held }
    }

    /// Of a thread that has just acquired so many.
    pub(super) fn of_a_thread(semaphore: H, count: usize, site: &'static Location<'static>) -> Self {
        Self { record: None, held: Held { semaphore, count, site, hold: None, movable: true } }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.held.count
    }

    /// Gives them back. The same as dropping this, but recorded as done and not as given up.
    pub fn release(self) {
        // The count goes back by `held`, in time or late.
        let _ = self.record.map(Reserved::commit);
    }

    /// Takes them out of the semaphore for good. [`Semaphore::add`] is the reverse.
    pub fn retire(self) {
        let mut held = self.held;
        held.semaphore.retired(core::mem::take(&mut held.count));
        let _ = self.record.map(Reserved::commit);
    }

    /// Takes `count` of them into a permit of their own, to be given back by themselves: an obligation of the region that `cx`
    /// stands in, reserved at this line. `None`, and all stay here, if there are fewer.
    #[track_caller]
    pub fn split<C: Row>(&mut self, cx: &Cx<C>, count: usize) -> Option<Self>
    where
        H: Clone,
    {
        let left = self.held.count.checked_sub(count)?;
        let (semaphore, site) = (self.held.semaphore.clone(), Location::caller());
        self.held.count = left;
        let held = Held::new(semaphore, cx, count, site, self.held.movable);
        Some(Self::new(cx.reserve(ObligationKind::Semaphore, site), held))
    }

    /// Adds the permits of `other`, to be given back together. They are one obligation then: that of these permits, or of
    /// `other` if these are none.
    ///
    /// # Panics
    /// If `other` is of another semaphore.
    #[track_caller]
    pub fn merge(&mut self, other: Self) {
        assert!(
            core::ptr::eq(&*self.held.semaphore, &*other.held.semaphore),
            "permits of two semaphores can't be merged"
        );
        let Self { record, mut held } = other;
        self.held.count += core::mem::take(&mut held.count);
        match self.record {
            // A record that was reported as leaked changes nothing about the count, as in `release`.
            Some(_) => drop(record.map(Reserved::commit)),
            None => self.record = record,
        }
        self.held.movable |= held.movable;
        if self.held.hold.is_none() {
            self.held.hold = held.hold.take();
        }
    }

    /// Makes them an obligation of the region that `cx` stands in, before they are handed there.
    ///
    /// # Errors
    /// The region they belonged to has reported them as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.held.give_away(cx);
        match &mut self.record {
            Some(record) => record.rehome(cx),
            None => {
                self.record = Some(cx.reserve(ObligationKind::Semaphore, self.held.site));
                Ok(())
            }
        }
    }
}

/// In deadlock reports.
const WHAT: &str = "permits of the semaphore";

/// A count that goes back when it's dropped.
#[derive(Debug)]
pub(super) struct Held<H: Deref<Target = Semaphore>> {
    semaphore: H,
    count: usize,
    /// Where they were taken.
    site: &'static Location<'static>,
    /// Set where tasks are traced: it says who holds the permits.
    hold: Option<Hold>,
    /// Whether they may be given back by somebody else.
    movable: bool,
}

impl<H: Deref<Target = Semaphore>> Held<H> {
    /// The caller has just acquired `count` permits; `movable` ones may go to another task.
    #[inline]
    pub(super) fn new<C: Row>(
        semaphore: H,
        cx: &Cx<C>,
        count: usize,
        site: &'static Location<'static>,
        movable: bool,
    ) -> Self {
        let by = if movable { Holding::ForAnybody } else { Holding::ForItself };
        let hold = cx.hold(semaphore.address(), WHAT, site, by, || semaphore.permits.available());
        Self { semaphore, count, site, hold, movable }
    }

    /// They may be given back by somebody else from now on.
    fn give_away<C: Row>(&mut self, cx: &Cx<C>) {
        self.movable = true;
        if let Some(hold) = self.hold.take() {
            let free = self.semaphore.permits.available();
            self.hold = cx.hold(self.semaphore.address(), WHAT, self.site, Holding::ForAnybody, || free);
            hold.release(free)
        }
    }
}

impl<H: Deref<Target = Semaphore>> Drop for Held<H> {
    #[inline]
    fn drop(&mut self) {
        if self.count != 0 {
            self.semaphore.permits.release(self.count);
            self.semaphore.object.touch(Access::Release(weight(self.count)));
        }
        if let Some(hold) = self.hold.take() {
            given_back(hold, &self.semaphore)
        }
    }
}

#[cold]
fn given_back(hold: Hold, semaphore: &Semaphore) {
    hold.release(semaphore.permits.available())
}
