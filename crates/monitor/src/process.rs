//! [`EProcess`]: evidence that grows, or doesn't, as observations come in; and [`Wealth`], the account every one keeps.
//!
//! The picture is a gambler who thinks the null is false. He starts with 1, before each observation stakes a part of what he
//! has at odds the null calls fair, and his wealth E is the evidence. If the null is true he can't expect to win, however
//! cleverly he bets and whenever he stops: E[E at any stopping time] <= 1. Ville (1939) adds that he *ever* reaches 1/alpha
//! with probability alpha at most. So one may look after every observation, stop when it looks good, go on when it doesn't:
//! what ruins a p-value (an exact binomial test repeated after every run errs in 30 % of cases by run 1000, not in 5 %) is
//! what these are made for.
//!
//! | process | null | use it when |
//! |---|---|---|
//! | [`Grid`] | [`AtMost`](crate::AtMost) | nobody knows how bad it would be: the default of a monitor |
//! | [`Ratio`] | [`AtMost`](crate::AtMost) | one rate is the one to catch; nothing is faster there |
//! | [`Betting`] | [`AtMost`](crate::AtMost) | observations between 0 and 1, or bets of one's own |
//! | [`Mixture`] | [`Exactly`](crate::Exactly) | a coin should be fair: both directions are bad |
//!
//! Invariants: `eprocess.martingale` (under the null the expectation never rises; under the rate of the null itself it is 1
//! exactly), `eprocess.predictable` (a bet is fixed before the observation it is on), `eprocess.one-sided` (what claims
//! [`AtMost`](crate::AtMost) never gains from an observation without a violation).
//!
//! Not here: how evidence from several processes is combined (`evidence`), runs without an end (`detector`).

use core::fmt;

use crate::{EValue, Level};

mod betting;
mod grid;
mod mixture;
mod ratio;

pub use betting::{Bet, Betting, Fixed, Kelly, PlugIn, Stake};
pub use grid::Grid;
pub(crate) use grid::Points;
pub use mixture::{Beta, Mixture};
pub use ratio::Ratio;

/// Evidence against one null hypothesis, one observation at a time.
///
/// Whoever implements it MUST keep `eprocess.martingale` for the null it names, and record every step in its [`Wealth`].
/// Observations may depend on one another and on anything else, as long as the null speaks of each *given the past*.
pub trait EProcess {
    /// What it is evidence against: [`AtMost`](crate::AtMost) or [`Exactly`](crate::Exactly). The type is what keeps a test
    /// of the second from being used as one of the first.
    type Null: Copy + fmt::Display + fmt::Debug;

    /// The null hypothesis.
    fn null(&self) -> Self::Null;

    /// Takes in the next observation: was it a violation?
    fn observe(&mut self, violated: bool);

    /// What came of it so far.
    fn wealth(&self) -> &Wealth;

    /// The natural logarithm of the evidence now: 0 before the first observation, minus infinity after a lost bet of
    /// everything.
    fn log_e(&self) -> f64 {
        self.wealth().now().ln()
    }

    /// A p-value that is valid at any time, and at all times together: one over the largest evidence so far, 1 at most
    /// (Shafer, Shen, Vereshchagin, Vovk 2011). It never rises.
    fn p_value(&self) -> f64 {
        (-self.wealth().peak().ln()).exp()
    }

    /// Whether the null is rejected: the evidence has at some time been at least one over the level. Once rejected it stays
    /// so. If the null is true this happens, ever, with probability `level` at most.
    fn rejects(&self, level: Level) -> bool {
        self.wealth().peak().rejects(level)
    }
}

/// The account of an e-process: the evidence now, its peak, and how many observations it took.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wealth {
    now: EValue,
    peak: EValue,
    seen: u64,
    violations: u64,
}

impl Wealth {
    /// A stake of 1, and nothing seen.
    #[must_use]
    pub const fn new() -> Self {
        Self { now: EValue::ONE, peak: EValue::ONE, seen: 0, violations: 0 }
    }

    /// Records that the last observation left the evidence at `now`.
    pub fn record(&mut self, violated: bool, now: EValue) {
        self.now = now;
        let takes = if types::seeded!("eprocess.min-for-max") { now < self.peak } else { now > self.peak };
        if takes {
            self.peak = now;
        }
        self.seen += 1;
        self.violations += u64::from(violated);
    }

    /// The evidence now: an e-value.
    #[must_use]
    pub fn now(&self) -> EValue {
        self.now
    }

    /// The largest evidence so far, the 1 at the start included. NOT an e-value: good for [`EProcess::rejects`] alone.
    #[must_use]
    pub fn peak(&self) -> EValue {
        self.peak
    }

    /// How many observations were taken in.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many of them were violations (for shares: were above 0).
    #[must_use]
    pub fn violations(&self) -> u64 {
        self.violations
    }
}

impl Default for Wealth {
    fn default() -> Self {
        Self::new()
    }
}
