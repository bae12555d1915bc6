//! Walks an e-process along all sequences of observations at once, with their exact chances.

use std::collections::BTreeMap;

use asupersync_monitor::{AtMost, EProcess, Exactly, Level, Rate};

/// What can happen within a number of observations, and how likely it is.
pub(crate) struct Walk {
    /// At `t`, the chance that the evidence reaches one over the level at exactly the t-th observation.
    pub(crate) first_reached: Vec<f64>,
    /// The expectation of the evidence when it is stopped there, or at the end.
    pub(crate) expectation: f64,
}

impl Walk {
    /// The chance to reach the threshold by observation `t`.
    pub(crate) fn reached_by(&self, t: usize) -> f64 {
        self.first_reached[..=t].iter().sum()
    }

    /// The average time to reach it, given that it's reached.
    pub(crate) fn mean_time(&self) -> f64 {
        let weighted: f64 = self.first_reached.iter().enumerate().map(|(t, chance)| t as f64 * chance).sum();
        weighted / self.reached_by(self.first_reached.len() - 1)
    }

    /// The first time by which half of those that reach it have.
    pub(crate) fn median_time(&self) -> usize {
        let half = 0.5 * self.reached_by(self.first_reached.len() - 1);
        (0..self.first_reached.len()).find(|&t| self.reached_by(t) >= half).expect("half is reached")
    }
}

/// Walks `process` with violations of chance `p` for `n` observations, stopping where it reaches one over `level`.
///
/// Good for processes whose evidence depends on the counts alone. States with a chance below 1e-25 are left out: together
/// they move no result by 1e-15.
pub(crate) fn walk<P: EProcess + Clone>(process: &P, p: f64, n: usize, level: Level) -> Walk {
    let mut walk = Walk { first_reached: vec![0.0; n + 1], expectation: 0.0 };
    let mut alive = BTreeMap::from([(0_u64, (1.0, process.clone()))]);
    for t in 1..=n {
        let mut next = BTreeMap::new();
        for (count, (chance, process)) in alive {
            for (violated, chance) in [(false, chance * (1.0 - p)), (true, chance * p)] {
                let (sum, _) = next.entry(count + u64::from(violated)).or_insert_with(|| {
                    let mut process = process.clone();
                    process.observe(violated);
                    (0.0, process)
                });
                *sum += chance;
            }
        }
        next.retain(|_, (chance, process): &mut (f64, P)| {
            let stops = process.wealth().now().rejects(level);
            if stops {
                walk.first_reached[t] += *chance;
                walk.expectation += *chance * process.log_e().exp();
            }
            !stops && *chance >= 1e-25
        });
        alive = next;
    }
    walk.expectation += alive.values().map(|(chance, process)| chance * process.log_e().exp()).sum::<f64>();
    walk
}

/// Every sequence of `n` observations with its chance under `p`.
pub(crate) fn sequences(n: u32, p: f64) -> impl Iterator<Item = (Vec<bool>, f64)> {
    (0..1_u32 << n).map(move |bits| {
        let path: Vec<bool> = (0..n).map(|at| bits >> at & 1 == 1).collect();
        let chance = path.iter().map(|&violated| if violated { p } else { 1.0 - p }).product();
        (path, chance)
    })
}

pub(crate) fn at_most(rate: f64) -> AtMost {
    AtMost::rate(rate).expect("a rate")
}

pub(crate) fn exactly(rate: f64) -> Exactly {
    Exactly::rate(rate).expect("a rate")
}

pub(crate) fn rate(rate: f64) -> Rate {
    Rate::new(rate).expect("a rate")
}

/// Fails unless `found` is `expected` to within `tolerance`.
#[track_caller]
pub(crate) fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} isn't {expected} to within {tolerance}");
}
