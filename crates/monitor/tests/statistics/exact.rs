//! Under its null an e-process is a fair game, to 1e-9; and it errs as rarely as the tables of the literature note say.

use asupersync_monitor::{
    Beta, Betting, EProcess, EValue, Fixed, Grid, Kelly, Level, Mixture, PlugIn, Ratio, Share, Stake,
};

use crate::walk::{at_most, close, exactly, rate, sequences, walk};

const LEVEL: Level = Level::FIVE_PERCENT;

/// The expectation of the stopped evidence is 1, and it reaches 20 with these chances by 100 and by 1000 observations.
fn errs<P: EProcess + Clone>(process: &P, p0: f64, by_100: f64, by_1000: f64) {
    let walk = walk(process, p0, 1000, LEVEL);
    close(walk.expectation, 1.0, 1e-9);
    close(walk.reached_by(100), by_100, 1e-6);
    close(walk.reached_by(1000), by_1000, 1e-6);
}

#[test]
fn a_ratio_is_fair_and_errs_as_tabled() {
    errs(&Ratio::new(at_most(0.05), rate(0.1)).unwrap(), 0.05, 0.016641, 0.039283);
    errs(&Ratio::new(at_most(0.05), rate(0.2)).unwrap(), 0.05, 0.029199, 0.029588);
}

#[test]
fn a_fixed_bet_is_fair_and_errs_as_tabled() {
    let null = at_most(0.05);
    errs(&Betting::new(null, Fixed(Stake::of_lambda(5.0, null).unwrap())), 0.05, 0.025823, 0.025831);
}

#[test]
fn a_mixture_is_fair_and_errs_as_tabled() {
    errs(&Mixture::new(exactly(0.05), Beta::UNIFORM), 0.05, 0.016792, 0.020136);
    errs(&Mixture::new(exactly(0.5), Beta::UNIFORM), 0.5, 0.027576, 0.035712);
}

#[test]
fn a_grid_is_fair_and_errs_as_tabled() {
    errs(&Grid::new(at_most(0.05)), 0.05, 0.021174, 0.027984);
}

#[test]
fn a_process_is_fair_under_every_null_it_may_be_asked_about() {
    for p0 in [0.001, 0.01, 0.1, 0.3, 0.5, 0.9] {
        for level in [Level::FIVE_PERCENT, Level::ONE_PER_MILLE] {
            close(walk(&Grid::new(at_most(p0)), p0, 300, level).expectation, 1.0, 1e-9);
            close(walk(&Mixture::new(exactly(p0), Beta::KT), p0, 300, level).expectation, 1.0, 1e-9);
        }
    }
}

/// What a bet that learns has become over every sequence of twelve observations, stopped at the level or not.
pub(crate) fn a_learning_gambler_is_fair_over_every_sequence() {
    for p0 in [0.05, 0.3, 0.5, 0.9] {
        for cap in [Stake::HALF, Stake::THREE_QUARTERS] {
            let gambler = Betting::new(at_most(p0), PlugIn::capped(at_most(p0), cap));
            let (mut stopped, mut at_the_end) = (0.0, 0.0);
            for (path, chance) in sequences(12, p0) {
                let (mut gambler, mut when_stopped) = (gambler.clone(), None);
                for violated in path {
                    gambler.observe(violated);
                    if gambler.rejects(LEVEL) && when_stopped.is_none() {
                        when_stopped = Some(gambler.log_e().exp());
                    }
                }
                at_the_end += chance * gambler.log_e().exp();
                stopped += chance * when_stopped.unwrap_or(gambler.log_e().exp());
            }
            close(at_the_end, 1.0, 1e-9);
            close(stopped, 1.0, 1e-9);
        }
    }
}

#[test]
fn a_gambler_who_learns_is_fair() {
    a_learning_gambler_is_fair_over_every_sequence();
}

#[test]
fn a_truth_below_the_promise_makes_every_one_sided_test_lose() {
    let (null, point) = (at_most(0.1), rate(0.3));
    for truth in [0.01, 0.05, 0.099] {
        let expectations = [
            walk(&Grid::new(null), truth, 200, LEVEL).expectation,
            walk(&Ratio::new(null, point).unwrap(), truth, 200, LEVEL).expectation,
            walk(&Betting::new(null, Kelly::new(null, point).unwrap()), truth, 200, LEVEL).expectation,
        ];
        assert!(expectations.iter().all(|e| *e < 1.0), "at {truth}: {expectations:?}");
    }
}

fn after<P: EProcess>(mut process: P, seen: u64, violations: u64) -> f64 {
    (0..seen).for_each(|at| process.observe(at < violations));
    process.log_e().exp()
}

#[test]
fn spot_values_of_the_mixtures() {
    let uniform = |t, s| after(Mixture::new(exactly(0.5), Beta::UNIFORM), t, s);
    close(uniform(10, 8), 1024.0 / 495.0, 1e-12);
    close(uniform(10, 10), 1024.0 / 11.0, 1e-9);
    close(uniform(10, 5), 1024.0 / 2772.0, 1e-12);
    close(uniform(20, 15), 3.220_600_520_9, 1e-10);
    let kt = |t, s| after(Mixture::new(exactly(0.5), Beta::KT), t, s);
    close(kt(1, 1), 1.0, 1e-12);
    close(kt(2, 2), 1.5, 1e-12);
    close(kt(10, 8), 1.675_781_25, 1e-11);
    close(kt(10, 10), 180.425_781_25, 1e-9);
}

#[test]
fn spot_values_of_the_ratio_and_the_bet_that_equals_it() {
    let (null, point) = (at_most(0.05), rate(0.1));
    let ratio = Ratio::new(null, point).unwrap();
    close(after(ratio.clone(), 1, 1), 2.0, 1e-12);
    close(after(ratio.clone(), 1, 0), 0.947_368_421_1, 1e-10);
    close(ratio.growth(), 0.020_654_218_9, 1e-10);
    close(Level::FIVE_PERCENT.ln_threshold() / ratio.growth(), 145.04, 0.005);
    let kelly = Betting::new(null, Kelly::new(null, point).unwrap());
    close(kelly.stake().share() / 0.05, 1.052_631_578_9, 1e-10);
    for (t, s) in [(1, 1), (7, 2), (100, 11), (500, 0), (50, 50)] {
        let (bet, ratio) = (after(kelly.clone(), t, s), after(ratio.clone(), t, s));
        close(bet / ratio, 1.0, 1e-9);
    }
}

#[test]
fn shares_are_a_fair_game_too() {
    // Three values with mean 0.2: a share of 0, a quarter, or all.
    let outcomes = [(0.0, 0.6), (0.25, 4.0 / 15.0), (1.0, 2.0 / 15.0)];
    close(outcomes.iter().map(|(x, chance)| x * chance).sum(), 0.2, 1e-15);
    let mut paths = vec![(1.0, Betting::new(at_most(0.2), PlugIn::new(at_most(0.2))))];
    for _ in 0..8 {
        paths = paths
            .iter()
            .flat_map(|(chance, gambler)| {
                outcomes.map(|(x, weight)| {
                    let mut gambler = gambler.clone();
                    gambler.observe_share(Share::new(x).unwrap());
                    (chance * weight, gambler)
                })
            })
            .collect();
    }
    close(paths.iter().map(|(chance, gambler)| chance * gambler.log_e().exp()).sum(), 1.0, 1e-9);
}

/// The p-value follows the largest evidence there ever was.
pub(crate) fn the_p_value_never_rises_and_a_rejection_stays() {
    let mut ratio = Ratio::new(at_most(0.05), rate(0.2)).unwrap();
    (0..3).for_each(|_| ratio.observe(true));
    close(ratio.p_value(), 1.0 / 64.0, 1e-12);
    assert!(ratio.rejects(Level::FIVE_PERCENT) && !ratio.rejects(Level::ONE_PERCENT));
    (0..200).for_each(|_| ratio.observe(false));
    assert!(ratio.log_e() < 0.0);
    close(ratio.p_value(), 1.0 / 64.0, 1e-12);
    assert!(ratio.rejects(Level::FIVE_PERCENT));
}

#[test]
fn p_values_remember() {
    the_p_value_never_rises_and_a_rejection_stays();
}

#[test]
fn an_account_without_observations_says_nothing() {
    let grid = Grid::new(at_most(0.05));
    assert_eq!((grid.log_e(), grid.p_value()), (0.0, 1.0));
    assert_eq!((grid.wealth().seen(), grid.wealth().peak()), (0, EValue::ONE));
}

#[test]
fn a_million_observations_of_either_kind_stay_in_range() {
    for violated in [false, true] {
        let mut grid = Grid::new(at_most(0.001));
        (0..1_000_000).for_each(|_| grid.observe(violated));
        assert!(grid.log_e().is_finite(), "{}", grid.log_e());
        assert_eq!(grid.rejects(Level::ONE_PER_MILLE), violated);
    }
}
