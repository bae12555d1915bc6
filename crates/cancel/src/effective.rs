//! What of all requests a scope can see (`cancel.effective`), as a function of the scopes around it.

/// One scope on the way from where a checkpoint stands up to its task's root.
#[derive(Clone, Debug)]
pub struct ScopeView<R> {
    /// The request on this very scope.
    pub request: Option<R>,
    /// Whether the scope hides requests on itself and above.
    pub masked: bool,
}

/// The most severe request on the first scope or above it, strictly below the first masked one
/// (`cancel.effective`). `severity` orders requests; on a tie the innermost stays.
pub fn effective<R>(
    innermost_first: impl IntoIterator<Item = ScopeView<R>>,
    severity: impl Fn(&R) -> u8,
) -> Option<R> {
    let mut best: Option<R> = None;
    for scope in innermost_first {
        if scope.masked && !types::seeded!("cancel.mask-ignored") {
            break;
        }
        if let Some(r) = scope.request
            && best.as_ref().is_none_or(|b| severity(b) < severity(&r))
        {
            best = Some(r);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::{vec, vec::Vec};

    #[test]
    fn a_mask_hides_itself_and_above_but_not_below() {
        let view = |request: Option<u8>, masked| ScopeView { request, masked };
        let seen = |v: Vec<ScopeView<u8>>| effective(v, |r| *r);
        assert_eq!(seen(vec![view(Some(1), false), view(Some(5), true), view(Some(9), false)]), Some(1));
        assert_eq!(seen(vec![view(None, true), view(Some(9), false)]), None);
        assert_eq!(seen(vec![view(Some(2), false), view(Some(9), false)]), Some(9));
        assert_eq!(seen(vec![]), None);
    }
}
