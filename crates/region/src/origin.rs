//! Whose request it was: identities made from paths, the origin a region gives its requests, and what an
//! origin makes of a member's end (`region.outcome`): a failure, a consequence, or news from above.
//!
//! Invariant `origin.steps`: the end of a tree that is `n` regions deep looks at `O(n)` regions for all its members together,
//! not at `n` for each. A request says how deep its origin is, so that nobody looks for one further down; and the answer is
//! remembered by each region on the way up, so that the regions around need not look again. What is above a region never
//! changes, and no number is used again (`scope.numbering`), so what is remembered stays true.
use crate::above::Above;
use crate::region::Region;
use core::panic::Location;
use core::sync::atomic::Ordering::*;
use task::Verdict;
use types::{CancelKind, Cancelled, CancelledBuilder, Origin, RegionId, TaskId};

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
        .depth(region.depth)
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
                scope != task.as_u64() && !self.is_own(scope) && !self.is_above(c)
            }
        }
    }

    /// Whether a request made on `scope` was made on this very region: what it does to members is a
    /// consequence, not news (`region.outcome`).
    pub fn is_own(&self, scope: u64) -> bool {
        let own = scope == self.id.as_u64() || self.own_scope == Some(scope);
        own && !types::seeded!("outcome.consequence-counts")
    }

    /// Whether a request was made above this region: on an enclosing scope of its body's task, on that task, on a
    /// region further up, or outside.
    pub fn is_above(&self, request: &Cancelled) -> bool {
        self.look_above(request).0
    }

    /// [`Region::is_above`], and how many regions and scopes it had to look at (`origin.steps`).
    fn look_above(&self, request: &Cancelled) -> (bool, usize) {
        let scope = request.origin().scope;
        if scope == 0 {
            return (true, 0);
        }
        let climb = self.climb(scope, request.depth());
        let answer = if climb.found { scope } else { not_above(scope) };
        let mut at = Some(self);
        for _ in 0..climb.regions {
            let Some(region) = at else { break };
            region.last_looked_for.store(answer, Relaxed);
            at = region.parent.as_deref();
        }
        (climb.found, climb.regions + climb.scopes)
    }

    /// Looks for `scope` above this region, at regions that are no less deep than it is.
    fn climb(&self, scope: u64, depth: u16) -> Climb {
        let mut climb = Climb { found: false, regions: 0, scopes: 0 };
        let mut at = Some(self);
        while let Some(region) = at.filter(|region| region.depth >= depth) {
            let known = region.last_looked_for.load(Relaxed);
            climb.found = known == scope;
            if climb.found || known == not_above(scope) {
                return climb;
            }
            climb.regions += 1;
            at = region.parent.as_deref();
            // What a region around is nested in as well is looked at there (`above.suffix`).
            let around = at.map(|r| &r.scopes_above);
            let mut scopes = region.scopes_above.further_in(around.unwrap_or(&Above::default()));
            climb.found = region.body_task.is_some_and(|task| task.as_u64() == scope)
                || scopes.any(|id| {
                    climb.scopes += 1;
                    id == scope
                })
                || at.is_some_and(|r| r.is_own(scope));
            if climb.found {
                return climb;
            }
        }
        climb
    }

    /// How many regions are around this one; from 65,535 on, that.
    pub fn depth(&self) -> u16 {
        self.depth
    }

    /// How many regions are at least around what is opened by a member, be it a region or a scope.
    pub fn depth_inside(&self) -> u16 {
        self.depth.saturating_add(1)
    }

    /// The next request made on this region.
    pub fn next_request(&self, kind: CancelKind) -> CancelledBuilder {
        let request = self.requests.fetch_add(1, Relaxed) + 1;
        Cancelled::new(kind, Origin { scope: self.id.as_u64(), request }).depth(self.depth)
    }
}

/// A way up the tree.
struct Climb {
    /// Whether what was looked for is above all of them.
    found: bool,
    /// How many regions had to be looked at: those of which no answer was known.
    regions: usize,
    /// How many scopes within their tasks.
    scopes: usize,
}

/// How a region remembers that this scope is not above it: by a number that no path leads to ([`mix`] of a region is a member's).
fn not_above(scope: u64) -> u64 {
    !scope
}

#[cfg(all(test, not(loom)))]
pub(crate) mod tests;
