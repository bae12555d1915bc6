//! [`EValue`]: an amount of evidence, and how amounts are put together.
//!
//! An e-value is what a fair bet against the null has become, from a stake of 1: the null says it is at most 1 on average,
//! so 20 is as surprising as a p-value of 0.05, and it stays so whenever one chooses to look.
//!
//! | the values come from | put together by | source |
//! |---|---|---|
//! | independent data, or one after the other | [`product`] | Vovk and Wang, Ann. Stat. 2021 |
//! | anything, several questions about one run too | [`average`] | the same; no other symmetric rule is better |
//! | several questions, and the answer shall name some | [`e_bh`] | Wang and Ramdas, JRSS-B 2022 |
//!
//! Take the values as they are at one moment, chosen in any way that doesn't look ahead. The largest value a process ever
//! had is NOT an e-value; only a single test may use it ([`crate::EProcess::rejects`], by Ville's inequality).
//!
//! Invariants: `evidence.ln` (kept as a logarithm, so that neither a thousand clean runs nor a thousand violations leave the
//! range), `evidence.number` (never NaN).

use core::fmt;

use crate::{Level, special::ln_sum_exp};

/// An amount of evidence against a null hypothesis: 1 is none, 20 is what a p-value of 0.05 is.
///
/// Displays the number itself: `43`, `0.37`, `1.2e9`.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct EValue {
    ln: f64,
}

impl EValue {
    /// No evidence either way.
    pub const ONE: Self = Self { ln: 0.0 };

    /// The value with this natural logarithm; minus infinity is the value 0.
    ///
    /// # Panics
    /// If `ln` is NaN, which no sequence of observations leads to.
    #[must_use]
    pub fn from_ln(ln: f64) -> Self {
        assert!(!ln.is_nan(), "evidence is a number");
        Self { ln }
    }

    /// The natural logarithm.
    #[must_use]
    pub fn ln(self) -> f64 {
        self.ln
    }

    /// The value itself; infinite where it leaves the range of `f64`.
    #[must_use]
    pub fn value(self) -> f64 {
        self.ln.exp()
    }

    /// Whether a test that looks once, now, rejects: the value is at least one over the level.
    #[must_use]
    pub fn rejects(self, level: Level) -> bool {
        self.ln >= level.ln_threshold()
    }
}

impl fmt::Display for EValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log10 = self.ln / core::f64::consts::LN_10;
        match log10 {
            // Written through the logarithm, since the value itself may be beyond an f64.
            _ if log10 >= 6.0 && log10.is_finite() => {
                let (digits, power) = (10f64.powf(log10.fract()), log10.trunc());
                let (digits, power) = if digits >= 9.95 { (1.0, power + 1.0) } else { (digits, power) };
                write!(f, "{digits:.1}e{power}")
            }
            _ if log10 >= 1.0 => write!(f, "{:.0}", self.value()),
            _ if log10 >= -2.0 => write!(f, "{:.2}", self.value()),
            _ => f.write_str("less than 0.01"),
        }
    }
}

/// Puts evidence from INDEPENDENT data together, or from stretches of data that follow one another where each test was
/// valid given all that came before: the values multiply.
///
/// Never for several questions about the same run: there use [`average`]. No values make [`EValue::ONE`]. A value of 0
/// makes the product 0, even next to an infinite one.
#[must_use]
pub fn product(values: impl IntoIterator<Item = EValue>) -> EValue {
    let (mut ln, mut ruined) = (0.0, false);
    for value in values {
        ruined |= value.ln == f64::NEG_INFINITY;
        ln += value.ln;
    }
    EValue { ln: if ruined { f64::NEG_INFINITY } else { ln } }
}

/// Puts evidence together whatever its parts have to do with each other: the plain average. It speaks against the claim
/// that ALL the nulls hold. No values make [`EValue::ONE`].
#[must_use]
pub fn average(values: &[EValue]) -> EValue {
    if values.is_empty() {
        return EValue::ONE;
    }
    if types::seeded!("combine.product-under-dependence") {
        return product(values.iter().copied());
    }
    EValue { ln: ln_sum_exp(values.iter().map(|value| value.ln)) - (values.len() as f64).ln() }
}

/// Which of several nulls to reject so that, on average, at most a share `level` of those named are named wrongly,
/// whatever the values have to do with each other (e-BH; Wang and Ramdas, JRSS-B 2022).
///
/// With m values: the k largest are rejected, for the largest k whose k-th value is at least m / (k level). Returns their
/// places in `values`, rising. Cost: one sort.
#[must_use]
pub fn e_bh(values: &[EValue], level: Level) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[right].ln.total_cmp(&values[left].ln).then(left.cmp(&right)));
    let many = values.len() as f64;
    let is_enough = |k: usize| {
        let shared = if types::seeded!("ebh.threshold") { 0.0 } else { (many / k as f64).ln() };
        values[order[k - 1]].ln >= shared + level.ln_threshold()
    };
    let rejected = (1..=values.len()).rev().find(|&k| is_enough(k)).unwrap_or(0);
    order.truncate(rejected);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_prints_as_the_number_it_is() {
        let words = [1.0, 43.2, 0.3694, 19.6, 1e-9, 999.0].map(|v: f64| EValue::from_ln(v.ln()).to_string());
        assert_eq!(words, ["1.00", "43", "0.37", "20", "less than 0.01", "999"]);
        assert_eq!(EValue::from_ln(5000.0).to_string(), "3.0e2171");
        assert_eq!(EValue::from_ln(f64::NEG_INFINITY).to_string(), "less than 0.01");
        assert_eq!(EValue::from_ln(f64::INFINITY).to_string(), "inf");
    }

    #[test]
    fn nothing_together_is_no_evidence() {
        assert_eq!(product([]), EValue::ONE);
        assert_eq!(average(&[]), EValue::ONE);
        assert_eq!(e_bh(&[], Level::FIVE_PERCENT), []);
    }

    #[test]
    fn ruin_outweighs_any_win_in_a_product() {
        let (lost, won) = (EValue::from_ln(f64::NEG_INFINITY), EValue::from_ln(f64::INFINITY));
        assert_eq!(product([won, lost]).value(), 0.0);
    }

    #[test]
    #[should_panic(expected = "evidence is a number")]
    fn what_is_no_number_is_no_evidence() {
        let _ = EValue::from_ln(f64::NAN);
    }
}
