//! [`Coverage`]: which classes of executions a sampler has seen, and how much of the probability it has not.
//!
//! A class is known by its fingerprint, 128 bits that are equal for executions that differ only in the order of
//! independent steps; somebody else computes it.
//!
//! What is said about the unseen holds for executions drawn independently from one distribution: a sampler with
//! seeds, not an exhaustive exploration. For one that learns (`Pct`, `Urw`) it holds once it has learnt.
//!
//! Not here: how many classes an exploration has before it (`estimate`).
use std::collections::BTreeMap;
use std::fmt;

/// The classes seen, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    classes: BTreeMap<u128, u64>,
    runs: u64,
    once: u64,
    twice: u64,
}

impl Coverage {
    /// Nothing seen.
    #[must_use]
    pub fn new() -> Coverage {
        Coverage::default()
    }

    /// One more execution. Whether its class is a new one.
    ///
    /// Cost: a look into a tree of the classes; about 50 bytes for a new one.
    pub fn saw(&mut self, fingerprint: u128) -> bool {
        self.runs += 1;
        let count = self.classes.entry(fingerprint).or_default();
        *count += 1;
        match *count {
            1 => self.once += 1,
            2 => (self.once, self.twice) = (self.once - 1, self.twice + 1),
            3 => self.twice -= 1,
            _ => {}
        }
        *count == 1
    }

    /// As if everything that `other` saw had been seen here.
    pub fn absorb(&mut self, other: &Coverage) {
        self.runs += other.runs;
        for (class, times) in &other.classes {
            *self.classes.entry(*class).or_default() += times;
        }
        let seen = |times| self.classes.values().filter(|count| **count == times).count() as u64;
        (self.once, self.twice) = (seen(1), seen(2));
    }

    /// How many executions there were.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How many classes they were of.
    #[must_use]
    pub fn classes(&self) -> u64 {
        self.classes.len() as u64
    }

    /// How many classes were seen exactly once.
    #[must_use]
    pub fn once(&self) -> u64 {
        self.once
    }

    /// How often a class was seen.
    #[must_use]
    pub fn times(&self, fingerprint: u128) -> u64 {
        self.classes.get(&fingerprint).copied().unwrap_or(0)
    }

    /// The probability, by estimate, that the next execution is of a class not seen yet: the share of executions whose
    /// class was seen once (Good, Biometrika 1953). 1 before the first.
    #[must_use]
    pub fn unseen(&self) -> f64 {
        if self.runs == 0 { 1.0 } else { self.once as f64 / self.runs as f64 }
    }

    /// A bound for the same probability that fails with a probability of at most `risk`: the estimate and
    /// `(2 sqrt 2 + sqrt 3) sqrt(ln(3 / risk) / runs)` (McAllester, Schapire, COLT 2000). At most 1.
    #[must_use]
    pub fn unseen_at_most(&self, risk: f64) -> f64 {
        if self.runs == 0 {
            return 1.0;
        }
        let slack = (8f64.sqrt() + 3f64.sqrt()) * ((3.0 / risk).ln() / self.runs as f64).sqrt();
        (self.unseen() + slack).min(1.0)
    }

    /// How many classes there are at least, by estimate: those seen and `once^2 / (2 twice)` more (Chao, 1984, in the
    /// form that also works when none was seen twice). Much too low where many classes are rare.
    #[must_use]
    pub fn classes_at_least(&self) -> f64 {
        let (once, twice) = (self.once as f64, self.twice as f64);
        self.classes() as f64 + once * (once - 1.0).max(0.0) / (2.0 * (twice + 1.0))
    }

    /// Which classes only one of two has.
    #[must_use]
    pub fn diff<'a>(&'a self, other: &'a Coverage) -> Diff {
        let lacks = |of: &Coverage, from: &Coverage| {
            from.classes.keys().filter(|class| !of.classes.contains_key(class)).copied().collect()
        };
        let only_here: Vec<u128> = lacks(other, self);
        let both = self.classes.len() - only_here.len();
        Diff { only_here, only_there: lacks(self, other), both }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (classes, runs) = (self.classes(), self.runs);
        let class = if classes == 1 { "class" } else { "classes" };
        let run = if runs == 1 { "run" } else { "runs" };
        write!(
            f,
            "{classes} {class} in {runs} {run}, about {} of the probability unseen",
            Percent(self.unseen())
        )
    }
}

/// A share in percent with as many digits as say something.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 * 100.0 {
            0.0 => f.write_str("0 %"),
            percent if percent >= 10.0 => write!(f, "{percent:.0} %"),
            percent if percent >= 0.1 => write!(f, "{percent:.1} %"),
            percent if percent >= 0.001 => write!(f, "{percent:.3} %"),
            _ => f.write_str("less than 0.001 %"),
        }
    }
}

/// How the classes of two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// Classes that only the first one has, in ascending order.
    pub only_here: Vec<u128>,
    /// Classes that only the other one has, in ascending order.
    pub only_there: Vec<u128>,
    /// How many both have.
    pub both: usize,
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (here, there) = (self.only_here.len(), self.only_there.len());
        write!(f, "{} classes in both, {here} only in the first, {there} only in the second", self.both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(fingerprints: &[u128]) -> Coverage {
        let mut coverage = Coverage::new();
        fingerprints.iter().for_each(|fingerprint| _ = coverage.saw(*fingerprint));
        coverage
    }

    #[test]
    fn what_another_has_seen_can_be_added() {
        let mut one = coverage(&[1, 2, 2, 4]);
        one.absorb(&coverage(&[2, 3, 4]));
        assert_eq!(one, coverage(&[1, 2, 2, 2, 3, 4, 4]));
    }

    #[test]
    fn what_is_unseen_is_the_share_of_runs_whose_class_came_once() {
        let some = coverage(&[1, 2, 2, 3, 3, 3, 4, 4]);
        assert_eq!((some.runs(), some.classes(), some.once()), (8, 4, 1));
        assert_eq!(some.unseen(), 0.125);
        assert_eq!(some.to_string(), "4 classes in 8 runs, about 12 % of the probability unseen");
        assert_eq!(coverage(&[]).unseen(), 1.0);
        assert_eq!(coverage(&[7]).to_string(), "1 class in 1 run, about 100 % of the probability unseen");
        assert_eq!(coverage(&[7, 7]).to_string(), "1 class in 2 runs, about 0 % of the probability unseen");
    }

    #[test]
    fn a_class_is_new_once() {
        let mut some = Coverage::new();
        assert!(some.saw(1 << 100));
        assert!(!some.saw(1 << 100));
        assert_eq!((some.times(1 << 100), some.times(1)), (2, 0));
    }

    #[test]
    fn the_bound_is_above_the_estimate_and_comes_down_with_more_runs() {
        let few = coverage(&[1; 100]);
        let many = coverage(&[1; 100_000]);
        // By hand: 4.560478 * sqrt(ln(60) / 100).
        assert!((few.unseen_at_most(0.05) - 0.922_789).abs() < 1e-6);
        assert!(many.unseen_at_most(0.05) < 0.05 && many.unseen_at_most(0.05) > many.unseen());
        assert!(many.unseen_at_most(0.001) > many.unseen_at_most(0.05));
    }

    #[test]
    fn the_lower_estimate_adds_classes_only_where_some_came_once() {
        assert_eq!(coverage(&[1, 1, 2, 2]).classes_at_least(), 2.0);
        assert_eq!(coverage(&[1, 2, 3, 4, 4]).classes_at_least(), 4.0 + 6.0 / 4.0);
    }

    #[test]
    fn two_runs_differ_by_class_and_not_by_count() {
        let (here, there) = (coverage(&[1, 2, 3, 3]), coverage(&[3, 4]));
        let diff = here.diff(&there);
        assert_eq!(diff, Diff { only_here: vec![1, 2], only_there: vec![4], both: 1 });
        assert_eq!(diff.to_string(), "1 classes in both, 2 only in the first, 1 only in the second");
        assert_eq!(here.diff(&here).both, 3);
    }
}
