//! The scopes that a frame is nested in, as a list whose tail regions share: a region opened in the frame of
//! another one has that one's list behind its own few scopes. So a program that is `n` regions deep keeps `n`
//! entries, not `n` lists.
//!
//! Invariant `above.suffix`: the list of a region is a suffix of the list of every region that is opened inside it
//! by the same task.
//!
//! Not here: which of the scopes are masked (`shield`), which request reaches what (`origin`).
use alloc::sync::Arc;

/// Numbers of scopes inside one task, innermost first. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Above(Option<Arc<Link>>);

#[derive(Debug)]
struct Link {
    scope: u64,
    outer: Above,
}

impl Above {
    /// This list with a scope further in. One allocation.
    pub fn inside(&self, scope: u64) -> Above {
        Above(Some(Arc::new(Link { scope, outer: self.clone() })))
    }

    /// The scopes, innermost first.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let mut at = &self.0;
        core::iter::from_fn(move || {
            let link = at.as_deref()?;
            at = &link.outer.0;
            Some(link.scope)
        })
    }

    /// Those further in than the list of a region around, or all if that shares nothing with this one.
    pub(crate) fn further_in(&self, outer: &Above) -> impl Iterator<Item = u64> + '_ {
        let end = outer.0.as_ref().map_or(core::ptr::null(), Arc::as_ptr);
        let mut at = &self.0;
        core::iter::from_fn(move || {
            let link = at.as_deref().filter(|link| !core::ptr::eq(*link, end))?;
            at = &link.outer.0;
            Some(link.scope)
        })
    }

    /// Whether `scope` is one of them.
    pub fn contains(&self, scope: u64) -> bool {
        self.iter().any(|id| id == scope)
    }
}

impl Drop for Link {
    /// One after the other: a long list would need a long stack.
    fn drop(&mut self) {
        let mut next = self.outer.0.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.outer.0.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn lists_share_what_is_further_out() {
        let outer = Above::default().inside(1).inside(2);
        let (a, b) = (outer.inside(3), outer.inside(4));
        assert_eq!(a.iter().collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(b.iter().collect::<Vec<_>>(), [4, 2, 1]);
        assert_eq!(a.further_in(&outer).collect::<Vec<_>>(), [3]);
        assert_eq!(a.further_in(&b).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(a.further_in(&a).chain(outer.further_in(&Above::default())).collect::<Vec<_>>(), [2, 1]);
        drop(outer);
        assert!(a.contains(1) && !a.contains(4));
    }

    #[test]
    fn a_long_list_is_dropped_on_a_short_stack() {
        let long = if cfg!(miri) { 1000 } else { 1_000_000 };
        let list = (0..long).fold(Above::default(), |list, scope| list.inside(scope));
        assert_eq!(list.iter().next(), Some(long - 1));
        drop(list);
    }
}
