//! [`Detector`]: a watch without an end, for a rate that is fine for a long time and then isn't.
//!
//! An e-process is the wrong tool for a server that runs for months: while all is well its wealth shrinks, and after a change
//! it must first win back what a year of peace has cost. And one that is started anew for ever will at some time reach any
//! threshold. A detector starts a new gambler before every observation and adds up all their wealths, or keeps the best
//! (e-detectors; Shin, Ramdas, Rinaldo). What it promises is not "a false alarm with probability alpha at
//! most, ever", which nobody can, but an average run length: while the null is true, 1/alpha observations at least pass
//! before an alarm, on average.
//!
//! | form | step | alarms |
//! |---|---|---|
//! | [`Form::ShiryaevRoberts`] | M := (M + 1) L | sooner, on average over when the change comes |
//! | [`Form::Cusum`] | M := max(M, 1) L | later by a little; a good stretch is forgotten at once |
//!
//! where L is what the observation does to one gambler's wealth. Over several alternatives the values are averaged with the
//! grid's weights, which keeps the promise.
//!
//! Invariants: `detector.run-length` (under the null E[alarm time] >= 1/alpha, since M - t is a supermartingale, and
//! M >= 1/alpha at the alarm).
//!
//! Not here: what to do about an alarm; the detector only starts again.

use crate::{
    AtMost, EValue, Level, Rate, Refusal,
    process::{Points, Ratio},
    special::ln_sum_exp,
};

/// How the wealths of the gamblers that started at different times are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The sum over all starting times (Shiryaev 1963, Roberts 1966).
    ShiryaevRoberts,
    /// The largest over all starting times (Page 1954).
    Cusum,
}

/// Watches for a rate that rises above what is promised. Cost: an exponential and a logarithm per point of the grid and
/// observation, once more when the value is read; the memory is fixed.
#[derive(Clone, Debug)]
pub struct Detector {
    form: Form,
    points: Points,
    /// For each point the logarithm of M, without the point's weight.
    ln_m: Vec<f64>,
    seen: u64,
}

impl Detector {
    /// Watches for anything above `null`, over the grid that [`Grid::new`](crate::Grid::new) makes.
    #[must_use]
    pub fn new(null: AtMost, form: Form) -> Self {
        Self::over(Points::doubling(null), form)
    }

    /// Watches with these alternatives and weights.
    ///
    /// # Errors
    /// Those of [`Grid::with_points`](crate::Grid::with_points).
    pub fn with_points(null: AtMost, form: Form, points: &[(Rate, f64)]) -> Result<Self, Refusal> {
        Points::new(null, points).map(|points| Self::over(points, form))
    }

    fn over(points: Points, form: Form) -> Self {
        let ln_m = vec![f64::NEG_INFINITY; points.list.len()];
        Self { form, points, ln_m, seen: 0 }
    }

    /// What it watches.
    #[must_use]
    pub fn null(&self) -> AtMost {
        self.points.null
    }

    /// Takes in the next observation: was it a violation?
    pub fn observe(&mut self, violated: bool) {
        let form = self.form;
        for (ln_m, point) in self.ln_m.iter_mut().zip(&self.points.list) {
            *ln_m = form.joined_by_one(*ln_m) + point.ln_factor(violated);
        }
        self.seen += 1;
    }

    /// The value M: not an e-value, since it may grow by 1 per observation under the null.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.ln_value().exp()
    }

    /// The natural logarithm of M; minus infinity before the first observation.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        let weighted = self.ln_m.iter().zip(&self.points.list).map(|(ln_m, point)| {
            let ln_weight = if types::seeded!("detector.unweighted") { 0.0 } else { point.ln_weight };
            ln_m + ln_weight
        });
        ln_sum_exp(weighted)
    }

    /// Whether there is an alarm now: M is at least one over the level. Under the null at least 1/level observations pass
    /// before the first one, on average.
    #[must_use]
    pub fn alarm(&self, level: Level) -> bool {
        EValue::from_ln(self.ln_value()).rejects(level)
    }

    /// How many observations were taken in since the start, or the last [`restart`](Detector::restart).
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Forgets everything, as one does after an alarm was attended to.
    pub fn restart(&mut self) {
        self.ln_m.fill(f64::NEG_INFINITY);
        self.seen = 0;
    }

    /// How many observations it takes to see a change to `rate`, roughly: ln(1/level) / KL(rate || null), which a detector
    /// with `rate` among its points gets close to (Lorden 1971).
    ///
    /// # Errors
    /// [`Refusal::NotAbove`] unless `rate` lies above the null's.
    pub fn expected_delay(&self, rate: Rate, level: Level) -> Result<f64, Refusal> {
        Ratio::new(self.null(), rate).map(|ratio| level.ln_threshold() / ratio.growth())
    }
}

impl Form {
    /// The wealths so far, joined by a new gambler's stake of 1, all in logarithms.
    fn joined_by_one(self, ln_m: f64) -> f64 {
        match self {
            // ln(M + 1), through the larger of the two so that neither form of the sum leaves the range.
            Self::ShiryaevRoberts if ln_m > 0.0 => ln_m + (-ln_m).exp().ln_1p(),
            Self::ShiryaevRoberts => ln_m.exp().ln_1p(),
            Self::Cusum if types::seeded!("detector.no-restart") && ln_m > f64::NEG_INFINITY => ln_m,
            Self::Cusum => ln_m.max(0.0),
        }
    }
}

#[cfg(test)]
mod tests;
