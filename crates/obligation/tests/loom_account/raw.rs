//! Regions and a record as the models have them, and the promises that the real ones make to their accounts.
use asupersync_obligation::{Account, Outstanding, Record, Settle};
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use types::{ObligationKind, TaskId};

/// Gives up an admission that the caller has just got.
pub(crate) fn leave(account: &Account) {
    // SAFETY: says the caller.
    unsafe { Account::leave(NonNull::from(account)) }
}

/// A region, as far as its account knows one. The account comes first, so that its address is the region's.
#[repr(C)]
pub(crate) struct Region {
    pub(crate) account: Account,
    told: AtomicU32,
    /// Closed and given back: whoever touches the account from here on is wrong.
    pub(crate) gone: AtomicBool,
}

/// # Safety
/// `account` is the first field of a `Region`.
unsafe fn zero(account: NonNull<Account>) {
    // SAFETY: says the caller.
    let region = unsafe { account.cast::<Region>().as_ref() };
    assert!(!region.gone.load(SeqCst), "told after the close");
    region.told.fetch_add(1, SeqCst);
}

/// One region and some records. The `Arc` is std's: dropping loom's is a step, and after a failure there are none.
pub(crate) struct World {
    pub(crate) inner: Region,
    pub(crate) outer: Region,
    pub(crate) record: Record,
}

impl Region {
    fn new() -> Region {
        Region { account: Account::new(zero), told: AtomicU32::new(0), gone: AtomicBool::new(false) }
    }

    /// Settles as the kernel does: true if it may close now, false if it has to be told first.
    pub(crate) fn settle(&self) -> bool {
        self.account.settle_if_none() || self.account.settle() == Settle::Zero
    }

    /// What holds once everybody is through: told if and only if it had to be, and nothing is counted.
    pub(crate) fn check(&self, closed_at_once: bool) {
        assert_eq!(self.account.outstanding(), 0, "an obligation was never uncounted");
        assert_eq!(self.told.load(SeqCst), u32::from(!closed_at_once), "told of zero");
    }
}

impl World {
    pub(crate) fn new() -> Arc<World> {
        Arc::new(World { inner: Region::new(), outer: Region::new(), record: Record::new(0) })
    }

    /// Reserves the record in `region`, if that admits. Returns the permit: its generation.
    pub(crate) fn reserve(&self, region: &Region) -> Option<u32> {
        let of = Outstanding {
            account: &region.account,
            kind: ObligationKind::Lease,
            site: Location::caller(),
            by: TaskId::from_u64(1),
            from_body: true,
        };
        // SAFETY: one permit at a time; the admission is the record's; the world outlives the model's threads.
        region.account.admit().then(|| unsafe { self.record.reserve(of) })
    }

    /// Leaks the record, seen as reserved in `region` with this state.
    pub(crate) fn leak(&self, state: u64, region: &Region) -> bool {
        // SAFETY: seen there; the world outlives the threads.
        unsafe { self.record.leak(state, &region.account) }.is_some()
    }

    /// Moves the record, seen as reserved in the inner region with this state, to the outer one.
    pub(crate) fn move_out(&self, state: u64) {
        let from = NonNull::from(&self.inner.account);
        // SAFETY: seen there; the world outlives the threads.
        let _ = unsafe { self.record.move_to(state, from, &self.outer.account) };
    }
}
