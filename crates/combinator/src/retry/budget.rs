//! [`RetryBudget`]: retries as a share of calls, so that they cannot make an overload worse.
//!
//! A server that fails under load gets up to `n` times the load if every caller tries `n` times. A budget that all
//! callers of one server share bounds that, whatever each of them may do on its own:
//!
//! - `retry.amplification`: over any stretch in which `n` calls began, at most
//!   `reserve + n * percent / 100` retries begin.
//!
//! Source: the retry budget of Twitter's Finagle (`RetryBudget`: deposits by calls, withdrawals by retries), with
//! a bound on what is saved up instead of deposits that expire, so that it needs no clock; gRPC's retry throttling
//! (proposal A6, `retryThrottling`) does the same with a deposit for each success.
//!
//! Not here: who retries (`retry`).
use cx::{Access, Cx, Row};
use sync::shared::Shared;
use types::Cancelled;

/// One token, in hundredths, which is what percents are counted in.
const TOKEN: u64 = 100;

/// Tokens for retries: each call puts a share of one in, each retry takes one.
///
/// ```
/// use asupersync_combinator::retry::RetryBudget;
/// // Every fifth call may be repeated, and 10 more at any time.
/// let budget = RetryBudget::new(10, 20);
/// assert_eq!(budget.available(), 10);
/// ```
///
/// # Cost
/// A short lock for each call and each retry.
#[derive(Debug)]
pub struct RetryBudget {
    /// In hundredths of a token.
    level: Shared<u64>,
    full: u64,
    percent: u64,
}

impl RetryBudget {
    /// A budget that begins with `reserve` tokens and never has more. Each call puts in `percent` hundredths of
    /// one. With a reserve of 0 nothing is ever repeated; with 0 percent, `reserve` retries in all.
    #[must_use]
    #[track_caller]
    pub fn new(reserve: u32, percent: u32) -> RetryBudget {
        let full = u64::from(reserve) * TOKEN;
        RetryBudget { level: Shared::new(full), full, percent: percent.into() }
    }

    /// How many retries could begin now.
    pub fn available(&self) -> u64 {
        self.level.read(|level| level / TOKEN)
    }

    /// A call begins, unless it is refused.
    pub(super) async fn begin<C: Row>(&self, cx: &Cx<C>) -> Result<(), Cancelled> {
        cx.step_to(self.level.object(), Access::Write).await;
        cx.checkpoint()?;
        self.put(self.percent);
        Ok(())
    }

    /// Takes a token for a retry, if there is one.
    pub(super) async fn take<C: Row>(&self, cx: &Cx<C>) -> Option<Token<'_>> {
        cx.step_to(self.level.object(), Access::Write).await;
        self.level.update(|level| {
            *level = level.checked_sub(TOKEN)?;
            Some(Token(self))
        })
    }

    fn put(&self, share: u64) {
        self.level.write(|level| *level = (*level + share).min(self.full))
    }
}

/// A token that was taken for an attempt. It goes back if it is dropped before the attempt begins.
#[must_use]
#[derive(Debug)]
pub(super) struct Token<'b>(&'b RetryBudget);

impl Token<'_> {
    /// The attempt begins.
    pub(super) fn spend(self) {
        core::mem::forget(self)
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        if !types::seeded!("retry.token-kept") {
            self.0.put(TOKEN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_reserve_repeats_nothing() {
        let budget = RetryBudget::new(0, 100);
        budget.put(budget.percent);
        assert_eq!(budget.available(), 0);
    }

    #[test]
    fn nothing_overflows() {
        let budget = RetryBudget::new(u32::MAX, u32::MAX);
        budget.put(budget.percent);
        assert_eq!(budget.available(), u64::from(u32::MAX));
    }

    proptest! {
        /// Calls (`true`) and retries in any order; every stretch of the history is within the bound.
        #[test]
        fn retries_are_a_share_of_calls(
            reserve in 0..6_u32, percent in 0..250_u32, wanted in proptest::collection::vec(any::<bool>(), 0..80),
        ) {
            let budget = RetryBudget::new(reserve, percent);
            let mut began = alloc::vec::Vec::new();
            for call in wanted {
                if call {
                    budget.put(budget.percent);
                    began.push(true);
                } else if budget.level.update(|l| { *l = l.checked_sub(TOKEN)?; Some(()) }).is_some() {
                    began.push(false);
                }
            }
            for from in 0..began.len() {
                let (mut calls, mut retries) = (0_u64, 0_u64);
                for call in &began[from..] {
                    if *call { calls += 1 } else { retries += 1 }
                    prop_assert!(retries * 100 <= u64::from(reserve) * 100 + calls * u64::from(percent));
                }
            }
        }
    }
}
