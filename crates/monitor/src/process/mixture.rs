//! [`Mixture`]: the average of ALL likelihood ratios, weighted by a Beta distribution (Robbins 1970).
//!
//! For a POINT null only. The Beta has mass on both sides of the rate, so the mixture gains from violations that stay away
//! as well as from those that come: advertised as a test of "at most 5 %", with a truth of 1 %, it would raise an alarm with
//! probability 0.999994 within 1000 observations. That is why its null is [`Exactly`], why it can't be made from an
//! [`AtMost`], and why a monitor doesn't take it:
//!
//! ```compile_fail
//! use asupersync_monitor::{AtMost, Beta, Mixture};
//! let _ = Mixture::new(AtMost::rate(0.05).unwrap(), Beta::UNIFORM); // expected `Exactly`, found `AtMost`
//! ```

use super::{EProcess, Wealth};
use crate::{EValue, Exactly, Refusal};

/// A Beta distribution: what is believed of a rate before anything was seen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Beta {
    a: f64,
    b: f64,
}

impl Beta {
    /// All rates alike.
    pub const UNIFORM: Self = Self { a: 1.0, b: 1.0 };
    /// Beta(1/2, 1/2), after Krichevsky and Trofimov: best against the worst rate.
    pub const KT: Self = Self { a: 0.5, b: 0.5 };

    /// The distribution with these parameters: like having seen `a` violations and `b` others.
    ///
    /// # Errors
    /// [`Refusal::NotABeta`] unless both are positive, finite numbers.
    pub fn new(a: f64, b: f64) -> Result<Self, Refusal> {
        let fine = |x: f64| x > 0.0 && x.is_finite();
        if fine(a) && fine(b) { Ok(Self { a, b }) } else { Err(Refusal::NotABeta { a, b }) }
    }
}

/// The Beta mixture against a point null. Cost: one logarithm per observation.
#[derive(Clone, Debug)]
pub struct Mixture {
    null: Exactly,
    /// The posterior: the prior's parameters plus what was seen. Its mean is the chance the mixture gives the next violation.
    a: f64,
    b: f64,
    ln_e: f64,
    wealth: Wealth,
}

impl Mixture {
    /// Against `null`, with this prior.
    #[must_use]
    pub fn new(null: Exactly, prior: Beta) -> Self {
        Self { null, a: prior.a, b: prior.b, ln_e: 0.0, wealth: Wealth::new() }
    }
}

impl EProcess for Mixture {
    type Null = Exactly;

    fn null(&self) -> Exactly {
        self.null
    }

    /// One step of B(a + S, b + t - S) / B(a, b) over the null's likelihood: the mixture's chance of what was seen, over
    /// the null's. Kept as a running sum, it needs no Beta function.
    fn observe(&mut self, violated: bool) {
        let (p0, seen) = (self.null.0.value(), self.a + self.b);
        if violated {
            self.ln_e += (self.a / seen / p0).ln();
            self.a += 1.0;
        } else {
            self.ln_e += (self.b / seen).ln() - (-p0).ln_1p();
            self.b += 1.0;
        }
        self.wealth.record(violated, EValue::from_ln(self.ln_e));
    }

    fn wealth(&self) -> &Wealth {
        &self.wealth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::ln_beta;

    #[test]
    fn the_running_sum_is_the_closed_form_whatever_the_order() {
        let (null, prior) = (Exactly::rate(0.3).unwrap(), Beta::new(0.7, 2.5).unwrap());
        let mut mixture = Mixture::new(null, prior);
        for t in 1..=500_u32 {
            mixture.observe(t % 3 == 0 || t % 7 == 2);
            let s = mixture.wealth().violations() as f64;
            let fails = f64::from(t) - s;
            let closed = ln_beta(prior.a + s, prior.b + fails) - ln_beta(prior.a, prior.b);
            let closed = closed - s * 0.3_f64.ln() - fails * 0.7_f64.ln();
            assert!((mixture.log_e() - closed).abs() < 1e-10, "after {t}: {} {closed}", mixture.log_e());
        }
    }

    #[test]
    fn a_prior_needs_two_positive_parameters() {
        for (a, b) in [(0.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert!(matches!(Beta::new(a, b), Err(Refusal::NotABeta { .. })));
        }
    }
}
