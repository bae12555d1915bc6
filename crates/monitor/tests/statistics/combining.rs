//! Evidence from several places: products, averages, e-BH; each on a case that is enumerated in full.

use asupersync_monitor::{
    EProcess, EValue, Grid, Level, Panel, Question, Ratio, average, e_bh, product, readers::Notes,
};
use trace::{Event, Label};
use types::Time;

use crate::walk::{at_most, close, rate, sequences};

fn values(values: &[f64]) -> Vec<EValue> {
    values.iter().map(|value| EValue::from_ln(value.ln())).collect()
}

fn evidence(path: &[bool], p0: f64, p1: f64) -> EValue {
    let mut ratio = Ratio::new(at_most(p0), rate(p1)).unwrap();
    path.iter().for_each(|&violated| ratio.observe(violated));
    ratio.wealth().now()
}

#[test]
fn evidence_from_disjoint_stretches_multiplies_and_stays_fair() {
    let fair: f64 = sequences(12, 0.3)
        .map(|(path, chance)| {
            let (first, second) = path.split_at(5);
            chance * product([evidence(first, 0.3, 0.6), evidence(second, 0.3, 0.5)]).value()
        })
        .sum();
    close(fair, 1.0, 1e-9);
}

/// Three oracles look at one run. Averaged they're fair; multiplied, they would count one surprise three times.
pub(crate) fn evidence_about_one_run_is_fair_when_averaged() {
    let of_one_run = |path: &[bool]| [0.4, 0.6, 0.8].map(|p1| evidence(path, 0.3, p1));
    let expectation = |together: fn(&[EValue]) -> EValue| -> f64 {
        sequences(12, 0.3).map(|(path, chance)| chance * together(&of_one_run(&path)).value()).sum()
    };
    close(expectation(average), 1.0, 1e-9);
    let multiplied = expectation(|values| product(values.iter().copied()));
    assert!(multiplied > 10.0, "the product is no e-value here: {multiplied}");
}

#[test]
fn questions_about_one_run_are_averaged() {
    evidence_about_one_run_is_fair_when_averaged();
    close(average(&values(&[1.0, 2.0, 6.0])).value(), 3.0, 1e-12);
    close(average(&[EValue::from_ln(2000.0), EValue::from_ln(0.0)]).ln(), 2000.0 - 2f64.ln(), 1e-9);
}

#[test]
fn e_bh_names_the_largest_group_that_is_large_enough() {
    // m / (k alpha) with m = 4, alpha = 0.05: 80, 40, 26.7, 20.
    let named = |v: &[f64]| e_bh(&values(v), Level::FIVE_PERCENT);
    assert_eq!(named(&[81.0, 1.0, 1.0, 1.0]), [0]);
    assert_eq!(named(&[79.0, 1.0, 1.0, 1.0]), []);
    assert_eq!(named(&[1.0, 41.0, 0.5, 42.0]), [1, 3]);
    // No single one would do: together they do.
    assert_eq!(named(&[20.5, 21.0, 22.0, 23.0]), [0, 1, 2, 3]);
    assert_eq!(named(&[27.0, 27.0, 19.0, 27.0]), [0, 1, 3]);
    assert_eq!(named(&[19.0, 19.0, 19.0, 19.0]), []);
}

/// Exact false discovery rates: four true nulls whose values are as bad as e-values may be, then processes on one stream of
/// which two test true claims and two false ones.
pub(crate) fn e_bh_names_wrongly_as_rarely_as_promised() {
    let level = Level::new(0.2).unwrap();
    // Each null is true, with e-value 20 in a slice of its own of chance 1/20: expectation 1, and the slices are disjoint.
    // The threshold for one of four is 4 / 0.2 = 20, so the rate is 4/20: exactly the level.
    let rate: f64 = (0..4)
        .map(|hit| {
            let mut four = [0.0; 4];
            four[hit] = 20.0;
            if e_bh(&values(&four), level).is_empty() { 0.0 } else { 1.0 / 20.0 }
        })
        .sum();
    close(rate, 0.2, 1e-12);
    // With smaller, more frequent values a rule that forgets the number of questions errs with chance 4/5.
    let rate: f64 = (0..4)
        .map(|hit| {
            let mut four = [0.0; 4];
            four[hit] = 5.0;
            if e_bh(&values(&four), level).is_empty() { 0.0 } else { 1.0 / 5.0 }
        })
        .sum();
    assert!(rate <= 0.2, "false discoveries at a rate of {rate}");
    // Processes on one stream: two claims are true at 0.3, two are false and say 0.05 and 0.1.
    let level = Level::FIVE_PERCENT;
    let wrong: f64 = sequences(14, 0.3)
        .map(|(path, chance)| {
            let claims = [(0.3, 0.6), (0.3, 0.9), (0.05, 0.3), (0.1, 0.3)];
            let named = e_bh(&claims.map(|(p0, p1)| evidence(&path, p0, p1)), level);
            let wrongly = named.iter().filter(|&&at| at < 2).count();
            chance * wrongly as f64 / named.len().max(1) as f64
        })
        .sum();
    assert!(wrong > 0.0 && wrong <= 0.05 * 0.5, "false discoveries at a rate of {wrong}");
}

#[test]
fn false_discoveries_are_bounded() {
    e_bh_names_wrongly_as_rarely_as_promised();
}

fn note(seq: u64, text: &'static str) -> Event {
    Event::new(seq, Time::ZERO, Label::User { text: text.into() })
}

/// A panel judges by the evidence now. Eight true claims about one fair stream: named at the end by peaks, more than the level.
pub(crate) fn a_panel_does_not_judge_by_peaks() {
    let null = at_most(0.3);
    let mut panel = Panel::new()
        .reading(Question::new("tosses", null, "tosses", "are heads"), Notes::new("tails", "heads"));
    let level = Level::FIVE_PERCENT;
    (0..8).for_each(|seq| _ = panel.observe(&note(seq, "heads")));
    assert_eq!(panel.findings(level).len(), 1);
    assert!(panel.together().rejects(level));
    (8..40).for_each(|seq| _ = panel.observe(&note(seq, "tails")));
    assert!(panel.monitors().next().unwrap().verdict(level).is_rejection(), "one test may remember its peak");
    assert!(panel.findings(level).is_empty(), "e-BH may not");
    assert!(panel.together() < EValue::ONE);
}

#[test]
fn a_peak_is_no_e_value() {
    a_panel_does_not_judge_by_peaks();
    // Why: the expectation of the largest evidence so far is above 1 under the null.
    let peaks: f64 = sequences(14, 0.3)
        .map(|(path, chance)| {
            let mut grid = Grid::new(at_most(0.3));
            path.iter().for_each(|&violated| grid.observe(violated));
            chance * grid.wealth().peak().value()
        })
        .sum();
    assert!(peaks > 1.5, "{peaks}");
}
