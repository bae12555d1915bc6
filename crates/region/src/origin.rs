//! Whose request it was: identities made from paths, the origin a region gives its requests, and what an
//! origin makes of a member's end (`region.outcome`): a failure, a consequence, or news from above.
use crate::region::Region;
use core::panic::Location;
use core::sync::atomic::Ordering::*;
use task::Verdict;
use types::{CancelKind, Cancelled, Origin, RegionId, TaskId};

/// Mixes an id and an index into a new id (the finalizer of SplitMix64). Identity by path: the n-th thing a
/// region ever started has the same id in every run of the same program, whatever the schedule.
pub fn mix(id: u64, index: u64) -> u64 {
    let mut z = id ^ index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The identity of a task: its region's id and its index there.
pub fn task_id(region: RegionId, index: u32) -> TaskId {
    TaskId::from_u64(mix(region.as_u64(), u64::from(index)))
}

/// What a handle joins as whose spawn was refused by `region`.
pub fn refusal(region: &Region, at: &'static Location<'static>) -> Cancelled {
    Cancelled::new(CancelKind::SpawnRefused, Origin { scope: region.id.as_u64(), request: 0 })
        .why("the region it was spawned into no longer admits tasks")
        .at(at)
        .build()
}

impl Region {
    /// Whether a member's end is a failure: an error, a panic, or a cancellation that nobody asked of the
    /// task or of anything above it.
    pub fn is_failure(&self, task: TaskId, verdict: Verdict<'_>) -> bool {
        match verdict {
            Verdict::Ok => false,
            Verdict::Err | Verdict::Panicked => true,
            Verdict::Cancelled(c) => {
                let scope = c.origin().scope;
                scope != task.as_u64() && !self.is_own(scope) && !self.is_above(scope)
            }
        }
    }

    /// Whether a request made on `scope` was made on this very region: what it does to members is a
    /// consequence, not news (`region.outcome`).
    pub fn is_own(&self, scope: u64) -> bool {
        let own = scope == self.id.as_u64() || self.own_scope == Some(scope);
        own && !types::seeded!("outcome.consequence-counts")
    }

    /// Whether `scope` is above this region: an enclosing scope of its body's task, that task, a region
    /// further up, or the outside.
    pub fn is_above(&self, scope: u64) -> bool {
        let (mut at, mut task) = (Some(self), None);
        while let Some(region) = at {
            // Further regions of one task have nothing to add to what its innermost one is nested in
            // (`above.suffix`).
            if task.is_none() || task != region.body_task {
                task = region.body_task;
                let body = task.is_some_and(|t| t.as_u64() == scope);
                if body || region.scopes_above.contains(scope) {
                    return true;
                }
            }
            at = region.parent.as_deref();
            if at.is_some_and(|r| r.is_own(scope)) {
                return true;
            }
        }
        scope == 0
    }

    /// An origin for the next request made on this region.
    pub fn next_origin(&self) -> Origin {
        Origin { scope: self.id.as_u64(), request: self.requests.fetch_add(1, Relaxed) + 1 }
    }
}
