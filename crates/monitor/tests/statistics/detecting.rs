//! The detector: fair to the last digit over every sequence, its average run length, and how soon it sees a change.

use std::collections::BTreeMap;

use asupersync_monitor::{Detector, EProcess, Form, Grid, Level, Refusal};

use crate::walk::{at_most, close, rate, sequences};

/// Over a whole grid, M - t is a martingale at the null's rate: stopped at the alarm or at the end, it is 0 on average.
pub(crate) fn the_sum_over_all_starts_grows_by_one_per_observation() {
    for p0 in [0.05, 0.3, 0.6] {
        let level = Level::new(0.1).unwrap();
        let start = Detector::new(at_most(p0), Form::ShiryaevRoberts);
        let drift: f64 = sequences(13, p0)
            .map(|(path, chance)| {
                let mut detector = start.clone();
                for violated in path {
                    if !detector.alarm(level) {
                        detector.observe(violated);
                    }
                }
                chance * (detector.value() - detector.seen() as f64)
            })
            .sum();
        close(drift, 0.0, 1e-9);
    }
}

#[test]
fn a_detector_is_fair() {
    the_sum_over_all_starts_grows_by_one_per_observation();
}

#[test]
fn the_largest_is_never_more_than_the_sum() {
    let [mut sum, mut largest] =
        [Form::ShiryaevRoberts, Form::Cusum].map(|form| Detector::new(at_most(0.1), form));
    for at in 0..500 {
        let violated = at % 7 == 0 || at % 31 == 3;
        sum.observe(violated);
        largest.observe(violated);
        assert!(largest.ln_value() <= sum.ln_value() + 1e-12, "after {at}");
    }
}

/// A detector whose value doubles on a violation and halves otherwise: its chain has five states.
fn doubling(form: Form) -> Detector {
    Detector::with_points(at_most(1.0 / 3.0), form, &[(rate(2.0 / 3.0), 1.0)]).unwrap()
}

/// The exact average time to an alarm, from the states that are reached, by solving for the times from all of them.
fn average_run_length(start: &Detector, p: f64, level: Level) -> f64 {
    let key = |detector: &Detector| (detector.ln_value() * 1e6).round() as i64;
    let (mut places, mut found, mut moves) = (BTreeMap::new(), vec![start.clone()], Vec::new());
    while moves.len() < found.len() {
        let next = [false, true].map(|violated| {
            let mut detector = found[moves.len()].clone();
            detector.observe(violated);
            (!detector.alarm(level)).then(|| {
                *places.entry(key(&detector)).or_insert_with(|| {
                    found.push(detector);
                    found.len() - 1
                })
            })
        });
        moves.push(next);
    }
    // time = 1 + (1 - p) time[good] + p time[bad], by sweeps until nothing moves any more.
    let mut times = vec![0.0_f64; found.len()];
    loop {
        let mut moved = 0.0_f64;
        for at in 0..times.len() {
            let [good, bad] = moves[at].map(|to| to.map_or(0.0, |to| times[to]));
            let time = 1.0 + (1.0 - p) * good + p * bad;
            moved = moved.max((time - times[at]).abs());
            times[at] = time;
        }
        if moved < 1e-13 {
            return times[0];
        }
    }
}

#[test]
fn the_average_run_length_of_a_small_chain_is_exact() {
    // A walk that is pushed back at 0, up with 1/3, over at 4: 3 + 9 + 21 + 45 steps.
    let level = Level::new(1.0 / 15.0).unwrap();
    let length = average_run_length(&doubling(Form::Cusum), 1.0 / 3.0, level);
    close(length, 78.0, 1e-8);
    assert!(length >= 15.0);
    // And once the rate has doubled: 2/3 up. By the same recursion 1.5 + 2.25 + 2.625 + 2.8125 steps.
    close(average_run_length(&doubling(Form::Cusum), 2.0 / 3.0, level), 9.1875, 1e-8);
}

/// Four violations in a row, after whatever came before: the detector remembers no grudge and no merit.
pub(crate) fn a_change_is_seen_at_once_after_a_long_peace() {
    let level = Level::new(1.0 / 15.0).unwrap();
    for form in [Form::Cusum, Form::ShiryaevRoberts] {
        let mut detector = doubling(form);
        (0..100_000).for_each(|_| detector.observe(false));
        let needed = (1..100).find(|_| {
            detector.observe(true);
            detector.alarm(level)
        });
        assert!(needed.is_some_and(|needed| needed <= 4), "{form:?}: {needed:?}");
    }
}

#[test]
fn peace_buys_no_patience() {
    a_change_is_seen_at_once_after_a_long_peace();
    // An e-process has to win back first what the peace has cost.
    let mut grid = Grid::new(at_most(1.0 / 3.0));
    (0..100_000).for_each(|_| grid.observe(false));
    (0..1000).for_each(|_| grid.observe(true));
    assert!(!grid.rejects(Level::FIVE_PERCENT));
}

#[test]
fn after_an_alarm_it_starts_again() {
    let level = Level::new(1.0 / 15.0).unwrap();
    let mut detector = doubling(Form::ShiryaevRoberts);
    assert!(!detector.alarm(level), "nothing seen, no alarm");
    (0..10).for_each(|_| detector.observe(true));
    assert!(detector.alarm(level));
    detector.restart();
    assert_eq!((detector.alarm(level), detector.seen(), detector.value()), (false, 0, 0.0));
}

#[test]
fn the_expected_delay_is_that_of_the_best_test() {
    let detector = Detector::new(at_most(0.05), Form::ShiryaevRoberts);
    close(detector.expected_delay(rate(0.1), Level::FIVE_PERCENT).unwrap(), 145.04, 0.005);
    let refusal = detector.expected_delay(rate(0.05), Level::FIVE_PERCENT).unwrap_err();
    assert_eq!(refusal, Refusal::NotAbove { point: 0.05, at_most: 0.05 });
}
