//! Permits that are held: [`Permit`].
//!
//! The count goes back exactly once, whatever became of the record: a permit that is given back after its region reported
//! it is late, but it's given back.
//!
//! Not here: waiting for permits (`acquire`).

use core::{ops::Deref, panic::Location};

use cx::{Access, Cx, Hold, Holding, Reserved, Row};
use obligation::AlreadyLeaked;

use super::{Semaphore, acquire::weight};

/// Some permits of a semaphore, held by reference (`H` is `&Semaphore`) or with a share of it (`H` is `Arc<Semaphore>`).
/// Dropping it gives them back; that needs no `Cx`.
#[must_use = "dropping it gives the permits back"]
#[derive(Debug)]
pub struct Permit<H: Deref<Target = Semaphore>> {
    record: Reserved,
    held: Held<H>,
}

impl<H: Deref<Target = Semaphore>> Permit<H> {
    pub(super) fn new(record: Reserved, held: Held<H>) -> Self {
        Self { record, held }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.held.count
    }

    /// Gives them back. The same as dropping this, but recorded as done and not as given up.
    pub fn release(self) {
        // The count goes back by `held`, in time or late.
        let _ = self.record.commit();
    }

    /// Takes them out of the semaphore for good. [`Semaphore::add`] is the reverse.
    pub fn retire(self) {
        let mut held = self.held;
        held.count = 0;
        let _ = self.record.commit();
    }

    /// Makes them an obligation of the region that `cx` stands in, before they are handed there.
    ///
    /// # Errors
    /// The region they belonged to has reported them as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.held.give_away(cx);
        self.record.rehome(cx)
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
        Self { semaphore, count, site, hold }
    }

    /// They may be given back by somebody else from now on.
    fn give_away<C: Row>(&mut self, cx: &Cx<C>) {
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
