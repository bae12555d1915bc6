//! How often each result came in a sample, and between which rates the truth lies.
//!
//! The interval is that of Clopper and Pearson (Biometrika 26, 1934): exact, as it inverts the tails of the binomial
//! distribution themselves and no approximation of them; too wide rather than too narrow. It holds for samplers whose runs are
//! drawn alike, and is about the mean rate for those that learn (`pct`, `urw`).
//!
//! Not here: what a result is (`sampled`).
use std::collections::BTreeMap;

/// How rarely the truth lies outside.
const ERRS: f64 = 0.01;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits {
    runs: u64,
    by_result: BTreeMap<String, u64>,
    by_class: BTreeMap<u128, u64>,
}

impl Hits {
    /// One more run.
    pub(crate) fn saw(&mut self, result: String, class: u128) {
        self.runs += 1;
        *self.by_result.entry(result).or_default() += 1;
        *self.by_class.entry(class).or_default() += 1;
    }

    /// How often this result came.
    pub(crate) fn of(&self, result: &str) -> u64 {
        self.by_result.get(result).copied().unwrap_or(0)
    }

    /// Each result, how often it came, and its rate; the commonest first.
    pub(crate) fn results(&self) -> Vec<(&str, u64, String)> {
        let mut all: Vec<_> = self.by_result.iter().map(|(result, hits)| (result.as_str(), *hits)).collect();
        all.sort_by_key(|(_, hits)| std::cmp::Reverse(*hits));
        all.into_iter().map(|(result, hits)| (result, hits, self.rate(hits))).collect()
    }

    /// How often the rarest and the commonest class came that were met.
    pub(crate) fn extremes(&self) -> (u64, u64) {
        let hits = || self.by_class.values().copied();
        (hits().min().unwrap_or(0), hits().max().unwrap_or(0))
    }

    /// "12.3 % (11.5 % to 13.2 %)".
    pub(crate) fn rate(&self, hits: u64) -> String {
        let (from, to) = interval(hits, self.runs);
        let percent = |rate: f64| format!("{:.2} %", 100.0 * rate);
        format!("{} ({} to {})", percent(hits as f64 / self.runs as f64), percent(from), percent(to))
    }
}

/// The rates that so many hits of so many runs leave open.
fn interval(hits: u64, runs: u64) -> (f64, f64) {
    let tails = Tails::new(runs);
    let seen = hits as f64 / runs as f64;
    let above = |rate| tails.at_least(hits, rate) > ERRS / 2.0;
    let below = |rate| tails.at_most(hits, rate) <= ERRS / 2.0;
    let from = if hits == 0 { 0.0 } else { first(0.0, seen, above) };
    let to = if hits == runs { 1.0 } else { first(seen, 1.0, below) };
    (from, to)
}

/// Where `holds` begins to hold between two numbers, by halving.
fn first(mut no: f64, mut yes: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..50 {
        let between = f64::midpoint(no, yes);
        if holds(between) { yes = between } else { no = between }
    }
    yes
}

/// The tails of binomial distributions of so many runs.
struct Tails {
    runs: u64,
    /// Logarithms of factorials.
    factorials: Vec<f64>,
}

impl Tails {
    fn new(runs: u64) -> Tails {
        let mut sum = 0.0;
        let next = |n: u64| {
            sum += (n.max(1) as f64).ln();
            sum
        };
        Tails { runs, factorials: (0..=runs).map(next).collect() }
    }

    fn exactly(&self, hits: u64, rate: f64) -> f64 {
        let (n, k) = (self.runs as usize, hits as usize);
        let ways = self.factorials[n] - self.factorials[k] - self.factorials[n - k];
        (ways + hits as f64 * rate.ln() + (self.runs - hits) as f64 * (-rate).ln_1p()).exp()
    }

    /// The probability of so many hits or fewer, for a rate above that.
    fn at_most(&self, hits: u64, rate: f64) -> f64 {
        self.sum((0..=hits).rev(), rate)
    }

    /// The probability of so many hits or more, for a rate below that.
    fn at_least(&self, hits: u64, rate: f64) -> f64 {
        self.sum(hits..=self.runs, rate)
    }

    /// The terms fall; what is too small to count is left out.
    fn sum(&self, hits: impl Iterator<Item = u64>, rate: f64) -> f64 {
        let mut sum = 0.0;
        for hits in hits {
            let term = self.exactly(hits, rate);
            sum += term;
            if term <= sum * 1e-12 {
                break;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds of no hit and of all are solved by hand: (1 - p)^n = 0.005.
    #[test]
    fn the_interval_is_that_of_the_binomial_tails() {
        for runs in [1, 10, 1000] {
            let bound = 1.0 - 0.005_f64.powf(1.0 / runs as f64);
            let (from, to) = interval(0, runs);
            assert!(from == 0.0 && (to - bound).abs() < 1e-9, "{runs}: {to}");
            let (from, to) = interval(runs, runs);
            assert!(to == 1.0 && (from - (1.0 - bound)).abs() < 1e-9, "{runs}: {from}");
        }
        // Of a symmetric case both ends are as far from the middle, and each tail has half of what may err.
        let (from, to) = interval(5, 10);
        assert!((from + to - 1.0).abs() < 1e-9, "{from} {to}");
        let choose = [1.0, 10.0, 45.0, 120.0, 210.0, 252.0];
        let at_most = (0..=5).map(|k| choose[k] * to.powi(k as i32) * (1.0 - to).powi(10 - k as i32));
        assert!((at_most.sum::<f64>() - 0.005).abs() < 1e-9);
    }

    #[test]
    fn hits_are_counted_by_result_and_by_class() {
        let mut hits = Hits::default();
        for (result, class) in [("x=1", 1), ("x=2", 2), ("x=2", 3), ("x=2", 3)] {
            hits.saw(result.into(), class)
        }
        let results: Vec<_> = hits.results().into_iter().map(|(result, hits, _)| (result, hits)).collect();
        assert_eq!((results, hits.extremes()), (vec![("x=2", 3), ("x=1", 1)], (1, 2)));
        assert_eq!((hits.of("x=2"), hits.of("x=9")), (3, 0));
        assert!(hits.rate(1).starts_with("25.00 % (0."), "{}", hits.rate(1));
    }
}
