//! Three functions of the logarithmic domain that `core` doesn't have: ln Γ, ln B and ln of a sum of exponentials.
//!
//! Accuracy of [`ln_gamma`]: about 1e-14 relative, by shifting the argument above 12 and Stirling's series with eight terms
//! there (Abramowitz and Stegun 6.1.41; the first term left out is below 1e-16).
//!
//! Not here: incomplete functions; nothing needs them.

/// ln Γ(x) for x > 0; infinite at 0. Cost: at most twelve multiplications and one series.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    debug_assert!(x >= 0.0, "ln Γ is taken of positive numbers here, not of {x}");
    const SERIES: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
        -3617.0 / 122_400.0,
    ];
    if x == 0.0 {
        return f64::INFINITY;
    }
    // Γ(x) = Γ(x + n) / (x (x + 1) .. (x + n - 1)); the product stays below 12^12, far from overflow.
    let (mut large, mut product) = (x, 1.0);
    while large < 12.0 {
        product *= large;
        large += 1.0;
    }
    let inverse = 1.0 / large;
    let square = inverse * inverse;
    let tail = SERIES.iter().rev().fold(0.0, |sum, term| sum * square + term) * inverse;
    (large - 0.5) * large.ln() - large + 0.5 * core::f64::consts::TAU.ln() + tail - product.ln()
}

/// ln B(a, b) = ln Γ(a) + ln Γ(b) - ln Γ(a + b), for positive `a` and `b`.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// ln Σ exp(x), exact in the largest term; minus infinity for no terms, or for nothing but minus infinities.
pub(crate) fn ln_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms.map(|term| (term - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-13 * expected.abs().max(1.0), "{found} isn't {expected}");
    }

    #[test]
    fn gamma_of_whole_numbers_is_a_factorial() {
        let mut ln_factorial = 0.0;
        for n in 1..200 {
            close(ln_gamma(f64::from(n)), ln_factorial);
            ln_factorial += f64::from(n).ln();
        }
    }

    #[test]
    fn gamma_of_a_half_is_the_root_of_pi() {
        close(ln_gamma(0.5), 0.5 * core::f64::consts::PI.ln());
        close(ln_gamma(1.5), 0.5 * core::f64::consts::PI.ln() - 2f64.ln());
    }

    #[test]
    fn gamma_keeps_its_recurrence_for_small_and_large_arguments() {
        for x in [1e-9, 1e-3, 0.3, 4.2, 11.9, 12.1, 345.6, 1e6] {
            close(ln_gamma(x + 1.0), ln_gamma(x) + x.ln());
        }
    }

    #[test]
    fn sums_of_exponentials_neither_overflow_nor_vanish() {
        close(ln_sum_exp([1000.0, 1000.0].into_iter()), 1000.0 + 2f64.ln());
        close(ln_sum_exp([-1000.0, -1000.0].into_iter()), -1000.0 + 2f64.ln());
        assert_eq!(ln_sum_exp([].into_iter()), f64::NEG_INFINITY);
        assert_eq!(ln_sum_exp([f64::NEG_INFINITY].into_iter()), f64::NEG_INFINITY);
    }
}
