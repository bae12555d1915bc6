//! What a row of clean runs says: [`CleanRuns`] for sampled schedules, [`Coverage`] for enumerated ones.
//!
//! "A thousand runs and no violation" sounds the same for both and isn't. If each schedule was drawn independently from one
//! distribution, the chance of t clean runs at a violation rate of eps or more is at most (1 - eps)^t: that is evidence about
//! the rate, (1 - eps)^-t of it. A systematic exploration draws nothing; its next schedule depends on the last, and no
//! probability stands behind it. What it can say is how many of the classes it has seen, and if that is all of them, then that
//! there is no violation: a proof and not a rate.
//!
//! A sampler that learns from run to run lies in between: each run is drawn, from a distribution that the runs before have
//! decided. With p_i for the rate of run i given those before, 1/((1 - p_1)..(1 - p_t)) after t clean runs is a fair bet,
//! whatever the sampler has learnt; so the sum of -ln(1 - p_i) stays below ln(1/level) but with probability `level`, and by
//! Jensen's inequality the mean of the p_i stays below 1 - level^(1/t): the same number, for the mean over the runs.
//!
//! So the two come from two witnesses, [`Sampled`] and [`Enumerated`], and there is no way from one to the other:
//!
//! ```compile_fail
//! use asupersync_monitor::{CleanRuns, Enumerated};
//! let _ = CleanRuns::new(&Enumerated::new()); // expected `&Sampled`, found `&Enumerated`
//! ```
//!
//! Invariants: `clean.sampled` (a statement about a rate exists only for sampled runs), `clean.once` (after one violation there
//! is no clean-run statement any more).

use core::fmt;

use crate::{EValue, Level, Rate};

/// Witness: the schedules were drawn independently of each other and of what happened in them, all from one distribution.
///
/// Whoever draws them makes it (a sampler of the lab, a load test with independent requests) and stands for it. Runs that
/// were chosen by looking at earlier ones (a search, a shrinker, a list of old failures) are not sampled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sampled {
    seed: u64,
    learning: bool,
}

impl Sampled {
    /// The schedules were drawn independently, by a generator started from `seed`.
    #[must_use]
    pub fn independently(seed: u64) -> Self {
        Self { seed, learning: false }
    }

    /// Each schedule was drawn, from a distribution that what happened in those before may have changed: by a sampler that
    /// learns how long runs are, or from a program that is given another input each time. What follows is a statement on
    /// the mean over the runs.
    #[must_use]
    pub fn learning(seed: u64) -> Self {
        Self { seed, learning: true }
    }

    /// The seed they came from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

/// Witness: the schedules were visited one after the other by a systematic search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Enumerated {
    total: Option<u64>,
}

impl Enumerated {
    /// Nobody knows how many classes of schedules there are.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// There are exactly `total` classes.
    #[must_use]
    pub fn of(total: u64) -> Self {
        Self { total: Some(total) }
    }
}

/// Counts sampled runs for as long as they are clean, and says what follows. Eight bytes of state and one test per run.
#[derive(Clone, Debug)]
pub struct CleanRuns {
    sampled: Sampled,
    clean: u64,
    violated_at: Option<u64>,
}

impl CleanRuns {
    /// Starts counting runs that `sampled` vouches for.
    #[must_use]
    pub fn new(sampled: &Sampled) -> Self {
        Self { sampled: *sampled, clean: 0, violated_at: None }
    }

    /// Takes in the next run. Nothing changes after the first violation.
    pub fn observe(&mut self, violated: bool) {
        match (self.violated_at, violated) {
            (None, false) => self.clean += 1,
            (None, true) => self.violated_at = Some(self.clean + 1),
            (Some(_), _) => {}
        }
    }

    /// The evidence against "at least `rate` of the schedules violate": (1 - rate)^-t after t clean runs, 0 after a
    /// violation.
    #[must_use]
    pub fn evidence(&self, rate: Rate) -> EValue {
        match self.violated_at {
            None => EValue::from_ln(-(self.clean as f64) * (-rate.value()).ln_1p()),
            Some(_) => EValue::from_ln(f64::NEG_INFINITY),
        }
    }

    /// What the runs so far allow to say at this level.
    #[must_use]
    pub fn statement(&self, level: Level) -> Statement {
        match self.violated_at {
            Some(run) => Statement::Violated { run, seed: self.sampled.seed },
            None if self.clean == 0 => Statement::Nothing,
            None => {
                // The smallest rate whose evidence has reached 1/level: 1 - level^(1/t).
                let below = -(-level.ln_threshold() / self.clean as f64).exp_m1();
                Statement::Below { below, level, runs: self.clean, mean: self.sampled.learning }
            }
        }
    }

    /// How many clean runs it takes to say "below `rate`" at `level`: the least t with (1 - rate)^t <= level.
    #[must_use]
    pub fn needed(rate: Rate, level: Level) -> u64 {
        let runs = level.ln_threshold() / -(-rate.value()).ln_1p();
        if types::seeded!("clean.rounds-down") { runs.floor() as u64 } else { runs.ceil() as u64 }
    }
}

/// What a row of sampled runs says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Statement {
    /// No run yet.
    Nothing,
    /// All runs were clean.
    Below {
        /// The rate of violating schedules, under the distribution they were drawn from, is below this.
        below: f64,
        /// The chance that the statement is wrong, whenever one stopped.
        level: Level,
        /// How many runs there were.
        runs: u64,
        /// Whether the rate is the mean over these runs, as their distribution changed on the way.
        mean: bool,
    },
    /// A run violated: no statistics needed.
    Violated {
        /// Which run it was, counted from 1.
        run: u64,
        /// The seed of the sampler.
        seed: u64,
    },
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Nothing => f.write_str("no run yet, so nothing to say"),
            Self::Below { below, level, runs, mean } => {
                let sure = Level::new(1.0 - level.value()).unwrap_or(level);
                let is = if mean { "was, on average over these runs," } else { "is" };
                let clean = if runs == 1 { "clean run" } else { "clean runs" };
                match Rate::new(below) {
                    Ok(rate) => write!(
                        f,
                        "after {runs} {clean} the rate of violating schedules {is} below {rate}, with {sure} confidence"
                    ),
                    Err(_) => write!(f, "after {runs} {clean} nothing is known yet"),
                }
            }
            Self::Violated { run, seed } => write!(f, "run {run} of seed {seed} violated: that is a proof"),
        }
    }
}

/// Counts the classes of schedules that a systematic search has visited. It makes no statement about rates.
#[derive(Clone, Debug)]
pub struct Coverage {
    enumerated: Enumerated,
    visited: u64,
    violating: u64,
}

impl Coverage {
    /// Starts counting what the search behind `enumerated` visits.
    #[must_use]
    pub fn new(enumerated: &Enumerated) -> Self {
        Self { enumerated: *enumerated, visited: 0, violating: 0 }
    }

    /// Takes in the next class: every call must be for one that wasn't visited before.
    pub fn observe(&mut self, violated: bool) {
        self.visited += 1;
        self.violating += u64::from(violated);
    }

    /// How many classes were visited.
    #[must_use]
    pub fn visited(&self) -> u64 {
        self.visited
    }

    /// Whether every class was visited, where it's known how many there are.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.enumerated.total == Some(self.visited)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { visited, violating, .. } = self;
        match self.enumerated.total {
            Some(total) => write!(f, "{visited} of {total} classes of schedules visited")?,
            None => write!(f, "{visited} classes of schedules visited, of an unknown number")?,
        }
        match (*violating, self.is_complete()) {
            (0, true) => f.write_str(": none violates, and there are no others"),
            (0, false) => f.write_str(": none violates; about the others this says nothing"),
            (violating, _) => write!(f, ": {violating} found violating"),
        }
    }
}
