//! Confidence sequences against the published values of the confseq library, and their promise by exact computation.

use asupersync_monitor::{Level, MeanSequence, NormalMixture, RateSequence, Refusal, Share};

use crate::walk::{close, rate};

const LEVEL: Level = Level::FIVE_PERCENT;

/// The values that confseq's own tests hold, to 1e-5.
pub(crate) fn rates_lie_where_the_reference_says() {
    let published = [
        (700, 1000, 100, 0.651629, 0.745949),
        (15, 50, 50, 0.129556, 0.511896),
        (5, 50, 50, 0.013021, 0.269264),
        (1, 50, 50, 0.0, 0.13489),
        (100, 200, 1, 0.328923, 0.671076),
        (1, 2, 50, 0.0, 1.0),
        (0, 1, 50, 0.0, 1.0),
        (1, 1, 50, 0.0, 1.0),
    ];
    for (violations, seen, tightest_at, lower, upper) in published {
        let interval = RateSequence::new(LEVEL, tightest_at).unwrap().interval(violations, seen);
        close(interval.lower, lower, 1e-5);
        close(interval.upper, upper, 1e-5);
    }
}

#[test]
fn the_published_intervals_are_reproduced() {
    rates_lie_where_the_reference_says();
}

#[test]
fn the_published_normal_mixture_is_reproduced() {
    let mixture = NormalMixture::tightest_at(100.0, LEVEL).unwrap();
    close(mixture.rho(), 12.60056, 1e-5);
    close(mixture.ln_e(10.0, 100.0), -0.6510052, 1e-6);
    close(mixture.bound(100.0, LEVEL), 30.35209, 1e-5);
    // The bound is where the evidence reaches one over the level.
    close(mixture.ln_e(mixture.bound(100.0, LEVEL), 100.0), LEVEL.ln_threshold(), 1e-12);
}

/// The chance that the true rate is ever outside, within 500 observations.
fn ever_outside(truth: f64, tightest_at: u32) -> f64 {
    let sequence = RateSequence::new(LEVEL, tightest_at).unwrap();
    let (mut inside, mut outside) = (vec![1.0], 0.0);
    for seen in 1..=500_u64 {
        let mut next = vec![0.0; inside.len() + 1];
        for (violations, chance) in inside.iter().enumerate() {
            next[violations] += chance * (1.0 - truth);
            next[violations + 1] += chance * truth;
        }
        for (violations, chance) in next.iter_mut().enumerate().filter(|(_, chance)| **chance > 0.0) {
            if sequence.excludes(rate(truth), violations as u64, seen) {
                outside += std::mem::take(chance);
            }
        }
        inside = next;
    }
    outside
}

#[test]
fn the_true_rate_is_ever_outside_with_at_most_the_level() {
    for truth in [0.02, 0.3, 0.5] {
        let outside = ever_outside(truth, 100);
        assert!(outside > 0.0 && outside <= 0.05, "at {truth}: {outside}");
    }
}

#[test]
fn an_interval_holds_the_estimate_and_agrees_with_the_test_of_a_rate() {
    let sequence = RateSequence::new(LEVEL, 100).unwrap();
    for (violations, seen) in [(0, 1), (0, 1000), (3, 1000), (50, 100), (999, 1000), (1000, 1000)] {
        let interval = sequence.interval(violations, seen);
        let estimate = violations as f64 / seen as f64;
        assert!(
            interval.lower <= estimate && estimate <= interval.upper,
            "{violations} of {seen}: {interval:?}"
        );
        for p in [0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.999] {
            let outside = p < interval.lower || p > interval.upper;
            assert_eq!(sequence.excludes(rate(p), violations, seen), outside, "{p} in {interval:?}");
        }
    }
}

#[test]
fn a_mean_is_bounded_by_the_normal_mixture() {
    let mut mean = MeanSequence::new(LEVEL, 100).unwrap();
    assert_eq!((mean.interval().lower, mean.interval().upper), (0.0, 1.0));
    (0..100).for_each(|at| mean.observe(Share::from(at % 2 == 0)));
    let reach = NormalMixture::tightest_at(25.0, LEVEL).unwrap().bound(25.0, LEVEL) / 100.0;
    close(mean.interval().lower, 0.5 - reach, 1e-12);
    close(mean.interval().upper, 0.5 + reach, 1e-12);
    assert!(reach > 0.1 && reach < 0.2, "{reach}");
}

#[test]
fn what_can_not_be_tuned_is_refused() {
    assert_eq!(RateSequence::new(LEVEL, 0).unwrap_err(), Refusal::NotPositive(0.0));
    assert!(MeanSequence::new(LEVEL, 0).is_err());
    assert!(NormalMixture::tightest_at(f64::NAN, LEVEL).is_err());
}

#[test]
#[should_panic(expected = "3 violations among 2 observations")]
fn more_violations_than_observations_are_a_mistake_of_the_caller() {
    let _ = RateSequence::new(LEVEL, 10).unwrap().interval(3, 2);
}
