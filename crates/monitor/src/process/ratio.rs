//! [`Ratio`]: how much likelier one alternative makes the observations than the null does.
//!
//! The fastest there is against that one alternative (GROW: Grünwald, de Heide, Koolen, JRSS-B 2024): evidence grows by
//! KL(p1 || p0) per observation, so it takes about ln(1/alpha) / KL observations. Against a rate below the alternative it may
//! not grow at all; where the rate isn't known, take a [`Grid`](crate::Grid).
//!
//! Valid one-sided because the alternative lies above: p1/p0 > 1 on a violation and < 1 otherwise, so fewer violations than
//! promised can only shrink it.

use super::{EProcess, Wealth};
use crate::{AtMost, EValue, Rate, Refusal};

/// The likelihood ratio of a rate above against "at most this rate". Cost: one addition per observation.
#[derive(Clone, Debug)]
pub struct Ratio {
    null: AtMost,
    point: Rate,
    gain: f64,
    loss: f64,
    ln_e: f64,
    wealth: Wealth,
}

impl Ratio {
    /// Against `null`, in favour of `point`.
    ///
    /// # Errors
    /// [`Refusal::NotAbove`] unless `point` lies above the null's rate.
    pub fn new(null: AtMost, point: Rate) -> Result<Self, Refusal> {
        if point <= null.0 {
            return Err(Refusal::NotAbove { point: point.value(), at_most: null.0.value() });
        }
        let (gain, loss) = ln_factors(null.0, point);
        Ok(Self { null, point, gain, loss, ln_e: 0.0, wealth: Wealth::new() })
    }

    /// The alternative.
    #[must_use]
    pub fn point(&self) -> Rate {
        self.point
    }

    /// By how much ln E grows per observation if `point` is the truth: KL(p1 || p0), in nats.
    #[must_use]
    pub fn growth(&self) -> f64 {
        let p1 = self.point.value();
        p1 * self.gain + (1.0 - p1) * self.loss
    }
}

impl EProcess for Ratio {
    type Null = AtMost;

    fn null(&self) -> AtMost {
        self.null
    }

    fn observe(&mut self, violated: bool) {
        self.ln_e += if violated { self.gain } else { self.loss };
        self.wealth.record(violated, EValue::from_ln(self.ln_e));
    }

    fn wealth(&self) -> &Wealth {
        &self.wealth
    }
}

/// The logarithms of p1/p0 and (1 - p1)/(1 - p0): what a violation, and what none, does to the evidence.
pub(crate) fn ln_factors(p0: Rate, p1: Rate) -> (f64, f64) {
    let (p0, p1) = (p0.value(), p1.value());
    ((p1 / p0).ln(), (-(p1 - p0) / (1.0 - p0)).ln_1p())
}
