//! [`Betting`]: evidence as the wealth of a gambler, and the gamblers ([`Bet`]): [`Fixed`], [`Kelly`], [`PlugIn`].
//!
//! With observations X between 0 and 1 and the null "mean at most m", a bet of lambda multiplies the wealth by
//! 1 + lambda (X - m) (Waudby-Smith and Ramdas, JRSS-B 2024). Here a bet is written as a [`Stake`] s = lambda m: the share of
//! the wealth that is lost when X is 0. That is what a gambler thinks in, and its range, 0 to 1, is the same for all m.
//!
//! A bet has to be fixed before the observation it is on: one that reads it can win against any null. So [`Bet::stake`] is
//! not shown the observation and can change nothing; [`Bet::learn`] is called with it afterwards.
//!
//! ```compile_fail
//! use asupersync_monitor::{Bet, Share, Stake};
//! struct Peeks;
//! impl Bet for Peeks {
//!     fn stake(&self, x: Share) -> Stake { Stake::new(x.value() / 2.0).unwrap() } // no such parameter
//!     fn learn(&mut self, _: Share) {}
//! }
//! ```

use super::{EProcess, Wealth};
use crate::{AtMost, EValue, Rate, Refusal, Share};

/// The share of the wealth that is lost if the next observation is 0: at least 0, below 1. Never negative, since a negative
/// one would gain from good news; never 1, since all would be lost on the first.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Stake(f64);

impl Stake {
    /// No bet.
    pub const NONE: Self = Self(0.0);
    /// Half of what is there.
    pub const HALF: Self = Self(0.5);
    /// Three quarters of what is there.
    pub const THREE_QUARTERS: Self = Self(0.75);

    /// This share of the wealth.
    ///
    /// # Errors
    /// [`Refusal::NotAStake`] unless it lies from 0 to below 1.
    pub const fn new(share: f64) -> Result<Self, Refusal> {
        if share >= 0.0 && share < 1.0 { Ok(Self(share)) } else { Err(Refusal::NotAStake(share)) }
    }

    /// The stake of a bet written as lambda, the way papers do: lambda times the null's rate.
    ///
    /// # Errors
    /// Those of [`Stake::new`].
    pub fn of_lambda(lambda: f64, null: AtMost) -> Result<Self, Refusal> {
        Self::new(lambda * null.0.value())
    }

    /// The share of the wealth.
    #[must_use]
    pub const fn share(self) -> f64 {
        self.0
    }
}

/// A gambler's plan: what to stake next, from what was seen before.
///
/// [`stake`](Bet::stake) MUST depend on nothing but earlier observations and chances that have nothing to do with the next.
pub trait Bet {
    /// What to stake on the next observation, which nobody has seen yet.
    fn stake(&self) -> Stake;

    /// Tells the gambler what the observation was, after the bet on it is settled.
    fn learn(&mut self, seen: Share);
}

/// The same stake every time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fixed(pub Stake);

impl Bet for Fixed {
    fn stake(&self) -> Stake {
        self.0
    }

    fn learn(&mut self, _seen: Share) {}
}

/// The stake that makes wealth grow fastest if a certain rate is the truth (Kelly 1956; GROW): lambda is
/// (p1 - p0) / (p0 (1 - p0)). On violations and their absence it is what [`Ratio`](crate::Ratio) is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Kelly(Stake);

impl Kelly {
    /// Against `null`, in favour of `point`.
    ///
    /// # Errors
    /// [`Refusal::NotAbove`] unless `point` lies above the null's rate.
    pub fn new(null: AtMost, point: Rate) -> Result<Self, Refusal> {
        let (p0, p1) = (null.0.value(), point.value());
        if p1 <= p0 {
            return Err(Refusal::NotAbove { point: p1, at_most: p0 });
        }
        Stake::new((p1 - p0) / (1.0 - p0)).map(Self)
    }
}

impl Bet for Kelly {
    fn stake(&self) -> Stake {
        self.0
    }

    fn learn(&mut self, _seen: Share) {}
}

/// Estimates mean and variance from the past and stakes what would have been best there (aGRAPA; Waudby-Smith and Ramdas,
/// JRSS-B 2024): lambda is (mu - m) / (s2 + (mu - m)^2), kept within 0 and a cap.
///
/// It starts from one pseudo-observation at the null's rate, so its first bet is none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PlugIn {
    rate: f64,
    cap: Stake,
    count: f64,
    mean: f64,
    /// Sum of squared distances from the mean of the time, the pseudo-observation's variance included.
    squares: f64,
}

impl PlugIn {
    /// For this null, never staking more than half.
    #[must_use]
    pub fn new(null: AtMost) -> Self {
        Self::capped(null, Stake::HALF)
    }

    /// For this null, never staking more than `cap`.
    #[must_use]
    pub fn capped(null: AtMost, cap: Stake) -> Self {
        let m = null.0.value();
        Self { rate: m, cap, count: 1.0, mean: m, squares: m * (1.0 - m) }
    }
}

impl Bet for PlugIn {
    fn stake(&self) -> Stake {
        let edge = self.mean - self.rate;
        if edge <= 0.0 {
            return Stake::NONE;
        }
        let lambda = edge / (self.squares / self.count + edge * edge);
        Stake((lambda * self.rate).min(self.cap.0))
    }

    fn learn(&mut self, seen: Share) {
        self.count += 1.0;
        self.mean += (seen.value() - self.mean) / self.count;
        self.squares += (seen.value() - self.mean).powi(2);
    }
}

/// The wealth of a gambler who bets against "at most this, on average". Cost: one logarithm per observation, and the
/// gambler's.
#[derive(Clone, Debug)]
pub struct Betting<B> {
    null: AtMost,
    gambler: B,
    ln_e: f64,
    wealth: Wealth,
}

impl<B: Bet> Betting<B> {
    /// Against `null`, with this gambler.
    pub fn new(null: AtMost, gambler: B) -> Self {
        Self { null, gambler, ln_e: 0.0, wealth: Wealth::new() }
    }

    /// The stake on the next observation. Anybody may know it, an adversary too: it's too late to change it, and the null
    /// bounds what the adversary can do.
    pub fn stake(&self) -> Stake {
        self.gambler.stake()
    }

    /// Takes in an observation between 0 and 1: how much of a limit was used, which part of a batch failed.
    pub fn observe_share(&mut self, seen: Share) {
        if types::seeded!("betting.peeks") {
            self.gambler.learn(seen);
        }
        let Stake(stake) = self.gambler.stake();
        // 1 + lambda (x - m) with lambda = stake / m; the second factor is at least -1, so the argument stays above it.
        self.ln_e += (stake * (seen.value() / self.null.0.value() - 1.0)).ln_1p();
        if !types::seeded!("betting.peeks") {
            self.gambler.learn(seen);
        }
        self.wealth.record(seen > Share::NONE, EValue::from_ln(self.ln_e));
    }
}

impl<B: Bet> EProcess for Betting<B> {
    type Null = AtMost;

    fn null(&self) -> AtMost {
        self.null
    }

    fn observe(&mut self, violated: bool) {
        self.observe_share(Share::from(violated));
    }

    fn wealth(&self) -> &Wealth {
        &self.wealth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stake_can_neither_gain_from_good_news_nor_lose_everything() {
        for share in [-0.01, 1.0, 2.0, f64::NAN] {
            assert!(matches!(Stake::new(share), Err(Refusal::NotAStake(_))), "{share}");
        }
        let null = AtMost::rate(0.05).unwrap();
        assert_eq!(Stake::of_lambda(5.0, null).unwrap().share(), 0.25);
        assert!(Stake::of_lambda(20.0, null).is_err());
    }

    #[test]
    fn the_plug_in_gambler_bets_nothing_until_the_past_is_worse_than_promised() {
        let null = AtMost::rate(0.1).unwrap();
        let mut gambler = PlugIn::new(null);
        assert_eq!(gambler.stake(), Stake::NONE);
        gambler.learn(Share::NONE);
        assert_eq!(gambler.stake(), Stake::NONE);
        gambler.learn(Share::ALL);
        assert!(gambler.stake() > Stake::NONE && gambler.stake() <= Stake::HALF);
    }

    #[test]
    fn the_plug_in_gambler_never_goes_over_its_cap() {
        let mut gambler = PlugIn::capped(AtMost::rate(0.9).unwrap(), Stake::THREE_QUARTERS);
        for _ in 0..1000 {
            gambler.learn(Share::ALL);
            assert!(gambler.stake() <= Stake::THREE_QUARTERS);
        }
    }
}
