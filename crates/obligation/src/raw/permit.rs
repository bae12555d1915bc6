//! The owned right to a record: what a permit is made of.
use super::account::{Account, Leaving};
use super::pool::POOL;
use super::record::{Outstanding, Rehomed, id_of};
use super::spares;
use crate::{AlreadyLeaked, Settled};
use core::mem::ManuallyDrop;
use types::ObligationId;

/// A reserved effect that has to be committed or given up. Dropping it gives it up.
#[derive(Debug)]
pub struct Obligation {
    index: u32,
    generation: u32,
}

impl Obligation {
    /// Opens a record; `None` if the owner of the account settles, which admits nothing more. About 10 ns.
    ///
    /// # Panics
    /// With more than four million obligations outstanding in the process.
    ///
    /// # Safety
    /// The account stays alive until its count is zero again, as its type demands.
    pub unsafe fn open(of: Outstanding<'_>) -> Option<Obligation> {
        // Before the count: this may panic.
        let index = spares::take();
        if !of.account.admit() {
            spares::give(index);
            return None;
        }
        // SAFETY: the record is ours, and so is the admission.
        let generation = unsafe { POOL.record(index).reserve(of) };
        Some(Obligation { index, generation })
    }

    /// Its identity within the process.
    pub fn id(&self) -> ObligationId {
        id_of(self.index, self.generation)
    }

    /// The effect happens now. Fails only if the region closed over the permit and reported it.
    #[inline]
    pub fn commit(self) -> Result<(), AlreadyLeaked> {
        ManuallyDrop::new(self).leave(Settled::Committed)
    }

    /// Gives the effect up, with nothing done.
    #[inline]
    pub fn abort(self) -> Result<(), AlreadyLeaked> {
        ManuallyDrop::new(self).leave(Settled::Aborted)
    }

    /// As [`Obligation::commit`] and [`Obligation::abort`], for whoever has to say so before the account's owner
    /// hears of it: that happens when the result is dropped.
    ///
    /// # Panics
    /// If `to` is [`Settled::Leaked`], which is not the holder's to say.
    pub fn settle(self, to: Settled) -> Result<Option<Leaving>, AlreadyLeaked> {
        assert_ne!(to, Settled::Leaked, "only the owner of an account declares leaks");
        let this = ManuallyDrop::new(self);
        let result = POOL.record(this.index).settle_apart(this.generation, to);
        spares::give(this.index);
        result
    }

    /// Moves the record to another account, unless that one's owner settles.
    ///
    /// # Safety
    /// `to` is as in [`Obligation::open`].
    pub unsafe fn rehome(&mut self, to: &Account) -> Result<Rehomed, AlreadyLeaked> {
        // SAFETY: says the caller; the permit is this one.
        unsafe { POOL.record(self.index).rehome(to) }
    }

    fn leave(&self, to: Settled) -> Result<(), AlreadyLeaked> {
        let result = POOL.record(self.index).settle(self.generation, to);
        spares::give(self.index);
        result
    }
}

impl Drop for Obligation {
    fn drop(&mut self) {
        let _ = self.leave(Settled::Aborted);
    }
}
