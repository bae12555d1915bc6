//! What a row of clean runs allows to say.

use asupersync_monitor::{CleanRuns, Coverage, Enumerated, Level, Sampled, Statement};

use crate::walk::{close, rate};

const LEVELS: [Level; 3] = [Level::FIVE_PERCENT, Level::ONE_PERCENT, Level::ONE_PER_MILLE];

/// The note's table of rejection times, and that the evidence says the same: enough there, not enough one run before.
pub(crate) fn as_many_clean_runs_as_tabled_are_needed() {
    let table = [
        (0.1, [29, 44, 66]),
        (0.01, [299, 459, 688]),
        (0.001, [2995, 4603, 6905]),
        (1e-4, [29956, 46050, 69075]),
    ];
    for (eps, times) in table {
        for (level, expected) in LEVELS.into_iter().zip(times) {
            assert_eq!(CleanRuns::needed(rate(eps), level), expected, "{eps} at {level}");
            let mut runs = CleanRuns::new(&Sampled::independently(1));
            (1..expected).for_each(|_| runs.observe(false));
            assert!(!runs.evidence(rate(eps)).rejects(level), "{eps} at {level}: rejected a run too early");
            runs.observe(false);
            assert!(runs.evidence(rate(eps)).rejects(level), "{eps} at {level}: not rejected");
        }
    }
}

#[test]
fn rejection_times_are_those_of_the_table() {
    as_many_clean_runs_as_tabled_are_needed();
}

#[test]
fn the_statement_names_the_smallest_rate_that_is_rejected() {
    let mut runs = CleanRuns::new(&Sampled::independently(1));
    assert_eq!(runs.statement(Level::FIVE_PERCENT), Statement::Nothing);
    (0..299).for_each(|_| runs.observe(false));
    let Statement::Below { below, runs: 299, .. } = runs.statement(Level::FIVE_PERCENT) else {
        panic!("299 clean runs allow a statement");
    };
    assert!(below < 0.01);
    close(runs.evidence(rate(below)).ln(), Level::FIVE_PERCENT.ln_threshold(), 1e-9);
}

#[test]
fn the_statement_is_wrong_as_rarely_as_it_says() {
    // At the rate itself the evidence is 20 after `needed` clean runs, and the chance of so many is at most 1/20.
    for eps in [0.5, 0.1, 0.01] {
        for level in LEVELS {
            let runs = i32::try_from(CleanRuns::needed(rate(eps), level)).unwrap();
            assert!((1.0 - eps).powi(runs) <= level.value());
            assert!((1.0 - eps).powi(runs - 1) > level.value());
        }
    }
}

/// A sampler whose rate halves with every clean run, as if it learnt to stay away from the bug: the chance that the mean
/// over the runs ever reaches what was stated, computed exactly over all its histories.
#[test]
fn for_a_sampler_that_learns_the_statement_is_about_the_mean_of_its_rates() {
    for level in LEVELS {
        for first in [0.9, 0.5, 0.2, 0.02] {
            let mut runs = CleanRuns::new(&Sampled::learning(1));
            let (mut clean, mut sum, mut next) = (1.0, 0.0, first);
            let mut wrong = 0.0_f64;
            for run in 1..=2000 {
                (clean, sum) = (clean * (1.0 - next), sum + next);
                runs.observe(false);
                next /= 2.0;
                let Statement::Below { below, mean: true, .. } = runs.statement(level) else {
                    panic!("clean runs allow a statement about the mean")
                };
                // Wrong from here on for whoever is still clean; clean histories are one path.
                if sum / f64::from(run) >= below {
                    wrong = wrong.max(clean);
                }
            }
            assert!(wrong <= level.value() + 1e-12, "{first} at {level}: wrong with probability {wrong}");
        }
    }
    let mut runs = CleanRuns::new(&Sampled::learning(1));
    runs.observe(false);
    assert_eq!(
        runs.statement(Level::FIVE_PERCENT).to_string(),
        "after 1 clean run the rate of violating schedules was, on average over these runs, below 95 %, with 95 % \
         confidence"
    );
}

#[test]
fn one_violation_ends_all_talk_of_rates() {
    let mut runs = CleanRuns::new(&Sampled::independently(42));
    (0..500).for_each(|_| runs.observe(false));
    runs.observe(true);
    (0..5000).for_each(|_| runs.observe(false));
    let statement = runs.statement(Level::FIVE_PERCENT);
    assert_eq!(statement, Statement::Violated { run: 501, seed: 42 });
    assert_eq!(statement.to_string(), "run 501 of seed 42 violated: that is a proof");
    assert_eq!(runs.evidence(rate(0.1)).value(), 0.0);
}

#[test]
fn an_enumeration_speaks_of_classes_and_never_of_rates() {
    let mut coverage = Coverage::new(&Enumerated::of(3));
    coverage.observe(false);
    coverage.observe(false);
    let partial = "2 of 3 classes of schedules visited: none violates; about the others this says nothing";
    assert_eq!(coverage.to_string(), partial);
    coverage.observe(false);
    assert!(coverage.is_complete());
    let all = "3 of 3 classes of schedules visited: none violates, and there are no others";
    assert_eq!(coverage.to_string(), all);

    let mut endless = Coverage::new(&Enumerated::new());
    endless.observe(false);
    endless.observe(true);
    assert!(!endless.is_complete());
    assert_eq!(
        endless.to_string(),
        "2 classes of schedules visited, of an unknown number: 1 found violating"
    );
}
