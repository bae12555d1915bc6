//! [`Grid`]: an average over several likelihood ratios, each to a rate above the null. A monitor's default.
//!
//! It wins nearly as fast as the ratio to the best point of the grid: it is never behind by more than the logarithm of one
//! over that point's weight (ln 4 for four points, some 1.4 of the 3 that a level of 5 % needs). Unlike the Beta mixture it
//! has no mass at or below the null, so that a system that is better than promised raises no alarm.

use core::iter;

use super::{EProcess, Wealth, ratio::ln_factors};
use crate::{AtMost, EValue, Rate, Refusal, special::ln_sum_exp};

/// A finite mixture of likelihood ratios over rates above the null. Cost: one exponential per point and observation.
#[derive(Clone, Debug)]
pub struct Grid {
    points: Points,
    /// The logarithm of each point's weight times its ratio.
    ln_terms: Vec<f64>,
    wealth: Wealth,
}

impl Grid {
    /// Against `null`, with points at 2, 4, 8, .. times its rate, as far as they are rates and at most 24 of them, all of one
    /// weight. Where that gives fewer than three (from 1/8 up), four points that halve the distance to 1 instead.
    #[must_use]
    pub fn new(null: AtMost) -> Self {
        Self::over(Points::doubling(null))
    }

    /// Against `null`, with these points and weights; the weights needn't sum to 1.
    ///
    /// # Errors
    /// [`Refusal::NotAbove`] if a point doesn't lie above the null's rate: mass at or below it would break the one-sided
    /// promise. [`Refusal::NoGrid`] without points, or if a weight isn't a positive number.
    pub fn with_points(null: AtMost, points: &[(Rate, f64)]) -> Result<Self, Refusal> {
        Points::new(null, points).map(Self::over)
    }

    /// The points and their weights, which sum to 1.
    pub fn points(&self) -> impl Iterator<Item = (Rate, f64)> + '_ {
        self.points.list.iter().map(|point| (point.rate, point.ln_weight.exp()))
    }

    fn over(points: Points) -> Self {
        let ln_terms = points.list.iter().map(|point| point.ln_weight).collect();
        Self { points, ln_terms, wealth: Wealth::new() }
    }
}

impl EProcess for Grid {
    type Null = AtMost;

    fn null(&self) -> AtMost {
        self.points.null
    }

    fn observe(&mut self, violated: bool) {
        for (term, point) in self.ln_terms.iter_mut().zip(&self.points.list) {
            *term += point.ln_factor(violated);
        }
        self.wealth.record(violated, EValue::from_ln(ln_sum_exp(self.ln_terms.iter().copied())));
    }

    fn wealth(&self) -> &Wealth {
        &self.wealth
    }
}

/// The alternatives of a grid, checked: each above the null, weights summing to 1.
#[derive(Clone, Debug)]
pub(crate) struct Points {
    pub(crate) null: AtMost,
    pub(crate) list: Vec<Point>,
}

/// One alternative.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    rate: Rate,
    pub(crate) ln_weight: f64,
    gain: f64,
    loss: f64,
}

impl Point {
    /// What the observation does to the evidence for this alternative.
    pub(crate) fn ln_factor(&self, violated: bool) -> f64 {
        if violated { self.gain } else { self.loss }
    }
}

impl Points {
    /// Twenty-four doublings reach from one in a hundred millions to 1.
    const MOST: usize = 24;

    /// The default grid; see [`Grid::new`].
    pub(crate) fn doubling(null: AtMost) -> Self {
        let p0 = null.0.value();
        let mut rates: Vec<f64> = if p0 < 0.125 {
            iter::successors(Some(2.0 * p0), |q| Some(2.0 * q))
                .take_while(|q| *q < 1.0)
                .take(Self::MOST)
                .collect()
        } else {
            iter::successors(Some(0.5 * (1.0 - p0)), |gap| Some(0.5 * gap))
                .map(|gap| 1.0 - gap)
                .take(4)
                .collect()
        };
        if types::seeded!("grid.two-sided") {
            rates.extend([0.5 * p0, 0.1 * p0]);
        }
        // A null within one rounding of 1 has no rate above it: the grid is empty, the evidence 0 for ever, and that is right.
        rates.retain(|q| *q > 0.0 && *q < 1.0);
        let list: Vec<(Rate, f64)> = rates.into_iter().map(|q| (Rate::known(q), 1.0)).collect();
        Self::weighted(null, &list)
    }

    pub(crate) fn new(null: AtMost, points: &[(Rate, f64)]) -> Result<Self, Refusal> {
        if points.is_empty() || !points.iter().all(|(_, weight)| *weight > 0.0 && weight.is_finite()) {
            return Err(Refusal::NoGrid);
        }
        match points.iter().find(|(rate, _)| *rate <= null.0) {
            Some((rate, _)) => Err(Refusal::NotAbove { point: rate.value(), at_most: null.0.value() }),
            None => Ok(Self::weighted(null, points)),
        }
    }

    fn weighted(null: AtMost, points: &[(Rate, f64)]) -> Self {
        let ln_total = points.iter().map(|(_, weight)| weight).sum::<f64>().ln();
        let list = points.iter().map(|&(rate, weight)| {
            let (gain, loss) = ln_factors(null.0, rate);
            Point { rate, ln_weight: weight.ln() - ln_total, gain, loss }
        });
        Self { null, list: list.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(p0: f64) -> Vec<f64> {
        Grid::new(AtMost::rate(p0).unwrap()).points().map(|(rate, _)| rate.value()).collect()
    }

    #[test]
    fn the_default_grid_doubles_the_rate_or_halves_the_rest() {
        assert_eq!(rates(0.05), [0.1, 0.2, 0.4, 0.8]);
        assert_eq!(rates(0.001).len(), 9);
        assert_eq!(rates(0.5), [0.75, 0.875, 0.9375, 0.96875]);
    }

    #[test]
    fn every_default_point_lies_above_the_null_and_below_one() {
        for p0 in [1e-300, 1e-9, 0.01, 0.124, 0.125, 0.3, 0.5, 0.9, 1.0 - 1e-15] {
            let rates = rates(p0);
            assert!(!rates.is_empty() && rates.iter().all(|q| *q > p0 && *q < 1.0), "{p0}: {rates:?}");
        }
    }

    #[test]
    fn weights_sum_to_one_whatever_they_were() {
        let rate = |value| Rate::new(value).unwrap();
        let points = [(rate(0.2), 3.0), (rate(0.4), 1.0)];
        let grid = Grid::with_points(AtMost::rate(0.1).unwrap(), &points).unwrap();
        let weights: Vec<f64> = grid.points().map(|(_, weight)| weight).collect();
        assert!((weights[0] - 0.75).abs() < 1e-15 && (weights[1] - 0.25).abs() < 1e-15);
    }

    #[test]
    fn a_point_that_would_count_good_news_as_evidence_is_refused() {
        let (null, rate) = (AtMost::rate(0.1).unwrap(), |value| Rate::new(value).unwrap());
        for q in [0.1, 0.05] {
            let refusal = Grid::with_points(null, &[(rate(0.2), 1.0), (rate(q), 1.0)]).unwrap_err();
            assert_eq!(refusal, Refusal::NotAbove { point: q, at_most: 0.1 });
        }
        assert_eq!(Grid::with_points(null, &[]).unwrap_err(), Refusal::NoGrid);
        assert_eq!(Grid::with_points(null, &[(rate(0.2), f64::NAN)]).unwrap_err(), Refusal::NoGrid);
    }
}
