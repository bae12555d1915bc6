//! A region's account of obligations: the way back from the account to its region, and the calls that need
//! the region to be alive.
use crate::region::Region;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::offset_of;
use core::ptr::NonNull;
use obligation::{Account, Note, Settle, Step};

/// What the account calls when the last obligation goes and somebody waits for it.
///
/// # Safety
/// `account` is the `account` field of a `Region` inside an `Arc` that `begin_settling` counted a strong
/// reference of for this very call.
pub(crate) unsafe fn account_is_zero(account: NonNull<Account>) {
    let address = account.as_ptr().addr() - offset_of!(Region, account);
    // SAFETY: the region of this account, inside an `Arc` that was exposed when it was made (`regions.in-arc`);
    // the counted reference is taken over, says the caller.
    let region = unsafe { Arc::from_raw(core::ptr::with_exposed_provenance::<Region>(address)) };
    let closer = region.inner.lock().gate.take_closer();
    if let Some(closer) = closer {
        closer.wake()
    }
}

impl Region {
    /// Closes the account: nothing more is admitted, and the last settled obligation wakes whoever polls. True
    /// if none is outstanding. May be called again, by whoever takes the close over.
    pub fn begin_settling(self: &Arc<Region>) -> bool {
        if self.account.settle_if_none() {
            return true;
        }
        let counted = Arc::into_raw(self.clone());
        if self.account.settle() == Settle::Waits {
            // `account_is_zero` takes the reference over.
            return false;
        }
        // SAFETY: the reference was counted above, and only after `Waits` is `account_is_zero` called.
        drop(unsafe { Arc::from_raw(counted) });
        self.account.outstanding() == 0
    }

    /// Declares every outstanding obligation leaked. `each` takes the steps.
    pub(crate) fn leak_all(&self, each: impl FnMut(Step<'_>)) -> Vec<Note> {
        // SAFETY: regions live in an `Arc` that this call's caller holds; `account_is_zero` gives up another
        // reference than that.
        unsafe { self.account.leak_all(each) }
    }

    /// Moves what the body of this region reserved and still holds to the region that waits for it. `each` takes the
    /// steps.
    pub(crate) fn move_up(&self, to: &Region, each: impl FnMut(Step<'_>)) {
        // SAFETY: both regions live in `Arc`s that this call's caller holds.
        unsafe { self.account.move_body_obligations(&to.account, each) }
    }
}
