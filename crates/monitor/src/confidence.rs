//! Confidence sequences: how large the rate, or the mean, is, at any time and at all times together.
//!
//! A confidence interval of the textbook is right with probability 1 - alpha at a moment that was fixed beforehand. The
//! intervals here are right at ALL times together with that probability, so one may watch them shrink and stop at will. The
//! price is their width: at 700 of 1000 it is 1.66 times the textbook's.
//!
//! [`RateSequence`] inverts Beta-binomial mixtures: it keeps every rate p for which the mixture against "exactly p" hasn't
//! reached 1/alpha. [`NormalMixture`] bounds sums whose steps are sub-Gaussian, [`MeanSequence`] with it the mean of
//! observations between 0 and 1 (Howard, Ramdas, McAuliffe, Sekhon, Ann. Stat. 2021).
//!
//! Invariants: `confidence.anytime` (under any true rate, P(the rate is ever outside) <= alpha), for intervals taken at a
//! running count of one stream.
//!
//! Not here: tests of one given rate (`process`), which decide sooner.

use crate::{Level, Refusal, Share, special::ln_beta};

/// Where a rate or a mean lies: both ends from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

/// A confidence sequence for a rate. It depends on the counts alone, so it holds no state.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RateSequence {
    level: Level,
    tightest_at: f64,
}

impl RateSequence {
    /// Wrong, ever, with probability `level` at most; about as tight as can be after `tightest_at` observations.
    ///
    /// # Errors
    /// [`Refusal::NotPositive`] for a `tightest_at` of 0.
    pub fn new(level: Level, tightest_at: u32) -> Result<Self, Refusal> {
        if tightest_at == 0 {
            return Err(Refusal::NotPositive(0.0));
        }
        Ok(Self { level, tightest_at: f64::from(tightest_at) })
    }

    /// The interval after `violations` among `seen` observations; everything from 0 to 1 after none. Cost: two bisections,
    /// about sixty evaluations of ln B each.
    ///
    /// # Panics
    /// If there are more violations than observations.
    #[must_use]
    pub fn interval(&self, violations: u64, seen: u64) -> Interval {
        assert!(violations <= seen, "{violations} violations among {seen} observations");
        if seen == 0 {
            return Interval { lower: 0.0, upper: 1.0 };
        }
        let estimate = violations as f64 / seen as f64;
        let excluded =
            |p: f64| self.ln_mixture(violations as f64, (seen - violations) as f64, p) >= self.threshold();
        // The mixture is above the threshold far from the estimate and below near it, once on each side.
        let lower = if violations == 0 { 0.0 } else { boundary(0.0, estimate, excluded) };
        let upper = if violations == seen { 1.0 } else { boundary(1.0, estimate, excluded) };
        Interval { lower, upper }
    }

    /// Whether `rate` is outside the interval: one evaluation instead of two bisections.
    ///
    /// # Panics
    /// If there are more violations than observations.
    #[must_use]
    pub fn excludes(&self, rate: crate::Rate, violations: u64, seen: u64) -> bool {
        assert!(violations <= seen, "{violations} violations among {seen} observations");
        self.ln_mixture(violations as f64, (seen - violations) as f64, rate.value()) >= self.threshold()
    }

    fn threshold(&self) -> f64 {
        // The mistake: the bound of a look at one fixed time, which a watcher crosses far too often.
        if types::seeded!("confidence.one-look") {
            0.5 * self.level.ln_threshold()
        } else {
            self.level.ln_threshold()
        }
    }

    /// ln of the Beta mixture against "exactly p", its prior centred at p and as wide as is best at `tightest_at`.
    fn ln_mixture(&self, violations: f64, others: f64, p: f64) -> f64 {
        let variance = p * (1.0 - p);
        let rho = best_rho(variance * self.tightest_at, self.level);
        let r = (rho - variance).max(1e-3 * variance);
        let (a, b) = (r / (1.0 - p), r / p);
        ln_beta(a + violations, b + others) - ln_beta(a, b) - violations * p.ln() - others * (-p).ln_1p()
    }
}

/// The point between `end` and `estimate` where `excluded` changes, `end` itself if it excludes nothing. Bisection down to
/// neighbouring numbers would take fifty steps more than anybody can see: it stops at 2^-60.
fn boundary(end: f64, estimate: f64, excluded: impl Fn(f64) -> bool) -> f64 {
    let (mut outside, mut inside) = (end, estimate);
    for _ in 0..60 {
        let middle = 0.5 * (outside + inside);
        // Rounding may reach an end, where the logarithm of the null's likelihood isn't a number.
        if middle <= 0.0 || middle >= 1.0 {
            return end;
        }
        if excluded(middle) { outside = middle } else { inside = middle }
    }
    if outside == end { end } else { 0.5 * (outside + inside) }
}

/// A bound on sums whose steps are sub-Gaussian: the two-sided normal mixture (Robbins 1970; Howard et al. 2021).
///
/// `variance` is always that of the sum: the number of steps times the variance of one (1/4 for steps that lie between
/// 0 and 1).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NormalMixture {
    rho: f64,
}

impl NormalMixture {
    /// The mixture that is about as tight as can be, for `level`, when the sum's variance is `variance`.
    ///
    /// # Errors
    /// [`Refusal::NotPositive`] unless `variance` is a positive, finite number.
    pub fn tightest_at(variance: f64, level: Level) -> Result<Self, Refusal> {
        if variance > 0.0 && variance.is_finite() {
            Ok(Self { rho: best_rho(variance, level) })
        } else {
            Err(Refusal::NotPositive(variance))
        }
    }

    /// The precision of the mixing distribution.
    #[must_use]
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// The logarithm of the evidence in a sum of `sum`, less what the null expects, with variance `variance`.
    #[must_use]
    pub fn ln_e(&self, sum: f64, variance: f64) -> f64 {
        let total = variance + self.rho;
        0.5 * (self.rho / total).ln() + sum * sum / (2.0 * total)
    }

    /// What the sum, less what the null expects, exceeds in size, ever, with probability `level` at most.
    #[must_use]
    pub fn bound(&self, variance: f64, level: Level) -> f64 {
        let total = variance + self.rho;
        (total * ((total / self.rho).ln() + 2.0 * level.ln_threshold())).sqrt()
    }
}

/// A confidence sequence for the mean of observations between 0 and 1, whatever their distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MeanSequence {
    level: Level,
    mixture: NormalMixture,
    sum: f64,
    seen: u64,
}

impl MeanSequence {
    /// A quarter: no step between 0 and 1 varies more (Hoeffding 1963).
    const VARIANCE: f64 = 0.25;

    /// Wrong, ever, with probability `level` at most; about as tight as can be after `tightest_at` observations.
    ///
    /// # Errors
    /// [`Refusal::NotPositive`] for a `tightest_at` of 0.
    pub fn new(level: Level, tightest_at: u32) -> Result<Self, Refusal> {
        let mixture = NormalMixture::tightest_at(f64::from(tightest_at) * Self::VARIANCE, level)?;
        Ok(Self { level, mixture, sum: 0.0, seen: 0 })
    }

    /// Takes in the next observation.
    pub fn observe(&mut self, seen: Share) {
        self.sum += seen.value();
        self.seen += 1;
    }

    /// Where the mean lies; everything from 0 to 1 before the first observation.
    #[must_use]
    pub fn interval(&self) -> Interval {
        if self.seen == 0 {
            return Interval { lower: 0.0, upper: 1.0 };
        }
        let count = self.seen as f64;
        let (mean, reach) =
            (self.sum / count, self.mixture.bound(count * Self::VARIANCE, self.level) / count);
        Interval { lower: (mean - reach).max(0.0), upper: (mean + reach).min(1.0) }
    }
}

/// The precision that is best at `variance`, to a first order (Howard et al. 2021).
fn best_rho(variance: f64, level: Level) -> f64 {
    let twice = 2.0 * level.ln_threshold();
    variance / (twice + twice.ln_1p())
}
