//! [`Progress`]: how far a search has come, for whoever watches it and may end it.
//!
//! Not here: clocks and terminals. Who watches has them (`lab_test`).
use explore::{Coverage, Crowd, Ended, Estimate, Point, Scheduler, Step, Survey};
use std::fmt;
use std::sync::{Arc, Mutex};
use trace::Choice;

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// It does.
    On,
    /// It ends here, and says of how much it has seen how much ([`Found`](crate::Found)).
    Stop,
}

/// How far a search has come. What has to be computed is computed when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Executions so far.
    pub runs: u64,
    /// Executions that were given up because they would have repeated another.
    pub repeated: u64,
    /// How many there will be at most, if there is a limit.
    pub limit: Option<u64>,
    pub(crate) coverage: &'a Coverage,
    pub(crate) survey: Option<&'a Survey>,
}

impl Progress<'_> {
    /// How many classes were seen.
    #[must_use]
    pub fn classes(&self) -> u64 {
        self.coverage.classes()
    }

    /// How many executions a search through every class will likely have; `None` for samples. Cost: a few operations
    /// for each step of the last execution.
    #[must_use]
    pub fn likely(&self) -> Option<Estimate> {
        self.survey.map(Survey::estimate)
    }

    /// For samples: the probability that one more run is of a class that was not seen. `None` otherwise.
    #[must_use]
    pub fn unseen(&self) -> Option<f64> {
        self.survey.is_none().then(|| self.coverage.unseen())
    }
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.likely(), self.limit) {
            (Some(estimate), _) => {
                write!(f, "{} classes of about {}", self.classes(), rounded(estimate.likely))
            }
            (None, Some(limit)) => write!(f, "run {} of {limit}, {} classes", self.runs, self.classes()),
            (None, None) => write!(f, "run {}, {} classes", self.runs, self.classes()),
        }
    }
}

/// A guess, with two digits that say something.
pub(crate) fn rounded(guess: f64) -> String {
    if !guess.is_finite() {
        return "nobody knows how many".into();
    }
    let digits = guess.max(1.0).log10().floor() as i32 - 1;
    let unit = 10f64.powi(digits.max(0));
    format!("{:.0}", (guess / unit).round() * unit)
}

/// Who is told.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<Mutex<Told>>);

type Told = dyn FnMut(&Progress<'_>) -> Go + Send;

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// Passes every question on, and keeps whose the steps were: the path that a survey is fed with.
#[derive(Debug)]
pub(crate) struct Walked<S> {
    pub(crate) inner: S,
    keeps: bool,
    pub(crate) path: Vec<u64>,
}

impl<S> Walked<S> {
    pub(crate) fn new(inner: S, keeps: bool) -> Walked<S> {
        Walked { inner, keeps, path: Vec::new() }
    }
}

impl<S: Scheduler> Scheduler for Walked<S> {
    fn begin(&mut self) {
        self.path.clear();
        self.inner.begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner.pick(point)
    }
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        self.inner.pick_unlisted(crowd)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.inner.choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        if self.keeps {
            self.path.push(step.task.map_or(u64::MAX, |task| task.as_u64()))
        }
        self.inner.ran(step)
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.inner.ended(how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_shows_two_digits() {
        assert_eq!(["7", "90", "1200", "99000"], [7.4, 90.2, 1234.0, 98_765.0].map(rounded));
        assert_eq!(rounded(f64::INFINITY), "nobody knows how many");
    }
}
