//! Three ways to get it wrong that look right. Each test shows what would go wrong, and that it doesn't here.

use asupersync_monitor::{
    Bet, Beta, Betting, EProcess, Grid, Kelly, Level, Mixture, PlugIn, Ratio, Share, Stake,
};

use crate::walk::{at_most, close, exactly, rate, sequences, walk};

const LEVEL: Level = Level::FIVE_PERCENT;

/// Pitfall 1: a system that is better than promised. The one-sided tests stay calm.
pub(crate) fn a_better_system_than_promised_raises_no_alarm() {
    close(walk(&Grid::new(at_most(0.05)), 0.01, 1000, LEVEL).reached_by(1000), 0.000343, 1e-6);
    let ratio = Ratio::new(at_most(0.05), rate(0.1)).unwrap();
    close(walk(&ratio, 0.01, 1000, LEVEL).reached_by(1000), 0.000001, 1e-6);
}

#[test]
fn one_sided_tests_stay_calm_where_all_is_better() {
    a_better_system_than_promised_raises_no_alarm();
}

#[test]
fn a_point_mixture_raises_an_alarm_about_good_news_which_is_why_it_is_not_one_sided() {
    let mixture = Mixture::new(exactly(0.05), Beta::UNIFORM);
    close(walk(&mixture, 0.01, 1000, LEVEL).reached_by(1000), 0.999994, 1e-6);
}

/// P(X >= count) for a binomial X: the p-value of the textbook's exact one-sided test. Taken down by a rounding, because a
/// violation in the very first run has a p-value of 0.05 exactly and the textbook rejects at it.
fn binomial_tail(seen: u64, count: u64, p: f64) -> f64 {
    let mut term = (1.0 - p).powi(i32::try_from(seen).unwrap());
    let mut below = 0.0;
    for k in 0..count {
        below += term;
        term *= (seen - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
    }
    (1.0 - below) * (1.0 - 1e-12)
}

/// The textbook's test dressed as an e-process, the way one would who doesn't know better: "evidence" is one over the p-value.
#[derive(Clone)]
struct LooksEveryTime(asupersync_monitor::Wealth);

impl EProcess for LooksEveryTime {
    type Null = asupersync_monitor::AtMost;

    fn null(&self) -> Self::Null {
        at_most(0.05)
    }

    fn observe(&mut self, violated: bool) {
        let (seen, count) = (self.0.seen() + 1, self.0.violations() + u64::from(violated));
        let p_value = binomial_tail(seen, count, 0.05);
        self.0.record(violated, asupersync_monitor::EValue::from_ln(-p_value.ln()));
    }

    fn wealth(&self) -> &asupersync_monitor::Wealth {
        &self.0
    }
}

#[test]
fn a_fixed_size_test_repeated_after_every_run_errs_far_above_its_level() {
    let textbook = walk(&LooksEveryTime(asupersync_monitor::Wealth::new()), 0.05, 1000, LEVEL);
    close(textbook.reached_by(100), 0.1786, 5.1e-5);
    close(textbook.reached_by(500), 0.2647, 5.1e-5);
    close(textbook.reached_by(1000), 0.3026, 5.1e-5);
    assert!(textbook.expectation > 1.5, "one over a p-value is no e-value: {}", textbook.expectation);
    let ours = walk(&Grid::new(at_most(0.05)), 0.05, 1000, LEVEL);
    assert!(ours.reached_by(1000) <= 0.05);
}

/// Pitfall 3: an adversary who reads the stake and then chooses, within the null, what the next observation is drawn from.
/// It may be a constant at the rate, violations at the rate, or a mixture; its choice maximises the gambler's expectation,
/// found by looking ahead over everything.
fn best_for_the_gambler<B: Bet + Clone>(gambler: &Betting<B>, m: f64, rounds: u32) -> f64 {
    if rounds == 0 {
        return gambler.log_e().exp();
    }
    let then = |x: f64| {
        let mut gambler = gambler.clone();
        gambler.observe_share(Share::new(x).unwrap());
        best_for_the_gambler(&gambler, m, rounds - 1)
    };
    let constant = then(m);
    let violations = m * then(1.0) + (1.0 - m) * then(0.0);
    let nothing = then(0.0);
    constant.max(violations).max(nothing)
}

/// Whatever the adversary does after reading the stake, the expectation stays 1.
pub(crate) fn an_adversary_who_reads_the_stake_gains_nothing() {
    for m in [0.05, 0.3, 0.6] {
        let null = at_most(m);
        let learning = Betting::new(null, PlugIn::capped(null, Stake::THREE_QUARTERS));
        let found = best_for_the_gambler(&learning, m, 7);
        assert!(found <= 1.0 + 1e-12, "at {m}: {found}");
    }
    let null = at_most(0.3);
    let kelly = Betting::new(null, Kelly::new(null, rate(0.6)).unwrap());
    assert!(best_for_the_gambler(&kelly, 0.3, 7) <= 1.0 + 1e-12);
}

#[test]
fn a_known_stake_can_not_be_exploited() {
    an_adversary_who_reads_the_stake_gains_nothing();
}

#[test]
fn a_gambler_who_reads_the_observation_wins_against_a_true_null() {
    // Not a `Bet`: a `Bet` isn't shown the observation. Stakes half on a violation and nothing otherwise.
    let m = 0.3;
    let factor = |violated: bool| if violated { 1.0 + 0.5 * (1.0 / m - 1.0) } else { 1.0 };
    let gain: f64 =
        sequences(10, m).map(|(path, chance)| chance * path.into_iter().map(factor).product::<f64>()).sum();
    close(gain, (1.0 + 0.5 * (1.0 - m)).powi(10), 1e-9);
    assert!(gain > 20.0, "and so it would be believed: {gain}");
}
