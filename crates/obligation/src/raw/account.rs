//! The side of a region that its obligations see: how many are outstanding, and whom to tell at zero.
//!
//! ```text
//!  31        30 .. 0
//! ┌──────────┬───────────────┐   admit:  +1, refused once SETTLING
//! │ SETTLING │ outstanding   │   settle: sets SETTLING, once
//! └──────────┴───────────────┘   leave:  -1; SETTLING | 1 before it: that was the last one, tell the owner
//! ```
//! Invariant `account.told-once`: nothing is admitted after `SETTLING`, so the count reaches zero once after
//! it, and the one `fetch_sub` that takes it there is the only one that tells (`obligation.balanced`).
use crate::sync::{AtomicU32, Ordering::*};
use core::ptr::NonNull;

/// A count of outstanding obligations, and the function to call when the last one goes.
///
/// It must stay where it is while its count is above zero, and after [`Account::settle`] returned
/// [`Settle::Waits`] until `zero` was called.
pub struct Account {
    state: AtomicU32,
    zero: unsafe fn(NonNull<Account>),
}

const SETTLING: u32 = 1 << 31;

/// What [`Account::settle`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Nothing is outstanding, and nothing will be. `zero` is not called.
    Zero,
    /// Something is outstanding: `zero` will be called once, when the last one goes.
    Waits,
    /// This was asked before; the first answer holds.
    Already,
}

impl core::fmt::Debug for Account {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Account").field("outstanding", &self.outstanding()).finish_non_exhaustive()
    }
}

/// An admission whose record was settled or moved away: dropping it is one fewer in the account, and tells the owner
/// of the last one. Kept for a moment by who has to say so first, where the owner is not to be told.
#[derive(Debug)]
#[must_use = "the owner of the account waits for it"]
pub struct Leaving(NonNull<Account>);

impl Leaving {
    /// # Safety
    /// The caller owns one admission of `account` and gives it up.
    pub(super) unsafe fn new(account: NonNull<Account>) -> Leaving {
        Leaving(account)
    }
}

impl Drop for Leaving {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: whoever made this gave the admission up, and it keeps the account alive until here.
        unsafe { Account::leave(self.0) }
    }
}

impl Account {
    /// An empty account. `zero` is called once, on whatever thread, with the account's address, when the
    /// last obligation goes after [`Account::settle`] returned [`Settle::Waits`].
    #[cfg(not(loom))]
    pub const fn new(zero: unsafe fn(NonNull<Account>)) -> Account {
        Account { state: AtomicU32::new(0), zero }
    }

    /// As in an ordinary build; loom's atomics have no constants.
    #[cfg(loom)]
    pub fn new(zero: unsafe fn(NonNull<Account>)) -> Account {
        Account { state: AtomicU32::new(0), zero }
    }

    /// How many are outstanding.
    #[inline]
    pub fn outstanding(&self) -> u32 {
        self.state.load(Acquire) & !SETTLING
    }

    /// One more, unless the owner settles: then nothing is counted.
    #[inline]
    pub fn admit(&self) -> bool {
        let mut now = self.state.load(Relaxed);
        loop {
            if now & SETTLING != 0 && !types::seeded!("account.admit-while-settling") {
                return false;
            }
            match self.state.compare_exchange_weak(now, now + 1, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(e) => now = e,
            }
        }
    }

    /// From now on nothing is admitted, and the owner wants to hear of zero.
    pub fn settle(&self) -> Settle {
        let before = self.state.fetch_or(SETTLING, AcqRel);
        if before & SETTLING != 0 {
            Settle::Already
        } else if before == 0 {
            Settle::Zero
        } else {
            Settle::Waits
        }
    }

    /// As [`Account::settle`], if nothing is outstanding. False: nothing has changed; or that was asked before.
    pub fn settle_if_none(&self) -> bool {
        self.state.compare_exchange(0, SETTLING, AcqRel, Relaxed).is_ok()
    }

    /// One fewer.
    ///
    /// # Safety
    /// The caller owns one admission of this account and gives it up: a record that it settled or moved away.
    pub unsafe fn leave(this: NonNull<Account>) {
        // SAFETY: until the count goes down, it keeps the account alive. Afterwards the account is used only
        // if this was the last one and the owner settles: then it waits for `zero` (`account.told-once`).
        unsafe {
            let tell = this.as_ref().zero;
            let before = this.as_ref().state.fetch_sub(1, AcqRel);
            debug_assert!(before & !SETTLING > 0, "an account went below zero");
            let last = if types::seeded!("account.tell-without-settling") {
                before & !SETTLING == 1
            } else {
                before == SETTLING | 1
            };
            if last {
                tell(this)
            }
        }
    }
}
