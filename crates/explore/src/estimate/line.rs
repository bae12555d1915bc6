//! [`Line`]: a straight line through what was seen, and how far off its predictions are.
//!
//! Bayesian linear regression with conjugate priors (Gelman et al., *Bayesian Data Analysis*, chapter 14): `y = a + b x`,
//! with `a` near 0 and `b` near 1 before anything is seen. Only sums are kept.

/// How much the prior weighs, in observations.
const PRIOR: f64 = 1.0;
/// The variance around the line before anything is seen: a factor of 2 either way.
const PRIOR_VARIANCE: f64 = 0.5;
/// How many observations the nodes of one depth count for at most. There may be thousands, but they are alike because
/// they are copies of each other, and say less than their number about a node elsewhere.
const MOST: f64 = 16.0;
/// How far nodes of other depths are looked at, each step counting half of the one before.
const REACH: usize = 6;

/// Sums over observations `(x, y)`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Line {
    pub(super) fn learn(&mut self, x: f64, y: f64) {
        self.add(&Line { count: 1.0, x, y, xx: x * x, xy: x * y, yy: y * y }, 1.0);
    }

    fn add(&mut self, other: &Line, weight: f64) {
        self.count += weight * other.count;
        self.x += weight * other.x;
        self.y += weight * other.y;
        self.xx += weight * other.xx;
        self.xy += weight * other.xy;
        self.yy += weight * other.yy;
    }

    /// What is known at this depth and around it.
    pub(super) fn around(lines: &[Line], depth: usize) -> Line {
        let mut all = Line::default();
        let from = depth.saturating_sub(REACH);
        for (at, line) in lines.iter().enumerate().take(depth + REACH + 1).skip(from) {
            let nearness = 0.5f64.powi(at.abs_diff(depth) as i32);
            all.add(line, nearness * (MOST / line.count.max(MOST)));
        }
        all
    }

    /// The `y` at this `x`, and the variance of the prediction.
    pub(super) fn predict(&self, x: f64) -> (f64, f64) {
        // In terms of y - x, whose prior is the zero line.
        let (y, xy) = (self.y - self.x, self.xy - self.xx);
        let squares = self.yy - 2.0 * self.xy + self.xx;
        let (p, q, r) = (self.count + PRIOR, self.x, self.xx + PRIOR);
        let determinant = p * r - q * q;
        let (a, b) = ((r * y - q * xy) / determinant, (p * xy - q * y) / determinant);
        let left = (squares - a * y - b * xy).max(0.0);
        let variance = (left + 2.0 * PRIOR_VARIANCE) / (self.count + 2.0);
        let leverage = (r - 2.0 * q * x + p * x * x) / determinant;
        (x + a + b * x, variance * (1.0 + leverage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_anything_is_seen_the_line_is_the_diagonal_and_its_error_is_large() {
        let (y, variance) = Line::default().predict(2.0);
        assert_eq!(y, 2.0);
        assert!(variance > 1.0, "{variance}");
    }

    #[test]
    fn what_lies_on_a_line_is_predicted_with_a_small_error_and_far_away_with_a_larger_one() {
        let mut line = Line::default();
        (0..1000).for_each(|n| line.learn(f64::from(n % 10), 3.0 - 0.5 * f64::from(n % 10)));
        let (y, variance) = line.predict(4.0);
        assert!((y - 1.0).abs() < 0.02 && variance < 0.02, "{y} {variance}");
        assert!(line.predict(1000.0).1 > 10.0 * variance);
    }
}
