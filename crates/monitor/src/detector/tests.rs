//! The average run length by a Markov chain whose states are detectors: exact bounds from both sides.
//!
//! The value M after an observation depends on M before and on the observation, and rises with M. So a chain in which M is
//! rounded UP after every step alarms no later than the detector, and one in which it is rounded DOWN no sooner.

use super::*;

/// The average time to the first alarm, and the average of M there, in the chain that rounds ln M by `round` to multiples of
/// `step`.
fn chain(detector: &Detector, p: f64, level: Level, step: f64, round: fn(f64) -> f64) -> (f64, f64) {
    let place = |ln_m: f64| round(ln_m / step) as i64;
    let after = |ln_m: f64, violated: bool| {
        let mut detector = detector.clone();
        detector.ln_m[0] = ln_m;
        detector.observe(violated);
        (detector.ln_value(), detector.alarm(level))
    };
    // Everything reachable lies between the value after one good observation and the threshold.
    let lowest = place(after(f64::NEG_INFINITY, false).0.min(after(f64::NEG_INFINITY, true).0)) - 2;
    let states = usize::try_from(place(level.ln_threshold()) - lowest).unwrap() + 2;
    let state = |ln_m: f64| usize::try_from(place(ln_m) - lowest).unwrap();
    let moves: Vec<[(f64, bool); 2]> = (0..states)
        .map(|at| [false, true].map(|violated| after((lowest + at as i64) as f64 * step, violated)))
        .collect();
    let (mut alive, mut run_length, mut at_alarm, mut survivors) = (vec![0.0; states], 0.0, 0.0, 1.0);
    let mut from = vec![(1.0, [false, true].map(|violated| after(f64::NEG_INFINITY, violated)))];
    // Stopping early can only shorten both averages, by a billionth of them.
    while survivors > 1e-9 {
        run_length += survivors;
        let mut next = vec![0.0; states];
        for (chance, moves) in from {
            for ((ln_m, alarm), chance) in moves.into_iter().zip([chance * (1.0 - p), chance * p]) {
                if alarm { at_alarm += chance * ln_m.exp() } else { next[state(ln_m)] += chance }
            }
        }
        alive.copy_from_slice(&next);
        survivors = alive.iter().sum();
        let reached =
            |(chance, moves): (&f64, &[(f64, bool); 2])| (*chance > 0.0).then_some((*chance, *moves));
        from = alive.iter().zip(&moves).filter_map(reached).collect();
    }
    (run_length, at_alarm)
}

fn single(p0: f64, p1: f64, form: Form) -> Detector {
    let rate = |value| Rate::new(value).unwrap();
    Detector::with_points(AtMost(rate(p0)), form, &[(rate(p1), 1.0)]).unwrap()
}

#[test]
fn the_average_run_length_of_both_forms_is_at_least_one_over_the_level() {
    for form in [Form::ShiryaevRoberts, Form::Cusum] {
        for (p0, p1, level) in [(0.05, 0.1, 0.1), (0.05, 0.2, 0.05), (0.3, 0.6, 0.05)] {
            let (shortest, _) = chain(&single(p0, p1, form), p0, Level::new(level).unwrap(), 4e-3, f64::ceil);
            assert!(shortest >= 1.0 / level, "{form:?} {p0} {p1}: an alarm after {shortest} on average");
        }
    }
}

#[test]
fn the_average_run_length_is_the_average_value_at_the_alarm() {
    // M - t is a martingale at the null's rate, so that E[alarm time] = E[M at the alarm], exactly; and the chains enclose it.
    let (p0, level) = (0.05, Level::FIVE_PERCENT);
    let detector = single(p0, 0.2, Form::ShiryaevRoberts);
    let (shortest, at_alarm_up) = chain(&detector, p0, level, 1e-3, f64::ceil);
    let (longest, at_alarm_down) = chain(&detector, p0, level, 1e-3, f64::floor);
    assert!(shortest <= longest && longest / shortest < 1.01, "{shortest} to {longest}");
    for at_alarm in [at_alarm_up, at_alarm_down] {
        assert!((at_alarm / shortest - 1.0).abs() < 0.02, "{at_alarm} at the alarm, {shortest} before it");
    }
}

#[test]
fn a_better_truth_makes_false_alarms_rarer() {
    let level = Level::FIVE_PERCENT;
    let detector = single(0.1, 0.2, Form::ShiryaevRoberts);
    let (at_null, _) = chain(&detector, 0.1, level, 4e-3, f64::ceil);
    let (better, _) = chain(&detector, 0.05, level, 4e-3, f64::ceil);
    assert!(better > 1.5 * at_null, "{better} against {at_null}");
}
