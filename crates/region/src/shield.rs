//! Masks as a region knows them: which of the scopes that its frame is nested in keep requests away from it.
//!
//! A mask hides requests on its own scope and above (`cancel.masked`). Requests come from three sides: from the
//! region above, stopped if a mask lies between the two (the region is then *shielded*); from a scope that the
//! frame is nested in; from the task. When a mask ends, or is pierced at the cleanup deadline, what it kept
//! away is delivered.
use crate::region::{Inner, Region};
use core::sync::atomic::Ordering::*;

impl Region {
    /// Whether a mask lies between the region above and this one: its requests stop here.
    pub fn is_shielded(&self) -> bool {
        self.shielded.load(Acquire)
    }

    /// Whether the region's frame is nested in `scope`, a scope of its body's task, with no mask between.
    pub fn hears(&self, scope: u64) -> bool {
        let inner = self.inner.lock();
        // Innermost first: a masked scope hides what is asked of itself, too.
        let reached = self.scopes_above.iter().take_while(|id| !inner.is_masked(*id)).any(|id| id == scope);
        reached || self.own_scope == Some(scope)
    }

    /// Whether a request on its body's task reaches the region, through the scopes its frame is nested in.
    pub fn hears_task(&self) -> bool {
        self.inner.lock().masks.is_empty()
    }

    /// The mask of `scope` has ended. True if it was this one that kept things away from the region, and not
    /// another one further in as well; then the caller delivers what is effective around the scope.
    pub fn unmask(&self, scope: u64) -> bool {
        let mut inner = self.inner.lock();
        let before = inner.masks.len();
        inner.masks.retain(|mask| mask.scope != scope);
        self.note_shield(&inner);
        let inside = |id: &u64| *id != scope;
        inner.masks.len() != before
            && !self.scopes_above.iter().take_while(inside).any(|id| inner.is_masked(id))
    }

    /// The cleanup deadline of `overdue`, which is this region or one above it, has passed: no mask inside that
    /// keeps anything away any more, but those that are firm.
    pub(crate) fn pierce(&self, inner: &mut Inner, overdue: &Region) {
        inner.masks.retain(|mask| mask.firm || overdue.scopes_above.contains(mask.scope));
        self.note_shield(inner);
    }

    /// Whether a mask that no cleanup deadline pierces lies between the region above and this one.
    pub(crate) fn is_held(&self, inner: &Inner) -> bool {
        self.between().any(|id| inner.masks.iter().any(|mask| mask.firm && mask.scope == id))
    }

    /// Works out whether the region is shielded. To be called after every change of its masks.
    pub(crate) fn note_shield(&self, inner: &Inner) {
        let shielded = self.between().any(|id| inner.is_masked(id));
        self.shielded.store(shielded, Release);
    }

    /// The scopes between the region above and this one.
    fn between(&self) -> impl Iterator<Item = u64> {
        let above = |id: &u64| self.parent.as_ref().is_some_and(|p| p.is_own(*id));
        self.scopes_above.iter().take_while(move |id| !above(id))
    }
}

impl Inner {
    fn is_masked(&self, scope: u64) -> bool {
        self.masks.iter().any(|mask| mask.scope == scope)
    }
}
