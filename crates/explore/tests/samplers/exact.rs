//! Exact numbers: probabilities as fractions, by going through every state or every choice a sampler can make; and the
//! tails of a binomial distribution.
use crate::programs::Mistake;
use explore::mini::{End, Machine};
use explore::{Candidate, Ended, Point, Scheduler, Step};
use std::collections::BTreeMap;
use std::hash::Hasher;
use trace::Choice;
use types::TaskId;

/// A fraction in lowest terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fraction(pub(crate) u128, pub(crate) u128);

impl Fraction {
    pub(crate) fn new(above: u128, below: u128) -> Fraction {
        let (mut a, mut b) = (above, below);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Fraction(above / a, below / a)
    }

    fn plus(self, other: Fraction) -> Fraction {
        Fraction::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    pub(crate) fn value(self) -> f64 {
        self.0 as f64 / self.1 as f64
    }
}

/// What is hashed, itself: no collisions.
#[derive(Default)]
struct Key(Vec<u8>);

impl Hasher for Key {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the bytes are the key")
    }
}

/// What is true of all executions that go on from one state.
#[derive(Clone, Copy)]
struct Rest {
    /// That the uniform random walk makes the mistake.
    probability: Fraction,
    executions: u128,
    mistaken: u128,
}

/// The uniform random walk's probability of the mistake, how many executions make it, and how many there are.
pub(crate) fn random_walk(mistake: &Mistake) -> (Fraction, u128, u128) {
    fn go(machine: &Machine, mistake: &Mistake, known: &mut BTreeMap<Vec<u8>, Rest>) -> Rest {
        let mut key = Key::default();
        machine.hash_state(&mut key);
        if let Some(rest) = known.get(&key.0) {
            return *rest;
        }
        let candidates = machine.candidates().len();
        let mut rest = Rest { probability: Fraction(0, 1), executions: 0, mistaken: 0 };
        for picked in 0..candidates {
            let mut next = machine.clone();
            next.step(picked);
            let behind = go(&next, mistake, known);
            let share = Fraction::new(behind.probability.0, behind.probability.1 * candidates as u128);
            rest.probability = rest.probability.plus(share);
            rest.executions += behind.executions;
            rest.mistaken += behind.mistaken;
        }
        if candidates == 0 {
            let mut machine = machine.clone();
            let end = if machine.stuck().is_empty() { End::Finished } else { End::Stuck };
            let mistaken = u128::from((mistake.happened)(&machine, end));
            rest = Rest { probability: Fraction(mistaken, 1), executions: 1, mistaken };
        }
        known.insert(key.0, rest);
        rest
    }
    let rest = go(&mistake.machine(), mistake, &mut BTreeMap::new());
    (rest.probability, rest.mistaken, rest.executions)
}

/// PCT with its random draws given: whose priority is how high, and who falls where at which step.
struct Priorities {
    initial: Vec<u64>,
    now: Vec<u64>,
    /// (step, priority), in the order of the steps.
    changes: Vec<(u64, u64)>,
    step: u64,
}

impl Priorities {
    fn highest(&self, candidates: &[Candidate]) -> usize {
        let priority = |task: TaskId| self.now[task.as_u64() as usize];
        (0..candidates.len()).max_by_key(|at| priority(candidates[*at].task)).expect("somebody is next")
    }
}

impl Scheduler for Priorities {
    fn begin(&mut self) {
        (self.now, self.step) = (self.initial.clone(), 0);
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let mut picked = self.highest(point.candidates);
        for (_, priority) in self.changes.clone().into_iter().filter(|(at, _)| *at == self.step) {
            self.now[point.candidates[picked].task.as_u64() as usize] = priority;
            picked = self.highest(point.candidates);
        }
        self.step += 1;
        Some(picked)
    }

    fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
        usual
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {}
}

/// PCT's probability of the mistake, at this depth and with change points among `steps` steps.
pub(crate) fn pct(mistake: &Mistake, depth: u32, steps: u64) -> Fraction {
    let mut orders = vec![Vec::new()];
    for task in 0..mistake.tasks() {
        let with = |order: Vec<u64>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, task);
                order
            })
        };
        orders = orders.into_iter().flat_map(with).collect();
    }
    let mut machine = mistake.machine();
    let (mut mistaken, mut all) = (0, 0);
    for order in orders {
        for mut code in 0..steps.pow(depth - 1) {
            let mut changes = Vec::new();
            for priority in 1..u64::from(depth) {
                changes.push((code % steps, priority));
                code /= steps;
            }
            changes.sort_unstable();
            let initial = order.iter().map(|place| u64::from(depth) + place).collect();
            let end = machine.run(&mut Priorities { initial, now: Vec::new(), changes, step: 0 });
            mistaken += u128::from((mistake.happened)(&machine, end));
            all += 1;
        }
    }
    Fraction::new(mistaken, all)
}

/// The probabilities that a binomial variable is at most, and at least, `hits`.
pub(crate) fn tails(hits: u64, runs: u64, probability: f64) -> (f64, f64) {
    let mut log_choose = 0.0;
    let (mut below, mut above) = (0.0, 0.0);
    for k in 0..=runs {
        if k > 0 {
            log_choose += ((runs - k + 1) as f64).ln() - (k as f64).ln();
        }
        let log = log_choose + k as f64 * probability.ln() + (runs - k) as f64 * (-probability).ln_1p();
        below += if k <= hits { log.exp() } else { 0.0 };
        above += if k >= hits { log.exp() } else { 0.0 };
    }
    (below, above)
}

/// That so many hits lie inside the central 99.9 % of the binomial distribution.
#[track_caller]
pub(crate) fn assert_rate(what: &str, hits: u64, runs: u64, probability: f64) {
    let (below, above) = tails(hits, runs, probability);
    assert!(
        below > 0.0005 && above > 0.0005,
        "{what}: {hits} hits in {runs} runs is outside the 99.9 % interval of probability {probability}"
    );
}

#[test]
fn the_tails_are_those_of_the_binomial_distribution() {
    // Exact by hand: 1 - (1/2)^10 ... sums of binomial coefficients over 1024.
    let (below, above) = tails(8, 10, 0.5);
    assert!((below - 1013.0 / 1024.0).abs() < 1e-12 && (above - 56.0 / 1024.0).abs() < 1e-12);
    let (below, above) = tails(0, 10_000, 0.001);
    assert!((below - 0.999f64.powi(10_000)).abs() < 1e-12 && (above - 1.0).abs() < 1e-9);
}
